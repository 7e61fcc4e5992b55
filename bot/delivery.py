"""Delivering one effect: one attempt, and a look first when the last try is in doubt."""

from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from bot.blocks.ask import ask, ask_closed
from bot.blocks.card import card
from bot.blocks.milestone import milestone
from bot.blocks.page import alarm, page
from bot.blocks.replies import reply
from bot.blocks.status import Told, collapsed, status, summary
from bot.blocks.text import names_of
from bot.blocks.thread import anchor, announce, job_tail
from bot.board import Board
from bot.crashpoint import crashpoint
from bot.domain.deployment import Deployment, Phase
from bot.domain.effects import (
    Alarm,
    Anchor,
    Announce,
    Ask,
    CloseAsk,
    CloseUpdate,
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
from bot.domain.events import Observed, Overtaken, Taken
from bot.domain.plan import JobStage
from bot.domain.slots import Slot, slot_count
from bot.domain.updates import is_new_message, news
from bot.engine import Engine
from bot.memory import Sending, Store, Transaction
from bot.outbox import STATE
from bot.ports import (
    Chat,
    Message,
    Outrun,
    Policies,
    Posted,
    Rejected,
    Unreadable,
    World,
)


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
        self._board = Board(store, chat, clock)
        self._world = world
        self._policies = policies

    async def deliver(self, row: Sending) -> None:
        """Idempotent as far as the target allows; see the promise for each in GUARANTEES."""
        match row.effect:
            case Reply() as answer:
                people = self._policies.people
                await self._board.chat.answer(answer.to, reply(answer, names_of(people)))
            case Alarm() as effect:
                people = self._policies.people
                whom = people.holders(effect.on_call)
                await self._board.call(row, effect.channel, whom, alarm(effect, people))
            case SetTraffic() | StartJob() | StopJob():
                await self._to_the_world(row)
            case Unreadable() as unreadable:
                raise unreadable
            case _:
                d, now = await self._load(row)
                await self._to_slack(row, d, now)

    # --- the world -----------------------------------------------------------------------------

    async def _to_the_world(self, row: Sending) -> None:
        d, _ = await self._load(row)
        if not await self._is_wanted(d, row.effect):
            return
        try:
            await self._move(row, d)
        except Outrun as outrun:
            await self._mind_past(row, outrun)
        except Rejected as refused:
            d, now = await self._load(row)
            if isinstance(row.effect, StopJob):
                raise  # what still runs is nobody's any more: buried, and people are told
            if not await self._is_wanted(d, row.effect):
                return  # refused, and meanwhile taken back: what replaced it is what counts
            # A definite no is something seen, and the core decides what it means.
            await self._engine.report(row.team, row.thing, Observed(now, refusal=str(refused)))

    async def _is_wanted(self, d: Deployment, effect: object) -> bool:
        """Whether anybody still waits for this change of the world."""
        match effect:
            case SetTraffic(weights, fence) if d.phase is Phase.ROLLED_BACK:
                # Traffic was seen to be back before the router heard of it: until it knows this
                # fence, a late command of before the turn could still move it.
                around = await self._store.run(
                    lambda tx: tx.deployments.surroundings(d.target, d.id)
                )
                is_newest = around.slot == Slot(None, slot_count(fence))
                return is_newest and weights == d.wanted_weights
            case SetTraffic(weights):
                return bool(d.fence) and weights == d.wanted_weights
            case StartJob(key=key):
                return key == d.job_key and d.phase in (Phase.RUNNING, Phase.HELD)
        return True

    async def _mind_past(self, row: Sending, outrun: Outrun) -> None:
        """An old command that comes late is refused as it should be. But when the router knows
        a newer one than we ever gave, it is our memory that is old."""
        d, _ = await self._load(row)
        if outrun.fence is None or not d.fence or outrun.fence < d.traffic_fence:
            raise outrun
        await self._engine.report(row.team, row.thing, Overtaken(outrun.fence))

    async def _move(self, row: Sending, d: Deployment) -> None:
        match row.effect:
            case SetTraffic(weights, fence):
                router = self._world.routers[d.plan.router.kind]
                crashpoint("traffic")
                await router.set_weights(d.plan.router, d.target, weights, fence)
                crashpoint("traffic-done")
                if d.taken_back:
                    await self._engine.report(row.team, row.thing, Taken(fence))
            case StartJob(stage, key):
                job = _job(d, stage)
                crashpoint("job")
                runner = self._world.runners[job.runner.kind]
                await runner.start(key, job, d.target, d.version)
                crashpoint("job-done")
            case StopJob(stage, key):
                job = _job(d, stage)
                await self._world.runners[job.runner.kind].stop(key, job)

    # --- Slack ---------------------------------------------------------------------------------

    async def _to_slack(self, row: Sending, d: Deployment, now: datetime) -> None:
        people = self._policies.people
        match row.effect:
            case RefreshCard():
                # Not the effect's own word: it may stand for an urgent one that it replaced.
                await self._board.card(row, d, card(d, people, now), row.priority <= STATE)
            case Ask(is_reminder=is_reminder):
                await self._ask(row, d, ask(d, people, is_reminder), is_reminder)
            case CloseAsk():
                await self._board.edit(row, "ask", ask_closed(d, people))
            case PostUpdate() as update:
                await self._update(row, d, update, now)
            case CloseUpdate():
                await self._shrink(row, d, now)
            case Milestone(what):
                message = milestone(d, what, people, await self._board.link(row))
                await self._board.post(row, d, message, None, None)
            case Page(reason):
                message = page(d, reason, people, await self._board.link(row))
                await self._board.post(row, d, message, None, None)
            case Announce() | Anchor() | ShowOutput():
                await self._board.say(row, d, await self._line(row, row.effect))
            case Reply() | Alarm() | SetTraffic() | StartJob() | StopJob() | Unreadable():
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

    async def _ask(self, row: Sending, d: Deployment, message: Message, reminds: bool) -> None:
        if reminds:
            await self._board.say(row, d, message)
            return
        if await self._board.note(row, "ask") == row.key:
            return  # it was posted by an earlier try, and stands for itself
        # The newest asking is the one whose buttons are taken away later.
        await self._board.edit(row, "ask", ask_closed(d, self._policies.people))
        await self._board.say(row, d, message, "ask", row.key)

    async def _update(self, row: Sending, d: Deployment, due: PostUpdate, now: datetime) -> None:
        people, link = self._policies.people, await self._board.link(row)
        before, was = await self._last_status(row)
        said = status(d, people, due.due_at, now, link)
        note = Told(d.beat, news(d), now, summary(d, people, now)).note
        if before is not None and not is_new_message(d, was.beat, was.news):
            await self._shrink_older(row, d, link)
            await self._board.redraw(row, d, before, said, "update", note)
            return
        if before is not None:
            # Before the post: whoever goes on after a crash, or a limit, knows what is to shrink.
            await self._board.remember(row, "older", before, was.note)
        await self._board.post(row, d, said, None, "update", True, note)
        await self._shrink_older(row, d, link)

    async def _last_status(self, row: Sending) -> tuple[Posted | None, Told]:
        before, note = await self._board.kept(row, "update")
        return before, Told.read(note, before)

    async def _shrink(self, row: Sending, d: Deployment, now: datetime) -> None:
        """The last line says how it ended: what it waited for before is no longer true."""
        last = await self._board.found(row, "update")
        if last is not None:
            # A line is no news: a rollback that begins meanwhile is posted all the same.
            end = Told(d.beat, "", now, summary(d, self._policies.people, now))
            link = await self._board.link(row)
            await self._board.edit(row, "update", collapsed(d, end.at, end.summary, link))
            await self._board.remember(row, "update", last, end.note)
            await self._shrink_older(row, d, link)

    async def _shrink_older(self, row: Sending, d: Deployment, link: str | None) -> None:
        """The status before the one that stands, once that stands; idempotent."""
        old, note = await self._board.kept(row, "older")
        if old is None or not note or old == await self._board.found(row, "update"):
            return
        was = Told.read(note, old)
        await self._board.edit(row, "older", collapsed(d, was.at, was.summary, link))
        await self._board.remember(row, "older", old, "")

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


def _job(d: Deployment, stage: int) -> JobStage:
    job = d.plan.stages[stage]
    if not isinstance(job, JobStage):
        raise AssertionError(f"stage {stage} of {d.id} is no job")
    return job
