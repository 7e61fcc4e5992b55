"""Writing one decision down: state, journal, records and outbox, in the caller's transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from bot.crashpoint import crashpoint
from bot.domain.absent import unknown_thing
from bot.domain.decide import decide, due_at
from bot.domain.deployment import Decision, Deployment, Phase
from bot.domain.effects import (
    Disproves,
    Effect,
    FreeSlot,
    LockEnvironment,
    Proves,
    RaiseFence,
    Record,
    RefreshCard,
    Reply,
    Serves,
    Slotting,
    Supersede,
    TakeSlot,
)
from bot.domain.events import Superseded
from bot.domain.line import Bold, Line, unstopped
from bot.domain.refusal import Outcome, Refusal, Way
from bot.domain.roles import People
from bot.domain.slots import Context
from bot.memory import Claim, InboxKey, Parcel, Surroundings, Transaction
from bot.outbox import route
from bot.places import Place


@dataclass(frozen=True, slots=True)
class Source:
    """Where a wish comes from: its delivery, where a click wants its answer, and what was
    pressed when it was one."""

    key: InboxKey
    reply_to: str | None = None
    place: Place | None = None


class Writer:
    """Everything one decision asks for, in one transaction or not at all."""

    def __init__(self, people: People, tick: timedelta) -> None:
        self._people = people
        self._tick = tick

    async def load(self, tx: Transaction, team: str, thing: str) -> Deployment:
        d = await tx.deployments.get(team, thing)
        if d is None:
            raise unknown_thing(thing)
        return d

    async def look(self, tx: Transaction, team: str, thing: str) -> tuple[Deployment, Context]:
        """What a decision about *thing* begins with."""
        found = await tx.deployments.look(team, thing)
        if found is None:
            raise unknown_thing(thing)
        return found[0], self.context(found[1])

    async def context_of(self, tx: Transaction, d: Deployment) -> Context:
        return self.context(await tx.deployments.surroundings(d.target, d.id))

    async def start(self, tx: Transaction, decision: Decision, by: str, source: Source) -> Outcome:
        d = decision.state
        await tx.journal.append(d, "Requested", by, decision.wanted.entries)
        await tx.deployments.add(d, due_at(d, tx.now, self._tick))
        await self._carry_out(tx, d, decision)
        return await self.answered(tx, d.id, decision.answer, source)

    async def save(
        self,
        tx: Transaction,
        before: Deployment,
        decision: Decision,
        event: str,
        by: str | None,
        claim: Claim | None,
    ) -> Deployment:
        d = decision.state
        # Whatever changed has a row, also what is too small to be told.
        if decision.wanted.entries or decision.wanted.records or d.offer != before.offer:
            await tx.journal.append(d, event, by, decision.wanted.entries)
        saved = await tx.deployments.save(d, due_at(d, tx.now, self._tick), claim)
        await self._carry_out(tx, d, decision)
        return saved

    async def answered(
        self,
        tx: Transaction,
        thing: str | None,
        line: Line,
        source: Source,
        ways: tuple[Way, ...] = (),
    ) -> Outcome:
        """Remember what came of this delivery, and answer the click if it was one."""
        outcome = Outcome(thing, line)
        if source.reply_to:
            reply = Reply(source.reply_to, line, ways=ways)
            await tx.outbox.put(source.key.team, source.key.key, [route(source.key.key, reply)])
        await tx.inbox.add(source.key, outcome)
        crashpoint("before-commit")
        return outcome

    async def stale(self, tx: Transaction, d: Deployment, source: Source) -> Outcome:
        line: Line = (
            "That button was out of date, ",
            Bold("nothing changed"),
            ". ",
            *unstopped(d.last.line),
            f", {d.last.at:%H:%M} UTC. The card shows what is possible now.",
        )
        await tx.outbox.put(d.team, d.id, [route(d.id, RefreshCard())])
        refusal = Refusal("stale", line, ())
        if source.reply_to:
            reply = Reply(source.reply_to, line, is_refusal=True, rule="stale")
            await tx.outbox.put(d.team, source.key.key, [route(source.key.key, reply)])
        outcome = Outcome(d.id, refusal=refusal)
        await tx.inbox.add(source.key, outcome)
        return outcome

    def context(self, around: Surroundings) -> Context:
        return Context(
            self._people,
            around.slot,
            around.lock,
            around.ledger,
            around.others,
            self._tick,
        )

    async def _carry_out(self, tx: Transaction, d: Deployment, decision: Decision) -> None:
        for record in decision.wanted.records:
            await self._record(tx, d, record)
        await self._put(tx, d, decision.wanted.effects)

    async def _put(self, tx: Transaction, d: Deployment, effects: tuple[Effect, ...]) -> None:
        parcels: list[Parcel] = []
        for effect in effects:
            parcel = route(d.id, effect)
            if parcel.wish is not None:
                parcels = [p for p in parcels if (p.lane, p.wish) != (parcel.lane, parcel.wish)]
            parcels.append(parcel)
        if parcels:
            await tx.outbox.put(d.team, d.id, parcels)

    async def _record(self, tx: Transaction, d: Deployment, record: Record) -> None:
        match record:
            case TakeSlot() | RaiseFence() | FreeSlot():
                await self._slot(tx, d, record)
            case Serves(name):
                version = d.version if d.version.name == name else None
                if version is None and d.rollback is not None:
                    version = d.rollback.target
                if version is None or version.name != name:
                    raise AssertionError(f"{d.id} cannot say what {name} is")
                await tx.environments.serves(d.target, version, tx.now)
            case Proves(name):
                await tx.environments.proves(d.target, name, tx.now)
            case Disproves(name):
                await tx.environments.disproves(d.target, name)
            case LockEnvironment(reason):
                await tx.environments.lock(d.target, reason, None, tx.now)
            case Supersede(other):
                await self._supersede(tx, d, other)
            case _:
                assert_never(record)

    async def _slot(self, tx: Transaction, d: Deployment, record: Slotting) -> None:
        match record:
            case TakeSlot(fence):
                await tx.environments.take(d.target, d.id, fence)
            case RaiseFence(fence):
                await tx.environments.raise_fence(d.target, fence)
            case FreeSlot():
                await tx.environments.free(d.target, d.id)

    async def _supersede(self, tx: Transaction, d: Deployment, other: str) -> None:
        watched = await tx.deployments.get(d.team, other)
        if watched is None or watched.phase is not Phase.WATCHING:
            return
        decision = decide(watched, Superseded(d.id), Context(self._people), tx.now)
        await self.save(tx, watched, decision, "Superseded", None, None)
