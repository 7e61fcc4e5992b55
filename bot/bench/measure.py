"""Figures of a process and of a series: medians, percentiles, CPU seconds and resident memory."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: always one of *values*, so that a tail is never averaged away."""
    if not values:
        raise ValueError("there is nothing to rank")
    rank = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(rank, 1) - 1]


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of *pid*, in steps of a clock tick."""
    # The name may hold blanks and brackets; what follows it does not.
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
