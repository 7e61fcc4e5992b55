"""Whether a service may come where nothing serves is policy, and so is what then makes no sense."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.plan import GateStage, Plan, RolloutStage, Step
from bot.policies.findings import Level
from bot.policies.loader import load
from tests.policies.texts import COMPLETE, EXTENDING, ORG, found_in, only, write

ALLOWED = "first_deployment: allowed\n"
HERE = "    metrics: {driver"


def plan_of(folder: Path, text: str) -> Plan:
    policies = load(write(folder, org=ORG, checkout=text))
    return policies.services["checkout"].plans["production", "standard"]


@pytest.mark.parametrize(
    ("service", "here", "is_allowed"),
    [
        ("", "", False),
        ("refused", "", False),
        ("allowed", "", True),
        ("", "allowed", True),
        ("refused", "allowed", True),
        ("allowed", "refused", False),
    ],
)
def test_it_is_refused_unless_the_policy_allows_it_and_the_environment_has_the_last_word(
    tmp_path: Path, service: str, here: str, is_allowed: bool
) -> None:
    text = EXTENDING.replace(HERE, f"    first_deployment: {here}\n{HERE}") if here else EXTENDING
    text += f"first_deployment: {service}\n" if service else ""

    assert plan_of(tmp_path, text).is_first_allowed is is_allowed


def test_a_check_of_what_serves_is_left_out_where_nothing_does(tmp_path: Path) -> None:
    marked = EXTENDING.replace("Production answers,", "Production answers, needs_serving: true,")

    plan = plan_of(tmp_path, marked + ALLOWED)

    assert plan.stages[0].name == "Pre-flight"
    assert [stage.name for stage in plan.first().stages] == [
        "Staging",
        "Staging healthy",
        "Approval",
        "Canary",
        "Production healthy",
        "Watch",
    ]


def test_all_traffic_comes_at_once_and_bakes_as_long_as_every_step_together(
    tmp_path: Path,
) -> None:
    first = plan_of(tmp_path, EXTENDING + ALLOWED).first()

    rollout = next(stage for stage in first.stages if isinstance(stage, RolloutStage))
    assert rollout.steps == (Step(100, timedelta(minutes=25)),)


def test_after_the_rollout_something_serves_and_is_asked(tmp_path: Path) -> None:
    marked = EXTENDING.replace(
        "    version_field: version\njobs",
        "    version_field: version\n    needs_serving: true\njobs",
    )

    stages = plan_of(tmp_path, marked + ALLOWED).first().stages

    gates = {stage.name: len(stage.checks) for stage in stages if isinstance(stage, GateStage)}
    assert gates["Production healthy"] == 1


def test_what_a_person_can_do_by_hand_is_the_policys_word(tmp_path: Path) -> None:
    text = EXTENDING + "rollback: {by_hand: see the runbook}\n"

    assert plan_of(tmp_path, text).rollback.by_hand == "see the runbook"


def test_a_first_deployment_that_nobody_signs_is_a_warning(tmp_path: Path) -> None:
    start, end = COMPLETE.index("      - approval:"), COMPLETE.index("      - rollout:")
    text = ALLOWED + COMPLETE[:start] + COMPLETE[end:]
    text = text.replace(
        "driver: http\n    url: https://pay",
        "needs_serving: true\n    driver: http\n    url: https://pay",
    )

    found = found_in(tmp_path, org=ORG, payments=text)

    assert {f.level for f in found} == {Level.WARNING}
    assert [f.problem for f in found if f.path == "first_deployment"] == [
        "nobody has to sign a first deployment, which has no way back"
    ]


@pytest.mark.parametrize(
    "about", ["needs_serving: true", "version_field: version", "url: https://p.example/{version}"]
)
def test_a_check_that_can_pass_without_anything_serving_is_no_warning(
    tmp_path: Path, about: str
) -> None:
    old = "    url: https://payments.example/health\n"
    new = f"    {about}\n" if about.startswith("url") else f"{old}    {about}\n"

    assert found_in(tmp_path, org=ORG, payments=ALLOWED + COMPLETE.replace(old, new)) == ()


def test_an_unmarked_check_before_the_rollout_is_a_warning(tmp_path: Path) -> None:
    found = only(found_in(tmp_path, org=ORG, payments=ALLOWED + COMPLETE))

    assert (found.path, found.level) == ("checks.alive", Level.WARNING)


def test_a_new_service_with_a_marked_check_only_needs_the_word(tmp_path: Path) -> None:
    marked = EXTENDING.replace('/health"}', '/health", needs_serving: true}')
    text = ALLOWED + marked

    plan = plan_of(tmp_path, text)

    assert plan.is_first_allowed
    assert "Pre-flight" not in [stage.name for stage in plan.first().stages]
    assert found_in(tmp_path, org=ORG, checkout=text) == ()


@pytest.mark.parametrize(("line", "lasts"), [("", 15), ("preview_lasts: 2m\n", 2)])
def test_how_long_a_preview_can_be_confirmed_is_policy(
    tmp_path: Path, line: str, lasts: int
) -> None:
    policies = load(write(tmp_path, org=ORG + line, checkout=EXTENDING))

    assert policies.preview_lasts == timedelta(minutes=lasts)
