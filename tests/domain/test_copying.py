"""Copying without a constructor: the same values as by `dataclasses`, and the same mistakes."""

import copy
import dataclasses
import pickle

import pytest

from bot.domain.copying import made_of, replace
from bot.domain.deployment import Decision, Deployment, Phase
from tests.domain.builders import at_approval, at_step


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    left: int
    right: str = "r"


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    left: int

    def __post_init__(self) -> None:
        if self.left < 0:
            raise ValueError("too small")


@dataclasses.dataclass(frozen=True)
class Loose:
    left: int


def test_a_copy_is_the_value_that_dataclasses_would_make() -> None:
    for d in (at_approval().d, at_step(1).healthy().d):
        changed = replace(d, phase=Phase.HELD, cursor=7, last=d.last)

        assert changed == dataclasses.replace(d, phase=Phase.HELD, cursor=7, last=d.last)
        assert hash(changed) == hash(dataclasses.replace(changed))
        assert (d.phase, type(changed)) == (Phase.RUNNING, Deployment)


def test_a_copy_is_as_frozen_as_what_it_was_made_of() -> None:
    changed = replace(Pair(1), left=2)

    with pytest.raises(dataclasses.FrozenInstanceError):
        changed.left = 3  # type: ignore[misc]
    assert changed == Pair(2) == copy.deepcopy(changed) == pickle.loads(pickle.dumps(changed))  # noqa: S301


def test_a_copy_without_changes_is_equal_and_another() -> None:
    decision = Decision(at_approval().d)

    assert replace(decision) == decision
    assert replace(decision) is not decision


def test_a_part_that_a_value_does_not_have_is_refused() -> None:
    with pytest.raises(KeyError, match="middle"):
        replace(Pair(1), middle=2)  # type: ignore[call-arg]


@pytest.mark.parametrize("value", [Checked(1), Loose(1)])
def test_a_value_whose_constructor_does_more_is_not_copied_past_it(value: Checked | Loose) -> None:
    with pytest.raises(TypeError, match="more than its slots"):
        replace(value, left=-1)


def test_a_value_is_made_of_its_parts_and_its_defaults() -> None:
    assert made_of(Pair, {"left": 1}) == Pair(1)
    assert made_of(Pair, {"right": "x", "left": 1}) == Pair(1, "x")


@pytest.mark.parametrize("parts", [{}, {"right": "x"}, {"left": 1, "middle": 2}])
def test_parts_that_do_not_fit_are_refused_as_a_constructor_refuses_them(
    parts: dict[str, object],
) -> None:
    with pytest.raises(TypeError):
        Pair(**parts)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Pair with"):
        made_of(Pair, parts)
