"""`@pilot …`: the door that works inside threads, where slash commands do not."""

import json

from bot.blocks import rollback
from bot.blocks.standing import standing, what
from bot.domain.deployment import Deployment
from bot.domain.events import Approved, Cancelled, Held, Rejected, Resumed, RollbackRequested
from bot.domain.line import At, Bold, Code, Line, Mention, unstopped
from bot.domain.refusal import Refused, Way
from bot.ports import Posted
from bot.writer import Source
from handlers import parse
from handlers.commands import (
    Approve,
    CancelIt,
    Command,
    DeployStatus,
    HoldIt,
    Misread,
    Reject,
    ResumeIt,
    Rollback,
    StatusOf,
    Unnamed,
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
        if event.person is None:
            return  # another bot wrote; only people wish for things
        implied = None
        if event.thread_ts is not None:
            thread = Posted(event.channel, event.thread_ts)
            implied = await self._desk.questions.thing_of(mention.team_id, thread)
        try:
            command = parse.mention(event.text, self._desk.known, implied, self._bot_user)
            await self._carry_out(command, event.person, mention.team_id, implied, source)
        except Unnamed as unnamed:
            await self._which(unnamed.command, event.person, mention.team_id, source)
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
            case Approve():
                await self._approve(command, user, team, implied, source)
            case DeployStatus():
                raise Unnamed("@pilot status")
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

    async def _approve(
        self, said: Approve, user: str, team: str, implied: str | None, source: Source
    ) -> None:
        thing = said.id or implied
        if thing is None:
            await self._ask_which_to_sign(said.note, user, team, source)
        elif said.version is None:
            await self._ask_to_sign(thing, said.note, user, team, source)
        else:
            wish = Approved(user, said.note, said.version)
            await self._desk.engine.apply(thing, wish, source)

    async def _tell_status(self, thing: str, team: str, source: Source) -> None:
        d = await self._desk.questions.deployment(team, thing)
        state = standing(d, self._desk.policies.people, await self._desk.questions.now())
        news: Line = (
            (". Last: ", *unstopped(d.last.line), ", ", At(d.last.at)) if d.last.line else ()
        )
        await self._desk.engine.tell(
            (f"{state.sign} ", Bold(what(d)), ": ", *state.line, " · ", Code(d.id), *news),
            (),
            source,
        )

    async def _ask_to_sign(
        self, thing: str, note: str, user: str, team: str, source: Source
    ) -> None:
        """Without the version in the text, signing takes a second tap."""
        d = await self._desk.questions.to_sign(team, thing, user)
        in_words = f"@pilot approve {d.id} {d.version.name}"
        lost: Line = ()
        if note:
            lost = (" The button does not keep your note; to keep it, say ",)
            lost = (*lost, Code(f"{in_words} {note}"), ".")
        line: Line = (
            "Sign ",
            Bold(f"{d.plan.service} {d.version.name} → {d.plan.environment}"),
            "? Press Approve, or repeat the version: ",
            Code(in_words),
            ".",
            *lost,
        )
        await self._desk.engine.tell(line, (_way("Approve", "approve", d),), source)

    async def _ask_which_to_sign(self, note: str, user: str, team: str, source: Source) -> None:
        waits = await self._desk.questions.waiting_for(team, user)
        if len(waits) != 1:
            raise Unnamed("@pilot approve")
        await self._ask_to_sign(waits[0].id, note, user, team, source)

    async def _which(self, command: str, user: str, team: str, source: Source) -> None:
        """Offers what waits for *user*; which one is meant is never guessed."""
        waits = await self._desk.questions.waiting_for(team, user)
        shown = ", ".join(f"{d.id} {what(d)}" for d in waits[:_MOST_WAITING])
        line: Line = (
            Bold("Which deployment?"),
            " Say it with its id, such as ",
            Code(f"{command} {waits[0].id if waits else 'D-142'}"),
            ". All that run: ",
            Code("/deploy status"),
            ".",
            f" For you to sign: {shown}." if shown else "",
        )
        verb = command.rpartition(" ")[2]
        is_clear = len(waits) == 1 and verb in _ON_ITS_WAY
        ways = (_way(_ON_ITS_WAY[verb], verb, waits[0]),) if is_clear else ()
        await self._desk.engine.tell(line, ways, source)

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
        line = rollback.in_a_line(preview.deployment, preview.to, preview.possible, preview.now)
        value = json.dumps({"r": preview.draft.id}, separators=(",", ":"))
        await self._desk.engine.tell(
            (Mention(user), ", ", *line), (Way("Roll back now", "rollback.confirm", value),), source
        )


def _way(label: str, act: str, d: Deployment) -> Way:
    if act == "status":
        return Way(label, "deploy.status", d.id)
    return Way(label, f"dep.{act}", json.dumps({"d": d.id, "o": d.offer}, separators=(",", ":")))


_MOST_WAITING = 5
#: What can be offered for a deployment that waits for signatures, by the word that was said.
_ON_ITS_WAY = {"reject": "Reject…", "hold": "Hold", "cancel": "Cancel…", "status": "Show it"}

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
