"""Reads a folder of policies: everything is checked before anything is used."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.policies import compile as compiler
from bot.policies import lint, profile, references
from bot.policies.findings import Finding, Level, PolicyError, suggest
from bot.policies.org_schema import OrgFile
from bot.policies.schema import ServiceFile
from bot.policies.shape import fit, secrets
from bot.policies.values import duration
from bot.policies.yaml_source import MAX_BYTES, Node, Source, read
from bot.ports import Policies, ServicePolicy

ORG = "org.yaml"


@dataclass(slots=True)
class Effective:
    """A service file with its profile merged in; `model` only when its shape fits."""

    root: Node
    model: ServiceFile | None = None


@dataclass(slots=True)
class Examined:
    """What was found in the files, mistakes included."""

    org: OrgFile | None = None
    services: dict[str, Effective] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def load(path: Path) -> Policies:
    """The policies in *path*, a folder or one service file with `org.yaml` beside it.

    Raises `PolicyError` with every error of every file.
    """
    found = examine(path)
    errors = [f for f in found.findings if f.level is Level.ERROR]
    if errors or found.org is None:
        raise PolicyError(errors)
    services: dict[str, ServicePolicy] = {}
    for effective in found.services.values():
        if effective.model is not None:
            policy = compiler.service(effective.model, found.org.channels)
            services[policy.service] = policy
    return Policies(
        compiler.people(found.org),
        services,
        duration(found.org.preview_lasts),
        compiler.patience(found.org),
        compiler.limits(found.org),
    )


def findings(path: Path) -> tuple[Finding, ...]:
    """Every error and warning, by file and line; nothing is raised."""
    return tuple(examine(path).findings)


def examine(path: Path) -> Examined:
    """Read and check *path*; mistakes are in the answer, nothing is raised."""
    examined = Examined()
    org, services = _paths(path, examined)
    known = _org(org, examined)
    for file in services:
        _service(file, known, examined)
    examined.findings.extend(_names(examined))
    if not services and not examined.findings:
        fix = "add a service file beside org.yaml, e.g. checkout.yaml"
        examined.findings.append(Finding(str(path), 1, 1, "", "there is no service file", fix))
    examined.findings = sorted(set(examined.findings))
    return examined


def _paths(path: Path, examined: Examined) -> tuple[Path, list[Path]]:
    if not path.is_dir():
        if not path.exists():
            fix = "set PILOTHOUSE_POLICIES to the folder that holds org.yaml"
            examined.findings.append(Finding(str(path), 1, 1, "", "there is no such file", fix))
            return path, []
        return path.parent / ORG, [path] if path.name != ORG else []
    try:
        files = sorted(path.iterdir())
    except OSError as error:
        problem = f"the folder cannot be listed: {error.strerror}"
        examined.findings.append(Finding(str(path), 1, 1, "", problem, "give the bot the right"))
        return path, []
    # Hidden names are an editor's or a mount's own.
    shown = [f for f in files if f.suffix in (".yaml", ".yml") and not f.name.startswith(".")]
    return path / ORG, [f for f in shown if f.name != ORG]


def _org(path: Path, examined: Examined) -> references.Known | None:
    if examined.findings:
        return None
    source = _source(path)
    examined.findings.extend(source.findings)
    if source.root is None:
        if not source.findings:
            examined.findings.append(_empty(path))
        return None
    examined.org, wrong = fit(source.root, OrgFile)
    wrong += [*references.in_org(source.root), *lint.in_org(source.root)]
    examined.findings.extend([*secrets(source.root), *wrong])
    return references.Known.of(source.root)


def _service(path: Path, known: references.Known | None, examined: Examined) -> None:
    source = _source(path)
    examined.findings.extend(source.findings)
    if source.root is None:
        if not source.findings:
            examined.findings.append(_empty(path))
        return
    root, extends, found = _extended(source.root)
    examined.findings.extend([*secrets(source.root), *found])
    if found:
        return
    model, wrong = fit(root, ServiceFile)
    examined.services[str(path)] = Effective(root, model)
    wrong.extend(lint.in_service(root))
    if known is not None:
        wrong.extend(references.in_service(root, known))
        wrong.extend(references.staffing(root, known))
    examined.findings.extend(profile.moved(wrong, extends) if extends else wrong)


def _extended(root: Node) -> tuple[Node, Node | None, list[Finding]]:
    extends = root.get("extends")
    name = extends.text() if extends else None
    if extends is None or name is None:
        return root, None, []
    if name not in profile.names():
        fix = suggest(name, profile.names())
        return root, extends, [extends.finding(f"there is no profile `{name[:60]}`", fix)]
    below = profile.source(name)
    if below.root is None:
        return root, extends, profile.moved(below.findings, extends)
    return profile.merge(below.root, root), extends, []


def _names(examined: Examined) -> Iterator[Finding]:
    """No name or alias may mean two services."""
    owners: dict[str, str] = {}
    for effective in examined.services.values():
        for node in (*effective.root.each("service"), *effective.root.each("aliases", "*")):
            name = node.text()
            if name is None:
                continue
            if owners.setdefault(name, node.file) != node.file:
                problem = f"`{name}` is a service of {owners[name]} already"
                yield node.finding(problem, "give every service names of its own")


def _source(path: Path) -> Source:
    if path.exists() and not path.is_file():
        # Opening a pipe would wait for ever for somebody to write into it.
        fix = "remove it, or write a policy file in its place"
        return Source(str(path), None, [Finding(str(path), 1, 1, "", "this is no plain file", fix)])
    try:
        with path.open("rb") as file:
            return read(str(path), file.read(MAX_BYTES + 1))
    except OSError as error:
        problem = f"the file cannot be read: {error.strerror}"
        fix = f"create {path.name} here, or give the bot the right to read it"
        return Source(str(path), None, [Finding(str(path), 1, 1, "", problem, fix)])


def _empty(path: Path) -> Finding:
    return Finding(str(path), 1, 1, "", "the file is empty", "write a policy, or remove the file")
