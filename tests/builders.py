"""Domain values for tests, each complete and the same every time; say only what matters."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.approvals import RoleSlot
from bot.domain.deployment import OVER, Deployment, Last, Phase
from bot.domain.gates import Check, Driver
from bot.domain.health import HealthRules, Rule
from bot.domain.line import Mention
from bot.domain.plan import (
    ApprovalStage,
    GateStage,
    HoldRules,
    JobStage,
    Plan,
    RollbackRules,
    RolloutStage,
    Stage,
    Step,
    UpdateRules,
    WatchStage,
    digest,
)
from bot.domain.release import Target, Version
from bot.domain.roles import People, Person, Rights
from bot.ports import Patience

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
TEAM = "T0DEMO"
DANA, DEVO, ANA, QUINN = "U0DANA", "U0DEVO", "U0ANA", "U0QUINN"
SAM, TESS, CHRIS = "U0SAM", "U0TESS", "U0CHRIS"
PATIENCE = Patience(timedelta(minutes=2), timedelta(minutes=2), timedelta(days=1))
POLICY_DIGEST = hashlib.sha256(b"the demo policy").hexdigest()


def people() -> People:
    """The demo team; every one listed, every one active."""
    roles = {
        DANA: ("Dana", "developer"),
        DEVO: ("Devo", "developer"),
        ANA: ("Ana", "deployment_lead"),
        QUINN: ("Quinn", "qa_lead"),
        SAM: ("Sam", "on_call"),
        TESS: ("Tess", "tech_lead"),
        CHRIS: ("Chris", "cto"),
    }
    return People(
        {user: Person(user, name, frozenset({role})) for user, (name, role) in roles.items()},
        {"qa_lead": "QA Lead", "deployment_lead": "Deployment Lead", "cto": "CTO"},
    )


def a_target(service: str = "checkout", environment: str = "production") -> Target:
    return Target(TEAM, service, environment)


def a_version(name: str = "v1.8.3", **changes: Any) -> Version:
    """A build of its own for each name, written by Devo."""
    commit = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    version = Version(
        name, commit, f"sha256:{commit}", authors=(DEVO,), summary="Faster baskets", changes=3
    )
    return replace(version, **changes)


def health_rules() -> HealthRules:
    errors = Rule("error_rate", Decimal(5), timedelta(minutes=2), "%", minimum=50)
    return HealthRules((errors,), timedelta(seconds=30), timedelta(minutes=10))


def stages() -> tuple[Stage, ...]:
    """Gate, staging job, approval by lead and QA, rollout 10/50/100, watch."""
    steps = tuple(Step(weight, timedelta(minutes=5)) for weight in (10, 50, 100))
    return (
        GateStage(
            "Gates",
            (Check("ci", Driver("http", (("url", "http://127.0.0.1/ci"),)), "developer"),),
            timedelta(minutes=5),
            timedelta(minutes=10),
        ),
        JobStage(
            "Staging", Driver("shell"), ("deploy", "{version}", "staging"), timedelta(minutes=10)
        ),
        ApprovalStage(
            "Approval",
            (RoleSlot("deployment_lead"), RoleSlot("qa_lead")),
            timedelta(hours=4),
            timedelta(minutes=30),
        ),
        RolloutStage("Rollout", steps, health_rules()),
        WatchStage("Watch", timedelta(hours=24), timedelta(hours=1), health_rules()),
    )


def a_plan(
    service: str = "checkout",
    environment: str = "production",
    kind: str = "normal",
    **changes: Any,
) -> Plan:
    """A plan with every kind of stage, see `stages`."""
    leads = ("deployment_lead", "tech_lead", "cto")
    anybody = ("developer", *leads, "qa_lead", "on_call")
    plan = Plan(
        service=service,
        environment=environment,
        kind=kind,
        channel="C0DEPLOY",
        releases=Driver("http"),
        router=Driver("weighted_http"),
        metrics=Driver("prometheus"),
        stages=stages(),
        rights=Rights(
            request=anybody,
            hold=anybody,
            promote=leads,
            cancel=anybody,
            reject=("qa_lead", *leads),
            roll_back=anybody,
            abandon=leads,
            unlock=leads,
        ),
        rollback=RollbackRules((), timedelta(minutes=5), 3),
        updates=UpdateRules(timedelta(minutes=15), timedelta(minutes=2)),
        hold=HoldRules(timedelta(minutes=30), timedelta(hours=24)),
        on_call="on_call",
    )
    return replace(plan, **changes)


def a_deployment(
    phase: Phase = Phase.RUNNING,
    id: str = "D-142",
    plan: Plan | None = None,
    version: Version | None = None,
    **changes: Any,
) -> Deployment:
    """Dana's request, at its first stage unless *changes* say `cursor=`; finished if *phase* is."""
    plan, version = plan or a_plan(), version or a_version()
    fresh = Deployment(
        team=TEAM,
        id=id,
        kind=plan.kind,
        version=version,
        plan=plan,
        digest=digest(version, plan, POLICY_DIGEST),
        policy_digest=POLICY_DIGEST,
        requested_by=DANA,
        requested_at=NOW,
        phase=phase,
        phase_since=NOW,
        stage_since=NOW,
        step_since=NOW,
        last=Last(("Requested by ", Mention(DANA)), DANA, NOW),
        stable=a_version("v1.8.2"),
        finished_at=NOW if phase in OVER else None,
    )
    return replace(fresh, **changes)
