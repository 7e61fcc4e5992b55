"""A catalogue of versions from any address that answers a small JSON shape."""

from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from bot.adapters.http_json import MOST, HttpJson, Json, not_understood
from bot.domain.gates import Driver
from bot.domain.release import Migration, Version
from bot.ports import Unavailable

T = TypeVar("T")

#: Seconds for which a list of suggestions may be repeated. What is deployed is always asked anew.
CACHED = 30.0

#: Characters of a name, a commit or a digest; what is longer is none.
_LONGEST = 500
_LONGEST_SUMMARY = 2000


class HttpReleases:
    """Asks the driver's `url` with the query `service`; versions come newest first."""

    def __init__(self, http: HttpJson, monotonic: Callable[[], float] = monotonic) -> None:
        self._http = http
        self._monotonic = monotonic
        self._cache: dict[tuple[str, str], tuple[float, tuple[Version, ...]]] = {}

    async def resolve(self, driver: Driver, service: str, name: str) -> Version | None:
        versions = await self._ask(driver, service)
        return next((version for version in versions if version.name == name), None)

    async def newest(self, driver: Driver, service: str, limit: int = 20) -> tuple[Version, ...]:
        place = (driver.get("url"), service)
        until, versions = self._cache.get(place, (0.0, ()))
        if self._monotonic() >= until:
            versions = await self._ask(driver, service)
        return versions[:limit]

    async def _ask(self, driver: Driver, service: str) -> tuple[Version, ...]:
        url = driver.get("url")
        answer = await self._http.get(url, {"service": service})
        if answer.status == 404:
            return ()
        if answer.status != 200:
            raise Unavailable(f"the catalogue answers {answer.status}")
        if not isinstance(answer.body, dict):
            not_understood("catalogue", "no JSON object")
        versions = tuple(_version(entry) for entry in _list_of(answer.body, "versions", dict))
        if len({version.name for version in versions}) != len(versions):
            not_understood("catalogue", "a version is there twice")
        self._cache[url, service] = (self._monotonic() + CACHED, versions)
        return versions


def _version(entry: dict[str, Json]) -> Version:
    return Version(
        name=_text(entry, "name"),
        commit=_text(entry, "commit"),
        artefact=_text(entry, "artefact"),
        authors=tuple(_list_of(entry, "authors", str)),
        summary=(_optional(entry, "summary", str) or "")[:_LONGEST_SUMMARY],
        changes=_count(entry, "changes"),
        compare_url=_optional(entry, "compare_url", str),
        migrations=tuple(_migration(m) for m in _list_of(entry, "migrations", dict)),
    )


def _migration(entry: dict[str, Json]) -> Migration:
    """Reversible only when it says so: silence is no promise."""
    return Migration(_text(entry, "name"), _optional(entry, "is_reversible", bool) is True)


def _text(entry: dict[str, Json], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        not_understood("catalogue", f"a version has no usable `{name}`")
    return value


def _optional(entry: dict[str, Json], name: str, kind: type[T]) -> T | None:
    value = entry.get(name)
    if value is None:
        return None
    if type(value) is not kind:
        not_understood("catalogue", f"`{name}` of a version is no {kind.__name__}")
    return value


def _count(entry: dict[str, Json], name: str) -> int | None:
    value = _optional(entry, name, int)
    if value is not None and not 0 <= value <= MOST:
        not_understood("catalogue", f"`{name}` of a version is no count")
    return value


def _list_of(entry: dict[str, Json], name: str, kind: type[T]) -> list[T]:
    value = entry.get(name, [])
    if not isinstance(value, list) or not all(type(item) is kind for item in value):
        not_understood("catalogue", f"`{name}` is no list of {kind.__name__}")
    return value
