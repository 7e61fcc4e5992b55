"""Plans: stored once under the digest of their text, and read once."""

from bot.domain.plan import Plan
from storage import coding
from storage.connection import Connection, one

_KEEP = """
INSERT INTO plans (team, digest, body) VALUES (:team, :digest, :body)
ON CONFLICT (team, digest) DO NOTHING"""

_GET = "SELECT body FROM plans WHERE team = :team AND digest = :digest"

#: More than a workspace has in use at once; beyond it, everything is simply read again.
_MOST = 1024

#: Plans by digest. A digest names one text for ever, so nothing in here can be out of date.
Known = dict[str, Plan]


class SqlPlans:
    def __init__(self, connection: Connection, known: Known) -> None:
        self._connection = connection
        self._known = known

    async def keep(self, team: str, plan: Plan) -> str:
        """The digest under which *plan* is stored from now on."""
        digest, body = coding.plan_text(plan)
        await self._connection.write_any(_KEEP, team=team, digest=digest, body=body)
        return digest

    async def get(self, team: str, digest: str) -> Plan:
        plan = self._known.get(digest)
        if plan is None:
            row = await one(self._connection, _GET, team=team, digest=digest)
            plan = coding.read_plan(row[0])
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[digest] = plan
        return plan
