"""Prints a service's effective policy with the place that every value comes from."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.policies import compile as compiler
from bot.policies.findings import Finding, Level, PolicyError, suggest
from bot.policies.loader import examine
from bot.policies.yaml_source import Node

#: Text that YAML 1.2 reads as itself without quotes, wherever it stands.
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_ -]*[A-Za-z0-9_]|[A-Za-z_]|[0-9]+[smhd%]")
_WORDS = frozenset({"true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL"})
_COLUMN = 56


def show(path: Path, service: str) -> str:
    """The effective policy of *service* as YAML, each value with `# file:line` or `# default`.

    The answer reads back as a service file that means the same. Raises `PolicyError` when the
    policies in *path* are wrong or have no such service.
    """
    found = examine(path)
    errors = [f for f in found.findings if f.level is Level.ERROR]
    if errors:
        raise PolicyError(errors)
    by_name = {e.model.service: e for e in found.services.values() if e.model is not None}
    if service not in by_name:
        problem = f"there is no policy for the service `{service}`"
        raise PolicyError([Finding(str(path), 1, 1, "", problem, suggest(service, by_name))])
    effective = by_name[service]
    if effective.model is None:
        raise AssertionError("a service without a model passed the checks")
    values = json.loads(compiler.effective(effective.model))
    return "\n".join(_mapping(values, effective.root, (), "")) + "\n"


def _mapping(values: dict[str, Any], root: Node, path: tuple[str, ...], pad: str) -> Iterator[str]:
    for key in _in_order(values, root.get(*path)):
        here = (*path, key)
        name = key if _BARE.fullmatch(key) and key not in _WORDS else json.dumps(key)
        yield from _entry(f"{pad}{name}:", values[key], root, here, pad + "  ")


def _entry(head: str, value: Any, root: Node, path: tuple[str, ...], pad: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield head
        yield from _mapping(value, root, path, pad)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield head
        for index, item in enumerate(value):
            yield from _item(item, root, (*path, str(index)), pad)
    else:
        yield f"{head} {_inline(value)}".ljust(_COLUMN) + f"  # {_origin(root, path)}"


def _item(item: dict[str, Any], root: Node, path: tuple[str, ...], pad: str) -> Iterator[str]:
    lines = list(_mapping(item, root, path, pad + "  "))
    yield f"{pad}- {lines[0].removeprefix(pad + '  ')}"
    yield from lines[1:]


def _in_order(values: dict[str, Any], node: Node | None) -> list[str]:
    """As the author wrote them, defaults last."""
    written = [name for name, _ in node.children() if name in values] if node else []
    return written + [name for name in values if name not in written]


def _inline(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    if isinstance(value, str) and _BARE.fullmatch(value) and value not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _origin(root: Node, path: tuple[str, ...]) -> str:
    node = root.get(*path)
    if node is None:
        return "default"
    file = node.file if node.file.startswith("profile ") else Path(node.file).name
    return f"{file}:{node.line}"
