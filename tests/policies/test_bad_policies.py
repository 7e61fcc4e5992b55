"""Every mistake is told with its place, its reason and what to write instead."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.policies.findings import Level, PolicyError
from bot.policies.loader import load
from tests.policies.texts import COMPLETE, ORG, found_in, only, write


@dataclass(frozen=True)
class Bad:
    """*old* becomes *new* in the file; the finding stands exactly at *at*."""

    old: str
    new: str
    at: str
    problem: str
    fix: str
    path: str
    level: str = "error"

    def __str__(self) -> str:
        return self.new.strip().replace("\n", " ")[:40] or f"without {self.old.strip()[:30]}"


STAGES = "kinds.standard.stages"


def table(name: str) -> list[Bad]:
    rows = YAML(typ="safe").load(Path(__file__).with_name(f"{name}.yaml"))
    return [Bad(**row) for row in rows]


def changed(text: str, bad: Bad) -> str:
    assert text.count(bad.old) >= 1, f"nothing to break: {bad.old!r}"
    return text.replace(bad.old, bad.new, 1)


def org_for(bad: Bad) -> str:
    # `developer` is held by nobody where the warning about empty roles is wanted.
    return (
        ORG.replace("roles: [developer]", "roles: []") if bad.new == "on_call: developer" else ORG
    )


@pytest.mark.parametrize("bad", table("bad_service"), ids=str)
def test_a_mistake_in_a_service_file_is_told_with_place_reason_and_fix(
    tmp_path: Path, bad: Bad
) -> None:
    text = changed(COMPLETE, bad)

    found = only(found_in(tmp_path, org=org_for(bad), payments=text))

    assert Path(found.file).name == "payments.yaml"
    assert text.splitlines()[found.line - 1][found.column - 1 :].startswith(bad.at)
    assert bad.problem in found.problem
    assert bad.fix in found.fix
    assert (found.path, found.level) == (bad.path, bad.level)
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("bad", table("bad_org"), ids=str)
def test_a_mistake_in_org_yaml_is_told_with_place_reason_and_fix(tmp_path: Path, bad: Bad) -> None:
    text = changed(ORG, bad)

    found = only(
        tuple(
            f
            for f in found_in(tmp_path, org=text, payments=COMPLETE)
            if Path(f.file).name == "org.yaml"
        )
    )

    assert text.splitlines()[found.line - 1][found.column - 1 :].startswith(bad.at)
    assert bad.problem in found.problem
    assert bad.fix in found.fix
    assert found.path == bad.path


def test_what_the_mistakes_are_made_of_is_right(tmp_path: Path) -> None:
    assert found_in(tmp_path, org=ORG, payments=COMPLETE) == ()


def test_every_mistake_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    org = ORG.replace("roles: [developer]", "roles: [devloper]").replace("C0DEPLOY", "deploy")
    service = (
        COMPLETE.replace("time_limit: 15m", "time_limit: 15")
        .replace("unlock: [cto]", "unlock: [ceo]")
        .replace("weight: 100%", "weight: 90%")
        .replace("aliases: [pay]", "alias: [pay]")
    )

    with pytest.raises(PolicyError) as raised:
        load(write(tmp_path, org=org, payments=service))

    assert [f.path for f in raised.value.findings] == [
        "people.U0DANA.roles.0",
        "channels.deployment",
        "alias",
        f"{STAGES}.1.job.time_limit",
        f"{STAGES}.3.rollout.steps.2.weight",
        "rights.unlock.0",
    ]
    assert len(str(raised.value).splitlines()) == 6


def test_a_warning_stops_nothing(tmp_path: Path) -> None:
    folder = write(
        tmp_path, org=ORG, payments=COMPLETE.replace("promote: [tech_lead]", "promote: []")
    )

    assert "payments" in load(folder).services


def test_a_kind_that_nobody_signs_is_a_warning(tmp_path: Path) -> None:
    start, end = COMPLETE.index("      - approval:"), COMPLETE.index("      - rollout:")

    found = only(found_in(tmp_path, org=ORG, payments=COMPLETE[:start] + COMPLETE[end:]))

    assert (found.level, found.problem) == (Level.WARNING, "nobody has to sign")


def test_a_finding_reads_as_one_line_with_place_and_fix(tmp_path: Path) -> None:
    text = COMPLETE.replace("unlock: [cto]", "unlock: [ceo]")

    found = only(found_in(tmp_path, org=ORG, payments=text))

    line = text.splitlines().index("  unlock: [ceo]") + 1
    assert str(found) == (
        f"{tmp_path}/payments.yaml:{line}:12: error: rights.unlock.0: "
        "there is no role `ceo`; did you mean `cto`?"
    )
