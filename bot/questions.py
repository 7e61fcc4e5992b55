"""What people ask without wanting a change: what runs, what waits for me, what happened."""

from datetime import datetime

from bot.domain.absent import unknown_thing
from bot.domain.deployment import Deployment, Phase
from bot.domain.effects import Entry
from bot.domain.events import Approved
from bot.domain.plan import ApprovalStage
from bot.domain.release import Target
from bot.domain.signing import approve
from bot.domain.slots import Context, Lock
from bot.memory import Store, Transaction
from bot.places import Place, mind
from bot.ports import Policies, Posted


class Questions:
    """Reads only. Raises `Refused` for a thing there is none of, `Unavailable` from the store."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    async def deployment(self, team: str, id: str, place: Place | None = None) -> Deployment:
        """*place*: where a button about *id* was pressed; refused unless *id* stands there."""

        async def unit(tx: Transaction) -> Deployment:
            d = await tx.deployments.get(team, id)
            if d is None:
                raise unknown_thing(id)
            await mind(tx, d, place)
            return d

        return await self._store.run(unit)

    async def now(self) -> datetime:
        return await self._store.now()

    async def locks(self, team: str) -> tuple[tuple[Target, Lock], ...]:
        return await self._store.run(lambda tx: tx.environments.locks(team))

    async def unfinished(self, team: str) -> tuple[Deployment, ...]:
        return await self._store.run(lambda tx: tx.deployments.unfinished(team))

    async def recent(self, team: str, service: str | None, limit: int) -> tuple[Deployment, ...]:
        return await self._store.run(lambda tx: tx.deployments.recent(team, service, limit))

    async def waiting_for(self, team: str, user: str) -> tuple[Deployment, ...]:
        """Deployments that *user* could sign now."""
        people = self._policies.people

        def is_theirs(d: Deployment) -> bool:
            stage = d.stage
            if d.phase is not Phase.RUNNING or not isinstance(stage, ApprovalStage):
                return False
            if d.parties(stage).bars(user, people):
                return False
            return any(
                seat.approval is None and people.has_role(user, seat.role)
                for seat in d.seats(people)
            )

        return tuple(d for d in await self.unfinished(team) if is_theirs(d))

    async def to_sign(self, team: str, id: str, user: str) -> Deployment:
        """*id*, when *user* could sign it now; raises the refusal of the signature otherwise."""
        d = await self.deployment(team, id)
        # The very rules of the act; what they decide is thrown away.
        approve(d, Approved(user), Context(self._policies.people), await self.now())
        return d

    async def story(self, team: str, id: str) -> tuple[tuple[datetime, Entry], ...]:
        """What happened to *id*, oldest first, from the journal."""
        return await self._store.run(lambda tx: tx.journal.story(team, id))

    async def thing_of(self, team: str, thread: Posted) -> str | None:
        """The deployment whose thread this is."""
        return await self._store.run(lambda tx: tx.threads.thing_of(team, thread))

    async def card_of(self, team: str, id: str) -> Posted | None:
        """Where the card of *id* stands; None while it is not posted."""
        return await self._store.run(lambda tx: tx.threads.find(team, id, "card"))
