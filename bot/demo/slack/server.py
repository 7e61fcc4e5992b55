"""The whole of this Slack in one object: start it, act as people, look at what is shown."""

from collections import deque
from collections.abc import Callable
from typing import TypeVar

from aiohttp import web

from bot.blocks.lint import lint as house_lint
from bot.demo.slack.answers import Answers
from bot.demo.slack.chat_methods import ChatMethods
from bot.demo.slack.contents import Contents, Lint
from bot.demo.slack.control import Control, World
from bot.demo.slack.dispatch import Dispatcher, Transport
from bot.demo.slack.elements import Choice
from bot.demo.slack.forms import Forms
from bot.demo.slack.limits import Faults, Limits
from bot.demo.slack.manifest import Manifest
from bot.demo.slack.payloads import APP_ID, Payloads
from bot.demo.slack.people import People
from bot.demo.slack.read_methods import ReadMethods
from bot.demo.slack.screen import Screen, WorldState
from bot.demo.slack.seen import Seen
from bot.demo.slack.socket_mode import SocketMode
from bot.demo.slack.timing import Timing
from bot.demo.slack.triggers import ResponseUrls, Triggers
from bot.demo.slack.view_methods import ViewMethods
from bot.demo.slack.views import Views
from bot.demo.slack.web_api import Call, WebApi
from bot.demo.slack.wire import Json, Method, SlackError
from bot.demo.slack.workspace import Workspace

T = TypeVar("T")

#: Seconds an open request may still take when the server stops.
GRACE = 0.5


class SlackEmulator:
    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        *,
        bot_token: str,
        app_token: str,
        signing_secret: str,
        events_url: str | None = None,
        transport: Transport = "auto",
        lint: Lint = house_lint,
        timing: Timing | None = None,
        limits: bool = False,
        world: World | None = None,
        world_state: WorldState | None = None,
    ) -> None:
        self.workspace = workspace
        self.url = ""
        self.app = web.Application()
        self._runner: web.AppRunner | None = None
        self._manifest = manifest
        self._timing = timing or Timing()
        self.views = Views(workspace.changes)
        self.faults = Faults(self._cut_sockets)
        self.socket_mode = SocketMode(workspace.clock, workspace.changes)
        self.dispatcher = Dispatcher(
            self.socket_mode,
            workspace.changes,
            signing_secret=signing_secret,
            events_url=events_url,
            transport=transport,
            clock=workspace.clock,
            timing=self._timing,
            is_down=lambda: self.faults.is_down,
        )
        self._add_talk(lint)
        self._web_api = self._api(bot_token, app_token, limits)
        self._add_routes(world, world_state)

    def _add_talk(self, lint: Lint) -> None:
        clock = self.workspace.clock
        self._triggers = Triggers(clock, self._timing)
        self._contents = Contents(lint)
        self._payloads = Payloads(self.workspace)
        urls = ResponseUrls(clock, self._timing)
        self._answers = Answers(self.workspace, self._contents, urls)
        self.people = People(
            self.workspace,
            self._manifest,
            self._payloads,
            self._triggers,
            self._answers,
            self.dispatcher,
        )
        self.forms = Forms(
            self._contents, self._payloads, self._triggers, self.views, self.dispatcher
        )
        self.command = self.people.command
        self.say = self.people.say
        self.submit = self.forms.submit
        self.close_view = self.forms.close_view
        self.suggest = self.forms.suggest

    def _api(self, bot_token: str, app_token: str, limits: bool) -> WebApi:
        return WebApi(
            self._manifest,
            self._methods(),
            self._answers.respond_at,
            self.faults,
            Limits(self.workspace.clock, limits),
            bot_token=bot_token,
            app_token=app_token,
            clock=self.workspace.clock,
            changes=self.workspace.changes,
        )

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def events_url(self) -> str | None:
        """Where the bot listens for signed requests; may be set once it does."""
        return self.dispatcher.events_url

    @events_url.setter
    def events_url(self, value: str | None) -> None:
        self.dispatcher.events_url = value

    @property
    def calls(self) -> deque[Call]:
        """What the bot called, oldest first, the newest few thousand."""
        return self._web_api.calls

    @property
    def is_bot_connected(self) -> bool:
        return self.dispatcher.reaches_the_bot

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._runner = web.AppRunner(
            self.app, access_log=None, shutdown_timeout=GRACE, handle_signals=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        self.people.response_base = f"{self.url}/response/"
        await self.dispatcher.start()

    async def stop(self) -> None:
        self.workspace.changes.close()
        await self.dispatcher.stop()
        await self.socket_mode.close_all()
        if self._runner is not None:
            await self._runner.cleanup()

    async def wait_for(
        self,
        predicate: Callable[[], T | None],
        timeout: float = 40,  # noqa: ASYNC109 - the name every waiting call in asyncio has
    ) -> T:
        """Return what *predicate* answers once it is true: asked after every change here.

        Raises TimeoutError after *timeout* seconds.
        """
        return await self.workspace.changes.until(predicate, timeout)

    def _methods(self) -> dict[str, Method]:
        chat = ChatMethods(self.workspace, self._contents, self._payloads, lambda: self.url)
        views = ViewMethods(
            self.workspace, self._contents, self._payloads, self.views, self._triggers
        )
        reading = ReadMethods(self.workspace, self._payloads)
        opening = {"apps.connections.open": self._open_connection}
        return chat.methods | views.methods | reading.methods | opening

    def _open_connection(self, arguments: Json) -> Json:
        del arguments
        if not self._manifest.has_socket_mode:
            raise SlackError("socket_mode_disabled")
        address = self.url.replace("http", "ws", 1)
        ticket = self.socket_mode.issue_ticket()
        return {"url": f"{address}/link/?ticket={ticket}&app_id={APP_ID}"}

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        value: str | None = None,
        block_id: str | None = None,
        selected: Choice = None,
    ) -> Seen:
        """Press something on a message, or in a form when *ts* is a view's id."""
        if ts.startswith("V"):
            return await self.forms.press(user, ts, action_id, block_id=block_id, selected=selected)
        return await self.people.click(
            user, channel, ts, action_id, value=value, block_id=block_id, selected=selected
        )

    def _add_routes(self, world: World | None, world_state: WorldState | None) -> None:
        self.app.router.add_route("*", "/api/{method}", self._web_api.handle)
        self.app.router.add_post("/response/{secret}", self._web_api.handle_answer)
        self.app.router.add_get("/link/", self._link)
        screen = Screen(
            self.workspace,
            self.views,
            self._payloads,
            self._manifest,
            lambda: self.dispatcher.reaches_the_bot,
            world_state,
        )
        Control(self.workspace, screen, self.people, self.forms, world).add_routes(self.app)

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        if self.faults.is_down:
            raise web.HTTPServiceUnavailable
        return await self.socket_mode.connect(request)

    def _cut_sockets(self) -> None:
        if self.socket_mode.open_connections:
            self.dispatcher.in_background(self.socket_mode.close_all())
