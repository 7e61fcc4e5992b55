"""Two services with short stages, and the people who work on them."""

import hashlib
from dataclasses import replace
from datetime import timedelta

from bot.domain.gates import Check, Driver
from bot.domain.health import HealthRules
from bot.domain.plan import (
    GateStage,
    Plan,
    RollbackRules,
    RolloutStage,
    Step,
    UpdateRules,
    WatchStage,
)
from bot.ports import Policies, ServicePolicy
from tests.builders import a_plan, health_rules, people

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SERVICES = ("checkout", "search")
VERIFY = Check("serves", Driver("http"), "on_call")


def health() -> HealthRules:
    (errors,) = health_rules().rules
    rule = replace(errors, lasting=30 * SECOND)
    return HealthRules((rule,), 30 * SECOND, 2 * MINUTE)


def plan_of(service: str) -> Plan:
    """`search` verifies nothing after a rollback, and goes back when it does not know."""
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
    )


def policies() -> Policies:
    return Policies(people(), {service: _policy(service) for service in SERVICES}, 15 * MINUTE)


def _policy(service: str) -> ServicePolicy:
    text = f"service: {service}\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    plan = plan_of(service)
    return ServicePolicy(service, (), text, digest, "production", {("production", plan.kind): plan})
