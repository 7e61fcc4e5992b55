"""The one table: a row for each figure, with its goal and whether it is met."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_HEAD = ("#", "figure", "measured", "floor", "ratio", "goal", "met")


@dataclass(frozen=True, slots=True)
class Goal:
    """At most (or with *is_least*, at least) *limit*; judged on the ratio when there is a floor."""

    limit: float
    is_least: bool = False
    unit: str = ""

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.is_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.limit:g}{self.unit}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row; without a goal it only informs."""

    number: int
    name: str
    measured: float
    unit: str
    floor: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        return self.measured / self.floor if self.floor else None

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.goal.holds(self.measured if self.ratio is None else self.ratio)


def as_text(figures: Sequence[Figure]) -> str:
    rows = [_HEAD, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def as_json(figures: Sequence[Figure], remarks: Sequence[str]) -> str:
    rows = [
        asdict(figure)
        | {
            "goal": str(figure.goal) if figure.goal else None,
            "ratio": figure.ratio,
            "met": figure.is_met,
        }
        for figure in figures
    ]
    return json.dumps({"figures": rows, "remarks": list(remarks)}, indent=2, ensure_ascii=False)


def _cells(figure: Figure) -> tuple[str, ...]:
    met = {None: "", True: "yes", False: "NO"}[figure.is_met]
    return (
        str(figure.number),
        figure.name,
        _shown(figure.measured, figure.unit),
        "" if figure.floor is None else _shown(figure.floor, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.2f}×",
        str(figure.goal or ""),
        met,
    )


def _shown(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 2
    return f"{value:,.{digits}f} {unit}".strip()
