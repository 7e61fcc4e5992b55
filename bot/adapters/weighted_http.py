"""A traffic router that is told, and asked for, percentages per version over HTTP."""

from bot.adapters.http_json import HttpJson, Json, not_understood, shown
from bot.domain.gates import Driver
from bot.domain.release import Target, Weights
from bot.ports import Outrun, Rejected, Unavailable

_LONGEST_NAME = 128


class WeightedHttpRouter:
    """Speaks to `weights` under the driver's `url`."""

    def __init__(self, http: HttpJson) -> None:
        self._http = http

    async def set_weights(
        self, driver: Driver, target: Target, weights: Weights, fence: int
    ) -> None:
        wish = {
            "service": target.service,
            "environment": target.environment,
            "weights": dict(weights),
            "fence": fence,
        }
        answer = await self._http.put(_address(driver), wish)
        match answer.status:
            case 200 | 202 | 204:
                return
            case 409:
                raise Outrun("a newer command was seen", _fence(answer.body))
            case 422:
                raise Rejected(f"the router refuses: {_why(answer.body)}")
        raise Unavailable(f"the router answers {answer.status}")

    async def weights(self, driver: Driver, target: Target) -> Weights:
        known = await self._known(driver, target)
        return () if known is None else _weights(known)

    async def fence(self, driver: Driver, target: Target) -> int | None:
        return _fence(await self._known(driver, target))

    async def _known(self, driver: Driver, target: Target) -> Json:
        query = {"service": target.service, "environment": target.environment}
        answer = await self._http.get(_address(driver), query)
        if answer.status == 404:
            return None  # it knows nothing of this service yet
        if answer.status != 200:
            raise Unavailable(f"the router answers {answer.status}")
        return answer.body if answer.body is not None else {}


def _fence(body: Json) -> int | None:
    fence = body.get("fence") if isinstance(body, dict) else None
    return fence if type(fence) is int and fence >= 0 else None


def _address(driver: Driver) -> str:
    return f"{driver.get('url').rstrip('/')}/weights"


def _weights(body: Json) -> Weights:
    found = body.get("weights") if isinstance(body, dict) else None
    if not isinstance(found, dict):
        not_understood("router", "no weights")
    if not all(type(weight) is int and 0 <= weight <= 100 for weight in found.values()):
        not_understood("router", "a weight is no percentage")
    if not all(name.isprintable() and len(name) <= _LONGEST_NAME for name in found):
        not_understood("router", "a version's name is none")
    if not any(found.values()):
        return ()
    if sum(found.values()) != 100:
        not_understood("router", "the weights are not 100 % together")
    return tuple(found.items())


def _why(body: Json) -> str:
    why = body.get("error") if isinstance(body, dict) else None
    return shown(why, 120) if isinstance(why, str) else "no reason"
