"""Reads YAML 1.2 into a tree that remembers the line and column of everything."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from bot.policies.findings import Finding

#: Bytes; a policy of a hundred stages is a tenth of this.
MAX_BYTES = 256 * 1024
MAX_DEPTH = 24

Scalar = str | int | bool | None
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {name: name.lower() == "true" for name in ("true", "True", "TRUE", "false", "False")}
_BOOLS["FALSE"] = False
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")


@dataclass(slots=True)
class Node:
    """A value, and where it was written; `path` is how one gets there from the top."""

    value: "Scalar | dict[str, Node] | list[Node]"
    file: str
    line: int
    column: int
    path: tuple[str, ...] = ()
    key_at: tuple[int, int] | None = None

    def plain(self) -> Any:
        """The same as JSON."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def get(self, *path: str) -> "Node | None":
        """The node at *path*, if there is one."""
        return next(self.each(*path), None)

    def each(self, *path: str) -> Iterator["Node"]:
        """Every node at *path*, where `*` stands for any key or any place of a list."""
        if not path:
            yield self
            return
        for name, node in self.children():
            if path[0] in ("*", name):
                yield from node.each(*path[1:])

    def children(self) -> Iterator[tuple[str, "Node"]]:
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from ((str(index), node) for index, node in enumerate(self.value))

    def text(self) -> str | None:
        return self.value if isinstance(self.value, str) else None

    def names(self) -> frozenset[str]:
        return frozenset(self.value) if isinstance(self.value, dict) else frozenset()

    def finding(self, problem: str, fix: str, *, is_key: bool = False) -> Finding:
        line, column = self.key_at if is_key and self.key_at else (self.line, self.column)
        return Finding(self.file, line, column, ".".join(self.path), problem, fix)


@dataclass(slots=True)
class Source:
    """A file as it was read: its tree unless it could not be read, and what is wrong so far."""

    file: str
    root: Node | None = None
    findings: list[Finding] = field(default_factory=list)


def read(file: str, raw: bytes) -> Source:
    """Parse *raw*; nothing is raised, every mistake becomes a finding of the source."""
    source = Source(file)
    text = _text(source, raw)
    if text is None:
        return source
    try:
        _Builder(source).build(YAML(typ="rt", pure=True).parse(text))
    except _Refuse as refusal:
        source.root = None
        source.findings.append(refusal.finding)
    except MarkedYAMLError as error:
        source.root = None
        source.findings.append(_syntax(file, error))
    except (YAMLError, ValueError, OverflowError) as error:
        # A character that is none, an escape beyond Unicode: the parser gives no better place.
        source.root = None
        problem = f"this is no YAML: {str(error).splitlines()[0][:120]}"
        source.findings.append(Finding(file, 1, 1, "", problem, "write plain UTF-8 text"))
    return source


class _Refuse(Exception):
    """What makes the rest of the file unreadable."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.problem)
        self.finding = finding


class _Builder:
    """Turns parse events into nodes, without ever constructing what the file asks for."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def build(self, events: Iterator[Event]) -> None:
        for event in events:
            if not isinstance(event, DocumentStartEvent):
                continue
            if self._source.root is not None:
                raise self._refuse(event, "a second document begins", "keep one per file")
            self._source.root = self._node(next(events), events, ())

    def _node(self, event: Event, events: Iterator[Event], path: tuple[str, ...]) -> Node:
        self._mind(event, path)
        node = Node(None, self._source.file, *_place(event), path)
        if isinstance(event, MappingStartEvent):
            node.value = self._mapping(events, path)
        elif isinstance(event, SequenceStartEvent):
            node.value = self._sequence(events, path)
        elif isinstance(event, ScalarEvent):
            node.value = _scalar(event)
        return node

    def _mapping(self, events: Iterator[Event], path: tuple[str, ...]) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            self._mind(event, path)
            if not isinstance(event, ScalarEvent):
                raise self._refuse(event, "a key must be a word", "write `key: value`", path)
            key = str(event.value)
            node = self._node(next(events), events, (*path, key))
            node.key_at = _place(event)
            if key in entries:
                self._twice(node, entries[key])
                continue
            entries[key] = node
        return entries

    def _sequence(self, events: Iterator[Event], path: tuple[str, ...]) -> list[Node]:
        items: list[Node] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._node(event, events, (*path, str(len(items)))))
        return items

    def _mind(self, event: Event, path: tuple[str, ...]) -> None:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            fix = "write the value out; a check, a job and `health` can be named once and reused"
            raise self._refuse(event, "anchors and aliases are not read", fix, path)
        if getattr(event, "tag", None):
            raise self._refuse(event, "tags (`!…`) are not read", "leave the tag out", path)
        if any("\ud800" <= c <= "\udfff" for c in getattr(event, "value", None) or ""):
            fix = "write the character itself, or its whole code point"
            raise self._refuse(event, "half a character stands here", fix, path)
        if len(path) > MAX_DEPTH:
            raise self._refuse(event, "this is nested too deeply", "no policy needs that", path)

    def _twice(self, node: Node, first: Node) -> None:
        line = first.key_at[0] if first.key_at else first.line
        problem = f"`{node.path[-1]}` stands here twice, first on line {line}"
        self._source.findings.append(node.finding(problem, "keep one of the two", is_key=True))

    def _refuse(self, event: Event, problem: str, fix: str, path: tuple[str, ...] = ()) -> _Refuse:
        line, column = _place(event)
        return _Refuse(Finding(self._source.file, line, column, ".".join(path), problem, fix))


def _text(source: Source, raw: bytes) -> str | None:
    if len(raw) > MAX_BYTES:
        problem = f"the file has {len(raw) // 1024} kB, limit {MAX_BYTES // 1024} kB"
        source.findings.append(Finding(source.file, 1, 1, "", problem, "split it by service"))
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = "this is not UTF-8"
        source.findings.append(Finding(source.file, line, 1, "", problem, "save the file as UTF-8"))
        return None


def _scalar(event: ScalarEvent) -> Scalar:
    text = str(event.value)
    if event.style is not None:
        return text
    if text in _NULL:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    # A number with a point stays as it was written: no policy has use for a binary fraction.
    return int(text) if _INTEGER.fullmatch(text) else text


def _place(event: Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _syntax(file: str, error: MarkedYAMLError) -> Finding:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = f"the YAML cannot be read: {error.problem or error.context or 'unexpected text'}"
    fix = "mind the indentation (spaces, no tabs), colons and quotes here"
    return Finding(file, line, column, "", problem, fix)
