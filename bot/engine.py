"""The only writer: load, decide, and one transaction for everything the decision asks for."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from bot import places
from bot.crashpoint import crashpoint
from bot.domain.authority import require
from bot.domain.decide import decide, due_at, settle
from bot.domain.deployment import Deployment, Phase
from bot.domain.effects import Entry, Reply
from bot.domain.events import Requested, RollbackRequested, Seen, Wish
from bot.domain.line import Bold, Code, Line, Mention, Said
from bot.domain.offer import still_means
from bot.domain.refusal import Outcome, Refusal, Refused, Way
from bot.domain.release import Target, Version
from bot.domain.request import request, request_rollback
from bot.domain.slots import Context
from bot.memory import (
    Claim,
    Duplicate,
    StaleRevision,
    Store,
    Surroundings,
    Transaction,
)
from bot.outbox import route
from bot.ports import Policies
from bot.writer import Source, Writer

T = TypeVar("T")


class Engine:
    """Every change goes through here; `wake` is called after each commit that left work."""

    def __init__(
        self,
        store: Store,
        policies: Policies,
        writer: Writer,
        tick: timedelta,
        wake: Callable[[], None] = lambda: None,
        attempts: int = 8,
    ) -> None:
        self._store = store
        self._policies = policies
        self._tick = tick
        self._writer = writer
        self._wake = wake
        self._attempts = attempts

    async def request(self, wish: Requested, source: Source) -> Outcome:
        """Start a deployment. Refusals come back as an outcome, not as an exception."""
        policy = self._policies.services[wish.plan.service]
        target = Target(source.key.team, wish.plan.service, wish.plan.environment)

        async def unit(tx: Transaction) -> Outcome:
            around = await tx.deployments.surroundings(target, None)
            context = self._writer.context(around)
            number = f"D-{await tx.deployments.next_number(source.key.team)}"
            decision = request(source.key.team, number, wish, context, tx.now)
            await tx.snapshot_policy(policy.digest, policy.text)
            return await self._writer.start(tx, settle(None, decision, tx.now), wish.by, source)

        return await self._take_in(unit, source)

    async def apply(
        self, thing: str, wish: Wish, source: Source, offer: int | None = None
    ) -> Outcome:
        """Apply a person's wish to *thing*; *offer* is what the button they pressed stood for."""

        async def unit(tx: Transaction) -> Outcome:
            d, context = await self._writer.look(tx, source.key.team, thing)
            await places.mind(tx, d, source.place)
            if isinstance(wish, RollbackRequested) and d.phase in _AFTERWARDS:
                return await self._roll_back_afterwards(tx, d, context, wish, source, offer)
            if offer is not None and not still_means(d, wish, offer):
                return await self._writer.stale(tx, d, source)
            decision = decide(d, wish, context, tx.now)
            await self._writer.save(tx, d, decision, type(wish).__name__, wish.by, None)
            return await self._writer.answered(tx, d.id, decision.answer, source)

        return await self._take_in(unit, source)

    async def unlock(self, target: Target, by: str, reason: str, source: Source) -> Outcome:
        """Lift the lock of an environment."""
        policy = self._policies.services[target.service]
        plan = next(p for (env, _), p in policy.plans.items() if env == target.environment)

        async def unit(tx: Transaction) -> Outcome:
            require(
                self._policies.people, by, plan.rights.unlock, f"unlock {target.environment}", plan
            )
            if not await tx.environments.unlock(target):
                raise Refused(
                    "not_locked",
                    (Bold(f"{target.service} is not locked"), f" in {target.environment}."),
                    (
                        "Nothing was changed. Go on with ",
                        Code(f"/deploy {target.service} VERSION"),
                        ".",
                    ),
                )
            line: Line = (
                Bold(f"{target.service} is unlocked"),
                f" in {target.environment} by ",
                Mention(by),
                ": ",
                Said(reason or "no reason given"),
            )
            thing = f"{target.service}/{target.environment}"
            await tx.journal.note(
                source.key.team, thing, "unlocked", by, [Entry("unlocked", line, by)]
            )
            return await self._writer.answered(tx, None, line, source)

        return await self._take_in(unit, source)

    async def adopt(self, target: Target, version: Version, by: str, source: Source) -> Outcome:
        """A person says what serves *target* now, and that it can be rolled back to."""

        async def unit(tx: Transaction) -> Outcome:
            await tx.environments.serves(target, version, tx.now)
            await tx.environments.proves(target, version.name, tx.now)
            thing = f"{target.service}/{target.environment}"
            line: Line = (
                Bold(f"{target.service} {version.name}"),
                f" serves {target.environment}, said by ",
                Said(by),
                ". It can be rolled back to.",
            )
            await tx.journal.note(target.team, thing, "adopted", by, [Entry("adopted", line, by)])
            return await self._writer.answered(tx, None, line, source)

        return await self._take_in(unit, source)

    async def tell(self, line: Line, ways: tuple[Way, ...], source: Source) -> Outcome:
        """Answer without changing anything, once per delivery."""

        async def unit(tx: Transaction) -> Outcome:
            return await self._writer.answered(tx, None, line, source, ways)

        return await self._take_in(unit, source)

    def is_quiet(self, d: Deployment, seen: Seen, around: Surroundings, at: datetime) -> bool:
        """Whether *seen* changes nothing about *d*, and asks for nothing."""
        if d.is_over:
            return False
        decision = decide(d, seen, self._writer.context(around), at)
        return decision.state == d and not decision.wanted.effects

    def rests_until(self, d: Deployment, at: datetime) -> datetime | None:
        """When *d*, quiet at *at*, is looked at next."""
        return due_at(d, at, self._tick)

    async def see(self, claim: Claim, seen: Seen) -> Deployment | None:
        """Hand what was observed to the core under *claim*; None when the claim was lost."""

        async def unit(tx: Transaction) -> Deployment | None:
            found = await tx.deployments.look(claim.team, claim.thing)
            if found is None or found[0].is_over:
                return found and found[0]
            d, context = found[0], self._writer.context(found[1])
            decision = decide(d, seen, context, tx.now)
            if decision.state == d and not decision.wanted.effects:
                await tx.deployments.put_off([(claim, due_at(d, tx.now, self._tick))])
                return d
            return await self._writer.save(tx, d, decision, type(seen).__name__, None, claim)

        try:
            saved = await self._store.run(unit)
        except StaleRevision:
            return None
        self._wake()
        return saved

    async def report(self, team: str, thing: str, seen: Seen) -> None:
        """Hand in what was found out outside a lap, e.g. a definite refusal."""

        async def unit(tx: Transaction) -> None:
            d = await tx.deployments.get(team, thing)
            if d is None or d.is_over:
                return
            decision = decide(d, seen, await self._writer.context_of(tx, d), tx.now)
            if decision.state != d or decision.wanted.effects:
                await self._writer.save(tx, d, decision, type(seen).__name__, None, None)

        await self._again_while_stale(unit)
        self._wake()

    async def _take_in(
        self, unit: Callable[[Transaction], Awaitable[Outcome]], source: Source
    ) -> Outcome:
        """Run *unit* once per delivery, however often it comes, and again when it lost a race."""

        async def once(tx: Transaction) -> Outcome:
            known = await tx.inbox.find(source.key)
            if known is not None:
                return known
            return await unit(tx)

        try:
            outcome = await self._again_while_stale(once)
        except Refused as refused:
            outcome = await self._refuse(refused.refusal, source)
        except Duplicate:
            # The same delivery with other words in it: whichever came first was judged.
            raise Refused(
                "taken_in",
                (Bold("That was taken in already"), ", and it said something else then."),
                ("Nothing was changed. Press or type it again.",),
            ) from None
        crashpoint("committed")
        self._wake()
        return outcome

    async def _again_while_stale(self, unit: Callable[[Transaction], Awaitable[T]]) -> T:
        for _ in range(self._attempts - 1):
            try:
                return await self._store.run(unit)
            except (StaleRevision, Duplicate):
                continue
        return await self._store.run(unit)

    async def _refuse(self, refusal: Refusal, source: Source) -> Outcome:
        async def unit(tx: Transaction) -> Outcome:
            known = await tx.inbox.find(source.key)
            if known is not None:
                return known
            outcome = Outcome(None, refusal=refusal)
            if source.reply_to:
                reply = Reply(
                    source.reply_to,
                    refusal.why,
                    refusal.next_step,
                    refusal.ways,
                    is_refusal=True,
                    rule=refusal.rule,
                )
                await tx.outbox.put(source.key.team, source.key.key, [route(source.key.key, reply)])
            await tx.inbox.add(source.key, outcome)
            return outcome

        return await self._again_while_stale(unit)

    async def _roll_back_afterwards(
        self,
        tx: Transaction,
        finished: Deployment,
        context: Context,
        wish: RollbackRequested,
        source: Source,
        offer: int | None,
    ) -> Outcome:
        if offer is not None and not still_means(finished, wish, offer):
            return await self._writer.stale(tx, finished, source)
        number = f"D-{await tx.deployments.next_number(finished.team)}"
        decision = request_rollback(finished.team, number, finished, wish, context, tx.now)
        return await self._writer.start(tx, settle(None, decision, tx.now), wish.by, source)


_AFTERWARDS = (Phase.SUCCEEDED, Phase.SUPERSEDED)
