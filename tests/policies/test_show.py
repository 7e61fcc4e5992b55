"""The effective policy is shown with the origin of every value, and reads back."""

import json
from pathlib import Path

import pytest

from bot.policies.findings import PolicyError
from bot.policies.loader import load
from bot.policies.show import show
from bot.policies.yaml_source import read
from tests.policies.texts import COMPLETE, EXTENDING, ORG, write


def test_every_value_says_whether_it_is_the_profiles_the_files_or_a_default(
    tmp_path: Path,
) -> None:
    text = EXTENDING + "updates: {every: 2m}\n"

    shown = show(write(tmp_path, org=ORG, checkout=text), "checkout")

    lines = {line.split("#")[0].strip(): line.rpartition("# ")[2] for line in shown.splitlines()}
    assert lines["every: 2m"] == f"checkout.yaml:{len(text.splitlines())}"
    assert lines["late_after: 60s"].startswith("profile starter:")
    assert lines["service: checkout"] == "checkout.yaml:1"
    assert lines["aliases: []"] == "default"
    assert lines["- weight: 10%"].startswith("profile starter:")
    assert lines['run: [deploy-staging, "{service}", "{version}"]'].startswith("checkout")


@pytest.mark.parametrize(("service", "text"), [("checkout", EXTENDING), ("payments", COMPLETE)])
def test_what_is_shown_reads_back_as_the_same_policy(
    tmp_path: Path, service: str, text: str
) -> None:
    folder = write(tmp_path, org=ORG, **{service: text})
    before = load(folder).services[service]

    shown = show(folder, service)

    root = read("shown", shown.encode()).root
    assert root is not None
    assert root.plain() == json.loads(before.text)
    assert load(write(tmp_path, **{service: shown})).services[service].digest == before.digest


@pytest.mark.parametrize(
    "name", ["no", "null", "True", "a: b", "# x", "- x", "é", "1", "1.5", "5m x"]
)
def test_words_that_yaml_would_misread_are_quoted(tmp_path: Path, name: str) -> None:
    text = COMPLETE.replace("name: It answers", f"name: {json.dumps(name)}")
    folder = write(tmp_path, org=ORG, payments=text)

    root = read("shown", show(folder, "payments").encode()).root

    node = root.get("checks", "alive", "name") if root else None
    assert node is not None
    assert node.value == name


def test_an_unknown_service_is_told_with_a_near_one(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="did you mean `checkout`"):
        show(write(tmp_path, org=ORG, checkout=EXTENDING), "chekout")


def test_nothing_is_shown_of_a_policy_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no role `ceo`"):
        show(write(tmp_path, org=ORG, payments=COMPLETE.replace("[cto]", "[ceo]")), "payments")
