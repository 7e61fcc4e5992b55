"""The commands: what each takes, says and ends with."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import structlog
import typer

from bot import app, log
from bot.domain.diagram import lifecycle
from bot.domain.line import plain
from bot.exits import DONE, ENDS, FORESEEN, NO, USAGE
from bot.operate import act, adopt_version, made
from bot.policies.findings import Level, PolicyError
from bot.policies.json_schema import json_schema
from bot.policies.loader import findings
from bot.policies.show import show
from bot.settings import Ground, Settings, SettingsError, database_url
from storage import audit, backup, migrate
from storage.store import open_store, require_current

T = TypeVar("T")
S = TypeVar("S", bound=Ground)


cli = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
db = typer.Typer(no_args_is_help=True, help="The database: upgrade, check, backup.")
journal = typer.Typer(no_args_is_help=True, help="The journal: verify, export.")
policy = typer.Typer(no_args_is_help=True, help="Policy files: validate, show, schema, diagram.")
cli.add_typer(db, name="db")
cli.add_typer(journal, name="audit")
cli.add_typer(policy, name="policy")

PolicyPath = Annotated[
    Path | None, typer.Argument(help="Folder or file; PILOTHOUSE_POLICIES if left out.")
]
Service = Annotated[str, typer.Argument(help="By the name in its policy file.")]
AsJson = Annotated[bool, typer.Option("--json", help="For another program to read.")]


@cli.command()
def run() -> None:
    """Be the bot, until SIGTERM or Ctrl-C."""
    settings = _settings(Settings)
    log.set_up(settings.log or ("console" if sys.stderr.isatty() else "json"))
    _answer(lambda: _run(settings))


@cli.command()
def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page; 0 takes any free one.")
    ] = 8400,
    directory: Annotated[
        Path | None, typer.Option(help="Keep its files there; else they go when it ends.")
    ] = None,
) -> None:
    """Everything on this machine: a Slack-like page, a real service, and the bot. No account."""
    demo_run = import_module("bot.demo.run")  # only here: a bot in production never loads it
    _answer(lambda: demo_run.demo(port, directory, _say))


@cli.command()
def adopt(
    service: Service,
    version: Annotated[str, typer.Argument(help="As CI calls it, for example v1.8.2.")],
    environment: Annotated[str | None, typer.Option(help="The default one if left out.")] = None,
) -> None:
    """Say what serves now, so that there is something to roll back to."""
    settings = _settings(Settings)
    line = _answer(lambda: adopt_version(settings, service, version, environment))
    _say(plain(line))


@cli.command("do")
def break_glass(
    line: Annotated[str, typer.Argument(help="As it would be typed in Slack, in quotes.")],
) -> None:
    """Roll back, hold, resume, cancel or look from the host, with Slack or the bot down.

    For example: pilothouse do "/rollback checkout 500s on /pay". Needs no token of Slack's.
    Never approves; journalled under the operating-system user.
    """
    settings = _settings(Ground)
    log.set_up(settings.log or "console")
    _answer(lambda: act(settings, line, _say))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date; safe beside other replicas."""
    _answer(lambda: _upgrade(_database()))
    _say("The database is up to date.")


@db.command("check")
def db_check() -> None:
    """Whether the schema is exactly what this program expects."""
    if not _answer(lambda: _check(made(_database()))):
        _fail("The schema differs from what this program expects.", "Run `pilothouse db upgrade`.")
    _say("The schema is what this program expects.")


@db.command("backup")
def db_backup(to: Annotated[Path, typer.Argument(help="A file that is not there yet.")]) -> None:
    """Copy a SQLite database safely while the bot runs."""
    _answer(lambda: backup.copy(made(_database()), to))
    _say(f"Copied to {to}.")


