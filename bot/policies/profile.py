"""The shipped profiles, and how a service file overrides one."""

from collections.abc import Iterable
from dataclasses import replace
from importlib import resources

from bot.policies.findings import Finding
from bot.policies.yaml_source import Node, Source, read

_FOLDER = resources.files("bot.policies") / "profiles"
_PREFIX = "profile "


def names() -> tuple[str, ...]:
    """The profiles that `extends:` may name."""
    files = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(n.removesuffix(".yaml") for n in files if n.endswith(".yaml")))


def source(name: str) -> Source:
    """The profile as a tree; *name* must be one of `names()`."""
    found = read(f"{_PREFIX}{name}", (_FOLDER / f"{name}.yaml").read_bytes())
    if found.root is not None and isinstance(found.root.value, dict):
        # Its own name is for readers and editors, and no part of a service's policy.
        found.root.value.pop("profile", None)
    return found


def merge(below: Node, above: Node) -> Node:
    """*above* over *below*: mappings merge deeply, everything else is replaced."""
    if not isinstance(below.value, dict) or not isinstance(above.value, dict):
        return above
    entries = dict(below.value)
    for key, node in above.value.items():
        entries[key] = merge(entries[key], node) if key in entries else node
    return replace(above, value=entries)


def moved(findings: Iterable[Finding], extends: Node) -> list[Finding]:
    """Findings inside a profile told where its reader can act: at their own `extends`."""
    return [
        replace(
            finding,
            file=extends.file,
            line=extends.line,
            column=extends.column,
            problem=f"{finding.problem} (line {finding.line} of the {finding.file})",
        )
        if finding.file.startswith(_PREFIX)
        else finding
        for finding in findings
    ]
