"""One canonical form of a domain value, for digests, storage and the journal."""

import json
import types
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

Json = Any
_Decoder = Callable[[Json], Any]
_Encoder = Callable[[Any], Json]


def canonical(value: Json) -> bytes:
    """The bytes that are hashed: sorted keys, no spaces, UTF-8."""
    return text(value).encode()


def text(value: Json) -> str:
    return _WRITER.encode(value)


def encode(value: Any) -> Json:
    """*value* as JSON; a dataclass names its class under `$`, so that unions can be read back."""
    kind: Any = type(value)
    return value if kind in _PLAIN else _encoder(kind)(value)


@cache
def _encoder(kind: Any) -> _Encoder:
    if is_dataclass(kind):
        return _dataclass_encoder(kind)
    for known, write in _SCALARS.items():
        if issubclass(kind, known):
            return write
    raise TypeError(f"{kind.__name__} is no domain value")


def _dataclass_encoder(kind: Any) -> _Encoder:
    names = tuple(f.name for f in fields(kind))

    def write(value: Any) -> Json:
        body = {"$": kind.__name__}
        for name in names:
            part = getattr(value, name)
            # Most parts are plain, and this is run for every one of them.
            body[name] = part if type(part) in _PLAIN else encode(part)
        return body

    return write


@cache
def decoder(hint: Hashable) -> _Decoder:
    """A function that reads what `encode` wrote for a value of type *hint*.

    Raises `TypeError` at once for a hint that is no domain value, and `KeyError` or
    `ValueError` when the stored text does not fit.
    """
    if hint in _PLAIN or hint is Any:
        return _same
    if hint is datetime:
        return datetime.fromisoformat
    if hint is timedelta:
        return lambda raw: timedelta(microseconds=raw)
    if hint is Decimal:
        return Decimal
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass_decoder(hint)
    return _generic_decoder(hint)


def _generic_decoder(hint: Any) -> _Decoder:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        return _tuple_decoder(arguments)
    if origin in (Union, types.UnionType):
        return _union_decoder(arguments)
    raise TypeError(f"{hint!r} is no domain value")


def _tuple_decoder(arguments: tuple[Any, ...]) -> _Decoder:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        item = decoder(arguments[0])
        return lambda raw: tuple(map(item, raw))
    items = [decoder(argument) for argument in arguments]
    if all(item is _same for item in items):
        return partial(_plain_tuple, len(items))
    return lambda raw: tuple(read(part) for read, part in zip(items, raw, strict=True))


def _plain_tuple(length: int, raw: Json) -> tuple[Json, ...]:
    if len(raw) != length:
        raise ValueError(f"{len(raw)} parts instead of {length}")
    return tuple(raw)


def _union_decoder(arguments: tuple[Any, ...]) -> _Decoder:
    by_name: dict[str, Hashable] = {
        a.__name__: a for a in arguments if isinstance(a, type) and is_dataclass(a)
    }
    others = [a for a in arguments if not is_dataclass(a) and a is not types.NoneType]
    other = decoder(others[0]) if others else _same

    def read(raw: Json) -> Any:
        if raw is None:
            return None
        if isinstance(raw, dict):
            return decoder(by_name[raw["$"]])(raw)
        return other(raw)

    return read


def _dataclass_decoder(kind: type) -> _Decoder:
    hints = get_type_hints(kind)
    # Resolved at first use: a value may contain others that are defined after it.
    readers: list[tuple[str, _Decoder]] = []

    def read(raw: Json) -> Any:
        if not readers:
            readers.extend((f.name, decoder(hints[f.name])) for f in fields(kind))
        # A field that an older row does not have takes its default.
        return kind(
            **{
                name: raw[name] if take is _same else take(raw[name])
                for name, take in readers
                if name in raw
            }
        )

    return read


def _same(raw: Json) -> Json:
    return raw


_PLAIN = frozenset({str, int, float, bool, types.NoneType})
_SCALARS: dict[type, _Encoder] = {
    datetime: lambda moment: moment.astimezone(UTC).isoformat(),
    timedelta: lambda span: round(span / timedelta(microseconds=1)),
    Decimal: str,
    Enum: attrgetter("value"),
    frozenset: sorted,
    tuple: lambda items: [encode(item) for item in items],
}
_WRITER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
