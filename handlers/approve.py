"""`/approve`: signing, rejecting, and what waits for me."""

from bot.blocks import lists
from bot.domain.events import Approved, Rejected
from bot.ports import Message
from bot.writer import Source
from handlers import parse
from handlers.commands import Approve, Reject
from handlers.deploy import DeployCommand
from handlers.desk import Desk
from handlers.shapes import SlashCommand


class ApproveCommand:
    def __init__(self, desk: Desk, deploy: DeployCommand) -> None:
        self._desk = desk
        self._deploy = deploy

    async def answer(self, said: SlashCommand, source: Source) -> Message | None:
        command = parse.approve(said.text, self._desk.known)
        typed = f"{said.command} {said.text}"
        match command:
            case Approve(None):
                waiting = await self._desk.questions.waiting_for(said.team_id, said.user_id)
                return lists.waiting(waiting, self._desk.policies.people)
            case Approve(str() as id, note, version):
                wish = Approved(said.user_id, note, version)
                return self._desk.shown(await self._desk.engine.apply(id, wish, source), typed)
            case Reject(id, reason):
                rejected = Rejected(said.user_id, reason)
                outcome = await self._desk.engine.apply(id, rejected, source)
                return self._desk.shown(outcome, typed)
        return await self._deploy.carry_out(command, said, source)
