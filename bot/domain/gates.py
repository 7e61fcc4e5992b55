"""Gates: which checks must pass, and what their answers mean together."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.health import Verdict


@dataclass(frozen=True, slots=True)
class Driver:
    """Which adapter answers, and its settings as the policy wrote them; no secret is in here."""

    kind: str
    settings: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        return dict(self.settings).get(name, default)


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the world before a deployment may go on; `owner` is a role.

    `needs_serving`: it asks what serves already, so where nothing does nobody can answer it.
    """

    name: str
    driver: Driver
    owner: str = ""
    needs_serving: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came back: the verdict, when it was looked at, and the fact in a few words."""

    name: str
    verdict: Verdict
    at: datetime
    fact: str = ""


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """The gate's own verdict and the checks that stand in the way."""

    verdict: Verdict
    blocking: tuple[CheckResult, ...] = ()


def judge(
    checks: tuple[Check, ...],
    results: tuple[CheckResult, ...],
    since: datetime,
    fresh_for: timedelta,
    now: datetime,
) -> GateOutcome:
    """FAIL when any check failed, PASS when each passed after *since* and is still fresh."""
    newest = {result.name: result for result in results}
    blocking = tuple(
        _usable(newest.get(check.name), check.name, since, fresh_for, now) for check in checks
    )
    standing = tuple(r for r in blocking if r.verdict is not Verdict.PASS)
    if any(r.verdict is Verdict.FAIL for r in standing):
        return GateOutcome(Verdict.FAIL, tuple(r for r in standing if r.verdict is Verdict.FAIL))
    if standing:
        return GateOutcome(Verdict.UNKNOWN, standing)
    return GateOutcome(Verdict.PASS)


def _usable(
    result: CheckResult | None,
    name: str,
    since: datetime,
    fresh_for: timedelta,
    now: datetime,
) -> CheckResult:
    if result is None or result.at < since:
        return CheckResult(name, Verdict.UNKNOWN, now, "not looked at yet")
    if now - result.at > fresh_for:
        return CheckResult(name, Verdict.UNKNOWN, result.at, "the answer is too old")
    return result
