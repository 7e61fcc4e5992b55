"""From what Slack sends to the one handler it is for; Bolt parses, acknowledges and carries."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Chat, Message, Rejected, Unavailable
from bot.writer import Source
from handlers import deliveries
from handlers.approve import ApproveCommand
from handlers.clicks import Clicks
from handlers.deploy import DeployCommand
from handlers.desk import Desk
from handlers.errors import Answers
from handlers.gate import Admitted
from handlers.limit import Limit
from handlers.mentions import Mentions
from handlers.request_form import RequestForm
from handlers.rollback import RollbackCommand
from handlers.shapes import (
    AppMentioned,
    BlockActions,
    BlockSuggestion,
    Shape,
    SlashCommand,
    ViewSubmission,
    shape_of,
)
from handlers.submissions import CLOSE, Response, Submissions, pushed, said


class Door:
    """Routes what Slack sends, by either transport, to the one handler it is for."""

    def __init__(
        self,
        desk: Desk,
        answers: Answers,
        chat: Chat,
        bot_user: str | None,
        limit: Limit | None = None,
    ) -> None:
        self._limit = limit or Limit.none()
        deploy = DeployCommand(desk)
        rollback = RollbackCommand(desk, deploy)
        self._answers = answers
        self._chat = chat
        self._commands: dict[str, _Command] = {
            "/deploy": deploy.answer,
            "/approve": ApproveCommand(desk, deploy).answer,
            "/rollback": rollback.answer,
        }
        self._clicks = Clicks(desk, deploy)
        self._submissions = Submissions(desk)
        self._form = RequestForm(desk)
        self._mentions = Mentions(desk, rollback, bot_user)

    async def route(self, ack: AsyncAck, body: dict[str, Any]) -> bool:
        """Whether *body* was for one of our handlers, and so is acknowledged now: nothing is
        answered after it. A bug on the way is told to whoever asked, and raises nothing."""
        shape = shape_of(body)
        is_ours = isinstance(shape, _OURS)

        async def work() -> None:
            await self._handle(ack, shape, body)

        fault = await self._answers.of_a_bug(work) if is_ours else None
        if fault is not None:
            await self._answers.of_a_bug(lambda: self._own_up(ack, shape, fault))
        return is_ours

    async def _handle(self, ack: AsyncAck, shape: Shape | None, body: dict[str, Any]) -> None:
        match shape:
            case SlashCommand() as command:
                await self._command(ack, command, body)
            case BlockActions() as click:
                await self._click(ack, click, body)
            case ViewSubmission() as form:
                await self._submit(ack, form, body)
            case AppMentioned() as mention:
                await self._mention(ack, mention, body)
            case BlockSuggestion() as question:
                may_look = self._limit.lookup(question)
                await ack(options=await self._form.options(question, may_look))

    async def _own_up(self, ack: AsyncAck, shape: Shape | None, fault: Message) -> None:
        """Only with what Slack gave us: what led to the bug may not be built on again."""
        match shape:
            case SlashCommand():
                await ack(**_typed(fault))
            case ViewSubmission():
                await ack(**said(fault))
            case BlockSuggestion():
                await ack(options=[])  # there is no place for a sentence under a field
            case BlockActions(response_url=url):
                await ack()
                if url is not None:
                    await self._tell(url, fault)
            case AppMentioned(event=event):
                await ack()
                if event.person is not None:
                    place = "/".join((event.channel, event.thread_ts or "", event.person))
                    await self._tell(f"ephemeral:{place}", fault)

    async def _command(self, ack: AsyncAck, command: SlashCommand, body: dict[str, Any]) -> None:
        source = deliveries.of_command(command, body)
        handler = self._commands.get(command.command)

        async def work() -> Message | None:
            if handler is None:
                return _unknown(command.command)
            return await handler(command, source)

        over = self._limit.command(command, source)
        typed = f"{command.command} {command.text}".strip()
        message = over.told if over else await self._answers.to(work, typed)
        await ack(**({} if message is None else _typed(message)))

    async def _click(self, ack: AsyncAck, click: BlockActions, body: dict[str, Any]) -> None:
        source = deliveries.of_click(click, body)
        over, to = self._limit.click(click, source), source.reply_to
        if over is None:
            message = await self._answers.to(lambda: self._clicks.answer(click, source))
        else:
            # What was pressed has to be there still when it may be pressed again.
            message, to = over.told, to and to.removeprefix("replace:")
        if message is not None and to is not None:
            await self._tell(to, message)
        await ack()

    async def _submit(self, ack: AsyncAck, form: ViewSubmission, body: dict[str, Any]) -> None:
        source = deliveries.of_form(form, body)
        refusal = self._limit.form(form, source)
        if refusal is not None:
            await ack(**pushed(refusal))
            return
        response: Response = CLOSE

        async def work() -> None:
            nonlocal response
            response = await self._submissions.answer(form, source)

        message = await self._answers.to(work)
        if message is not None:
            response = said(message)
        await ack(**response)

    async def _mention(self, ack: AsyncAck, mention: AppMentioned, body: dict[str, Any]) -> None:
        source = deliveries.of_mention(mention, body)
        over = self._limit.mention(mention, source)
        if over is None:
            message = await self._answers.to(lambda: self._mentions.answer(mention, source))
        else:
            message = over.told
        if message is not None and source.reply_to is not None:
            await self._tell(source.reply_to, message)
        await ack()

    async def _tell(self, to: str, message: Message) -> None:
        # What was looked up rather than decided; when Slack does not take it, the person asks
        # again, and nothing is lost.
        try:
            await self._chat.answer(to, message)
        except (Unavailable, Rejected):
            return


#: What is for a handler of ours; the rest Bolt answers itself.
_OURS = (SlashCommand, BlockActions, ViewSubmission, AppMentioned, BlockSuggestion)
_Command = Callable[[SlashCommand, Source], Awaitable[Message | None]]


class _Route(AsyncMiddleware):
    """Ends Bolt's chain early. There is one token, so nothing is left to authorize; and to look
    through listeners costs more than all else that Bolt does for a request."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,
        next: Callable[[], Awaitable[BoltResponse]],
    ) -> BoltResponse | None:
        ack = req.context.ack
        if await self._door.route(ack, req.body):
            return ack.response
        return await next()


