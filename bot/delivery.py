"""Delivering one effect: one attempt, and a look first when the last try is in doubt."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import assert_never

from bot.blocks.ask import ask, ask_closed
from bot.blocks.card import card
from bot.blocks.milestone import milestone
from bot.blocks.page import page
from bot.blocks.replies import reply
from bot.blocks.status import collapsed, status, summary
from bot.blocks.text import names_of
from bot.blocks.thread import anchor, announce, job_tail
from bot.crashpoint import crashpoint
from bot.domain.deployment import Deployment
from bot.domain.effects import (
    Anchor,
    Announce,
    Ask,
    CloseAsk,
    Milestone,
    Page,
    PostUpdate,
    RefreshCard,
    Reply,
    SetTraffic,
    ShowOutput,
    StartJob,
    StopJob,
)
from bot.domain.events import Observed
from bot.domain.plan import JobStage
from bot.engine import Engine
from bot.memory import Sending, Store, Transaction
from bot.ports import (
    CannotLook,
    Chat,
    Gone,
    Message,
    Policies,
    Posted,
    Rejected,
    Unavailable,
    Unreachable,
    World,
)

#: A card whose numbers moved is edited this often at the most; a change of state at once.
_CARD_EVERY = timedelta(seconds=10)


class Delivery:
    """Makes effects true. Raises `Unavailable` to be tried again, `Rejected` to give up."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        chat: Chat | None,
        world: World,
        policies: Policies,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._engine = engine
        self._chat_or_none = chat
        self._world = world
        self._policies = policies
        self._clock = clock
        self._edited: dict[tuple[str, str], tuple[float, Message]] = {}
        self._links: dict[Posted, str] = {}

    async def deliver(self, row: Sending) -> None:
        """Idempotent as far as the target allows; see the promise for each in GUARANTEES."""
        match row.effect:
            case Reply() as answer:
                people = self._policies.people
                await self._chat.answer(answer.to, reply(answer, names_of(people)))
            case SetTraffic() | StartJob() | StopJob():
                await self._to_the_world(row)
            case _:
                d, now = await self._load(row)
                await self._to_slack(row, d, now)

    @property
    def _chat(self) -> Chat:
        if self._chat_or_none is None:
            raise Unavailable("this process has no link to Slack", timedelta(seconds=60))
        return self._chat_or_none

    # --- the world -----------------------------------------------------------------------------

    async def _to_the_world(self, row: Sending) -> None:
        d, now = await self._load(row)
        try:
            match row.effect:
                case SetTraffic(weights, fence):
                    router = self._world.routers[d.plan.router.kind]
                    crashpoint("traffic")
                    await router.set_weights(d.plan.router, d.target, weights, fence)
                    crashpoint("traffic-done")
                case StartJob(stage, key):
                    job = _job(d, stage)
                    crashpoint("job")
                    runner = self._world.runners[job.runner.kind]
                    await runner.start(key, job, d.target, d.version)
                    crashpoint("job-done")
                case StopJob(stage, key):
                    job = _job(d, stage)
                    await self._world.runners[job.runner.kind].stop(key, job)
        except Rejected as refused:
            # A definite no is something seen, and the core decides what it means.
            await self._engine.report(row.team, row.thing, Observed(now, refusal=str(refused)))

    # --- Slack ---------------------------------------------------------------------------------

    async def _to_slack(self, row: Sending, d: Deployment, now: datetime) -> None:
        people = self._policies.people
        match row.effect:
            case RefreshCard(is_urgent):
                await self._card(row, d, card(d, people, now), is_urgent)
            case Ask(is_reminder=is_reminder):
                await self._ask(row, d, ask(d, people, is_reminder), is_reminder)
            case CloseAsk():
                await self._edit_role(row, "ask", ask_closed(d, people))
            case PostUpdate(due_at):
                await self._update(row, d, due_at, now)
            case Milestone(what):
                message = milestone(d, what, people, await self._link(row))
                await self._post(row, d, message, None, None)
            case Page(reason):
                message = page(d, reason, people, await self._link(row))
                await self._post(row, d, message, None, None)
            case Announce() | Anchor() | ShowOutput():
                await self._say(row, d, await self._line(row, row.effect))
            case Reply() | SetTraffic() | StartJob() | StopJob():
                raise AssertionError(f"{row.effect} is not for Slack's channels")
            case _:
                assert_never(row.effect)

    async def _line(self, row: Sending, effect: Announce | Anchor | ShowOutput) -> Message:
        match effect:
            case Announce(line, at):
                return announce(line, at, names_of(self._policies.people))
            case ShowOutput(name, tail):
                return job_tail(name, tail, row.thing)
            case Anchor():
                return await self._anchor(row)

    async def _card(self, row: Sending, d: Deployment, message: Message, is_urgent: bool) -> None:
        where = await self._found(row, "card")
        known = self._edited.get((d.team, d.id))
        if where is not None and known is not None:
            elapsed = timedelta(seconds=self._clock() - known[0])
            if known[1] == message:
                return
            if not is_urgent and elapsed < _CARD_EVERY:
                raise Unavailable("the card was edited a moment ago", _CARD_EVERY - elapsed)
        if where is None:
            await self._post(row, d, message, None, "card")
        else:
            try:
                await self._chat.edit(where, message)
            except Gone:
                # Somebody deleted it: the deployment goes on in a new one.
                await self._post(row, d, message, None, "card")
        self._edited[(d.team, d.id)] = (self._clock(), message)
        if d.is_over:
            self._edited.pop((d.team, d.id), None)

    async def _ask(self, row: Sending, d: Deployment, message: Message, reminds: bool) -> None:
        if not reminds:
            # The newest asking is the one whose buttons are taken away later.
            await self._edit_role(row, "ask", ask_closed(d, self._policies.people))
        await self._say(row, d, message, None if reminds else "ask")

    async def _update(self, row: Sending, d: Deployment, due_at: datetime, now: datetime) -> None:
        people, link = self._policies.people, await self._link(row)
        before = await self._found(row, "update")
        was = await self._store.run(lambda tx: tx.threads.note(row.team, row.thing, "update"))
        said = status(d, people, due_at, now, link)
        note = summary(d, people, now)
        await self._post(row, d, said, None, "update", is_dropped_in_doubt=True, note=note)
        if before is not None:
            at = datetime.fromtimestamp(float(before.ts), UTC)
            try:
                await self._chat.edit(before, collapsed(d, at, was, link))
            except (Gone, Unavailable):
                return  # the new status stands; an old one left in full harms nobody

    async def _link(self, row: Sending) -> str | None:
        """The card's address, or None: a message without it is better than none."""
        where = await self._found(row, "card")
        if where is None:
            return None
        if where not in self._links:
            try:
                self._links[where] = await self._chat.link(where)
            except (Unavailable, Rejected):
                return None
        return self._links[where]

    async def _edit_role(self, row: Sending, role: str, message: Message) -> None:
        where = await self._found(row, role)
        if where is not None:
            try:
                await self._chat.edit(where, message)
            except Gone:
                return

    async def _say(
        self, row: Sending, d: Deployment, message: Message, role: str | None = None
    ) -> None:
        where = await self._found(row, "card")
        if where is None:
            raise Unavailable("the card is not posted yet", timedelta(seconds=1))
        await self._post(row, d, message, where, role)

    async def _post(
        self,
        row: Sending,
        d: Deployment,
        message: Message,
        parent: Posted | None,
        role: str | None,
        is_dropped_in_doubt: bool = False,
        note: str = "",
    ) -> None:
        channel = parent.channel if parent else d.plan.channel
        ts = parent.ts if parent else None
        posted = None
        if row.is_in_doubt:
            try:
                posted = await self._chat.find(channel, row.key, row.created_at, ts)
            except CannotLook:
                if is_dropped_in_doubt:
                    return
        if posted is None:
            crashpoint("post")
            posted = await self._post_somewhere(channel, d, message, row.key, ts)
            crashpoint("posted")
        if role is not None:
            await self._remember(row, role, posted, note)

    async def _post_somewhere(
        self, channel: str, d: Deployment, message: Message, key: str, ts: str | None
    ) -> Posted:
        try:
            return await self._chat.post(channel, message, key, ts)
        except Unreachable:
            # The channel is gone or we are not in it: whoever asked must hear of it all the same.
            return await self._chat.post(d.requested_by, message, key)

    async def _anchor(self, row: Sending) -> Message:
        async def unit(tx: Transaction) -> tuple[int, str]:
            return await tx.journal.head(row.team, row.thing)

        number, digest = await self._store.run(unit)
        return anchor(row.thing, number, digest)

    # --- memory --------------------------------------------------------------------------------

    async def _load(self, row: Sending) -> tuple[Deployment, datetime]:
        async def unit(tx: Transaction) -> tuple[Deployment | None, datetime]:
            return await tx.deployments.get(row.team, row.thing), tx.now

        d, now = await self._store.run(unit)
        if d is None:
            raise Rejected(f"there is no {row.thing}")
        return d, now

    async def _found(self, row: Sending, role: str) -> Posted | None:
        async def unit(tx: Transaction) -> Posted | None:
            return await tx.threads.find(row.team, row.thing, role)

        return await self._store.run(unit)

    async def _remember(self, row: Sending, role: str, posted: Posted, note: str) -> None:
        async def unit(tx: Transaction) -> None:
            await tx.threads.remember(row.team, row.thing, role, posted, note)

        await self._store.run(unit)


def _job(d: Deployment, stage: int) -> JobStage:
    job = d.plan.stages[stage]
    if not isinstance(job, JobStage):
        raise AssertionError(f"stage {stage} of {d.id} is no job")
    return job
