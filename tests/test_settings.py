"""The environment is an argument, every mistake is told at once, and no secret is ever printed."""

import subprocess
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_core import ValidationError

from bot.settings import Ground, Listen, Settings, SettingsError, database_url

GOOD = {"SLACK_BOT_TOKEN": "xoxb-hunter2-bot", "SLACK_APP_TOKEN": "xapp-hunter2-app"}


def refused(environ: dict[str, str]) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        Settings.load(environ)
    return raised.value


def test_what_is_not_set_has_the_documented_default() -> None:
    settings = Settings.load(GOOD)

    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.database_url.get_secret_value() == "sqlite:///pilothouse.db"
    assert settings.policies == Path("policies")
    assert settings.listen == Listen("127.0.0.1", 3000)
    assert settings.tick == timedelta(seconds=5)
    assert (settings.log, settings.metrics_token) == (None, None)
    assert settings.signing_secrets == ()
    assert settings.state == Path("pilothouse-state")


def test_what_is_set_arrives() -> None:
    settings = Settings.load(
        {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_APP_TOKEN": "xapp-1",
            "SLACK_SIGNING_SECRET": "newsecret, oldsecret",
            "SLACK_API_URL": "http://127.0.0.1:4000/api",
            "DATABASE_URL": "postgresql://u:p@db:5432/pilot",
            "PILOTHOUSE_POLICIES": "/etc/pilothouse",
            "PILOTHOUSE_LISTEN": "[::1]:0",
            "PILOTHOUSE_TICK": "0.05",
            "PILOTHOUSE_LOG": "json",
            "PILOTHOUSE_METRICS_TOKEN": "0123456789abcdef",
            "PILOTHOUSE_STATE": "/var/lib/pilothouse",
            "PILOTHOUSE_HEARTBEAT_URL": "https://ping.example/hunter2",
            "HOME": "/root",
        }
    )

    assert settings.app_token == SecretStr("xapp-1")
    assert settings.signing_secrets == (SecretStr("newsecret"), SecretStr("oldsecret"))
    assert settings.slack_api_url == "http://127.0.0.1:4000/api/"
    assert settings.database_url == SecretStr("postgresql://u:p@db:5432/pilot")
    assert settings.policies == Path("/etc/pilothouse")
    assert settings.listen == Listen("::1", 0)
    assert settings.tick == timedelta(milliseconds=50)
    assert settings.log == "json"
    assert settings.metrics_token == SecretStr("0123456789abcdef")
    assert settings.state == Path("/var/lib/pilothouse")
    assert settings.heartbeat_url == SecretStr("https://ping.example/hunter2")


