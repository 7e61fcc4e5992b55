"""The tables, for migrations and reports; what runs all day speaks SQL and never imports this."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


def _key() -> Any:
    return Field(primary_key=True, sa_type=sa.Text)


def _text() -> Any:
    return Field(sa_type=sa.Text)


def _maybe() -> Any:
    return Field(default=None, sa_type=sa.Text, nullable=True)


def _partial(name: str, *columns: Any, where: str, unique: bool = False) -> sa.Index:
    """An index that holds only the few rows that queries name by the same words."""
    condition = sa.text(where)
    return sa.Index(
        name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition
    )


_OPEN = "finished_at IS NULL"
_UNSENT = "done_at IS NULL"


class CounterRow(SQLModel, table=True):
    """The newest number given out."""

    __tablename__ = "counters"

    team: str = _key()
    name: str = _key()
    value: int


class PlanRow(SQLModel, table=True):
    """A plan's text, once."""

    __tablename__ = "plans"

    team: str = _key()
    digest: str = _key()
    body: str = _text()


class PolicyRow(SQLModel, table=True):
    """A policy's text, once."""

    __tablename__ = "policies"

    digest: str = _key()
    body: str = _text()
    at: datetime


class DeploymentRow(SQLModel, table=True):
    """The state, and beside it the facts that queries look for."""

    __tablename__ = "deployments"
    __table_args__ = (
        _partial("deployments_due", "next_due_at", where=_OPEN),
        _partial("deployments_open", "team", "service", "environment", where=_OPEN),
        _partial(
            "deployments_rivals",
            *("team", "service", "environment", "kind"),
            where="is_rival",
            unique=True,
        ),
        _partial(
            "deployments_lived",
            *("team", "service", "environment", "version", "finished_at"),
            where="phase IN ('succeeded', 'superseded')",
        ),
        _partial(
            "deployments_took",
            *("team", "service", "environment", "kind", "finished_at"),
            where="phase IN ('succeeded', 'superseded')",
        ),
        _partial("deployments_unsealed", "team", "id", where="journal_seq <> sealed_seq"),
        sa.Index("deployments_newest", "team", "requested_at"),
        sa.Index("deployments_newest_of", "team", "service", "requested_at"),
    )

    team: str = _key()
    id: str = _key()
    revision: int
    plan: str = _text()
    kind: str = _text()
    service: str = _text()
    environment: str = _text()
    version: str = _text()
    requested_by: str = _text()
    requested_at: datetime
    phase: str = _text()
    is_rival: bool
    state: str = _text()
    next_due_at: datetime | None = None
    live_at: datetime | None = None
    finished_at: datetime | None = None
    has_card: bool
    journal_seq: int
    journal_hash: str = _text()
    sealed_seq: int
    lease_owner: str | None = _maybe()
    lease_until: datetime | None = None
    lease_fence: int


class JournalRow(SQLModel, table=True):
    """One transition; never changed, never deleted."""

    __tablename__ = "journal"

    team: str = _key()
    thing: str = _key()
    seq: int = Field(primary_key=True)
    at: datetime
    event: str = _text()
    actor: str | None = _maybe()
    revision: int
    body: str = _text()
    prev: str = _text()
    hash: str = _text()


class HeadRow(SQLModel, table=True):
    """The journal's newest row about a thing that is no deployment."""

    __tablename__ = "heads"
    __table_args__ = (_partial("heads_unsealed", "team", "thing", where="seq <> sealed_seq"),)

    team: str = _key()
    thing: str = _key()
    seq: int
    hash: str = _text()
    sealed_seq: int


class SealRow(SQLModel, table=True):
    """Heads of the journal at one moment; never changed, never deleted."""

    __tablename__ = "seals"

    team: str = _key()
    seq: int = Field(primary_key=True)
    at: datetime
    heads: str = _text()
    prev: str = _text()
    hash: str = _text()


class OutboxRow(SQLModel, table=True):
    """One effect on its way; `state` is ready, sending, done or dead."""

    __tablename__ = "outbox"
    __table_args__ = (
        _partial("outbox_urgent", "priority", "id", where=_UNSENT),
        _partial("outbox_lanes", "team", "lane", "id", where=_UNSENT),
        _partial("outbox_things", "team", "thing", where=_UNSENT),
        _partial("outbox_done", "done_at", where="state = 'done'"),
        _partial("outbox_dead", "id", where="state = 'dead'"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(
        default=None,
        sa_column=sa.Column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    )
    team: str = _text()
    thing: str = _text()
    lane: str = _text()
    priority: int
    wish: str | None = _maybe()
    needs_card: bool
    is_card: bool
    effect: str = _text()
    state: str = _text()
    is_in_doubt: bool
    attempts: int
    epoch: int
    next_at: datetime
    owner: str | None = _maybe()
    lease_until: datetime | None = None
    created_at: datetime
    done_at: datetime | None = None
    why: str | None = _maybe()


class InboxRow(SQLModel, table=True):
    """One delivery, and what came of it."""

    __tablename__ = "inbox"
    __table_args__ = (sa.Index("inbox_old", "at"),)

    team: str = _key()
    kind: str = _key()
    key: str = _key()
    body_hash: str = _text()
    outcome: str = _text()
    at: datetime


class EnvironmentRow(SQLModel, table=True):
    """Slot, lock and what serves; a row stays for ever, because its fence only counts up."""

    __tablename__ = "environments"

    team: str = _key()
    service: str = _key()
    environment: str = _key()
    deployment_id: str | None = _maybe()
    fence: int
    lock_reason: str | None = _maybe()
    locked_by: str | None = _maybe()
    locked_at: datetime | None = None
    serving: str | None = _maybe()
    serving_at: datetime | None = None


class ProofRow(SQLModel, table=True):
    """A version that may be rolled back to."""

    __tablename__ = "proven"

    team: str = _key()
    service: str = _key()
    environment: str = _key()
    version: str = _key()
    body: str = _text()
    proven_at: datetime


class ThreadRow(SQLModel, table=True):
    """Which message stands for a thing."""

    __tablename__ = "threads"
    __table_args__ = (sa.Index("threads_messages", "team", "channel", "ts"),)

    team: str = _key()
    thing: str = _key()
    role: str = _key()
    channel: str = _text()
    ts: str = _text()
    at: datetime
    note: str = _text()


class DraftRow(SQLModel, table=True):
    """A request that was previewed."""

    __tablename__ = "drafts"
    __table_args__ = (sa.Index("drafts_old", "created_at"),)

    team: str = _key()
    id: str = _key()
    author: str = _text()
    service: str = _text()
    environment: str = _text()
    kind: str = _text()
    version: str = _text()
    created_at: datetime
    note: str = _text()
    thing: str = _text()


class LeaseRow(SQLModel, table=True):
    """Who does a named piece of work until when."""

    __tablename__ = "leases"

    name: str = _key()
    owner: str = _text()
    until: datetime
    fence: int
