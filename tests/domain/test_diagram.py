"""The picture of the lifecycle shows every move there is, and no other."""

import re

from bot.domain.deployment import MOVES, OVER, Phase
from bot.domain.diagram import lifecycle


def arrows() -> list[tuple[str, str]]:
    return re.findall(r"^    (\S+) --> (\S+)$", lifecycle(), flags=re.MULTILINE)


def test_every_move_is_drawn_once_and_nothing_else() -> None:
    moves = {(str(phase), str(to)) for phase, onward in MOVES.items() for to in onward}
    ends = {(str(phase), "[*]") for phase in OVER}

    assert sorted(arrows()) == sorted(moves | ends | {("[*]", "running")})


def test_the_picture_is_the_same_every_time_and_in_the_order_of_the_phases() -> None:
    order = ["[*]", *(str(phase) for phase in Phase)]
    drawn = [order.index(start) for start, _ in arrows()]

    assert drawn == sorted(drawn)
    assert lifecycle() == lifecycle()


def test_the_picture_is_mermaid() -> None:
    first, *rest = lifecycle().splitlines()

    assert first == "stateDiagram-v2"
    assert all(re.fullmatch(r"    \S+ --> \S+", line) for line in rest)
