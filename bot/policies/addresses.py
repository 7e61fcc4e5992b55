"""Which addresses the policies name: the only ones that adapters may speak to."""

from collections.abc import Iterator

from bot.domain.gates import Driver
from bot.domain.plan import GateStage, Plan
from bot.ports import Policies


def urls(policies: Policies) -> tuple[str, ...]:
    """Every address of every plan, each once."""
    found = (
        driver.get("url")
        for service in policies.services.values()
        for plan in service.plans.values()
        for driver in _drivers(plan)
    )
    return tuple(dict.fromkeys(url for url in found if url))


def _drivers(plan: Plan) -> Iterator[Driver]:
    yield from (plan.releases, plan.router, plan.metrics)
    gates = (stage.checks for stage in plan.stages if isinstance(stage, GateStage))
    for checks in (*gates, plan.rollback.verify):
        yield from (check.driver for check in checks)
