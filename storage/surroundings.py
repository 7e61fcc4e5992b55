"""What must count at once for an environment, for one or for many of them in one statement."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from bot.domain.release import Target
from bot.domain.slots import Active, Ledger, Lock, Slot
from bot.memory import Surroundings
from storage import coding, environments
from storage.connection import Connection, Row, moment, padded, wanted

_NAMES = ("team", "service", "environment")
_OF = "wanted AS w CROSS JOIN {0} AS t WHERE t.team = w.team AND t.service = w.service" + (
    " AND t.environment = w.environment"
)

# What is read, and from where.
_PARTS = (
    (
        "0 AS part, w.team, w.service, w.environment, t.id, t.kind, t.phase, t.version, "
        "t.requested_at AS at, 0 AS fence, '' AS mark",
        f"{_OF.format('deployments')} AND t.finished_at IS NULL",
    ),
    (
        "1, w.team, w.service, w.environment, t.version, '', '', t.body, t.proven_at, 0, ''",
        _OF.format("proven"),
    ),
    (
        "2, w.team, w.service, w.environment, t.deployment_id, t.lock_reason, t.locked_by, "
        "t.serving, t.locked_at, t.fence, MARK",
        _OF.format("environments"),
    ),
)

# One trip instead of two, for what every command begins with.
_WITH_STATE = """
WITH wanted (team, service, environment) AS (
  SELECT team, service, environment FROM deployments WHERE team = :team AND id = :id)"""

_STATE = """
SELECT 3, team, service, environment, id, plan, state, journal_hash, requested_at, journal_seq, '',
  revision, has_card
FROM deployments WHERE team = :team AND id = :id"""


@dataclass(slots=True)
class Around:
    """One target's rows as they are stored, so that one that nobody can read stops only who
    asks about it; *mark* names the state of its own row, None if there is none yet."""

    own: Row | None = None
    mark: str | None = None
    open: list[tuple[object, Active]] = field(default_factory=list)
    proven: list[tuple[object, str]] = field(default_factory=list)

    def without(self, id: str | None) -> Surroundings:
        """Raises one of `coding.UNREADABLE`."""
        others = tuple(active for _, active in sorted(self.open, key=_at) if active.id != id)
        newest_first = sorted(self.proven, key=_at, reverse=True)
        proven = tuple(coding.read_version(version) for _, version in newest_first)
        slot, lock = self.held()
        serving = None if self.own is None else environments.serving(self.own)
        return Surroundings(slot, lock, Ledger(serving, proven), others)

    def held(self) -> tuple[Slot, Lock | None]:
        return (Slot(), None) if self.own is None else environments.held(self.own)


async def read(connection: Connection, targets: Iterable[Target]) -> dict[Target, Around]:
    """As of one moment for all of them."""
    found = {target: Around() for target in targets}
    size, values = padded([(t.team, t.service, t.environment) for t in found], *_NAMES)
    for row in await connection.rows(_text(size, connection.is_shared), **values):
        _sort_in(found[Target(row[1], row[2], row[3])], row)
    return found


async def read_held(connection: Connection, target: Target) -> Around:
    """One target's, and nobody else changes them until this unit is committed: by a lock, or
    because it is not committed if somebody did."""
    if connection.is_shared and not connection.gathers:
        # By a statement of its own: what is read after it cannot be older.
        await environments.hold(connection, target)
    around = (await read(connection, [target]))[target]
    if connection.gathers:
        await environments.only_if_unchanged(connection, target, around.mark)
    return around


async def read_with(connection: Connection, team: str, id: str) -> tuple[Row, Around] | None:
    """A deployment's columns as they are read otherwise, and what `read_held` says of its target;
    not where that needs a lock, which comes first. None when there is no such deployment."""
    state: Row | None = None
    around = Around()
    for row in await connection.rows(_text_with_state(connection.is_shared), team=team, id=id):
        if row[0] == 3:
            state = row
        else:
            _sort_in(around, row[:11])
    if state is None:
        return None
    _, _, service, environment, _, plan, body, hash, _, seq, _, revision, has_card = state
    if connection.gathers:
        target = Target(team, service, environment)
        await environments.only_if_unchanged(connection, target, around.mark)
    return (team, id, revision, plan, body, has_card, seq, hash), around


def _sort_in(around: Around, row: Row) -> None:
    part, _, _, _, id, kind, phase, version, at, fence, mark = row
    if part == 0:
        around.open.append((at, Active(id, kind, phase, version)))
    elif part == 1:
        around.proven.append((at, version))
    else:
        around.own = (id, fence, kind, phase, at, version)
        around.mark = mark


def _at(row: tuple[object, object]) -> datetime:
    return moment(row[0])


@lru_cache(maxsize=16)
def _text(size: int, is_shared: bool) -> str:
    return wanted(size, *_NAMES) + _union("", is_shared)


@lru_cache(maxsize=2)
def _text_with_state(is_shared: bool) -> str:
    return _WITH_STATE + _union(", 0, FALSE", is_shared) + "\nUNION ALL" + _STATE


def _union(more: str, is_shared: bool) -> str:
    """All parts, each with *more* columns."""
    parts = "\nUNION ALL".join(f"\nSELECT {what}{more}\nFROM {where}" for what, where in _PARTS)
    # Postgres' own name of a row's version; where nobody else writes, there is no need for one.
    return parts.replace("MARK", "CAST(t.xmin AS TEXT)" if is_shared else "''")
