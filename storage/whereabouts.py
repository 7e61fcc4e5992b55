"""Whether a database file still is where it was opened: what is not there is lost at the end."""

from pathlib import Path

from bot.ports import Unavailable


class Whereabouts:
    """Of an open file. One that was removed or replaced can be written to for as long as it is
    open, and nobody ever reads that again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._was = _identity(path)

    def check(self) -> None:
        """Raises `Unavailable` while another file, or none, is there."""
        if _identity(self._path) != self._was:
            raise Unavailable(
                f"{self._path} is gone, or another file is in its place; put it back, or restart"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None  # also of a database in memory, which stays what it was
    return found.st_dev, found.st_ino
