"""The auditor: what a healthy program keeps true is looked up every minute, not believed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.domain.deployment import Phase
from bot.domain.effects import Alarm, Entry
from bot.domain.events import Alarmed
from bot.domain.line import Line, Said, plain
from bot.domain.plan import Plan
from bot.domain.release import Target
from bot.engine import Engine
from bot.memory import Heads, StaleRevision, Store, Transaction
from bot.numbers import Numbers
from bot.outbox import Guard, route
from bot.ports import Patience, Policies, Unavailable
from bot.violation import RULES, Violation, heading, telling

_log = structlog.get_logger()

#: Rules about time count when they are broken twice in a row: a process that was stopped, or a
#: database that was away, finds everything late and catches up within the next lap.
_TWICE = frozenset({"overdue", "unsent"})

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Known:
    """A violation that was told. `is_lifted`: a person lifted the environment's lock since;
    *at* is the moment of the newer of both."""

    violation: Violation
    is_lifted: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of an environment where something serves."""

    target: Target
    holder: str | None
    fence: int
    is_locked: bool
    serving: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How late a look may be, how long past its lease a parcel may be called sent, and how long
    one that was given up is worth an alarm."""

    overdue: timedelta
    unsent: timedelta
    told_for: timedelta

    @classmethod
    def of(cls, patience: Patience, tick: timedelta) -> "Limits":
        """Twelve laps are no delay yet: what fails is looked at less often."""
        return cls(patience.look + 12 * tick, patience.sending, patience.given_up)


class Asks(Protocol):
    """What is asked of the store; every answer is one statement, so it is of one moment."""

    async def unsealed(self, tx: Transaction) -> Heads:
        """Heads that changed since they were sealed last."""

    async def clock_went_back(self, tx: Transaction) -> bool:
        """Since the last look, whoever looked."""

    async def known(self, tx: Transaction) -> tuple[Known, ...]:
        """What was told and is not mended."""

    async def violations(
        self, tx: Transaction, limits: Limits, known: Sequence[Known]
    ) -> tuple[Violation, ...]:
        """Everything broken now: what changed since the last seal, and *known* once more."""

    async def standing(self, tx: Transaction) -> tuple[Standing, ...]: ...


@dataclass(frozen=True, slots=True)
class _Audit:
    """What one look came to. `open`: told, not mended and not lifted."""

    anchors: tuple[str, ...] = ()
    suspects: frozenset[tuple[str, str]] = frozenset()
    open: tuple[Violation, ...] = ()
    new: tuple[Violation, ...] = ()
    over: tuple[Violation, ...] = ()
    clock_went_back: bool = False


class Auditor:
    """One look is one transaction, which also seals what was looked at.

    A violation is told once to those on call; a grave one locks its environment and holds what
    runs there. Rolling back stays possible. It is over when it is seen to be mended; a person
    who lifts the lock says that they know, and it is not told again.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        policies: Policies,
        asks: Asks,
        numbers: Numbers,
        owner: str,
        guard: Guard,
        limits: Limits,
    ) -> None:
        self._store = store
        self._engine = engine
        self._policies = policies
        self._asks = asks
        self._numbers = numbers
        self._owner = owner
        self._guard = guard
        self._limits = limits
        self._suspects: frozenset[tuple[str, str]] = frozenset()

    async def audit(self) -> tuple[str, ...]:
        """Look, tell, hold; returns the new anchors. Does nothing while another replica does."""
        try:
            done = await self._store.run(self._look)
        except Unavailable as error:
            # Nobody may seal for us now: what is sealed unlooked is never looked at.
            _log.warning("away", thing="audit", why=str(error))
            return ()
        self._suspects = done.suspects
        self._count(done.open)
        if done.clock_went_back:
            _log.warning("the database's clock went back", since="the last look")
        for violation in done.new:
            _log.error("records do not agree", code=RULES[violation.rule], **_words(violation))
        for violation in done.over:
            _log.info("records agree again", code=RULES[violation.rule], **_words(violation))
        for violation in done.open:
            if violation.is_grave:
                await self._guard(violation.thing, self._hold(violation))
        return done.anchors

    async def tell(self, violation: Violation) -> None:
        """Raise what was found elsewhere, once however often it is handed in."""

        async def unit(tx: Transaction) -> bool:
            # First, so that whoever tells it after this look makes ours come too late.
            await tx.journal.head(violation.team, violation.thing)
            known = {each.violation.thing for each in await self._asks.known(tx)}
            if violation.thing in known:
                return False
            await self._raise(tx, violation)
            return True

        try:
            is_new = await self._store.run(unit)
        except StaleRevision:
            is_new = False  # another replica tells it at this very moment
        if is_new:
            _log.error("records do not agree", code=RULES[violation.rule], **_words(violation))
        await self._guard(violation.thing, self._hold(violation))

    async def _look(self, tx: Transaction) -> _Audit:
        went_back = await self._asks.clock_went_back(tx)
        if went_back:  # perhaps while nobody ran, so that no lap could tell
            await tx.deployments.all_due()
            await tx.outbox.all_sendable()
        is_mine = await tx.acquire("sealer", self._owner, _MINUTE / 2) is not None
        known = await self._asks.known(tx)
        if not is_mine:
            return _Audit(open=tuple(k.violation for k in known if not k.is_lifted))
        told = {(k.violation.team, k.violation.thing): k for k in known}
        # Before the look: what others commit from here on is for the next one, looked at or not.
        heads = await self._asks.unsealed(tx)
        every = await self._asks.violations(tx, self._limits, known)
        found = {(v.team, v.thing): v for v in every}
        new = [v for at, v in found.items() if at not in told and self._is_certain(v, at)]
        over = [k for at, k in told.items() if at not in found]
        still = [found[at] for at, k in told.items() if at in found and not k.is_lifted]
        for violation in new:
            await self._raise(tx, violation)
        for k in over:
            why = "A person lifted the lock." if k.is_lifted else "Not seen any more."
            await self._note(tx, k.violation, "mended", (why,))
        lifted = [violation for violation in still if await self._is_lifted(tx, violation)]
        for violation in lifted:
            await self._note(tx, violation, "lifted", ("The lock was lifted by a person.",))
        still = [violation for violation in still if violation not in lifted]
        suspects = frozenset(at for at, v in found.items() if v.rule in _TWICE)
        anchors = await tx.seal(heads)
        closed = tuple(k.violation for k in over)
        return _Audit(anchors, suspects, (*still, *new), tuple(new), closed, went_back)

    def _is_certain(self, violation: Violation, at: tuple[str, str]) -> bool:
        return violation.rule not in _TWICE or at in self._suspects

    async def _raise(self, tx: Transaction, violation: Violation) -> None:
        await self._note(tx, violation, "alarmed", (Said(violation.what),))
        holder = None
        if violation.target is not None:
            slot, lock = await tx.deployments.held(violation.target)
            holder = slot.holder
            if violation.is_grave and lock is None:
                reason = f"{heading(violation)}: {violation.what}"
                await tx.environments.lock(violation.target, reason, None, tx.now)
        plan = self.plan(violation.target)
        if plan is None:
            return  # no policy says where people are told: the log and the numbers do
        alarm = Alarm(plan.channel, plan.on_call, telling(violation, holder), tx.now)
        await tx.outbox.put(violation.team, violation.thing, [route(violation.thing, alarm)])

    async def _note(self, tx: Transaction, violation: Violation, event: str, line: Line) -> None:
        entry = Entry(event, line)
        await tx.journal.note(violation.team, violation.thing, event, None, [entry])

    async def _is_lifted(self, tx: Transaction, violation: Violation) -> bool:
        if violation.target is None or not violation.is_grave:
            return False
        _, lock = await tx.deployments.held(violation.target)
        return lock is None

    async def _hold(self, violation: Violation) -> None:
        """Again at every look: whoever wants to go on lifts the lock first."""

        async def unit(tx: Transaction) -> tuple[str, ...]:
            named = set(violation.things)
            if violation.target is not None:
                slot, _ = await tx.deployments.held(violation.target)
                named |= {slot.holder} if slot.holder else set()
            found = [await tx.deployments.get(violation.team, id) for id in sorted(named)]
            return tuple(d.id for d in found if d is not None and d.phase is Phase.RUNNING)

        for id in await self._store.run(unit):
            why = f"{heading(violation)}: {violation.what}"
            await self._engine.report(violation.team, id, Alarmed(why))

    def plan(self, target: Target | None) -> Plan | None:
        """A plan that says where *target* is routed and who is called for it."""
        services = self._policies.services
        policy = services.get(target.service) if target else next(iter(services.values()), None)
        if policy is None:
            return None
        plans = policy.plans.items()
        here = (p for (name, _), p in plans if target and name == target.environment)
        return next(here, next((p for _, p in plans), None))

    def _count(self, open: Sequence[Violation]) -> None:
        counted = Counter(violation.rule for violation in open)
        for rule in RULES:
            self._numbers.violations.labels(rule).set(counted[rule])
        self._numbers.alarms = dict(sorted(counted.items()))


def _words(violation: Violation) -> dict[str, str]:
    return {"rule": violation.rule, "thing": violation.thing, "what": plain((violation.what,))}
