"""Metrics of one version from any address that answers a small JSON shape."""

from datetime import datetime
from math import isfinite

from bot.adapters.http_json import MOST, HttpJson, Json, not_understood
from bot.domain.gates import Driver
from bot.domain.health import Reading
from bot.domain.release import Target
from bot.ports import Unavailable


class HttpMetrics:
    """Asks the driver's `url` with the query `service`, `environment` and `version`."""

    def __init__(self, http: HttpJson) -> None:
        self._http = http

    async def reading(self, driver: Driver, target: Target, version: str) -> Reading | None:
        """None also for another version's numbers: those must never speak for this one."""
        query = {
            "service": target.service,
            "environment": target.environment,
            "version": version,
        }
        answer = await self._http.get(driver.get("url"), query)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Unavailable(f"the metrics answer {answer.status}")
        return _reading(answer.body, version)


def _reading(body: Json, version: str) -> Reading | None:
    if not isinstance(body, dict):
        not_understood("metrics", "no JSON object")
    if body.get("version") != version:
        return None
    requests = body.get("requests")
    if type(requests) is not int or not 0 <= requests <= MOST:
        not_understood("metrics", "`requests` is no count")
    values = body.get("values")
    if not isinstance(values, dict):
        not_understood("metrics", "`values` is no JSON object")
    usable = {name: _number(value) for name, value in values.items()}
    kept = tuple((name, value) for name, value in usable.items() if value is not None)
    return Reading(version, _moment(body.get("at")), requests, kept)


def _moment(written: Json) -> datetime:
    try:
        at = datetime.fromisoformat(written)
    except (TypeError, ValueError):
        not_understood("metrics", "`at` is no time")
    if at.tzinfo is None:
        not_understood("metrics", "`at` has no time zone")
    return at


def _number(value: Json) -> float | None:
    """None for what is no finite number: then this metric is not known, which is not good."""
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None
