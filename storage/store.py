"""Opening the store that an address names, with a schema this program knows."""

import importlib
from typing import Protocol, TypeVar

from bot.memory import Store
from storage import migrate
from storage.addresses import is_postgres, sqlite_path
from storage.sqlite import SqliteStore

T = TypeVar("T")

#: The newest revision in `migrations/`, spelled out so that a start needs no alembic.
HEAD = "0003"

_KNOWN = ("0001", "0002", HEAD)


class WrongSchema(Exception):
    """The database's tables are not the ones this program was written for."""


class OpenStore(Store, Protocol):
    """A store that somebody opened, and must close."""

    async def close(self) -> None: ...

    async def schema(self) -> str | None:
        """The schema's revision; None for an empty database."""


async def open_store(url: str) -> OpenStore:
    """The store as it is; see `prepare` for one that may be empty or old.

    Raises `BadAddress`, `NoFolder`, `Corrupt` or `Unavailable`.
    """
    if not is_postgres(url):
        return await SqliteStore.open(sqlite_path(url))
    # Only where it is used: asyncpg costs a tenth of the whole start.
    postgres = importlib.import_module("storage.postgres")
    store: OpenStore = await postgres.PostgresStore.open(url)
    return store


async def prepare(url: str) -> OpenStore:
    """An open store with today's schema; an empty or older one is migrated first.

    Raises `WrongSchema` for one that a newer program made.
    """
    store = await open_store(url)
    found = await store.schema()
    if found == HEAD:
        return store
    await store.close()
    if found is not None and found not in _KNOWN:
        raise WrongSchema(_sentence(found))
    await migrate.upgrade(url)
    return await open_store(url)


async def require_current(store: OpenStore) -> None:
    """Raises `WrongSchema` unless the schema is today's."""
    found = await store.schema()
    if found != HEAD:
        raise WrongSchema(_sentence(found))


def _sentence(found: str | None) -> str:
    if found is None:
        return "The database is empty. Start the bot once, or run `pilothouse db upgrade`."
    return (
        f"The database has schema {found}, this program knows {HEAD}. Run the version of the "
        "program that made it, or migrate; nothing was changed."
    )
