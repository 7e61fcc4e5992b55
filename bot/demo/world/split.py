"""Who gets the next request, and how the last ones went."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

#: More than this a window never holds; the oldest go first.
MOST = 20_000


class Split:
    """Smooth weighted round robin: of any 100 requests in a row exactly the share goes to each,
    and never in one block."""

    def __init__(self, weights: Mapping[str, int]) -> None:
        self.weights = dict(weights)
        self._credit = dict.fromkeys(self.weights, 0)

    def pick(self) -> str | None:
        """None when nobody is to get any."""
        if not self.weights:
            return None
        for version, weight in self.weights.items():
            self._credit[version] += weight
        chosen = max(self._credit, key=lambda version: self._credit[version])
        self._credit[chosen] -= sum(self.weights.values())
        return chosen


@dataclass(frozen=True, slots=True)
class Numbers:
    """How one version does; rates in percent, both None when nothing was asked."""

    requests: int
    errors: int
    error_rate: float | None
    p95_ms: float | None


class Window:
    """The requests of the last *seconds*."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._seen: deque[tuple[float, float, bool]] = deque(maxlen=MOST)

    def add(self, took: float, is_error: bool) -> None:
        """*took* is in seconds."""
        self._seen.append((self._clock(), took, is_error))

    def numbers(self) -> Numbers:
        oldest = self._clock() - self._seconds
        while self._seen and self._seen[0][0] < oldest:
            self._seen.popleft()
        total = len(self._seen)
        if not total:
            return Numbers(0, 0, None, None)
        errors = sum(is_error for _, _, is_error in self._seen)
        slowest = sorted(took for _, took, _ in self._seen)
        p95 = slowest[min(total - 1, -(-total * 95 // 100) - 1)]
        return Numbers(total, errors, round(100 * errors / total, 2), round(p95 * 1000, 1))
