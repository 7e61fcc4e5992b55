"""What the source itself promises: nothing dangerous in it, no work at import, few scopes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.processes import ROOT, python

SOURCES = sorted(p for name in ("bot", "handlers", "storage") for p in (ROOT / name).rglob("*.py"))
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "input"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "jinja2", "telnetlib"}


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path)))


def name_of(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="re"), attr="compile"):
            return "re.compile"
        case ast.Attribute(attr=name):
            return name
    return ""


def problems(path: Path) -> Iterator[str]:
    for node in nodes(path):
        match node:
            case ast.Call() if name_of(node) in FORBIDDEN_CALLS:
                yield f"{name_of(node)} at line {node.lineno}"
            case ast.Call(keywords=keywords) if any(k.arg == "shell" for k in keywords):
                yield f"shell= at line {node.lineno}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr="load")):
                yield f"yaml.load at line {node.lineno}"
            case ast.Import(names=names):
                yield from (a.name for a in names if a.name.partition(".")[0] in FORBIDDEN_MODULES)
            case ast.ImportFrom(module=str(module)):
                yield from {module.partition(".")[0]} & FORBIDDEN_MODULES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_runs_text_as_code(path: Path) -> None:
    assert list(problems(path)) == []


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')",
        "import pickle",
        "from pickle import loads",
        "run(x, shell=True)",
        "os.system(x)",
    ],
)
def test_the_check_of_the_source_sees_what_it_looks_for(tmp_path: Path, text: str) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(text)

    assert list(problems(bad))


def test_importing_everything_needs_and_does_nothing(tmp_path: Path) -> None:
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in SOURCES]
    left_out = {"storage.migrations.env"}  # runs inside alembic only
    modules = [n.removesuffix(".__init__") for n in names if n not in left_out]
    script = (
        "import asyncio, importlib, logging, sys, threading\n"
        "before = len(logging.getLogger().handlers)\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert len(logging.getLogger().handlers) == before\n"
    )

    ran = python("-c", script, *modules, cwd=tmp_path)

    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_the_bot_asks_slack_for_no_more_than_it_needs() -> None:
    manifest = YAML(typ="safe").load(ROOT / "manifest.yml")

    assert manifest["oauth_config"]["scopes"] == {
        "bot": ["commands", "chat:write", "app_mentions:read"],
        "bot_optional": ["usergroups:read", "users:read", "channels:read"],
    }
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == ["app_mention"]


def test_the_bot_lives_in_one_workspace() -> None:
    """Each has its own slots: from two of them one environment could be changed at once."""
    manifest = YAML(typ="safe").load(ROOT / "manifest.yml")

    assert manifest["settings"]["org_deploy_enabled"] is False