@journal.command("verify")
def audit_verify(
    anchor: Annotated[
        list[str] | None, typer.Option(help="A line `seal:N:HASH` or `D-1:N:HASH` kept outside.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look for entries that were edited, removed, added, moved or cut off."""
    found = _answer(lambda: _verify(made(_database()), anchor or []))
    if as_json:
        _say(json.dumps([asdict(finding) for finding in found]))
    for finding in [] if as_json else found:
        _say(f"{finding.thing} entry {finding.seq}: {finding.what}")
    if found:
        count = "1 finding" if len(found) == 1 else f"{len(found)} findings"
        _fail(f"The journal does not hold: {count}.", "Compare with a backup.")
    if not as_json:
        _say("The journal holds: every chain, every seal and every anchor given.")


@journal.command("export")
def audit_export(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on, UTC.")
    ] = None,
) -> None:
    """Every entry as one JSON object a line, oldest first per thing."""
    start = since.replace(tzinfo=UTC) if since else datetime.min.replace(tzinfo=UTC)
    _answer(lambda: _export(made(_database()), start))


@policy.command("validate")
def policy_validate(path: PolicyPath = None, as_json: AsJson = False) -> None:
    """All mistakes at once, each with file, line, column and the fix."""
    found = findings(_policies(path))
    if as_json:
        _say(json.dumps([asdict(finding) for finding in found]))
    for finding in [] if as_json else found:
        _say(str(finding))
    errors = [finding for finding in found if finding.level is Level.ERROR]
    if errors:
        mistakes = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
        _fail(f"{mistakes}; nothing was loaded.", "Mend the lines above.")
    if not as_json:
        _say("The policies are good.")


@policy.command("show")
def policy_show(service: Service, path: PolicyPath = None) -> None:
    """A service's policy as it counts, with where each value comes from."""
    folder = _policies(path)
    try:
        _say(show(folder, service))
    except PolicyError as error:
        _fail(str(error), "Mend the lines above.")


@policy.command("schema")
def policy_schema() -> None:
    """JSON Schema of both kinds of file, for editors."""
    _say(json.dumps(json_schema(), indent=2))


@policy.command("diagram")
def policy_diagram() -> None:
    """The lifecycle of a deployment, drawn from the table of moves (Mermaid)."""
    _say(lifecycle())


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    logger = structlog.get_logger()
    await app.run(settings, stop, lambda address: logger.info("ready", address=address))


async def _upgrade(url: str) -> None:
    await _opens(url)
    await migrate.upgrade(url)


async def _check(url: str) -> bool:
    await _opens(url)
    return await migrate.check(url)


async def _opens(url: str) -> None:
    """Raises what the bot would, in words: of a database that is away, damaged or not ours to
    open, the library that migrates knows only tracebacks."""
    await (await open_store(url)).close()


async def _verify(url: str, anchors: list[str]) -> list[audit.Finding]:
    async with AsyncExitStack() as stack:
        store = await open_store(url)
        stack.push_async_callback(store.close)
        await require_current(store)
        return await audit.verify(store, anchors)


async def _export(url: str, since: datetime) -> None:
    async with AsyncExitStack() as stack:
        store = await open_store(url)
        stack.push_async_callback(store.close)
        await require_current(store)
        async for entry in audit.export(store, since):
            _say(json.dumps(entry))


def _settings(kind: type[S]) -> S:
    try:
        return kind.load(os.environ)
    except SettingsError as error:
        # The policies are looked at too: nobody should have to start it again to hear of them.
        wrong = (str(f) for f in findings(_policies(None)) if f.level is Level.ERROR)
        what = "\n".join((str(error), *wrong))
        _fail(what, "Nothing was started. Mend these, and run it again.", USAGE)


def _database() -> str:
    try:
        return database_url(os.environ)
    except SettingsError as error:
        _fail(str(error), "Nothing was done. Set this variable and run it again.", USAGE)


def _policies(path: Path | None) -> Path:
    return path or Path(os.environ.get("PILOTHOUSE_POLICIES") or "policies")


def _answer(work: Callable[[], Awaitable[T]]) -> T:
    """Run *work*; what can go wrong outside becomes a line, a next step and an exit status."""

    async def whole() -> T:
        return await work()

    try:
        return asyncio.run(whole())
    except KeyboardInterrupt:
        raise typer.Exit(DONE) from None
    except FORESEEN as error:
        end = next(end for end in ENDS if isinstance(error, end.kinds))
        _fail(end.what.format(error), end.next_step, end.status)


def _fail(what: str, next_step: str, status: int = NO) -> NoReturn:
    typer.echo(log.visible(what), err=True)
    typer.echo(log.visible(next_step), err=True)
    raise typer.Exit(status)


def _say(text: str) -> None:
    typer.echo(log.visible(text))
