"""The demo's policy files load, and are short enough to watch."""

from datetime import timedelta
from pathlib import Path

from bot.demo.policies import DemoWorld, policy_files, write_policies
from bot.domain.plan import JobStage, Plan, RolloutStage, WatchStage
from bot.policies.loader import findings, load

WORLD = DemoWorld(
    releases="http://127.0.0.1:4001/releases",
    router="http://127.0.0.1:4001",
    metrics="http://127.0.0.1:4001/metrics",
    production_health="http://127.0.0.1:4001/health",
    staging_health="http://127.0.0.1:4002/health",
    staging=("/opt/py thon/bin/python", "-m", 'say "hi"', "{version}"),
    env=("PYTHONPATH",),
)


def plan(folder: Path) -> Plan:
    write_policies(folder, WORLD)
    return load(folder).services["checkout"].plans["production", "standard"]


def test_the_demo_loads_without_a_finding(tmp_path: Path) -> None:
    write_policies(tmp_path / "new" / "folder", WORLD)

    assert findings(tmp_path / "new" / "folder") == ()


def test_the_demo_team_has_one_of_every_role_and_two_developers(tmp_path: Path) -> None:
    write_policies(tmp_path, WORLD)

    people = load(tmp_path).people

    assert people.holders("developer") == ("U0DANA", "U0DEVO")
    leads = ("deployment_lead", "qa_lead", "on_call", "tech_lead", "cto")
    assert [people.holders(role) for role in leads] == [
        ("U0ANA",),
        ("U0QUINN",),
        ("U0SAM",),
        ("U0TESS",),
        ("U0CHRIS",),
    ]


def test_a_whole_demo_deployment_can_be_watched(tmp_path: Path) -> None:
    stages = plan(tmp_path).stages

    rollout = next(s for s in stages if isinstance(s, RolloutStage))
    watch = next(s for s in stages if isinstance(s, WatchStage))
    assert [step.weight for step in rollout.steps] == [10, 25, 50, 100]
    assert {step.bake for step in rollout.steps} == {timedelta(seconds=20)}
    assert (watch.lasts, watch.proven_after) == (timedelta(seconds=90), timedelta(seconds=30))
    assert rollout.health.max_age == timedelta(seconds=10)
    assert min(rule.lasting for rule in rollout.health.rules) == timedelta(seconds=5)


def test_addresses_and_arguments_arrive_unchanged(tmp_path: Path) -> None:
    compiled = plan(tmp_path)

    job = next(s for s in compiled.stages if isinstance(s, JobStage))
    assert job.argv == WORLD.staging
    assert job.runner.get("env") == "PYTHONPATH"
    assert compiled.router.get("url") == WORLD.router
    assert compiled.updates.every == timedelta(minutes=1)


def test_writing_twice_leaves_the_newest(tmp_path: Path) -> None:
    write_policies(tmp_path, WORLD)
    write_policies(tmp_path, WORLD)

    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == policy_files(WORLD)
