"""Domain values as stored text, and back; what was read before is not read again."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, get_type_hints

from bot.domain import canon
from bot.domain.copying import made_of
from bot.domain.deployment import Deployment
from bot.domain.plan import Plan
from bot.domain.release import Version
from storage import writing

#: What reading raises when nobody can read what is stored.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)

#: Kept in columns or rows of their own.
_APART = frozenset({"plan", "revision"})


def dump(value: Any) -> str:
    return writing.text(value)


def load(hint: Any, text: str) -> Any:
    return canon.decoder(hint)(json.loads(text))


@lru_cache(maxsize=256)
def plan_text(plan: Plan) -> tuple[str, str]:
    """The plan's digest and text."""
    text = dump(plan)
    return hashlib.sha256(text.encode()).hexdigest(), text


@lru_cache(maxsize=256)
def read_plan(text: str) -> Plan:
    plan: Plan = load(Plan, text)
    return plan


@lru_cache(maxsize=1024)
def read_version(text: str) -> Version:
    """Raises `ValueError`."""
    try:
        version: Version = load(Version, text)
    except UNREADABLE as error:
        why = f"{type(error).__name__} {error}"
        raise ValueError(f"the version on record cannot be read: {why}") from error
    return version


def state_text(d: Deployment) -> str:
    """Everything but the plan and the revision; what is None is left out."""
    names, parts = _state_parts()
    return writing.told(names, parts(d))


def read_state(text: str, plan: Plan, revision: int) -> Deployment:
    return made_of(Deployment, {**_facts(text), "plan": plan, "revision": revision})


# Keyed by the stored text itself, so that a row somebody else wrote is never mistaken; and
# without the plan, whose own hash would cost as much as it saves. A state is 5 KB.
@lru_cache(maxsize=256)
def _facts(text: str) -> Mapping[str, Any]:
    readers = _readers()
    return {name: readers[name](body) for name, body in json.loads(text).items()}


@lru_cache(maxsize=256)
def _version(version: Version) -> Version:
    return version


@cache
def _state_names() -> tuple[str, ...]:
    return tuple(f.name for f in fields(Deployment) if f.name not in _APART)


@cache
def _state_parts() -> tuple[tuple[str, ...], Callable[[Deployment], tuple[Any, ...]]]:
    names = tuple(sorted(_state_names()))
    return names, attrgetter(*names)


@cache
def _readers() -> dict[str, Any]:
    hints = get_type_hints(Deployment)
    readers = {name: canon.decoder(hints[name]) for name in _state_names()}
    # Many states tell of the same versions, which are a fifth of each.
    shared = {name: _sharing(readers[name]) for name in readers if hints[name] in _VERSIONS}
    return readers | shared


def _sharing(read: Callable[[Any], Version | None]) -> Callable[[Any], Version | None]:
    return lambda body: None if body is None else _version(read(body))


_VERSIONS = (Version, Version | None)
