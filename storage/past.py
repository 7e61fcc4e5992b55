"""How long deployments took, and since when a version serves: for previews, which only inform."""

from bot.domain.past import LOOKED_AT, Past
from bot.domain.release import Target
from storage.connection import Connection, first, moment
from storage.environments import where

# The condition on the phase stands literally as in the partial index, or it would not be used.
TOOK = """
SELECT requested_at, live_at FROM deployments
WHERE team = :team AND service = :service AND environment = :environment AND kind = :kind
  AND phase IN ('succeeded', 'superseded') AND live_at IS NOT NULL
ORDER BY finished_at DESC LIMIT :limit"""

_SERVING_AT = """
SELECT serving_at FROM environments
WHERE team = :team AND service = :service AND environment = :environment"""


async def read(connection: Connection, target: Target, kind: str) -> Past:
    here = where(target)
    rows = await connection.rows(TOOK, kind=kind, limit=LOOKED_AT, **here)
    serving = await first(connection, _SERVING_AT, **here)
    return Past(
        tuple(moment(live) - moment(requested) for requested, live in rows),
        moment(serving[0]) if serving is not None and serving[0] is not None else None,
    )
