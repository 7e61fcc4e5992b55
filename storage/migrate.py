"""Bringing the schema up to date, and saying whether it is."""

import importlib
from types import ModuleType

from storage.addresses import is_postgres, sqlite_path
from storage.private import make_private


async def upgrade(url: str, to: str = "head") -> None:
    """Bring the schema to *to*; safe to call from several replicas at once."""
    if not is_postgres(url):
        make_private(sqlite_path(url))
    await _apply().upgrade(url, to)


async def downgrade(url: str, to: str = "base") -> None:
    await _apply().downgrade(url, to)


async def check(url: str) -> bool:
    """Whether the schema is exactly what the tables say."""
    is_same: bool = await _apply().check(url)
    return is_same


def head() -> str:
    """The newest revision there is a file for."""
    newest: str = _apply().head()
    return newest


def _apply() -> ModuleType:
    # Only where it is used: alembic and the tables cost more than the whole rest of a start.
    return importlib.import_module("storage.migrations.apply")
