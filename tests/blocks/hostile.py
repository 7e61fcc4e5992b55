"""Every state a deployment can be in, tame and with the worst words that can be in it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from bot.domain.approvals import Approval, RoleSlot
from bot.domain.deployment import OVER, Deployment, Hold, Last, Phase, RollbackRun
from bot.domain.gates import Check, CheckResult, Driver
from bot.domain.health import Breach, Finding, Health, HealthRules, Rule, Verdict
from bot.domain.line import Bold, Code, Mention, Said
from bot.domain.plan import ApprovalStage, GateStage, JobStage, Plan, RolloutStage, Stage, Step
from bot.domain.release import Migration, Version
from bot.domain.roles import People, Person
from tests.builders import ANA, DANA, NOW, QUINN, a_deployment, a_plan, a_version, people

VERDICTS = (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN)
NASTY = (
    "<!channel> <!here> <@U0EVIL> <#C0DEPLOY> <https://evil.example|click> <!date^1^{time}|x> "
    "*bold* _it_ ~no~ `code` ```block``` :tada: & &lt;!channel&gt; \u202egnp.exe\u202c "
    "\u200bze\u200bro\u2066iso\u2069 \x00\x07\n\r\n> quote 👩‍👩‍👧 🎉 שלום مرحبا "
)
LONG = (NASTY * 20)[:3000]
SERVICE = "<!channel>*_~" + "s" * 62  # 75 characters
NAME = "v1.8.3-<!here>-" + "v" * 113  # 128 characters


def crowd(count: int = 40) -> People:
    """*count* people who all hold every role, with names that try to be mark-up."""
    roles = ("developer", "deployment_lead", "qa_lead", "tech_lead", "cto", "on_call")
    by_id = {
        user: Person(user, f"{NASTY[:60]}{number}", frozenset(roles))
        for number, user in enumerate([DANA, ANA, QUINN, *(f"U0CROWD{n}" for n in range(count))])
    }
    return People(by_id, dict.fromkeys(roles, f"Lead {NASTY[:100]}"))


def health(verdict: Verdict, rules: HealthRules, **changes: Any) -> Health:
    first = rules.rules[0]
    is_bad = verdict is not Verdict.PASS
    found = tuple(
        Finding(r.names(), r.unit, 6.2 if is_bad else 0.08, r.limit, r.lasting, is_bad)
        for r in rules.rules
    )
    breaches = (Breach(first.metric, first.limit, NOW),) if verdict is Verdict.FAIL else ()
    why = "within every limit" if not is_bad else "error rate 6.2 %, limit 5 % for 2 min"
    return replace(Health(verdict, NOW, why, 500, found, breaches), **changes)


def nasty_plan() -> Plan:
    rules = tuple(
        Rule(f"m{n}", Decimal("0.5"), timedelta(minutes=2), NASTY[:20], NASTY[:90])
        for n in range(30)
    )
    checks = tuple(Check(f"{n} {NASTY[:150]}", Driver("http")) for n in range(200))
    tame = a_plan()
    stages: list[Stage] = []
    for stage in tame.stages:
        match stage:
            case GateStage():
                stages.append(replace(stage, name=f"G {NASTY}", checks=checks))
            case ApprovalStage():
                slots = (RoleSlot("deployment_lead", 9), RoleSlot("qa_lead", 9))
                stages.append(replace(stage, name=f"A {NASTY}", slots=slots))
            case RolloutStage():
                steps = tuple(Step(weight, timedelta(minutes=5)) for weight in range(5, 101, 5))
                looked = replace(stage.health, rules=rules)
                stages.append(replace(stage, name=f"R {NASTY}", steps=steps, health=looked))
            case JobStage():
                stages.append(replace(stage, name=f"J {NASTY}"))
            case _:
                watched = replace(stage, health=replace(stage.health, rules=rules))
                stages.append(replace(watched, name=f"W {NASTY}"))
    more = [replace(stages[1], name=f"late job {n}") for n in range(20)]
    return replace(
        tame,
        service=SERVICE,
        environment=f"prod {NASTY[:60]}",
        kind=f"kind {NASTY[:40]}",
        stages=(*stages[:4], *more, stages[4]),
    )


def nasty_version() -> Version:
    migrations = tuple(Migration(f"00{n} {NASTY[:200]}", n % 2 == 0) for n in range(40))
    return a_version(
        NAME,
        summary=LONG,
        changes=12_000,
        compare_url="https://x.example/|<!channel>",
        migrations=migrations,
    )


def every_state() -> Iterator[tuple[str, Deployment, People]]:
    """(name, deployment, people) over phases, stages, verdicts, and tame or nasty words."""
    nasty_words = Last((Bold(NASTY), " ", Said(LONG), " ", Code(NASTY), Mention(NASTY)), ANA, NOW)
    tame_words = Last(("Rejected by ", Mention(ANA), ": ", Said("not today")), ANA, NOW)
    nasty = (nasty_plan(), nasty_version(), nasty_words, crowd())
    tame = (a_plan(), a_version(), tame_words, people())
    first = replace(nasty_plan().first(), rollback=replace(a_plan().rollback, by_hand=LONG[:120]))
    kinds = {"tame": tame, "nasty": nasty, "first": (first, *nasty[1:])}
    for kind, (plan, version, last, everybody) in kinds.items():
        words = "500s on /pay since 14:21" if kind == "tame" else LONG
        for name, changes in _changes(plan, words).items():
            d = a_deployment(plan=plan, version=version, **{"last": last, **changes})
            asked = d.approvals_reached[-1] if d.approvals_reached else 0
            signed = Approval(ANA, NOW, d.digest, words, asked)
            stable = None if plan.is_first else a_version("v1.8.2")
            d = replace(d, offer=3, stable=stable, approvals=(signed,))
            yield f"{kind} {name}", d, everybody


def _changes(plan: Plan, words: str) -> Mapping[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    rollout = plan.position(RolloutStage) or 0
    touched: dict[str, Any] = {"is_touched": True, "fence": 1, "started_at": NOW}
    for cursor in range(min(len(plan.stages), 5)):
        found[f"running {cursor}"] = {"cursor": cursor, "checks": _checks(plan, words)}
        found[f"held {cursor}"] = {"cursor": cursor, **_held(words)}
    found["entering"] = {"cursor": rollout, "waits_for": words}
    for verdict in VERDICTS:
        looked = health(verdict, plan.stages[rollout].health)  # type: ignore[union-attr]
        step = 0 if plan.is_first else 1
        at = {"cursor": rollout, "step": step, "health": looked, "live_since": NOW, **touched}
        found[f"canary {verdict}"] = {**at, "passing_since": NOW}
        found[f"canary held {verdict}"] = {**at, **_held(words)}
        looked = replace(looked, findings=(), why=words)
        found[f"canary blind {verdict}"] = {**at, "health": looked, "waits_for": words}
        last = {"cursor": len(plan.stages) - 1, "live_at": NOW, "health": looked, **touched}
        counted = NOW if verdict is Verdict.PASS else None
        found[f"watching {verdict}"] = {
            **last,
            "phase": Phase.WATCHING,
            "counted_at": counted,
            "fence": 0,
        }
    found |= _ends(rollout, touched, words, plan)
    return found


def _ends(
    rollout: int, touched: dict[str, Any], words: str, plan: Plan
) -> dict[str, dict[str, Any]]:
    evidence = health(Verdict.FAIL, plan.stages[rollout].health)  # type: ignore[union-attr]
    back = (Phase.ROLLING_BACK, Phase.ROLLED_BACK, Phase.ROLLBACK_FAILED)
    found: dict[str, dict[str, Any]] = {}
    for phase in (Phase.ROLLING_BACK, *sorted(OVER)):
        ended = NOW + timedelta(minutes=3) if phase in OVER else None
        changes: dict[str, Any] = {"phase": phase, "cursor": rollout, "finished_at": ended}
        if plan.is_first:
            changes |= touched  # such a one is ended half-way, for it cannot go back
        if phase in back:
            run = RollbackRun(a_version("v1.8.2"), None, words, NOW, NOW, False, evidence)
            changes |= {"rollback": run, "waits_for": words, **touched}
        found[phase.value] = changes
    return found


def _held(words: str) -> dict[str, Any]:
    return {"phase": Phase.HELD, "hold": Hold(ANA, words, NOW, NOW)}


def _checks(plan: Plan, words: str) -> tuple[CheckResult, ...]:
    stage = plan.stages[0]
    checks = stage.checks if isinstance(stage, GateStage) else ()
    return tuple(
        CheckResult(check.name, VERDICTS[number % 3], NOW, words)
        for number, check in enumerate(checks)
    )
