"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    *("counters", "plans", "policies", "deployments", "journal", "seals", "outbox", "inbox"),
    *("environments", "proven", "threads", "drafts", "leases", "heads"),
)
_APPEND_ONLY = ("journal", "seals")


def upgrade() -> None:
    _small_tables()
    _deployments()
    _chains()
    _outbox()
    _inbox()
    _environments()
    _conversation()
    if op.get_context().dialect.name == "sqlite":
        _refuse_changes_on_sqlite()
    else:
        _refuse_changes_on_postgres()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _key(*names: str) -> tuple[sa.schema.SchemaItem, ...]:
    columns = (sa.Column(name, sa.Text(), nullable=False) for name in names)
    return (*columns, sa.PrimaryKeyConstraint(*names))


def _text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _time(name: str, nullable: bool = False) -> sa.schema.SchemaItem:
    return sa.Column(name, UTCDateTime(), nullable=nullable)


def _index(
    table: str, name: str, *columns: str, where: str | None = None, unique: bool = False
) -> None:
    condition = sa.text(where) if where else None
    op.create_index(
        f"{table}_{name}",
        table,
        list(columns),
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _small_tables() -> None:
    op.create_table("counters", *_key("team", "name"), _number("value"))
    op.create_table("plans", *_key("team", "digest"), _text("body"))
    op.create_table("policies", *_key("digest"), _text("body"), _time("at"))
    op.create_table("leases", *_key("name"), _text("owner"), _time("until"), _number("fence"))


def _deployments() -> None:
    op.create_table(
        "deployments",
        *_key("team", "id"),
        _number("revision"),
        _text("plan"),
        _text("kind"),
        _text("service"),
        _text("environment"),
        _text("version"),
        _text("requested_by"),
        _time("requested_at"),
        _text("phase"),
        _flag("is_rival"),
        _text("state"),
        _time("next_due_at", nullable=True),
        _time("live_at", nullable=True),
        _time("finished_at", nullable=True),
        _flag("has_card"),
        _number("journal_seq"),
        _text("journal_hash"),
        _number("sealed_seq"),
        _text("lease_owner", nullable=True),
        _time("lease_until", nullable=True),
        _number("lease_fence"),
    )
    table, here, is_open = (
        "deployments",
        ("team", "service", "environment"),
        "finished_at IS NULL",
    )
    _index(table, "due", "next_due_at", where=is_open)
    _index(table, "open", *here, where=is_open)
    _index(table, "rivals", *here, "kind", where="is_rival", unique=True)
    lived = "phase IN ('succeeded', 'superseded')"
    _index(table, "lived", *here, "version", "finished_at", where=lived)
    _index(table, "unsealed", "team", "id", where="journal_seq <> sealed_seq")
    _index(table, "newest", "team", "requested_at")
    _index(table, "newest_of", "team", "service", "requested_at")


def _chains() -> None:
    op.create_table(
        "journal",
        _text("team"),
        _text("thing"),
        _number("seq"),
        _time("at"),
        _text("event"),
        _text("actor", nullable=True),
        _number("revision"),
        _text("body"),
        _text("prev"),
        _text("hash"),
        sa.PrimaryKeyConstraint("team", "thing", "seq"),
    )
    op.create_table(
        "heads",
        *_key("team", "thing"),
        _number("seq"),
        _text("hash"),
        _number("sealed_seq"),
    )
    _index("heads", "unsealed", "team", "thing", where="seq <> sealed_seq")
    op.create_table(
        "seals",
        _text("team"),
        _number("seq"),
        _time("at"),
        _text("heads"),
        _text("prev"),
        _text("hash"),
        sa.PrimaryKeyConstraint("team", "seq"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        _text("team"),
        _text("thing"),
        _text("lane"),
        _number("priority"),
        _text("wish", nullable=True),
        _flag("needs_card"),
        _flag("is_card"),
        _text("effect"),
        _text("state"),
        _flag("is_in_doubt"),
        _number("attempts"),
        _number("epoch"),
        _time("next_at"),
        _text("owner", nullable=True),
        _time("lease_until", nullable=True),
        _time("created_at"),
        _time("done_at", nullable=True),
        _text("why", nullable=True),
        sqlite_autoincrement=True,
    )
    unsent = "done_at IS NULL"
    _index("outbox", "urgent", "priority", "id", where=unsent)
    _index("outbox", "lanes", "team", "lane", "id", where=unsent)
    _index("outbox", "things", "team", "thing", where=unsent)
    _index("outbox", "done", "done_at", where="state = 'done'")


def _inbox() -> None:
    op.create_table(
        "inbox",
        *_key("team", "kind", "key"),
        _text("body_hash"),
        _text("outcome"),
        _time("at"),
    )
    _index("inbox", "old", "at")


def _environments() -> None:
    op.create_table(
        "environments",
        *_key("team", "service", "environment"),
        _text("deployment_id", nullable=True),
        _number("fence"),
        _text("lock_reason", nullable=True),
        _text("locked_by", nullable=True),
        _time("locked_at", nullable=True),
        _text("serving", nullable=True),
        _time("serving_at", nullable=True),
    )
    op.create_table(
        "proven",
        *_key("team", "service", "environment", "version"),
        _text("body"),
        _time("proven_at"),
    )


def _conversation() -> None:
    op.create_table(
        "threads",
        *_key("team", "thing", "role"),
        _text("channel"),
        _text("ts"),
        _time("at"),
        _text("note"),
    )
    _index("threads", "messages", "team", "channel", "ts")
    op.create_table(
        "drafts",
        *_key("team", "id"),
        *(_text(n) for n in ("author", "service", "environment", "kind", "version")),
        _time("created_at"),
        _text("note"),
        _text("thing"),
    )
    _index("drafts", "old", "created_at")


def _refuse_changes_on_sqlite() -> None:
    for table in _APPEND_ONLY:
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{what.lower()} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
            )


def _refuse_changes_on_postgres() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
