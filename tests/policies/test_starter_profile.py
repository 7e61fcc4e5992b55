"""The shipped profile compiles to exactly the plan that its file describes."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bot.domain.approvals import RoleSlot
from bot.domain.gates import Check, Driver
from bot.domain.health import HealthRules, Rule
from bot.domain.plan import (
    ApprovalStage,
    GateStage,
    HoldRules,
    JobStage,
    Plan,
    RollbackRules,
    RolloutStage,
    Step,
    UpdateRules,
    WatchStage,
)
from bot.domain.roles import Rights
from bot.policies.addresses import urls
from bot.policies.loader import findings, load
from tests.policies.texts import EXTENDING, ORG, write

MINUTE = timedelta(minutes=1)
BASE = "http://127.0.0.1:9000"
SERVING = Check("Production answers", Driver("http", (("url", "http://127.0.0.1:9001/health"),)))
HEALTH = HealthRules(
    (
        Rule("error_rate", Decimal(5), 2 * MINUTE, "%", "error rate", 50),
        Rule("p95_ms", Decimal(3000), 2 * MINUTE, "ms", "p95", 50),
        Rule("error_rate", Decimal(20), timedelta(seconds=10), "%", "fast-burn error rate", 50),
    ),
    timedelta(seconds=30),
    10 * MINUTE,
)


def gate(name: str, check: Check) -> GateStage:
    return GateStage(name, (check,), 5 * MINUTE, 10 * MINUTE)


def serves(name: str, port: int, owner: str = "") -> Check:
    settings = (("url", f"http://127.0.0.1:{port}/health"), ("version_field", "version"))
    return Check(name, Driver("http", settings), owner)


EXPECTED = Plan(
    service="checkout",
    environment="production",
    kind="standard",
    channel="C0DEPLOY",
    releases=Driver("http", (("url", f"{BASE}/releases"),)),
    router=Driver("weighted_http", (("url", f"{BASE}/router"),)),
    metrics=Driver("http", (("url", f"{BASE}/metrics"),)),
    stages=(
        gate("Pre-flight", SERVING),
        JobStage(
            "Staging",
            Driver("shell", (("env", "PATH,HOME"),)),
            ("deploy-staging", "{service}", "{version}"),
            15 * MINUTE,
        ),
        gate("Staging healthy", serves("Staging serves it", 9002, "qa_lead")),
        ApprovalStage(
            "Approval",
            (RoleSlot("deployment_lead"), RoleSlot("qa_lead")),
            60 * MINUTE,
            10 * MINUTE,
        ),
        RolloutStage(
            "Canary",
            (
                Step(10, 5 * MINUTE),
                Step(25, 5 * MINUTE),
                Step(50, 5 * MINUTE),
                Step(100, 10 * MINUTE),
            ),
            HEALTH,
        ),
        gate("Production healthy", serves("Production serves it", 9001)),
        WatchStage("Watch", timedelta(hours=24), timedelta(hours=1), HEALTH),
    ),
    rights=Rights(
        request=("anyone",),
        hold=("anyone",),
        promote=("deployment_lead", "tech_lead"),
        cancel=("deployment_lead", "qa_lead", "tech_lead"),
        reject=("deployment_lead", "qa_lead", "tech_lead"),
        roll_back=("anyone",),
        abandon=("deployment_lead", "tech_lead", "cto"),
        unlock=("deployment_lead", "tech_lead", "cto"),
    ),
    rollback=RollbackRules(
        (serves("Production serves it", 9001),),
        5 * MINUTE,
        5,
        "take the service out of traffic at its router",
    ),
    updates=UpdateRules(5 * MINUTE, MINUTE),
    hold=HoldRules(30 * MINUTE, timedelta(days=1)),
    on_call="on_call",
)


def test_the_starter_profile_is_the_plan_it_describes(tmp_path: Path) -> None:
    policy = load(write(tmp_path, org=ORG, checkout=EXTENDING)).services["checkout"]

    assert policy.plans == {("production", "standard"): EXPECTED}
    assert (policy.default_environment, policy.environments) == ("production", ("production",))


def test_the_starter_profile_has_no_findings_of_its_own(tmp_path: Path) -> None:
    assert findings(write(tmp_path, org=ORG, checkout=EXTENDING)) == ()


def test_people_keep_their_accounts_titles_and_roles(tmp_path: Path) -> None:
    people = load(write(tmp_path, org=ORG, checkout=EXTENDING)).people

    assert people.title("qa_lead") == "QA Lead"
    assert people.has_role("U1ANA", "deployment_lead")
    assert people.is_same_human("U1ANA", "U0ANA")
    assert people.holders("cto") == ("U0CHRIS",)


def test_somebody_inactive_is_listed_and_may_nothing(tmp_path: Path) -> None:
    org = ORG.replace("active: true", "active: false")

    people = load(write(tmp_path, org=org, checkout=EXTENDING)).people

    assert people.find("U0CHRIS") is not None
    assert people.holders("cto") == ()


def test_the_addresses_of_a_policy_are_listed_once(tmp_path: Path) -> None:
    assert urls(load(write(tmp_path, org=ORG, checkout=EXTENDING))) == (
        f"{BASE}/releases",
        f"{BASE}/router",
        f"{BASE}/metrics",
        "http://127.0.0.1:9001/health",
        "http://127.0.0.1:9002/health",
    )
