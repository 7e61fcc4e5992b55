"""Folders, profiles and names: what is read, what overrides what, what a digest covers."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.approvals import RoleSlot
from bot.domain.plan import ApprovalStage, JobStage, RolloutStage, WatchStage
from bot.policies.findings import PolicyError, suggest
from bot.policies.loader import findings, load
from bot.ports import Limits, Patience
from tests.policies.texts import COMPLETE, EXTENDING, ORG, found_in, only, write

MINUTE = timedelta(minutes=1)
DIGEST = "c6bcdce058fbc392c188734a1039aaf4a8d28d939eef423ee0b0c7479429c152"


def digest(folder: Path, **texts: str) -> str:
    return next(iter(load(write(folder, **texts)).services.values())).digest


def test_a_folder_has_one_policy_per_service_file(tmp_path: Path) -> None:
    policies = load(write(tmp_path, org=ORG, checkout=EXTENDING, payments=COMPLETE))

    assert sorted(policies.services) == ["checkout", "payments"]
    assert policies.services["payments"].aliases == ("pay",)


def test_one_service_file_is_read_with_the_org_yaml_beside_it(tmp_path: Path) -> None:
    write(tmp_path, org=ORG, checkout=EXTENDING, payments="broken: [")

    assert list(load(tmp_path / "checkout.yaml").services) == ["checkout"]


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        ("", Limits(10, 30, 120, 60, 12, 1)),
        ("limits: {commands_per_minute: 5}\n", Limits(5, 30, 120, 60, 12, 1)),
        (
            "limits: {commands_per_minute: 1, clicks_per_minute: 2, channel_per_minute: 3, "
            "lookups_per_minute: 4, click_refusals_per_minute: 5, mention_refusals_per_minute: 6}",
            Limits(1, 2, 3, 4, 5, 6),
        ),
    ],
)
def test_limits_are_what_is_written_and_else_what_suits_most(
    tmp_path: Path, written: str, limits: Limits
) -> None:
    policies = load(write(tmp_path, org=ORG + written, checkout=EXTENDING))

    assert policies.limits == limits


@pytest.mark.parametrize(
    ("written", "patience"),
    [
        ("", Patience(2 * MINUTE, 2 * MINUTE, 24 * 60 * MINUTE)),
        (
            "alarms: {look_late_after: 1m, sending_lost_after: 30s, given_up_for: 3d}\n",
            Patience(MINUTE, MINUTE / 2, timedelta(days=3)),
        ),
    ],
)
def test_how_late_the_bot_may_be_is_what_is_written_and_else_what_suits_most(
    tmp_path: Path, written: str, patience: Patience
) -> None:
    assert load(write(tmp_path, org=ORG + written, checkout=EXTENDING)).patience == patience


def test_hidden_files_and_other_endings_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, org=ORG, checkout=EXTENDING)
    for name in (".swp.yaml", "checkout.yaml~", "README.md"):
        (tmp_path / name).write_text("a: [")

    assert findings(tmp_path) == ()


def test_every_environment_has_a_plan_of_every_kind(tmp_path: Path) -> None:
    text = EXTENDING.replace(
        "checks:\n",
        "  staging:\n"
        "    router: {driver: weighted_http, url: http://127.0.0.1:9/r}\n"
        "    metrics: {driver: http, url: http://127.0.0.1:9/m}\n"
        "kinds:\n"
        "  hotfix:\n"
        "    stages:\n"
        "      - approval:\n"
        "          name: Sign\n"
        "          slots: [{role: cto}]\n"
        "          expires_after: 10m\n"
        "          remind_after: 5m\n"
        "      - rollout: {name: All, steps: [{weight: 100%, bake: 1m}]}\n"
        "      - watch: {name: Watch, lasts: 1h, proven_after: 1h}\n"
        "checks:\n",
        1,
    )

    policy = load(write(tmp_path, org=ORG, checkout=text)).services["checkout"]

    places, kinds = ("production", "staging"), ("standard", "hotfix")
    assert set(policy.plans) == {(place, kind) for place in places for kind in kinds}
    assert policy.environments == places
    assert policy.plans["staging", "hotfix"].router.get("url") == "http://127.0.0.1:9/r"
    assert policy.plans["staging", "hotfix"].kind == "hotfix"


@pytest.mark.parametrize(
    ("texts", "file", "problem", "fix"),
    [
        ({}, "org.yaml", "the file cannot be read: No such file", "create org.yaml"),
        ({"org": ORG}, "", "there is no service file", "checkout.yaml"),
        ({"org": ORG, "x": ""}, "x.yaml", "the file is empty", "or remove the file"),
        ({"org": "", "checkout": EXTENDING}, "org.yaml", "the file is empty", "write a policy"),
        ({"org": ORG, "x": "[]"}, "x.yaml", "this must be a mapping", "`key: value`"),
    ],
)
def test_a_folder_without_what_is_needed_is_told(
    tmp_path: Path, texts: dict[str, str], file: str, problem: str, fix: str
) -> None:
    found = next(
        f for f in found_in(tmp_path, **texts) if f.problem.startswith(problem) and fix in f.fix
    )

    assert found.file == str(tmp_path / file if file else tmp_path)


def test_a_folder_that_is_not_there_is_told_with_the_variable_to_set(tmp_path: Path) -> None:
    found = only(findings(tmp_path / "nowhere"))

    assert (found.problem, "PILOTHOUSE_POLICIES" in found.fix) == ("there is no such file", True)


def test_a_file_that_is_a_folder_is_told(tmp_path: Path) -> None:
    write(tmp_path, org=ORG, checkout=EXTENDING)
    (tmp_path / "payments.yaml").mkdir()

    assert only(findings(tmp_path)).problem == "this is no plain file"


def test_a_pipe_in_the_folder_holds_nothing_up(tmp_path: Path) -> None:
    write(tmp_path, org=ORG, checkout=EXTENDING)
    os.mkfifo(tmp_path / "payments.yaml")

    assert only(findings(tmp_path)).problem == "this is no plain file"


def test_two_files_of_one_service_are_told(tmp_path: Path) -> None:
    found = found_in(tmp_path, org=ORG, a=EXTENDING, b=EXTENDING)

    assert only(found).problem == f"`checkout` is a service of {tmp_path}/a.yaml already"
    assert found[0].file == str(tmp_path / "b.yaml")


def test_an_alias_that_is_another_service_is_told(tmp_path: Path) -> None:
    text = COMPLETE.replace("aliases: [pay]", "aliases: [checkout]")

    found = only(found_in(tmp_path, org=ORG, checkout=EXTENDING, payments=text))

    assert (found.path, found.column) == ("aliases.0", 11)


def test_a_profile_that_is_not_shipped_is_told(tmp_path: Path) -> None:
    text = EXTENDING.replace("extends: starter", "extends: startr")

    found = only(found_in(tmp_path, org=ORG, checkout=text))

    assert (found.line, found.column, found.fix) == (2, 10, "did you mean `starter`?")


def test_what_the_profile_needs_and_nobody_gives_is_told_where_it_is_extended(
    tmp_path: Path,
) -> None:
    start = EXTENDING.index("jobs:")

    found = only(found_in(tmp_path, org=ORG, checkout=EXTENDING[:start]))

    assert found.file == str(tmp_path / "checkout.yaml")
    assert (found.line, found.column) == (2, 10)
    assert found.problem.startswith("there is no job `staging` (line ")
    assert found.problem.endswith(" of the profile starter)")
    assert "add `staging: {driver: shell" in found.fix


def test_mappings_merge_into_the_profile_and_lists_replace(tmp_path: Path) -> None:
    text = EXTENDING + (
        "updates: {every: 2m}\n"
        "rights: {promote: [cto]}\n"
        "health:\n"
        "  max_age: 15s\n"
        "  rules: [{metric: errors, above: 0.5, for: 0s}]\n"
    )

    plan = load(write(tmp_path, org=ORG, checkout=text)).services["checkout"].plans
    only_plan = plan["production", "standard"]

    assert only_plan.updates.every.total_seconds() == 120
    assert only_plan.updates.late_after.total_seconds() == 60
    assert only_plan.rights.promote == ("cto",)
    assert only_plan.rights.request == ("anyone",)
    rollout = next(s for s in only_plan.stages if isinstance(s, RolloutStage))
    assert [(r.metric, str(r.limit)) for r in rollout.health.rules] == [("errors", "0.5")]
    assert rollout.health.max_age.total_seconds() == 15
    assert rollout.health.patience.total_seconds() == 600


def test_a_stage_with_health_of_its_own_uses_that(tmp_path: Path) -> None:
    own = "{rules: [{metric: errors, above: 1, for: 1m}], max_age: 9s, patience: 8m}"
    text = COMPLETE.replace("proven_after: 1h", f"proven_after: 1h\n          health: {own}")

    stages = load(write(tmp_path, org=ORG, payments=text)).services["payments"].plans
    watch = next(s for s in stages["production", "standard"].stages if isinstance(s, WatchStage))

    assert watch.health.max_age.total_seconds() == 9


def test_stages_without_any_health_are_told(tmp_path: Path) -> None:
    start, end = COMPLETE.index("health:\n  rules"), COMPLETE.index("kinds:")

    found = found_in(tmp_path, org=ORG, payments=COMPLETE[:start] + COMPLETE[end:])

    assert [f.problem for f in found] == ["this stage has no health rules"] * 2
    assert [f.path[-7:] for f in found] == ["rollout", "4.watch"]


def test_the_digest_knows_no_order_of_keys_no_comments_and_no_quotes(tmp_path: Path) -> None:
    lines = COMPLETE.splitlines(keepends=True)
    start = COMPLETE.index("rights:")
    turned = COMPLETE[start:] + "# why\n" + COMPLETE[:start].replace("above: 5", 'above: "5"')

    assert lines[0] == "service: payments\n"
    assert digest(tmp_path, org=ORG, payments=COMPLETE) == digest(tmp_path, payments=turned)


def test_the_digest_stays_what_it_was_in_earlier_runs(tmp_path: Path) -> None:
    # Approvals bind to it: a change here asks every team to sign running deployments again.
    assert digest(tmp_path, org=ORG, payments=COMPLETE) == DIGEST


def test_the_digest_changes_with_the_policy_and_not_with_the_organisation(tmp_path: Path) -> None:
    before = digest(tmp_path, org=ORG, payments=COMPLETE)

    renamed = ORG.replace("Dana", "Diana")
    assert digest(tmp_path, org=renamed, payments=COMPLETE) == before
    slower = COMPLETE.replace("bake: 4m", "bake: 5m")
    assert digest(tmp_path, payments=slower) != before


def test_the_text_is_a_policy_that_stands_for_itself(tmp_path: Path) -> None:
    before = load(write(tmp_path, org=ORG, checkout=EXTENDING)).services["checkout"]

    assert "extends" not in json.loads(before.text)
    again = load(write(tmp_path, checkout=before.text)).services["checkout"]

    assert (again.text, again.digest) == (before.text, before.digest)
    assert again.plans == before.plans


def test_an_error_lists_one_line_per_finding(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"checkout.yaml:2:10: error: extends: there is no"):
        load(write(tmp_path, org=ORG, checkout="service: checkout\nextends: x\n"))


def test_a_suggestion_is_the_nearest_or_all_there_is() -> None:
    assert suggest("Deployment-Lead", ["deployment_lead", "cto"]) == (
        "did you mean `deployment_lead`?"
    )
    assert suggest("zzz", ["b", "a"]) == "there is `a`, `b`"
    assert suggest("zzz", []) == "nothing of that sort is defined yet"


def test_every_switch_of_a_stage_reaches_the_plan(tmp_path: Path) -> None:
    text = (
        COMPLETE.replace("on_unknown: hold", "on_unknown: roll_back\n          AUTO")
        .replace("proven_after: 1h", "proven_after: 1h\n          AUTO")
        .replace("AUTO", "automatic_rollback: false")
        .replace("remind_after: 10m", "remind_after: 10m\n          self_approval: true")
        .replace("{role: deployment_lead, needed: 1}", "{role: anyone, needed: 2}")
    )
    start, end = text.index("      - job:"), text.index("      - approval:")
    job, rest = text[start:end], text[:start] + text[end:]
    changing = job.replace("time_limit: 15m", "time_limit: 15m\n          changes: true")
    text = rest.replace("      - rollout:", changing + "      - rollout:")

    policy = load(write(tmp_path, org=ORG, payments=text)).services["payments"]
    _, approval, job_stage, rollout, watch = policy.plans["production", "standard"].stages

    assert isinstance(approval, ApprovalStage)
    assert approval.is_self_allowed
    assert approval.slots == (RoleSlot("anyone", 2),)
    assert isinstance(job_stage, JobStage)
    assert job_stage.changes
    assert isinstance(rollout, RolloutStage)
    assert rollout.is_unknown_rolled_back
    assert not rollout.is_rollback_automatic
    assert isinstance(watch, WatchStage)
    assert not watch.is_rollback_automatic
