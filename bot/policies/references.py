"""Whether everything that a policy names exists: roles, people, channels, checks, jobs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.domain.roles import ANYONE
from bot.policies.findings import Finding, Level, suggest
from bot.policies.yaml_source import Node

_SLOTS = ("kinds", "*", "stages", "*", "approval")
_ROLE_PLACES = (
    ("on_call",),
    ("rights", "*", "*"),
    ("checks", "*", "owner"),
    (*_SLOTS, "slots", "*", "role"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What `org.yaml` defines, read even when other parts of it are wrong."""

    roles: frozenset[str]
    channels: frozenset[str]
    holders: Counter[str]

    @classmethod
    def of(cls, org: Node) -> "Known":
        roles, channels = org.get("roles"), org.get("channels")
        holders: Counter[str] = Counter()
        for person in org.each("people", "*"):
            active = person.get("active")
            if active is None or active.value is not False:
                held = {role.text() or "" for role in person.each("roles", "*")}
                holders.update(held | {ANYONE})
        return cls(
            roles.names() if roles else frozenset(),
            channels.names() if channels else frozenset(),
            holders,
        )


def in_org(org: Node) -> Iterator[Finding]:
    """People with unknown roles, and Slack accounts that belong to two people."""
    known = Known.of(org)
    if ANYONE in known.roles:
        node = org.get("roles", ANYONE) or org
        problem = f"`{ANYONE}` is everybody who is listed"
        yield node.finding(problem, "choose another name", is_key=True)
    for role in org.each("people", "*", "roles", "*"):
        yield from _unknown(role, "role", known.roles)
    people = org.get("people")
    owners = {user: user for user in people.names()} if people else {}
    for person in org.each("people", "*"):
        for account in person.each("accounts", "*"):
            user = account.text() or ""
            if user in owners:
                problem = f"this account belongs to `{owners[user]}` already"
                yield account.finding(problem, "name every account once")
            owners[user] = person.path[-1]


def in_service(root: Node, known: Known) -> Iterator[Finding]:
    """Everything in the effective policy that names something which is not there."""
    for place in _ROLE_PLACES:
        for node in root.each(*place):
            yield from _unknown(node, "role", known.roles | {ANYONE})
    for node in root.each("channel"):
        yield from _unknown(node, "channel", known.channels, " of org.yaml")
    environments = root.get("environments")
    for node in root.each("default_environment"):
        yield from _unknown(node, "environment", environments.names() if environments else ())
    yield from _own(root, "checks", "check", (*_SLOTS[:-1], "gate", "checks", "*"))
    yield from _own(root, "checks", "check", ("rollback", "verify", "*"))
    yield from _own(root, "jobs", "job", (*_SLOTS[:-1], "job", "job"))
    yield from _health(root)


def staffing(root: Node, known: Known) -> Iterator[Finding]:
    """Warnings: rights that nobody has, and slots that too few people can sign."""
    for node in root.each("rights", "*"):
        roles = {role.text() or "" for role in node.each("*")}
        is_known = isinstance(node.value, list) and roles <= known.roles | {ANYONE}
        if is_known and not sum(known.holders[role] for role in roles):
            yield warning(node, "nobody may do this", "name a role that somebody active has")
    for node in root.each("on_call"):
        if node.text() in known.roles and not known.holders[node.text() or ""]:
            yield warning(node, "nobody active has this role", "give it to somebody in org.yaml")
    for stage in root.each(*_SLOTS):
        yield from _signers(stage, known)


def _signers(stage: Node, known: Known) -> Iterator[Finding]:
    wanted: Counter[str] = Counter()
    for slot in stage.each("slots", "*"):
        role, needed = slot.get("role"), slot.get("needed")
        name = role.text() if role else None
        if role is None or name is None or name not in known.roles | {ANYONE}:
            continue
        wanted[name] += needed.value if needed and isinstance(needed.value, int) else 1
        there = known.holders[name]
        # More than the schema allows is told there.
        if there < wanted[name] <= 20:
            problem = f"{wanted[name]} must sign as `{name}`, {there} can"
            yield warning(role, problem, "give the role to more people in org.yaml")


def warning(node: Node, problem: str, fix: str) -> Finding:
    """As `Node.finding`, but it stops nothing."""
    return replace(node.finding(problem, fix), level=Level.WARNING)


def _own(root: Node, section: str, noun: str, place: tuple[str, ...]) -> Iterator[Finding]:
    defined = root.get(section)
    for node in root.each(*place):
        name = node.text()
        if name is None or (defined and name in defined.names()):
            continue
        example = "{driver: http, …}" if noun == "check" else "{driver: shell, run: […]}"
        near = suggest(name, defined.names() if defined else ())
        fix = near if near.startswith("did") else f"add `{name}: {example}` under `{section}:`"
        yield node.finding(f"there is no {noun} `{name}`", fix)


def _health(root: Node) -> Iterator[Finding]:
    if root.get("health", "rules") is not None:
        return
    for kind in ("rollout", "watch"):
        for stage in root.each("kinds", "*", "stages", "*", kind):
            if stage.get("health", "rules") is None and isinstance(stage.value, dict):
                yield stage.finding(
                    "this stage has no health rules", "add `health:` to it or at the top"
                )


def _unknown(
    node: Node, noun: str, known: frozenset[str] | tuple[str, ...], where: str = ""
) -> Iterator[Finding]:
    name = node.text()
    if name is not None and name not in known:
        yield node.finding(f"there is no {noun} `{name[:60]}`{where}", suggest(name, known))
