"""The command line as a real process: its exit status, its words, and where they go."""

import json
import socket
import sqlite3
from pathlib import Path

import pytest

from bot.demo.policies import DemoWorld, write_policies
from bot.operate import NotPossible, made
from tests.processes import pilothouse, python

ENVIRONMENT = {
    "SLACK_BOT_TOKEN": "xoxb-of-a-test",
    "SLACK_SIGNING_SECRET": "of-a-test-1234",
    "PILOTHOUSE_LISTEN": "127.0.0.1:0",
}


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    where = "http://127.0.0.1:9"
    write_policies(
        tmp_path / "policies",
        DemoWorld(where, where, where, where, where, ("/bin/true", "{version}")),
    )
    return tmp_path / "policies"


def test_without_a_command_it_explains_itself(tmp_path: Path) -> None:
    ran = pilothouse(cwd=tmp_path)

    assert "run" in ran.out + ran.err
    assert ran.status == 2


def test_good_policies_are_called_good(policies: Path) -> None:
    ran = pilothouse("policy", "validate", str(policies))

    assert (ran.status, ran.out.splitlines()[-1], ran.err) == (0, "The policies are good.", "")


def test_every_mistake_is_named_with_its_place_and_its_fix(policies: Path) -> None:
    service = policies / "checkout.yaml"
    spoiled = service.read_text().replace("weight: 25%", "weight: 125%")
    service.write_text(spoiled + "colour: red\n")

    ran = pilothouse("policy", "validate", str(policies))
    found = json.loads(pilothouse("policy", "validate", str(policies), "--json").out)

    assert ran.status == 1
    assert "checkout.yaml:" in ran.out
    assert "nothing was loaded" in ran.err
    assert len(found) >= 2


def test_policies_that_are_not_there_are_a_no(tmp_path: Path) -> None:
    ran = pilothouse("policy", "validate", str(tmp_path / "nowhere"))

    assert ran.status == 1
    assert "Traceback" not in ran.err


def test_nothing_that_is_shown_steers_the_terminal(policies: Path) -> None:
    ran = pilothouse("policy", "show", "x\x1b[2K\x9b1A\u202e", str(policies))

    assert ran.status == 1
    assert "x\\x1b[2K\\x9b1A\\u202e" in ran.err
    assert not {"\x1b", "\x9b", "\u202e"} & set(ran.err + ran.out)


def test_an_unknown_service_is_a_no(policies: Path) -> None:
    ran = pilothouse("policy", "show", "search", str(policies))

    assert ran.status == 1
    assert "search" in ran.err


@pytest.mark.parametrize("what", ["schema", "diagram"])
def test_what_needs_no_file_needs_no_environment(tmp_path: Path, what: str) -> None:
    ran = pilothouse("policy", what, cwd=tmp_path)

    assert (ran.status, ran.err) == (0, "")
    assert ran.out


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxp-a-person"}, "SLACK_BOT_TOKEN"),
        ({"SLACK_SIGNING_SECRET": ""}, "SLACK_APP_TOKEN"),
        ({"DATABASE_URL": "mysql://root:hunter2hunter2@db/x"}, "DATABASE_URL"),
        ({"PILOTHOUSE_TICK": "soon"}, "PILOTHOUSE_TICK"),
        ({"PILOTHOUSE_LISTEN": "here"}, "PILOTHOUSE_LISTEN"),
    ],
)
def test_a_wrong_environment_is_refused_at_once_and_by_name(
    tmp_path: Path, change: dict[str, str], named: str
) -> None:
    ran = pilothouse("run", cwd=tmp_path, **(ENVIRONMENT | change))

    assert ran.status == 2
    assert named in ran.err
    assert "Traceback" not in ran.err
    assert "hunter2" not in ran.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_with_environment_and_policies_is_told_in_one_go(policies: Path) -> None:
    service = policies / "checkout.yaml"
    service.write_text(service.read_text().replace("weight: 25%", "weight: 125%"))
    wrong = {"PILOTHOUSE_TICK": "soon", "PILOTHOUSE_LISTEN": "here"}

    ran = pilothouse("run", cwd=policies.parent, **(ENVIRONMENT | wrong))

    assert ran.status == 2
    assert [line.split(":")[0] for line in ran.err.splitlines()[:2]] == sorted(wrong)
    assert "checkout.yaml:" in ran.err.splitlines()[2]
    assert ran.err.splitlines()[-1] == "Nothing was started. Mend these, and run it again."


