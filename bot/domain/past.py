"""What earlier deployments tell about the next one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

#: Of how many of the newest ones the median is taken, and how many say too little.
LOOKED_AT = 5
_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Past:
    """How long the newest of a kind took that went well, and since when its version serves.

    `took`: from the request to all traffic, waiting for people included; newest first.
    """

    took: tuple[timedelta, ...] = ()
    serving_since: datetime | None = None

    @property
    def expected(self) -> timedelta | None:
        """The median, which one that waited overnight does not move; None when too few are
        known."""
        if len(self.took) < _ENOUGH:
            return None
        return timedelta(seconds=median(took.total_seconds() for took in self.took))