def bolt_app(client: AsyncWebClient, token: str, door: Door) -> AsyncApp:
    """Bolt without its own verification: every request has passed the gate, or a socket that
    Slack authenticated. It makes no call of its own, so the first answer waits for nothing."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    # Bolt reads the token from the environment too, and would warn at every start that it has
    # two of them; a warning of it may also quote what people wrote.
    quiet = logging.getLogger("slack_bolt")
    quiet.setLevel(logging.ERROR)
    return AsyncApp(
        name="pilothouse",  # without one Bolt looks through every loaded module for its caller's
        logger=quiet,
        client=client,
        authorize=authorize,
        before_authorize=_Route(door),
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        ignoring_self_events_enabled=False,
        raise_error_for_unhandled_request=False,
    )


def http_handler(
    app: AsyncApp,
) -> Callable[[Admitted, web.Request], Awaitable[web.StreamResponse]]:
    """Hands an admitted request to Bolt, and Bolt's answer back.

    What Bolt itself stumbles over stays a 500, so that Slack tries again and shows it; a bug of
    ours is answered by the door.
    """

    async def handle(admitted: Admitted, request: web.Request) -> web.StreamResponse:
        # Bolt is given what the gate has read, so that there are no two readings of one body.
        # No header goes along: they are not signed, and some of them steer Bolt.
        try:
            bolt_request = AsyncBoltRequest(mode="socket_mode", body=dict(admitted.content))
        except (AttributeError, LookupError, TypeError):
            # How Bolt stumbles over what it reads and we do not, such as a strange `enterprise`.
            return web.Response(status=400, text="not a payload of Slack")
        response = await app.async_dispatch(bolt_request)
        # A shape nobody handles is the sender's mistake, and never ours.
        status = 400 if response.status == 404 else response.status
        headers = {
            name: ", ".join(values)
            for name, values in response.headers.items()
            if name.lower() != "set-cookie"
        }
        return web.Response(status=status, text=response.body or "", headers=headers)

    return handle


def _typed(message: Message) -> dict[str, Any]:
    """The answer to a command, for whoever typed it only."""
    return {
        "text": message.text,
        "blocks": [dict(block) for block in message.blocks],
        "response_type": "ephemeral",
    }


def _unknown(command: str) -> Message:
    return Message(f"{command} is not one of mine. Nothing was done. Try /deploy help.")
