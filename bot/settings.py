"""The environment's variables, read from a given mapping and checked all at once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError

_PREFIX = "PILOTHOUSE_"
_DATABASE = "sqlite:///pilothouse.db"


@dataclass(frozen=True, slots=True)
class Problem:
    """One variable that cannot be used; neither sentence repeats a secret."""

    name: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}; {self.fix}"


class SettingsError(Exception):
    """The environment cannot be used; one line per variable, every mistake at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class Listen(NamedTuple):
    """Where the HTTP server listens; port 0 lets the system choose."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def _wrong(what: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{what}", {"what": what, "fix": fix})


def _bot_token(value: str) -> SecretStr:
    return _token(value, "xoxb-", "the page OAuth & Permissions")


def _app_token(value: str) -> SecretStr:
    return _token(value, "xapp-", "the page Basic Information, App-Level Tokens")


def _token(value: str, prefix: str, page: str) -> SecretStr:
    if not re.fullmatch(rf"{prefix}[\x21-\x7e]+", value):
        raise _wrong(f"this is no token of the form {prefix}…", f"copy it from {page}, no spaces")
    return SecretStr(value)


def _signing_secrets(value: str) -> tuple[SecretStr, ...]:
    parts = [part.strip() for part in value.split(",")]
    if not all(re.fullmatch(r"[\x21-\x7e]{8,}", part) for part in parts):
        fix = "copy it from the page Basic Information; while rotating write new,old"
        raise _wrong("a signing secret has 8 or more characters and no spaces", fix)
    return tuple(SecretStr(part) for part in parts)


def _secret(value: str) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]{16,}", value):
        fix = "write for example the output of `openssl rand -hex 24`"
        raise _wrong("a bearer token has 16 or more characters and no spaces", fix)
    return SecretStr(value)


def _api_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_usable = is_usable and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        is_usable = False
    if not is_usable or parts.query or parts.fragment:
        raise _wrong("this is no http address with a host", "write https://slack.com/api/")
    return value.rstrip("/") + "/"


def _heartbeat_url(value: str) -> SecretStr:
    try:
        parts = urlsplit(value)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_usable = is_usable and parts.port != 0 and value.isprintable() and " " not in value
    except ValueError:
        is_usable = False
    if not is_usable:
        fix = "copy it from the monitor that shall notice when the bot stays silent"
        raise _wrong("this is no http address with a host", fix)
    return SecretStr(value)


def _database_url(value: str) -> SecretStr:
    # Some would read `%20` in it as a blank and others would not: two files of one name.
    sqlite = re.fullmatch(r"sqlite:///[^?#%\x00]+", value)
    try:
        parts = urlsplit(value)
        postgres = parts.scheme in ("postgresql", "postgres") and len(parts.path) > 1
        postgres = postgres and parts.port != 0
    except ValueError:
        postgres = False
    if not sqlite and not postgres:
        fix = "write sqlite:///pilothouse.db or postgresql://user:password@host/name"
        raise _wrong("this is no address of a SQLite file or a Postgres database", fix)
    return SecretStr(value)


def database_url(environ: Mapping[str, str]) -> str:
    """All that a command needs which works on the database alone. Raises `SettingsError`."""
    try:
        return _database_url(environ.get("DATABASE_URL") or _DATABASE).get_secret_value()
    except PydanticCustomError as error:
        said = error.context or {}
        problem = Problem("DATABASE_URL", said["what"], said["fix"])
    raise SettingsError((problem,))


def _listen(value: str) -> Listen:
    host, _, port = value.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not re.fullmatch(r"[A-Za-z0-9.:_-]+", host) or not re.fullmatch(r"[0-9]{1,5}", port):
        raise _wrong("this is not host:port", "write for example 127.0.0.1:3000 or [::1]:3000")
    if int(port) > 65535:
        raise _wrong("there is no such port", "write a port up to 65535")
    return Listen(host, int(port))


def _tick(value: str) -> timedelta:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", value):
        raise _wrong("this is no number of seconds", "write for example 5 or 0.5")
    if not 0.05 <= float(value) <= 60:
        raise _wrong("this is out of bounds", "write seconds from 0.05 to 60")
    return timedelta(seconds=float(value))


def _log(value: str) -> str:
    if value not in ("console", "json"):
        raise _wrong("this is no way to log", "write console or json")
    return value


def _path(value: str) -> Path:
    if "\0" in value:
        raise _wrong("a path cannot hold a NUL", "write a plain path")
    return Path(value)


class Ground(BaseModel):
    """What the program stands on, with Slack or without: enough for whoever has the host."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    #: Secret as a whole, since a password may stand in it.
    database_url: Annotated[SecretStr, BeforeValidator(_database_url)] = Field(
        default=SecretStr(_DATABASE), alias="DATABASE_URL"
    )
    policies: Annotated[Path, BeforeValidator(_path)] = Field(
        default=Path("policies"), alias="PILOTHOUSE_POLICIES"
    )
    #: Between two laps of the reconciler.
    tick: Annotated[timedelta, BeforeValidator(_tick)] = Field(
        default=timedelta(seconds=5), alias="PILOTHOUSE_TICK"
    )
    #: None: console on a terminal, json in a pipe.
    log: Annotated[Literal["console", "json"] | None, BeforeValidator(_log)] = Field(
        default=None, alias="PILOTHOUSE_LOG"
    )
    #: Where the shell runner keeps its journal of keys; must outlive the bot.
    state: Annotated[Path, BeforeValidator(_path)] = Field(
        default=Path("pilothouse-state"), alias="PILOTHOUSE_STATE"
    )

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """Read *environ* and nothing else; an empty value counts as not set.

        Raises `SettingsError` with every mistake.
        """
        given: dict[str, Any] = {n: environ[n] for n in cls._names() if environ.get(n)}
        problems = cls._together(environ)
        settings: Self | None = None
        try:
            settings = cls(**given)
        except ValidationError as error:
            problems += [
                Problem(str(d["loc"][0]), d["ctx"]["what"], d["ctx"]["fix"])
                for d in error.errors(include_url=False, include_input=False)
                if d["type"] == "setting"
            ]
        # Raised out here, so that no traceback carries the validation error with its inputs.
        if settings is None or problems:
            raise SettingsError(tuple(sorted(problems, key=lambda problem: problem.name)))
        return settings

    @classmethod
    def _names(cls) -> list[str]:
        return [field.alias for field in cls.model_fields.values() if field.alias]

    @classmethod
    def _together(cls, environ: Mapping[str, str]) -> list[Problem]:
        """What no variable by itself is wrong about."""
        return []


