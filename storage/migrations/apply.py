"""Running alembic over one connection."""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.ext.asyncio import create_async_engine

from storage.addresses import for_migrations, is_postgres

#: Any number, as long as nobody else takes it: one replica migrates, the others wait for it.
_ADVISORY_LOCK = 7_160_417


async def upgrade(url: str, to: str = "head") -> None:
    """Bring the schema to *to*; safe to call from several replicas at once."""
    await _with_connection(url, lambda config: command.upgrade(config, to))


async def downgrade(url: str, to: str = "base") -> None:
    await _with_connection(url, lambda config: command.downgrade(config, to))


async def check(url: str) -> bool:
    """Whether the schema is exactly what the tables say; one that is older or newer is not."""
    try:
        await _with_connection(url, command.check)
    except CommandError:
        return False
    return True


def head() -> str:
    """The newest revision there is a file for."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    # What alembic has to say is for its own command line, not for ours.
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


async def _with_connection(url: str, work: Callable[[Config], None]) -> None:
    def migrate(connection: sa.Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        work(config)

    engine = create_async_engine(for_migrations(url))
    try:
        async with engine.connect() as connection:
            if is_postgres(url):
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            else:
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            await connection.run_sync(migrate)
            await connection.commit()
    finally:
        await asyncio.shield(engine.dispose())
