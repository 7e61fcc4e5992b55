"""Drafts: requests that were previewed and not yet sent."""

from bot.domain.release import Version
from bot.memory import Draft
from storage import coding
from storage.connection import Connection, first, moment

_ADD = """
INSERT INTO drafts (team, id, author, service, environment, kind, version, created_at, note, thing)
VALUES (
  :team, :id, :author, :service, :environment, :kind, :version, :created_at, :note, :thing)
ON CONFLICT (team, id) DO NOTHING"""

_GET = """
SELECT author, service, environment, kind, version, created_at, note, thing
FROM drafts WHERE team = :team AND id = :id"""


class SqlDrafts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, draft: Draft) -> None:
        """Idempotent: ids are random, so one that is there is this one, whose commit was lost."""
        await self._connection.change(
            _ADD,
            team=draft.team,
            id=draft.id,
            author=draft.by,
            service=draft.service,
            environment=draft.environment,
            kind=draft.kind,
            version=coding.dump(draft.version),
            created_at=draft.created_at,
            note=draft.note,
            thing=draft.thing,
        )

    async def get(self, team: str, id: str) -> Draft | None:
        row = await first(self._connection, _GET, team=team, id=id)
        if row is None:
            return None
        author, service, environment, kind, version, created_at, note, about = row
        return Draft(
            team=team,
            id=id,
            by=author,
            service=service,
            environment=environment,
            kind=kind,
            version=coding.load(Version, version),
            created_at=moment(created_at),
            note=note,
            thing=about,
        )