@pytest.mark.parametrize("line", ["db upgrade", "audit verify"])
def test_an_address_of_no_database_is_refused_in_a_line_without_its_password(
    tmp_path: Path, line: str
) -> None:
    ran = pilothouse(*line.split(), cwd=tmp_path, DATABASE_URL="postgresql://b:hunter2@h:54x/x")

    assert ran.status == 2
    assert ran.err.startswith("DATABASE_URL: this is no address of a SQLite file or a Postgres")
    assert "Traceback" not in ran.err
    assert "hunter2" not in ran.err


def test_the_database_is_made_checked_and_audited(tmp_path: Path) -> None:
    before = pilothouse("audit", "verify", cwd=tmp_path)
    said = [
        pilothouse(*line.split(), cwd=tmp_path)
        for line in ("db upgrade", "db check", "audit verify", "audit export", "db backup copy.db")
    ]

    assert before.status == 1
    assert [ran.status for ran in said] == [0] * 5
    assert "The journal holds" in said[2].out
    assert (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("line", ["audit verify", "db backup copy.db", "do"])
def test_to_look_at_a_database_that_nobody_made_makes_none_and_is_a_no(
    tmp_path: Path, policies: Path, line: str
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    words = ["do", "/deploy status"] if line == "do" else line.split()
    ran = pilothouse(*words, cwd=folder, PILOTHOUSE_POLICIES=str(policies))

    assert ran.status == 1
    assert f"There is no database in {folder / 'pilothouse.db'}." in ran.err
    assert list(folder.iterdir()) == []


def test_an_empty_file_is_no_database_and_a_postgres_is_asked_itself(tmp_path: Path) -> None:
    path = tmp_path / "pilothouse.db"
    path.touch()
    with pytest.raises(NotPossible, match="There is no database"):
        made(f"sqlite:///{path}")

    path.write_bytes(b"something")
    for url in (f"sqlite:///{path}", "postgresql://127.0.0.1:1/x"):
        assert made(url) == url


def test_a_schema_that_cannot_be_looked_at_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "pilothouse.db").write_bytes(b"this is no database at all" * 400)
    (tmp_path / "a folder").mkdir()

    damaged = pilothouse("db", "check", cwd=tmp_path)
    closed = pilothouse("db", "upgrade", cwd=tmp_path, DATABASE_URL="sqlite:///a folder")

    assert (damaged.status, closed.status) == (1, 3)
    assert "damaged" in damaged.err
    assert f"The database file {tmp_path / 'a folder'} cannot be opened" in closed.err
    assert "Let the bot's user read and write that file" in closed.err.splitlines()[-1]
    assert "Traceback" not in damaged.err + closed.err


@pytest.mark.parametrize("line", ["run", "db upgrade", "audit verify"])
def test_a_folder_that_is_not_there_is_named_and_who_makes_it(
    tmp_path: Path, policies: Path, line: str
) -> None:
    where = {"DATABASE_URL": "sqlite:///not here/x.db", "PILOTHOUSE_POLICIES": str(policies)}

    ran = pilothouse(*line.split(), cwd=tmp_path, **(ENVIRONMENT | where))

    assert ran.status == 1
    folder = tmp_path / "not here"
    assert ran.err.splitlines()[-2:] == [
        f"There is no folder {folder} for the database file {folder / 'x.db'}.",
        "Nothing was changed. Mount or make that folder, or set DATABASE_URL to another place: "
        "the bot makes the file, never the folder.",
    ]
    assert not folder.exists()


def test_a_place_that_is_taken_is_named_and_nothing_is_left_open(
    tmp_path: Path, policies: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        listening = {"PILOTHOUSE_LISTEN": place, "SLACK_APP_TOKEN": "xapp-of-a-test"}
        where = {"PILOTHOUSE_POLICIES": str(policies), "SLACK_API_URL": "http://127.0.0.1:9/"}
        ran = pilothouse("run", cwd=tmp_path, **(ENVIRONMENT | listening | where))

    assert ran.status == 1
    assert f"The bot cannot listen on {place}: address already in use." in ran.err
    assert "Set PILOTHOUSE_LISTEN" in ran.err.splitlines()[-1]
    assert "Unclosed" not in ran.err
    assert "Running upgrade" in ran.err
    assert "setup plugin" not in ran.err


def test_a_journal_that_was_changed_does_not_hold(tmp_path: Path) -> None:
    pilothouse("db", "upgrade", cwd=tmp_path)
    with sqlite3.connect(tmp_path / "pilothouse.db") as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(journal)")]
        values = {"team": "T0DEMO", "thing": "D-1", "seq": 1, "at": "2026-03-02 14:00:00.000000"}
        row = [values.get(name, "x") for name in names]
        marks = ", ".join("?" * len(row))
        connection.execute("INSERT INTO journal VALUES (%s)" % marks, row)  # noqa: S608, UP031
    connection.close()

    ran = pilothouse("audit", "verify", cwd=tmp_path)
    machine = pilothouse("audit", "verify", "--json", cwd=tmp_path)

    assert ran.status == 1
    assert "The journal does not hold" in ran.err
    assert json.loads(machine.out)


def test_an_anchor_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    pilothouse("db", "upgrade", cwd=tmp_path)

    ran = pilothouse("audit", "verify", "--anchor", "newest hash ab12…", cwd=tmp_path)

    assert ran.status == 2
    assert "is no anchor" in ran.err
    assert "Traceback" not in ran.err


def test_a_damaged_database_is_said_and_left_alone(tmp_path: Path) -> None:
    pilothouse("db", "upgrade", cwd=tmp_path)
    path = tmp_path / "pilothouse.db"
    path.write_bytes(b"this is no database at all" * 400)

    ran = pilothouse("audit", "verify", cwd=tmp_path)

    assert ran.status == 1
    assert "damaged" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("line", ["db check", "db upgrade", "audit verify"])
def test_a_database_that_does_not_answer_is_said(tmp_path: Path, line: str) -> None:
    ran = pilothouse(
        *line.split(), cwd=tmp_path, DATABASE_URL="postgresql://bot:hunter2hunter2@127.0.0.1:1/x"
    )

    assert ran.status == 3
    assert "Nothing was changed." in ran.err
    assert "hunter2" not in ran.out + ran.err
    assert "Traceback" not in ran.err


def test_a_missing_policy_keeps_the_bot_from_starting(tmp_path: Path) -> None:
    ran = pilothouse("run", cwd=tmp_path, **ENVIRONMENT)

    assert ran.status == 1
    assert "Traceback" not in ran.err


def test_a_start_loads_only_what_a_bot_on_sqlite_uses() -> None:
    ran = python("-c", "import sys, bot.command_line; print(*sys.modules)")

    loaded = {name.partition(".")[0] for name in ran.out.split()}
    assert "slack_bolt" in loaded, ran.err
    unused = {"alembic", "aiosqlite", "asyncpg", "pagerduty", "sqlalchemy", "sqlmodel"}
    assert loaded & unused == set()
    assert "bot.demo" not in ran.out.split()


def test_what_was_loaded_at_the_start_is_never_searched_for_garbage() -> None:
    code = "import gc, sys; sys.argv = ['pilothouse', '--help']\nfrom bot.__main__ import main\n"
    report = "try: main()\nexcept SystemExit: print('kept', gc.get_freeze_count(), gc.isenabled())"

    ran = python("-c", code + report)

    word, kept, is_on = ran.out.splitlines()[-1].split()
    assert (word, is_on) == ("kept", "True")
    assert int(kept) > 10_000
