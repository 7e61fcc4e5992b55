"""Editors get a schema that knows every key, explains it, and agrees with the loader."""

from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.demo.policies import DemoWorld, policy_files
from bot.policies.json_schema import json_schema
from bot.policies.yaml_source import read
from tests.policies.texts import COMPLETE, EXTENDING, ORG

URL = "http://127.0.0.1:1/x"
STARTER = (resources.files("bot.policies") / "profiles" / "starter.yaml").read_text()
DEMO = policy_files(DemoWorld(URL, URL, URL, URL, URL, ("stage", "{version}")))


def complaints(text: str) -> list[str]:
    root = read("x", text.encode()).root
    assert root is not None
    errors = Draft202012Validator(json_schema()).iter_errors(root.plain())
    return sorted(f"{error.json_path}: {error.message}" for error in errors)


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize(
    "text",
    [ORG, EXTENDING, COMPLETE, STARTER, *DEMO.values()],
    ids=["org", "extending", "complete", "starter", "demo org", "demo service"],
)
def test_shipped_and_right_files_are_valid(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize(
    ("text", "old", "new", "place"),
    [
        (COMPLETE, "time_limit: 15m", "time_limit: 15", "time_limit"),
        (COMPLETE, "weight: 10%", "weight: 10", "weight"),
        (COMPLETE, "bake: 4m", "backe: 4m", "steps"),
        (COMPLETE, "updates:\n", "update:\n", "update"),
        (COMPLETE, "service: payments\n", "", "$"),
        (EXTENDING, "extends: starter", "extends: other", "extends"),
        (ORG, "{name: Dana,", "{nmae: Dana,", "U0DANA"),
        (ORG, "U0SAM", "sam", "people"),
    ],
)
def test_a_mistake_is_underlined(text: str, old: str, new: str, place: str) -> None:
    assert place in "\n".join(complaints(text.replace(old, new, 1)))


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, about in node.get("properties", {}).items():
            yield f"{path}.{name}", about
        for name, inner in node.items():
            yield from properties(inner, f"{path}.{name}")


def test_every_key_is_explained() -> None:
    found = dict(properties(json_schema()))

    assert len(found) > 60
    assert [path for path, about in found.items() if not about.get("description")] == []
