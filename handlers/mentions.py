"""`@pilot …`: the door that works inside threads, where slash commands do not."""

import json

from bot.blocks.standing import standing, what
from bot.domain.events import Approved, Cancelled, Held, Rejected, Resumed, RollbackRequested
from bot.domain.line import At, Bold, Code, Line, Mention
from bot.domain.refusal import Refused, Way
from bot.ports import Posted
from bot.writer import Source
from handlers import parse
from handlers.commands import (
    Approve,
    CancelIt,
    Command,
    HoldIt,
    Misread,
    Reject,
    ResumeIt,
    Rollback,
    StatusOf,
)
from handlers.desk import Desk
from handlers.rollback import RollbackCommand
from handlers.shapes import AppMentioned


class Mentions:
    """Every answer goes through the outbox: an event's acknowledgement cannot carry one."""

    def __init__(self, desk: Desk, rollback: RollbackCommand, bot_user: str | None) -> None:
        self._desk = desk
        self._bot_user = bot_user
        self._rollback = rollback

    async def answer(self, mention: AppMentioned, source: Source) -> None:
        event = mention.event
        if event.user is None:
            return  # another bot wrote; only people wish for things
        implied = None
        if event.thread_ts is not None:
            thread = Posted(event.channel, event.thread_ts)
            implied = await self._desk.questions.thing_of(mention.team_id, thread)
        try:
            command = parse.mention(event.text, self._desk.known, implied, self._bot_user)
            await self._carry_out(command, event.user, mention.team_id, implied, source)
        except Misread as misread:
            line: Line = (Bold(misread.what), f" {misread.why} {misread.next_step}")
            await self._desk.engine.tell(line, (), source)
        except Refused as refused:
            refusal = refused.refusal
            await self._desk.engine.tell(
                (*refusal.why, " ", *refusal.next_step), refusal.ways, source
            )

    async def _carry_out(
        self, command: Command, user: str, team: str, implied: str | None, source: Source
    ) -> None:
        engine = self._desk.engine
        match command:
            case Approve(id, note, version) if (id or implied) and version:
                await engine.apply(id or implied or "", Approved(user, note, version), source)
            case Approve(id) if id or implied:
                await self._ask_to_sign(id or implied or "", team, source)
            case Reject(id, reason):
                await engine.apply(id, Rejected(user, reason), source)
            case HoldIt(id, reason):
                await engine.apply(id, Held(user, reason), source)
            case ResumeIt(id):
                await engine.apply(id, Resumed(user), source)
            case CancelIt(id, reason):
                await engine.apply(id, Cancelled(user, reason), source)
            case StatusOf(id):
                await self._tell_status(id, team, source)
            case Rollback():
                await self._preview(command, user, team, implied, source)
            case _:
                await engine.tell(_HELP, (), source)

    async def _tell_status(self, thing: str, team: str, source: Source) -> None:
        d = await self._desk.questions.deployment(team, thing)
        state = standing(d, self._desk.policies.people, await self._desk.questions.now())
        news: Line = (". Last: ", *d.last.line, ", ", At(d.last.at)) if d.last.line else ()
        await self._desk.engine.tell(
            (f"{state.sign} ", Bold(what(d)), ": ", *state.line, " · ", Code(d.id), *news),
            (),
            source,
        )

    async def _ask_to_sign(self, thing: str, team: str, source: Source) -> None:
        """Without the version in the text, signing takes a second tap."""
        d = await self._desk.questions.deployment(team, thing)
        value = json.dumps({"d": d.id, "o": d.offer}, separators=(",", ":"))
        line: Line = (
            "Sign ",
            Bold(f"{d.plan.service} {d.version.name} → {d.plan.environment}"),
            f"? Press Approve, or repeat the version: @pilot approve {d.id} {d.version.name}",
        )
        await self._desk.engine.tell(line, (Way("Approve", "dep.approve", value),), source)

    async def _preview(
        self, command: Rollback, user: str, team: str, implied: str | None, source: Source
    ) -> None:
        thing = (
            implied if command.target is None and implied else self._rollback.thing(command, team)
        )
        if not command.reason.strip():
            raise Refused(
                "reason",
                (Bold("A rollback needs a reason."),),
                ("Nothing was changed. Say @pilot rollback, and what is wrong.",),
            )
        wish = RollbackRequested(user, command.reason, command.version)
        preview = await self._desk.previews.rollback(team, wish, thing)
        assert preview.draft is not None  # noqa: S101 - there is a reason, so there is a draft
        d = preview.deployment
        line: Line = (
            Mention(user),
            ", roll ",
            Bold(d.plan.service),
            f" back in {d.plan.environment}, ",
            Bold(f"{d.version.name} → {preview.to.name}"),
            "? Nothing has changed yet.",
        )
        value = json.dumps({"r": preview.draft.id}, separators=(",", ":"))
        await self._desk.engine.tell(
            line, (Way("Roll back now", "rollback.confirm", value),), source
        )


_HELP: Line = (
    "Here I understand ",
    Bold("approve"),
    ", ",
    Bold("reject"),
    " reason, ",
    Bold("hold"),
    ", ",
    Bold("resume"),
    ", ",
    Bold("rollback"),
    " reason and ",
    Bold("status"),
    ". Everywhere else there is /deploy help.",
)
