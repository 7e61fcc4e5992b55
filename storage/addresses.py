"""Database addresses: `sqlite:///beside.db`, `sqlite:////from/root.db`, `postgresql://…`."""

from pathlib import Path
from urllib.parse import urlsplit


class BadAddress(ValueError):
    """The address names no database this program can use."""


class NoFolder(Exception):
    """The folder that a SQLite file is to be in is not there."""


def is_postgres(url: str) -> bool:
    """Raises `BadAddress` when it is neither of the two."""
    scheme = urlsplit(url).scheme
    if scheme in ("postgresql", "postgres"):
        return True
    if scheme == "sqlite" and url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return False
    raise BadAddress(
        "The database address must look like sqlite:///pilothouse.db or "
        f"postgresql://user@host/name, not like {scheme or 'nothing'}://…"
    )


def sqlite_path(url: str) -> Path:
    """Raises `NoFolder`, which nobody here makes: where a disk is not mounted, the bot would
    begin again with an empty database."""
    path = Path(url.removeprefix("sqlite:///"))
    if not path.parent.is_dir():
        whole = path.absolute()
        raise NoFolder(f"There is no folder {whole.parent} for the database file {whole}.")
    return path


def for_migrations(url: str) -> str:
    """With the driver that alembic's async engine needs."""
    rest = url.split("://", 1)[1]
    return f"postgresql+asyncpg://{rest}" if is_postgres(url) else f"sqlite+aiosqlite://{rest}"
