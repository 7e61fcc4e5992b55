"""Small checks that compose into the grammar of Slack's blocks; each yields sentences."""

from collections.abc import Callable, Iterator, Mapping, Sequence

Rule = Callable[[object, str], Iterator[str]]
Also = Callable[[Mapping[str, object], str], Iterator[str]]


def anything(_value: object, _where: str) -> Iterator[str]:
    yield from ()


def flag(value: object, where: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{where} must be true or false"


def number(least: int, most: int) -> Rule:
    def check(value: object, where: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{where} must be a whole number"
        elif not least <= value <= most:
            yield f"{where} must lie between {least} and {most}"

    return check


def string(most: int, least: int = 1) -> Rule:
    """Length counts code points."""

    def check(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{where} must be a string"
        elif len(value) < least:
            yield f"{where} is empty"
        elif len(value) > most:
            yield f"{where} is {len(value)} characters, at most {most} are allowed"

    return check


def choice(*allowed: str) -> Rule:
    def check(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, str) or value not in allowed:
            yield f"{where} must be one of {', '.join(allowed)}"

    return check


def listing(rule: Rule, most: int, least: int = 1) -> Rule:
    def check(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where} must be a list"
            return
        if len(value) < least:
            yield f"{where} has {len(value)} entries, at least {least} needed"
        if len(value) > most:
            yield f"{where} has {len(value)} entries, at most {most} are allowed"
        for index, entry in enumerate(value):
            yield from rule(entry, f"{where}[{index}]")

    return check


def record(
    required: Mapping[str, Rule],
    optional: Mapping[str, Rule] | None = None,
    also: Sequence[Also] = (),
) -> Rule:
    """An object with these properties and no others; `type` is judged by the caller."""
    known = {**required, **(optional or {})}

    def check(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{where} must be an object"
            return
        for name in required:
            if name not in value:
                yield f"{where} lacks {name}"
        for name, entry in value.items():
            if name in known:
                yield from known[name](entry, f"{where}.{name}")
            elif name != "type":
                yield f"{where} has the unknown property {_quoted(name)}"
        for extra in also:
            yield from extra(value, where)

    return check


def variant(rules: Mapping[str, Rule], what: str) -> Rule:
    """An object whose `type` names one of *rules*; any other type is refused."""

    def check(value: object, where: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping):
            yield f"{where} must be an object"
        elif not isinstance(kind, str) or kind not in rules:
            yield f"{where} has the type {_quoted(kind)}, which is no {what}"
        else:
            yield from rules[kind](value, where)

    return check


def plain(most: int) -> Rule:
    return variant({"plain_text": record({"text": string(most)}, {"emoji": flag})}, "plain text")


def prose(most: int) -> Rule:
    """Plain text or mrkdwn."""
    return variant(
        {
            "plain_text": record({"text": string(most)}, {"emoji": flag}),
            "mrkdwn": record({"text": string(most)}, {"verbatim": flag}),
        },
        "text",
    )


def one_of(*names: str) -> Also:
    def check(value: Mapping[str, object], where: str) -> Iterator[str]:
        if sum(name in value for name in names) != 1:
            yield f"{where} needs exactly one of {' and '.join(names)}"

    return check


def any_of(*names: str) -> Also:
    def check(value: Mapping[str, object], where: str) -> Iterator[str]:
        if not any(name in value for name in names):
            yield f"{where} needs {' or '.join(names)}"

    return check


def initial_is_offered(value: Mapping[str, object], where: str) -> Iterator[str]:
    """A preselected option has to be among the offered ones, with the same label."""
    offered: set[tuple[str, str]] = set()
    for holder in [value, *_mappings(value.get("option_groups"))]:
        options = holder.get("options")
        offered |= {_named(option) for option in options} if isinstance(options, list) else set()
    chosen = value.get("initial_options", [value.get("initial_option")])
    for option in chosen if isinstance(chosen, list) else []:
        if option is not None and _named(option) not in offered:
            yield f"{where} preselects an option that it does not offer"


def _named(option: object) -> tuple[str, str]:
    """Value and label only: to compare a whole tree can exhaust the stack."""
    value = option.get("value") if isinstance(option, Mapping) else None
    text = option.get("text") if isinstance(option, Mapping) else None
    label = text.get("text") if isinstance(text, Mapping) else None
    return (
        value if isinstance(value, str) else "",
        label if isinstance(label, str) else "",
    )


def _quoted(name: object) -> str:
    return repr(name[:40]) if isinstance(name, str) else type(name).__name__


def _mappings(value: object) -> list[Mapping[str, object]]:
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]
