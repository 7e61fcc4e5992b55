"""`/deploy`: asking for one, looking at them, and steering the one that runs."""

from typing import assert_never

from bot.blocks import help, lists, request
from bot.domain.effects import Announce
from bot.domain.events import Cancelled, Held, Resumed
from bot.domain.line import Bold, Code
from bot.domain.refusal import Refused
from bot.domain.release import Target
from bot.ports import Message
from bot.writer import Source
from handlers import parse
from handlers.commands import (
    AbandonRollback,
    Approve,
    CancelIt,
    Command,
    Deploy,
    DeployHelp,
    DeployList,
    DeployStatus,
    Help,
    HoldIt,
    Reject,
    ResumeIt,
    Rollback,
    StatusOf,
    Unlock,
)
from handlers.desk import Desk
from handlers.shapes import SlashCommand
from handlers.wording import deployment_id

_LISTED = 10


class DeployCommand:
    """Every answer to `/deploy …` is the body of its acknowledgement."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answer(self, said: SlashCommand, source: Source) -> Message | None:
        return await self.carry_out(parse.deploy(said.text, self._desk.known), said, source)

    async def carry_out(
        self, command: Command, said: SlashCommand, source: Source
    ) -> Message | None:
        match command:
            case Deploy():
                return await self._deploy(command, said)
            case DeployStatus(target):
                return await self.status(said.team_id, target)
            case DeployList(service, count):
                found = await self._desk.questions.recent(said.team_id, service, count or _LISTED)
                now = await self._desk.questions.now()
                return lists.deployment_table(found, self._desk.policies.people, now)
            case DeployHelp() | Help():
                return help.help_for(said.user_id, self._desk.policies.people, self._desk.plans)
            case Unlock(service, reason):
                return await self._unlock(service, reason, said, source)
            case HoldIt() | ResumeIt() | CancelIt():
                return await self._steer(command, said, source)
            case StatusOf(id):
                return await self.status(said.team_id, id)
            case Approve() | Reject() | Rollback() | AbandonRollback():
                raise AssertionError(f"/deploy does not read {command}")
        assert_never(command)

    async def status(self, team: str, target: str | None) -> Message:
        """One deployment in full, the unfinished ones of a service, or all of them."""
        people = self._desk.policies.people
        if target and deployment_id(target):
            return await self.status_of(team, target)
        running = await self._desk.questions.unfinished(team)
        chosen = [d for d in running if target in (None, d.plan.service)]
        locks = await self._desk.questions.locks(team)
        shown = [(t, lock) for t, lock in locks if target in (None, t.service)]
        return lists.status_list(chosen, shown, people, await self._desk.questions.now())

    async def status_of(self, team: str, id: str) -> Message:
        """Where one deployment stands, and everything that happened to it, from the journal."""
        d = await self._desk.questions.deployment(team, id)
        story = await self._desk.questions.story(team, d.id)
        now = await self._desk.questions.now()
        told = [Announce(entry.line, at) for at, entry in story]
        link = await self._desk.link_to(d)
        return lists.status_of(d, told, self._desk.policies.people, now, link)

    async def _deploy(self, wanted: Deploy, said: SlashCommand) -> Message | None:
        if wanted.service is None or wanted.version is None:
            return await self._form(wanted, said.trigger_id)
        preview = await self._desk.previews.deployment(
            said.team_id, said.user_id, wanted.service, wanted.version, wanted.environment
        )
        return request.preview(
            preview.draft,
            preview.plan,
            preview.serving,
            self._desk.policies.people,
            preview.past,
        )

    async def _form(self, wanted: Deploy, trigger: str) -> Message | None:
        if self._desk.forms is None:
            raise Refused(
                "no_form",
                (Bold("There is no form here."),),
                ("Nothing was started. Say ", Code("/deploy SERVICE VERSION"), "."),
            )
        view = await self._desk.request_form(wanted.service, wanted.version, wanted.environment)
        await self._desk.forms.open_form(trigger, view)
        return None

    async def _steer(
        self, command: HoldIt | ResumeIt | CancelIt, said: SlashCommand, source: Source
    ) -> Message:
        by = said.user_id
        match command:
            case HoldIt(id, reason):
                outcome = await self._desk.engine.apply(id, Held(by, reason), source)
            case ResumeIt(id):
                outcome = await self._desk.engine.apply(id, Resumed(by), source)
            case CancelIt(id, reason):
                outcome = await self._desk.engine.apply(id, Cancelled(by, reason), source)
        return self._desk.shown(outcome, f"{said.command} {said.text}")

    async def _unlock(
        self, service: str, reason: str, said: SlashCommand, source: Source
    ) -> Message:
        policy = self._desk.policies.services[service]
        target = Target(said.team_id, service, policy.default_environment)
        outcome = await self._desk.engine.unlock(target, said.user_id, reason, source)
        return self._desk.shown(outcome, f"{said.command} {said.text}")