class Settings(Ground):
    """How this program was started. Secrets stay `SecretStr`: their text is never printed."""

    bot_token: Annotated[SecretStr, BeforeValidator(_bot_token)] = Field(alias="SLACK_BOT_TOKEN")
    app_token: Annotated[SecretStr | None, BeforeValidator(_app_token)] = Field(
        default=None, alias="SLACK_APP_TOKEN"
    )
    #: Newest first; more than one only while a secret is being rotated.
    signing_secrets: Annotated[tuple[SecretStr, ...], BeforeValidator(_signing_secrets)] = Field(
        default=(), alias="SLACK_SIGNING_SECRET"
    )
    #: Ends with a slash, as slack_sdk joins methods to it.
    slack_api_url: Annotated[str, BeforeValidator(_api_url)] = Field(
        default="https://slack.com/api/", alias="SLACK_API_URL"
    )
    listen: Annotated[Listen, BeforeValidator(_listen)] = Field(
        default=Listen("127.0.0.1", 3000), alias="PILOTHOUSE_LISTEN"
    )
    metrics_token: Annotated[SecretStr | None, BeforeValidator(_secret)] = Field(
        default=None, alias="PILOTHOUSE_METRICS_TOKEN"
    )
    #: Who knows it can keep the alarm silent, so it is a secret.
    heartbeat_url: Annotated[SecretStr | None, BeforeValidator(_heartbeat_url)] = Field(
        default=None, alias="PILOTHOUSE_HEARTBEAT_URL"
    )

    @classmethod
    def _together(cls, environ: Mapping[str, str]) -> list[Problem]:
        return [*_missing_or_forbidden(environ), *_mistyped(environ, cls._names())]


def _mistyped(environ: Mapping[str, str], known: list[str]) -> Iterator[Problem]:
    """One that is nearly ours: without it the bot would run, and not as its owner thinks."""
    ours = {name.removeprefix(_PREFIX): name for name in known}
    for name in environ:
        if name.startswith(_PREFIX) and name not in known:
            for meant in get_close_matches(name.removeprefix(_PREFIX), ours, 1, 0.7):
                problem = f"did you mean {ours[meant]}? Unset this one"
                yield Problem(name, "nobody reads this", problem)


def _missing_or_forbidden(environ: Mapping[str, str]) -> list[Problem]:
    problems = []
    if not environ.get("SLACK_BOT_TOKEN"):
        fix = "set it to the xoxb-… token of the page OAuth & Permissions"
        problems.append(Problem("SLACK_BOT_TOKEN", "this is not set", fix))
    if not environ.get("SLACK_APP_TOKEN") and not environ.get("SLACK_SIGNING_SECRET"):
        what = "neither this nor SLACK_SIGNING_SECRET is set, so Slack cannot reach the bot"
        fix = "set this for Socket Mode (xapp-…), or the signing secret for HTTP"
        problems.append(Problem("SLACK_APP_TOKEN", what, fix))
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        if environ.get(name):
            what = "with this set, Bolt turns on OAuth by itself and drops the bot token"
            problems.append(Problem(name, what, "unset it; one team needs no OAuth"))
    return problems
