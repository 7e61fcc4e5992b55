"""Writing straight to text: what is stored is letter by letter what the canonical form says."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from bot.domain import canon
from bot.domain.deployment import Deployment
from bot.domain.effects import Announce, CloseAsk, Entry, PostUpdate, SetTraffic
from bot.domain.line import Bold, Mention, Said
from bot.domain.refusal import Outcome, Refusal, Way
from storage import coding, writing
from tests.builders import NOW, a_plan
from tests.domain.builders import (
    at_approval,
    at_step,
    held,
    one_way,
    requested,
    rolling_back,
    watching,
)

NASTY = ('"', "\\", "\n\t\x00\x1f\x7f", "%s %d %", "é ü 😀 \u2028", "</script>", "", "{}", "\ud800")


class Colour(Enum):
    RED = "re\nd"
    SEVEN = 7


@dataclass(frozen=True, slots=True)
class Bare:
    pass


@dataclass(frozen=True, slots=True)
class One:
    part: Any


@dataclass(frozen=True, slots=True)
class Parts:
    """Named so that sorting matters: capitals and `_` come before the small letters."""

    zeta: Any
    _low: Any = None
    Big: Any = 1
    alpha: Any = ()


def canonical(value: object) -> str:
    return canon.text(canon.encode(value))


def stories() -> list[Deployment]:
    told = (requested(), at_approval(), at_step(1).healthy(), at_step().unhealthy())
    later = (held(at_step()), rolling_back(), watching().healthy(), at_step(version=one_way()))
    return [story.d for story in told + later]


@pytest.mark.parametrize("text", NASTY)
def test_whatever_people_type_is_written_as_the_canonical_form_writes_it(text: str) -> None:
    for value in (text, One(text), Parts(text, text, (text,)), (Bold(text), Said(text), text)):
        assert writing.text(value) == canonical(value)
        assert writing.mapping({text: text}) == canon.text({text: text})


@pytest.mark.parametrize(
    "value",
    [
        *(0, -7, 10**20, 0.1, -0.0, 1e300, True, False, None, (), ((),), frozenset({"b", "a"})),
        *(Decimal("0.10"), Decimal("1E+3"), timedelta(days=-1, microseconds=3), NOW),
        datetime(2026, 3, 2, 15, 0, tzinfo=timezone(timedelta(hours=1))),
        *(Colour.RED, Colour.SEVEN, Bare(), One(None), One(One(Bare())), Parts(True, 1, 2.5)),
        *(CloseAsk(), PostUpdate(NOW, None, "held"), SetTraffic((("v1", 100),), 7)),
        Announce(("a", Bold("b"), Mention("U0ANA")), NOW),
        (Entry("approved", ("Approved",), None), Entry("x", (), "U0ANA")),
        Outcome("D-1", ("done",)),
        Outcome(None, refusal=Refusal("r", ("why",), (), (Way("Show", "deploy.status", "D-1"),))),
        a_plan(),
    ],
)
def test_a_value_is_written_as_the_canonical_form_writes_it(value: object) -> None:
    assert writing.text(value) == canonical(value)


def test_a_state_is_everything_that_is_known_of_it_but_plan_and_revision() -> None:
    for d in stories():
        kept = {
            name: canon.encode(part)
            for name in Deployment.__dataclass_fields__
            if name not in ("plan", "revision") and (part := getattr(d, name)) is not None
        }

        assert coding.state_text(d) == canon.text(kept)


def test_every_state_is_read_back_as_it_was() -> None:
    for d in stories():
        assert coding.read_state(coding.state_text(d), d.plan, d.revision) == d


def test_states_that_tell_of_the_same_versions_share_them() -> None:
    told = [at_step(1).healthy().d, at_step().unhealthy().d]

    one, other = (coding.read_state(coding.state_text(d), d.plan, d.revision) for d in told)

    assert one.version is other.version
    assert one.stable is other.stable is not None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_no_json_can_say_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        writing.text(One(number))


@pytest.mark.parametrize("value", [object(), b"raw", ["list"], {"a": 1}, One([1])])
def test_what_is_no_domain_value_is_refused_also_the_second_time(value: object) -> None:
    for _ in range(2):
        with pytest.raises(TypeError, match="no domain value"):
            writing.text(value)
