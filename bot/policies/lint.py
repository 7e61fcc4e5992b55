"""Whether a policy makes sense: the order of stages, rising weights, times that fit together."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from bot.policies.findings import Finding, suggest
from bot.policies.org_schema import LimitsEntry
from bot.policies.references import warning
from bot.policies.values import duration, percent
from bot.policies.yaml_source import Node

_KINDS = ("gate", "job", "approval", "rollout", "watch")
_PLACEHOLDERS = ("service", "version", "commit", "artefact", "environment")
_IN_ADDRESS = ("service", "version", "environment")
#: Secrets from the environment that are the bot's alone.
_OF_THE_BOT = frozenset(
    {
        "DATABASE_URL",
        "PILOTHOUSE_HEARTBEAT_URL",
        "PILOTHOUSE_METRICS_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
    }
)
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def in_org(org: Node) -> Iterator[Finding]:
    """What would be shown for longer than it stays true, and who would be called for nothing."""
    for node in org.each("preview_lasts"):
        seconds = _seconds(node)
        if seconds is not None and seconds > 86400:
            yield node.finding("a preview is kept for a day", "write at most 1d")
    for node in org.each("alarms", "look_late_after"):
        seconds = _seconds(node)
        if seconds is not None and seconds < 60:
            yield node.finding("what fails is left alone for up to a minute", "write at least 1m")
    for limits in org.each("limits"):
        yield from _crowd(limits)


def _crowd(limits: Node) -> Iterator[Finding]:
    """What one person may use up alone, nobody else in the channel has."""
    channel = limits.get("channel_per_minute")
    whole = channel.value if channel is not None else None
    if channel is None or not isinstance(whole, int):
        return
    for name in ("commands_per_minute", "clicks_per_minute"):
        own = limits.get(name)
        most = own.value if own is not None else LimitsEntry.model_fields[name].default
        if isinstance(most, int) and whole <= most:
            problem = f"one person can use this up alone with `{name}`"
            yield warning(channel, problem, f"write more than {most}")
            return


def in_service(root: Node) -> Iterator[Finding]:
    """Everything in the effective policy that would not do what its author means."""
    for kind in root.each("kinds", "*"):
        if kind.path[-1] == "rollback":
            fix = "take it out; `rollback:` at the top says how going back is verified"
            yield kind.finding("going back has its own plan", fix, is_key=True)
        yield from _stages(kind)
    yield from _times(root)
    yield from _first_deployment(root)
    for job in root.each("jobs", "*", "run"):
        yield from _arguments(job)
    for variable in root.each("jobs", "*", "env", "*"):
        yield from _variable(variable)
    yield from _addresses(root)
    for alias in root.each("aliases", "*"):
        service = root.get("service")
        if service is not None and alias.value == service.value:
            yield alias.finding("this is the service's own name", "take the alias out")


def _stages(kind: Node) -> Iterator[Finding]:
    named: list[tuple[str, Node]] = []
    for entry in kind.each("stages", "*"):
        names = [name for name, _ in entry.children()]
        if len(names) != 1:
            yield entry.finding("a stage is exactly one thing", f"write one of {_list(_KINDS)}")
            return
        body = entry.get(names[0])
        if body is not None and names[0] in _KINDS:
            if body.value is None:
                yield body.finding(f"this {names[0]} is empty", "write its `name:` and the rest")
            named.append((names[0], body))
    if named:
        yield from _order(kind, named)
    for rollout in kind.each("stages", "*", "rollout"):
        yield from _steps(rollout)


def _order(kind: Node, named: list[tuple[str, Node]]) -> Iterator[Finding]:
    rollouts = [body for name, body in named if name == "rollout"]
    if not rollouts:
        yield kind.finding("no stage moves the traffic", "add a rollout", is_key=True)
    for body in rollouts[1:]:
        yield body.finding("this is a second rollout", "keep exactly one", is_key=True)
    _, body = named[-1]
    if all(name != "watch" for name, _ in named):
        yield body.finding("the last stage is no watch", "end with a watch", is_key=True)
    for name, body in named[:-1]:
        if name == "watch":
            yield body.finding("a watch is not the last stage", "move it to the end", is_key=True)
    yield from _signing(kind, named)


def _signing(kind: Node, named: list[tuple[str, Node]]) -> Iterator[Finding]:
    changing = next((i for i, stage in enumerate(named) if _changes(*stage)), len(named))
    approvals = [(i, body) for i, (name, body) in enumerate(named) if name == "approval"]
    for i, body in approvals:
        if i > changing:
            fix = f"move it before `{_name(named[changing][1])}`"
            yield body.finding("people sign after the change was made", fix, is_key=True)
    if not approvals:
        yield warning(kind, "nobody has to sign", "add an approval before the rollout")


def _changes(name: str, body: Node) -> bool:
    changes = body.get("changes")
    return name == "rollout" or (name == "job" and changes is not None and changes.value is True)


def _first_deployment(root: Node) -> Iterator[Finding]:
    """Where nothing serves yet: what could never pass, and what nobody would have agreed to."""
    places = (("first_deployment",), ("environments", "*", "first_deployment"))
    allowing = [n for place in places for n in root.each(*place) if n.value == "allowed"]
    if not allowing:
        return
    for kind in root.each("kinds", "*"):
        stages = [entry for stage in kind.each("stages", "*") for entry in stage.children()]
        if all(name != "approval" for name, _ in stages):
            problem = "nobody has to sign a first deployment, which has no way back"
            yield warning(allowing[0], problem, f"add an approval to `{kind.path[-1]}`")
        for key in _asked_before_rollout(stages):
            check = root.get("checks", key)
            if check is not None and _asks_what_serves(check):
                problem = "a first deployment cannot pass this check if it asks what serves"
                fix = "add `needs_serving: true` to leave it out then, or a `version_field`"
                yield warning(check, problem, fix)


def _asked_before_rollout(stages: list[tuple[str, Node]]) -> Iterator[str]:
    for name, body in stages:
        if name == "rollout":
            return
        if name == "gate":
            yield from (node.text() or "" for node in body.each("checks", "*"))


def _asks_what_serves(check: Node) -> bool:
    """Whether nothing in *check* says that it is about the version that is deployed."""
    address, needs = check.get("url"), check.get("needs_serving")
    is_about_version = check.get("version_field") or "{version}" in (
        (address and address.text()) or ""
    )
    return not is_about_version and (needs is None or needs.value is False)


def _steps(rollout: Node) -> Iterator[Finding]:
    before = 0
    weights = list(rollout.each("steps", "*", "weight"))
    for node in weights:
        weight = _percent(node)
        if not weight:
            return
        if weight <= before:
            yield node.finding(f"{weight}% follows {before}%", "let every step be larger")
        before = weight
    if weights and before != 100:
        yield weights[-1].finding(f"the last step is {before}%", "end with 100%")


def _times(root: Node) -> Iterator[Finding]:
    for node in root.each("updates", "every"):
        seconds = _seconds(node)
        if seconds is not None and seconds < 60:
            yield node.finding("updates would come too often", "write at least 1m")
    stages = ("kinds", "*", "stages", "*")
    for watch in root.each(*stages, "watch"):
        yield from _within(watch, "proven_after", "lasts")
    for approval in root.each(*stages, "approval"):
        yield from _within(approval, "remind_after", "expires_after")
    for hold in root.each("hold"):
        yield from _within(hold, "remind_every", "expires_after")


def _within(body: Node, inner: str, outer: str) -> Iterator[Finding]:
    small, large = body.get(inner), body.get(outer)
    if small is None or large is None:
        return
    a, b = _seconds(small), _seconds(large)
    if a is not None and b is not None and a > b:
        problem = f"`{inner}` is longer than `{outer}`"
        yield small.finding(problem, f"write at most {large.value}")


def _arguments(run: Node) -> Iterator[Finding]:
    for i, node in enumerate(run.each("*")):
        text = node.text()
        if text is None:
            continue
        if "\0" in text:
            yield node.finding("an argument cannot hold a NUL", "take it out")
        elif i == 0:
            yield from _program(node, text)
        else:
            yield from _placeholders(node, text)


def _variable(node: Node) -> Iterator[Finding]:
    if node.value in _OF_THE_BOT:
        fix = "give the program its own value, under another name"
        yield node.finding("with it a job could do what the bot can", fix)


def _program(node: Node, text: str) -> Iterator[Finding]:
    if not text or _PLACEHOLDER.search(text) or text in (".", "..") or text.endswith("/"):
        yield node.finding("this is no program", "write an absolute path or a bare name")
    elif PurePosixPath(text).is_absolute():
        return
    elif "/" in text:
        fix = f"write /…/{PurePosixPath(text).name}, or a bare name that is on the PATH"
        yield node.finding("a relative path depends on where the bot was started", fix)
    elif re.search(r"\s", text):
        yield node.finding("a program's name has no spaces", "write every argument by itself")


def _placeholders(node: Node, text: str) -> Iterator[Finding]:
    for name in _PLACEHOLDER.findall(text):
        if name not in _PLACEHOLDERS:
            yield node.finding(f"`{{{name}}}` is no placeholder", suggest(name, _PLACEHOLDERS))
        elif text != f"{{{name}}}":
            problem = f"`{{{name}}}` is only replaced as a whole argument"
            yield node.finding(problem, f'write "{{{name}}}" as an argument of its own')


def _addresses(root: Node) -> Iterator[Finding]:
    """Only a check's address knows placeholders, and never in its host."""
    for node in root.each("checks", "*", "url"):
        text = node.text() or ""
        if "{" in "/".join(text.split("/")[:3]):
            yield node.finding("a host cannot be chosen by placeholder", "write the host out")
        for name in _PLACEHOLDER.findall(text):
            if name not in _IN_ADDRESS:
                yield node.finding(f"`{{{name}}}` is no placeholder", suggest(name, _IN_ADDRESS))
    others = (("releases",), ("environments", "*", "router"), ("environments", "*", "metrics"))
    for place in others:
        for node in root.each(*place, "url"):
            if "{" in (node.text() or ""):
                fix = "take it out; the service and version are asked for anyway"
                yield node.finding("placeholders are not replaced here", fix)


def _seconds(node: Node) -> float | None:
    try:
        return duration(node.text() or "").total_seconds()
    except ValueError:
        return None


def _percent(node: Node) -> int | None:
    try:
        return percent(node.text() or "")
    except ValueError:
        return None


def _name(body: Node) -> str:
    name = body.get("name")
    return (name.text() if name else None) or body.path[-1]


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(words)
