"""Two services with short stages, and the people who work on them."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.domain.gates import Check, Driver
from bot.domain.health import HealthRules
from bot.domain.plan import (
    ApprovalStage,
    GateStage,
    Plan,
    RollbackRules,
    RolloutStage,
    Step,
    UpdateRules,
    WatchStage,
)
from bot.domain.roles import People, Person
from bot.ports import Policies, ServicePolicy
from tests.builders import ANA, PATIENCE, TESS, a_plan, health_rules, people

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ANA_AT_HOME = "U0ANAHOME"
#: Nothing serves it when a story begins.
NEW = "invoices"
SERVICES = ("checkout", "search", NEW)
VERIFY = Check("serves", Driver("http"), "on_call")


def health() -> HealthRules:
    (errors,) = health_rules().rules
    rule = replace(errors, lasting=30 * SECOND)
    return HealthRules((rule,), 30 * SECOND, 2 * MINUTE)


def plan_of(service: str) -> Plan:
    """`search` verifies nothing after a rollback, and goes back when it does not know;
    `invoices` may come where nothing serves."""
    gate, job, approval, _, _ = a_plan().stages
    steps = tuple(Step(weight, MINUTE) for weight in (10, 50, 100))
    is_unsure_back = service == "search"
    smoke = GateStage("Smoke", (Check("smoke", Driver("http")),), 5 * MINUTE, 10 * MINUTE)
    stages = (
        gate,
        job,
        approval,
        RolloutStage("Rollout", steps, health(), is_unknown_rolled_back=is_unsure_back),
        smoke,
        WatchStage("Watch", 4 * MINUTE, MINUTE, health()),
    )
    verify = () if is_unsure_back else (VERIFY,)
    return a_plan(
        service,
        stages=stages,
        rollback=RollbackRules(verify, 5 * MINUTE, 3),
        updates=UpdateRules(5 * MINUTE, MINUTE),
        is_first_allowed=service == NEW,
    )


def staff() -> dict[str, Person]:
    """The demo team, in which Tess may sign in two places, and Ana has two accounts."""
    everybody = dict(people().by_id)
    both = frozenset({"tech_lead", "deployment_lead", "qa_lead"})
    everybody[TESS] = replace(everybody[TESS], roles=both)
    everybody[ANA] = replace(everybody[ANA], accounts=frozenset({ANA_AT_HOME}))
    return everybody


def policies(by_id: Mapping[str, Person]) -> Policies:
    """Whoever changes *by_id* revokes rights at once."""
    team = People(by_id, people().titles)
    services = {service: _policy(service) for service in SERVICES}
    return Policies(team, services, 15 * MINUTE, PATIENCE)


def _policy(service: str) -> ServicePolicy:
    text = f"service: {service}\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    plan = plan_of(service)
    stages = tuple(
        replace(s, expires_after=20 * MINUTE, remind_after=5 * MINUTE)
        if isinstance(s, ApprovalStage)
        else s
        for s in plan.stages
    )
    plans = {
        ("production", kind): replace(plan, stages=stages, kind=kind)
        for kind in ("normal", "hotfix")
    }
    return ServicePolicy(service, (), text, digest, "production", plans)
