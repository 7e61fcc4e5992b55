"""`/rollback`: a preview first, then one tap."""

from bot.blocks import rollback
from bot.domain.events import RollbackAbandoned, RollbackRequested
from bot.domain.line import Bold, Code
from bot.domain.refusal import Refused
from bot.domain.release import Target
from bot.ports import Message
from bot.writer import Source
from handlers import parse
from handlers.commands import AbandonRollback, Rollback
from handlers.deploy import DeployCommand
from handlers.desk import Desk
from handlers.shapes import SlashCommand
from handlers.wording import deployment_id


class RollbackCommand:
    def __init__(self, desk: Desk, deploy: DeployCommand) -> None:
        self._desk = desk
        self._deploy = deploy

    async def answer(self, said: SlashCommand, source: Source) -> Message | None:
        command = parse.rollback(said.text, self._desk.known)
        match command:
            case Rollback():
                return await self._preview(command, said)
            case AbandonRollback(id, reason):
                wish = RollbackAbandoned(said.user_id, reason)
                outcome = await self._desk.engine.apply(id, wish, source)
                return self._desk.shown(outcome, f"{said.command} {said.text}")
        return await self._deploy.carry_out(command, said, source)

    async def _preview(self, command: Rollback, said: SlashCommand) -> Message | None:
        wish = RollbackRequested(said.user_id, command.reason, command.version)
        preview = await self._desk.previews.rollback(
            said.team_id, wish, self.thing(command, said.team_id)
        )
        if preview.draft is not None:
            return rollback.preview(
                preview.deployment,
                preview.to,
                preview.draft.id,
                preview.draft.note,
                self._desk.policies.people,
                preview.now,
            )
        if self._desk.forms is None:
            raise Refused(
                "reason",
                (Bold("A rollback needs a reason."),),
                (
                    "Nothing was changed. Say ",
                    Code(f"/rollback {preview.deployment.id} what is wrong"),
                    ".",
                ),
            )
        await self._desk.forms.open_form(said.trigger_id, self._desk.rollback_form(preview))
        return None

    def thing(self, command: Rollback, team: str) -> str | Target:
        """A deployment's id as it is, a service as its environment; one service needs no name."""
        target = command.target
        if target is not None and deployment_id(target):
            return target
        services = self._desk.policies.services
        if target is None and len(services) != 1:
            raise Refused(
                "which",
                (Bold("Roll back what?"), f" There are {len(services)} services here."),
                ("Nothing was changed. Say ", Code("/rollback SERVICE what is wrong"), "."),
            )
        policy = services[target] if target is not None else next(iter(services.values()))
        return Target(team, policy.service, command.environment or policy.default_environment)