@pytest.mark.parametrize(
    ("name", "value", "what", "fix"),
    [
        ("SLACK_BOT_TOKEN", "", "this is not set", "xoxb-"),
        ("SLACK_BOT_TOKEN", "xoxp-hunter2", "no token of the form xoxb-", "OAuth & Permissions"),
        ("SLACK_BOT_TOKEN", "xoxb-hunter2\n", "no token of the form xoxb-", "no spaces"),
        ("SLACK_APP_TOKEN", "xoxb-hunter2", "no token of the form xapp-", "App-Level Tokens"),
        ("SLACK_SIGNING_SECRET", "hunter2", "8 or more characters", "Basic Information"),
        ("SLACK_SIGNING_SECRET", "hunter2hunter2,", "8 or more characters", "new,old"),
        ("SLACK_API_URL", "slack.com", "no http address", "https://slack.com/api/"),
        ("SLACK_API_URL", "https://me:hunter2@slack.com/", "no http address", "https://slack"),
        ("SLACK_API_URL", "https://h:99999/", "no http address", "https://slack.com/api/"),
        ("SLACK_API_URL", "http://[::1/", "no http address", "https://slack.com/api/"),
        ("DATABASE_URL", "mysql://me:hunter2@h/x", "SQLite file or a Postgres", "sqlite:///"),
        ("DATABASE_URL", "postgresql://me:hunter2@h", "SQLite file or a Postgres", "host/name"),
        ("DATABASE_URL", "sqlite://", "SQLite file or a Postgres", "sqlite:///pilothouse.db"),
        ("DATABASE_URL", "sqlite:///x.db?mode=ro", "SQLite file or a Postgres", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///my%20bot.db", "SQLite file or a Postgres", "sqlite:///"),
        ("DATABASE_URL", "postgresql://me:hunter2@h:54x/x", "SQLite file or a", "host/name"),
        ("DATABASE_URL", "postgresql://me:hunter2@h:99999/x", "SQLite file or a", "host/name"),
        ("DATABASE_URL", "postgresql://[h/x", "SQLite file or a Postgres", "sqlite:///"),
        ("PILOTHOUSE_LISTEN", "3000", "not host:port", "127.0.0.1:3000"),
        ("PILOTHOUSE_LISTEN", ":3000", "not host:port", "127.0.0.1:3000"),
        ("PILOTHOUSE_LISTEN", "0.0.0.0:65536", "no such port", "65535"),
        ("PILOTHOUSE_LISTEN", "localhost:http", "not host:port", "[::1]:3000"),
        ("PILOTHOUSE_TICK", "5s", "no number of seconds", "5 or 0.5"),
        ("PILOTHOUSE_TICK", "0.01", "out of bounds", "0.05 to 60"),
        ("PILOTHOUSE_TICK", "61", "out of bounds", "0.05 to 60"),
        ("PILOTHOUSE_TICK", "nan", "no number of seconds", "5 or 0.5"),
        ("PILOTHOUSE_LOG", "xml", "no way to log", "console or json"),
        ("PILOTHOUSE_METRICS_TOKEN", "hunter2", "16 or more", "openssl rand"),
        ("PILOTHOUSE_HEARTBEAT_URL", "ping.example/hunter2", "no http address", "monitor"),
        ("PILOTHOUSE_HEARTBEAT_URL", "file:///etc/hunter2", "no http address", "monitor"),
        ("PILOTHOUSE_POLICIES", "a\0b", "NUL", "plain path"),
        ("PILOTHOUSE_STATES", "/var/hunter2", "nobody reads this", "PILOTHOUSE_STATE?"),
        ("PILOTHOUSE_POLICY", "/etc/hunter2", "nobody reads this", "PILOTHOUSE_POLICIES?"),
        ("PILOTHOUSE_METRIC_TOKEN", "hunter2", "nobody reads this", "PILOTHOUSE_METRICS_TOKEN?"),
        ("PILOTHOUSE_DATABASE_URL", "hunter2", "nobody reads this", "DATABASE_URL?"),
        ("SLACK_CLIENT_ID", "hunter2", "drops the bot token", "unset it"),
        ("SLACK_CLIENT_SECRET", "hunter2", "drops the bot token", "unset it"),
    ],
)
def test_a_wrong_value_is_told_in_one_line_with_what_to_do(
    name: str, value: str, what: str, fix: str
) -> None:
    error = refused(GOOD | {name: value})

    (problem,) = error.problems
    assert problem.name == name
    assert what in problem.what
    assert fix in problem.fix
    assert str(error) == f"{name}: {problem.what}; {problem.fix}"


def test_what_resembles_none_of_ours_is_somebody_elses() -> None:
    cluster = ("PORT", "SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_3000_TCP_PROTO")
    others = {f"PILOTHOUSE_{name}": "x" for name in ("CRASH", "IMAGE", *cluster)}
    others |= {"SLACK_API_TOKEN": "x", "TICK": "x"}

    assert Settings.load(GOOD | others) == Settings.load(GOOD)


def test_the_database_alone_needs_no_token() -> None:
    assert database_url({}) == "sqlite:///pilothouse.db"
    assert database_url({"DATABASE_URL": "postgresql://u:p@db/x"}) == "postgresql://u:p@db/x"


@pytest.mark.parametrize("value", ["postgresql://me:hunter2@h:54x/x", "http://[::1", "x"])
def test_the_database_alone_is_checked_as_strictly(value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        database_url({"DATABASE_URL": value})

    shown = "".join(traceback.format_exception(raised.value))
    assert [problem.name for problem in raised.value.problems] == ["DATABASE_URL"]
    assert str(raised.value) == str(refused(GOOD | {"DATABASE_URL": value}))
    assert "hunter2" not in shown


def test_every_mistake_is_told_at_once() -> None:
    error = refused(
        {
            "SLACK_BOT_TOKEN": "xoxp-hunter2",
            "SLACK_CLIENT_ID": "1",
            "PILOTHOUSE_TICK": "often",
            "DATABASE_URL": "oracle://hunter2",
        }
    )

    assert [line.split(":")[0] for line in str(error).splitlines()] == [
        "DATABASE_URL",
        "PILOTHOUSE_TICK",
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_CLIENT_ID",
    ]


def test_one_way_to_slack_is_enough_and_none_is_refused() -> None:
    bot = {"SLACK_BOT_TOKEN": "xoxb-1"}

    assert Settings.load(bot | {"SLACK_SIGNING_SECRET": "longenough"}).app_token is None
    assert Settings.load(bot | {"SLACK_APP_TOKEN": "xapp-1"}).signing_secrets == ()
    assert "neither this nor SLACK_SIGNING_SECRET" in str(refused(bot))


def test_no_secret_is_printed_anywhere() -> None:
    secret = {
        "SLACK_SIGNING_SECRET": "hunter2-signing",
        "DATABASE_URL": "postgresql://me:hunter2@h/x",
        "PILOTHOUSE_METRICS_TOKEN": "hunter2hunter2hunter2",
    }
    settings = Settings.load(GOOD | secret)

    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in text


def test_a_refused_environment_is_in_no_traceback() -> None:
    error = refused(GOOD | {"SLACK_BOT_TOKEN": "hunter2", "DATABASE_URL": "hunter2"})

    assert "hunter2" not in "".join(traceback.format_exception(error))
    assert error.__context__ is None


def test_settings_do_not_change_afterwards() -> None:
    settings = Settings.load(GOOD)

    with pytest.raises(ValidationError):
        settings.tick = timedelta(0)


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("bot", False)],  # noqa: S104
)
def test_loopback_is_known(host: str, is_loopback: bool) -> None:
    assert Listen(host, 1).is_loopback is is_loopback


def test_only_the_given_mapping_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PILOTHOUSE_TICK=7\n")
    program = (
        "from bot.settings import Settings\n"
        "print(Settings.load({'SLACK_BOT_TOKEN': 'xoxb-1', 'SLACK_APP_TOKEN': 'xapp-1'}).tick)\n"
    )
    root = Path(__file__).parents[1]

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PILOTHOUSE_TICK": "9", "TICK": "9", "tick": "9", "PYTHONPATH": str(root)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("0:00:05\n", "")


def test_whoever_has_the_host_needs_no_token_and_is_still_told_of_every_mistake() -> None:
    ground = Ground.load({"DATABASE_URL": "sqlite:///kept.db", "SLACK_BOT_TOKEN": "not a token"})

    assert ground.database_url.get_secret_value() == "sqlite:///kept.db"
    with pytest.raises(SettingsError) as raised:
        Ground.load({"DATABASE_URL": "mysql://x", "PILOTHOUSE_TICK": "soon"})
    assert [problem.name for problem in raised.value.problems] == [
        "DATABASE_URL",
        "PILOTHOUSE_TICK",
    ]
