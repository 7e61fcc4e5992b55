"""A check that asks an address whether it is well, and whether it is the right version."""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.adapters.http_json import Answer, HttpJson, fill, shown
from bot.domain.gates import Check, CheckResult
from bot.domain.health import Verdict
from bot.domain.release import Target, Version
from bot.ports import Unavailable


def _utc_now() -> datetime:
    return datetime.now(UTC)


class HttpChecks:
    """Asks the driver's `url`; with `version_field` the answer must name the version there."""

    def __init__(self, http: HttpJson, clock: Callable[[], datetime] = _utc_now) -> None:
        self._http = http
        self._clock = clock

    async def verdict(self, check: Check, target: Target, version: Version) -> CheckResult:
        url = fill(check.driver.get("url"), target.service, version.name, target.environment)
        answer = await self._http.get(url)
        verdict, fact = _judge(answer, check.driver.get("version_field"), version.name)
        return CheckResult(check.name, verdict, self._clock(), fact)


def _judge(answer: Answer, field: str, version: str) -> tuple[Verdict, str]:
    if answer.status >= 400:
        return Verdict.FAIL, f"answers {answer.status}"
    if answer.status != 200:
        raise Unavailable(f"answers {answer.status}, which says nothing")
    if not field:
        return Verdict.PASS, "answers 200"
    found = answer.body.get(field) if isinstance(answer.body, dict) else None
    if not isinstance(found, str):
        return Verdict.FAIL, f"does not say which version it is, {version} expected"
    if found != version:
        return Verdict.FAIL, f"{shown(found, 40) or 'no version'} answers, {version} expected"
    return Verdict.PASS, f"{version} answers"
