"""What a reading of the metrics means: PASS, FAIL or UNKNOWN, and never a guess."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import isfinite


class Verdict(StrEnum):
    """Three answers; only PASS is good news."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """A trigger: *metric* above *limit* for *lasting* is a FAIL.

    `minimum` is how many requests the reading must rest on before it can be believed.
    """

    metric: str
    limit: Decimal
    lasting: timedelta
    unit: str = ""
    label: str = ""
    minimum: int = 0

    @property
    def key(self) -> tuple[str, Decimal]:
        """What tells this rule from another one about the same metric."""
        return (self.metric, self.limit)

    def names(self) -> str:
        return self.label or self.metric.replace("_", " ")


@dataclass(frozen=True, slots=True)
class HealthRules:
    """Every trigger of a stage, how old a reading may be, and how long not knowing is borne."""

    rules: tuple[Rule, ...]
    max_age: timedelta
    patience: timedelta


@dataclass(frozen=True, slots=True)
class Reading:
    """What the metrics source said of one version: when it was measured, on how many requests."""

    version: str
    at: datetime
    requests: int
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule, named by its metric and limit, that is exceeded, and since when."""

    metric: str
    limit: Decimal
    since: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule against one reading, for the card: the number always beside its limit."""

    label: str
    unit: str
    value: float | None
    limit: Decimal
    lasting: timedelta
    is_breached: bool


@dataclass(frozen=True, slots=True)
class Health:
    """The verdict with everything a person needs to understand it."""

    verdict: Verdict
    at: datetime
    why: str
    requests: int = 0
    findings: tuple[Finding, ...] = ()
    breaches: tuple[Breach, ...] = ()


def about(version: str, reading: Reading | None) -> Reading | None:
    """*reading* if it is of exactly *version*: another one's numbers are no news of this one."""
    return reading if reading is not None and reading.version == version else None


def assess(
    rules: HealthRules,
    reading: Reading | None,
    before: Health | None,
    since: datetime,
    now: datetime,
) -> Health:
    """Judge *reading*, which must have been measured after *since* to count at all.

    A breach carries its start over from *before*, so a trigger's duration survives restarts.
    Without a usable reading the verdict is UNKNOWN and running breaches keep their start.
    """
    breaches = before.breaches if before else ()
    doubt = _doubt(rules, reading, since, now)
    if reading is None or doubt:
        return Health(Verdict.UNKNOWN, now, doubt or "no reading", breaches=breaches)
    values = dict(reading.values)
    started = {(breach.metric, breach.limit): breach.since for breach in breaches}
    exceeded = tuple(
        Breach(*rule.key, min(started.get(rule.key, reading.at), now))
        for rule in rules.rules
        if values[rule.metric] > rule.limit
    )
    findings = tuple(_finding(rule, values[rule.metric]) for rule in rules.rules)
    verdict, why = _judge(rules, exceeded, values, now)
    return Health(verdict, now, why, reading.requests, findings, exceeded)


def _judge(
    rules: HealthRules, breaches: tuple[Breach, ...], values: dict[str, float], now: datetime
) -> tuple[Verdict, str]:
    since = {(breach.metric, breach.limit): breach.since for breach in breaches}
    broken = [rule for rule in rules.rules if rule.key in since]
    for rule in broken:
        if now - since[rule.key] >= rule.lasting:
            return Verdict.FAIL, exceeds(rule, values[rule.metric])
    if broken:
        return (
            Verdict.UNKNOWN,
            _exceeding(broken[0], values[broken[0].metric], now - since[broken[0].key]),
        )
    return Verdict.PASS, "within every limit"


def exceeds(rule: Rule, value: float) -> str:
    """`error rate 6.2 %, limit 5 % for 2 min`: the number beside its limit."""
    unit = f" {rule.unit}" if rule.unit else ""
    lasting = f" for {spoken(rule.lasting)}" if rule.lasting else ""
    return f"{rule.names()} {value:.4g}{unit}, limit {rule.limit}{unit}{lasting}"


def _exceeding(rule: Rule, value: float, so_far: timedelta) -> str:
    """`error rate 6.2 %, limit 5 %, over it for 40 s of 2 min`: before the trigger fires."""
    over = f"over it for {spoken(so_far)} of {spoken(rule.lasting)}"
    return f"{exceeds(replace(rule, lasting=timedelta()), value)}, {over}"


def spoken(duration: timedelta) -> str:
    """`2 min`, `90 s`, `24 h`: a duration as people say it."""
    seconds = round(duration.total_seconds())
    if seconds >= 7200 and seconds % 3600 == 0:
        return f"{seconds // 3600} h"
    if seconds >= 5400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    if seconds >= 120 or seconds == 60:
        whole, rest = divmod(seconds, 60)
        return f"{whole} min {rest} s" if rest and whole < 10 else f"{whole} min"
    return f"{seconds} s"


def _doubt(
    rules: HealthRules, reading: Reading | None, since: datetime, now: datetime
) -> str | None:
    if reading is None:
        return "the metrics did not answer"
    if reading.at > now + rules.max_age:
        return "the reading is from the future"
    if now - reading.at > rules.max_age:
        return (
            f"the newest reading is {spoken(now - reading.at)} old, limit {spoken(rules.max_age)}"
        )
    if reading.at <= since:
        return "no reading since the traffic moved"
    values = dict(reading.values)
    for rule in rules.rules:
        value = values.get(rule.metric)
        if value is None or not isfinite(value) or value < 0:
            return f"no usable value of {rule.names()}"
        needed = max(rule.minimum, 1)
        if reading.requests < needed:
            return f"{reading.requests} requests, {needed} needed to judge {rule.names()}"
    return None


def _finding(rule: Rule, value: float) -> Finding:
    is_breached = value > rule.limit
    return Finding(rule.names(), rule.unit, value, rule.limit, rule.lasting, is_breached)
