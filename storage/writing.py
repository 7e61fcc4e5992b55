"""Domain values straight to their canonical text, without the tree of JSON in between."""

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum

# In typeshed "undocumented", and yet what every `json.dumps` of Python calls for a string.
from json.encoder import encode_basestring as _quoted
from operator import attrgetter
from types import NoneType
from typing import Any

_Writer = Callable[[Any], str]


class _Writers(dict[type, _Writer]):
    """One writer for each type, made when the first value of it comes."""

    def __missing__(self, kind: type) -> _Writer:
        self[kind] = made = _dataclass(kind) if is_dataclass(kind) else _scalar(kind)
        return made


def text(value: Any) -> str:
    """What `canon.text(canon.encode(value))` says, at half of its cost: this is written several
    times for every command. Raises `TypeError` for what is no domain value."""
    return _WRITERS[type(value)](value)


def told(names: tuple[str, ...], values: tuple[Any, ...]) -> str:
    """An object of *names*, which are sorted; what is None is left out."""
    pairs = zip(names, values, strict=True)
    said = [f'"{name}":{_WRITERS[type(part)](part)}' for name, part in pairs if part is not None]
    return "{" + ",".join(said) + "}"


def mapping(facts: Mapping[str, Any]) -> str:
    """An object with the sorted keys of *facts*."""
    return "{" + ",".join([f"{_quoted(name)}:{text(facts[name])}" for name in sorted(facts)]) + "}"


def _dataclass(kind: type) -> _Writer:
    names = sorted(f.name for f in fields(kind))
    head = f'"$":"{kind.__name__}"'
    # `$` comes before every letter, so that the keys are sorted here as they are there.
    template = "{" + ",".join([head, *(f'"{name}":%s' for name in names)]) + "}"
    if len(names) < 2:
        # `attrgetter` gives a tuple only for two names and more.
        return lambda value: template % tuple([text(getattr(value, name)) for name in names])
    parts = attrgetter(*names)
    return lambda value: template % tuple([_WRITERS[type(part)](part) for part in parts(value)])


def _scalar(kind: type) -> _Writer:
    for known, write in _SCALARS.items():
        if issubclass(kind, known):
            return write
    raise TypeError(f"{kind.__name__} is no domain value")


def _sequence(items: Any) -> str:
    return "[" + ",".join([_WRITERS[type(item)](item) for item in items]) + "]"


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON")
    return repr(value)


_SCALARS: dict[type, _Writer] = {
    datetime: lambda moment: f'"{moment.astimezone(UTC).isoformat()}"',
    timedelta: lambda span: str(round(span / timedelta(microseconds=1))),
    Decimal: lambda number: f'"{number}"',
    Enum: lambda member: text(member.value),
    frozenset: lambda items: _sequence(sorted(items)),
    tuple: _sequence,
}
_WRITERS = _Writers(
    {
        str: _quoted,
        int: repr,
        bool: {True: "true", False: "false"}.__getitem__,
        float: _number,
        NoneType: lambda _: "null",
    }
)
