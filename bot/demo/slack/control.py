"""What the demo page reads and presses; nobody but that page may."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.demo.slack.changes import Changes
from bot.demo.slack.forms import Forms
from bot.demo.slack.people import People
from bot.demo.slack.screen import Screen
from bot.demo.slack.seen import NotOnScreen, Seen
from bot.demo.slack.wire import Json, SlackError, decode_object
from bot.demo.slack.workspace import Workspace

PREFIX = "/_demo/"
HEADER = "X-Pilothouse-Demo"
#: Seconds in which changes are gathered before the page is told, and between heartbeats.
GATHER, HEARTBEAT = 0.05, 15.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

World = Callable[[Json], Awaitable[Json]]


class Control:
    def __init__(
        self,
        workspace: Workspace,
        screen: Screen,
        people: People,
        forms: Forms,
        world: World | None,
    ) -> None:
        self._workspace = workspace
        self._screen = screen
        self._people = people
        self._forms = forms
        self._world = world

    def add_routes(self, app: web.Application) -> None:
        app.middlewares.append(_only_the_page)
        app.router.add_get(f"{PREFIX}state", self.state)
        app.router.add_get(f"{PREFIX}stream", self.stream)
        actions = {
            "say": self.say,
            "click": self.click,
            "submit": self.submit,
            "close": self.close,
            "suggest": self.suggest,
            "reload": self.reload,
            "read": self.read,
            "world": self.world,
        }
        for name, action in actions.items():
            app.router.add_post(f"{PREFIX}{name}", _answering(action))

    async def state(self, request: web.Request) -> web.Response:
        user = request.query.get("as", "")
        if user not in self._workspace.people:
            raise web.HTTPNotFound(text="nobody of that id")
        return web.json_response(self._screen.of(user))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: one `changed` for each burst of changes."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        changes = self._workspace.changes
        seen = changes.count
        try:
            await _tell(response, seen)
            while not changes.is_closed:
                seen = await self._tell_next(response, changes, seen)
        except ConnectionResetError:
            pass  # the page is gone
        return response

    async def _tell_next(self, response: web.StreamResponse, changes: Changes, seen: int) -> int:
        count = await changes.after(seen, HEARTBEAT)
        if count == seen:
            await response.write(b": still here\n\n")
            return seen
        count = await changes.settled(GATHER)
        await _tell(response, count)
        return count

    async def say(self, wish: Json) -> Json:
        """What starts with a slash is a command."""
        user, channel, text = wish["as"], wish["channel"], str(wish["text"])
        thread_ts = wish.get("thread_ts")
        if not text.startswith("/"):
            await self._people.say(user, channel, text, thread_ts=thread_ts)
            return {"ok": True, "error": None}
        command, _, rest = text.partition(" ")
        seen = await self._people.command(user, command, rest, channel=channel, thread_ts=thread_ts)
        return _outcome(seen)

    async def click(self, wish: Json) -> Json:
        """With `view_id` the press is inside that form, filled in as `values` say."""
        if wish.get("view_id") is not None:
            return _outcome(await self._press(wish))
        seen = await self._people.click(
            wish["as"],
            wish["channel"],
            wish["ts"],
            wish["action_id"],
            value=wish.get("value"),
            block_id=wish.get("block_id"),
            selected=wish.get("selected"),
        )
        return _outcome(seen)

    async def _press(self, wish: Json) -> Seen:
        return await self._forms.press(
            wish["as"],
            wish["view_id"],
            wish["action_id"],
            block_id=wish.get("block_id"),
            selected=wish.get("selected"),
            values=wish.get("values"),
        )

    async def submit(self, wish: Json) -> Json:
        seen = await self._forms.submit(wish["as"], wish["view_id"], wish.get("values") or {})
        return _outcome(seen) | {"errors": seen.errors or None}

    async def close(self, wish: Json) -> Json:
        return _outcome(await self._forms.close_view(wish["as"], wish["view_id"]))

    async def suggest(self, wish: Json) -> Json:
        options = await self._forms.suggest(
            wish["as"],
            wish["view_id"],
            wish["block_id"],
            wish["action_id"],
            wish["typed"],
            values=wish.get("values"),
        )
        return {"ok": True, "error": None, "options": options}

    async def reload(self, wish: Json) -> Json:
        self._workspace.reload(wish["as"])
        return {"ok": True, "error": None}

    async def read(self, wish: Json) -> Json:
        """This person has looked at the channel."""
        self._workspace.mark_read(wish["as"], wish["channel"])
        return {"ok": True, "error": None}

    async def world(self, wish: Json) -> Json:
        if self._world is None:
            return {"ok": False, "error": "there is no world here"}
        return await self._world(wish)


def _answering(action: Callable[[Json], Awaitable[Json]]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        try:
            return web.json_response(await action(decode_object(await request.text())))
        except (NotOnScreen, SlackError) as refusal:
            return web.json_response({"ok": False, "error": str(refusal)})
        except KeyError as missing:
            text = f"missing: {missing.args[0]}"
            return web.json_response({"ok": False, "error": text}, status=400)

    return answer


@web.middleware
async def _only_the_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Another site's page can neither read this nor press anything here."""
    if not request.path.startswith(PREFIX):
        return await handler(request)
    if not _is_asked_by_our_page(request):
        raise web.HTTPForbidden(text="only the demo page may ask this")
    return await handler(request)


def _is_asked_by_our_page(request: web.Request) -> bool:
    """A name that merely resolves to loopback does not count as this host."""
    host = urlsplit(f"//{request.host}").hostname
    local, *_ = request.get_extra_info("sockname", ("",))
    if local in _LOOPBACK and host not in _LOOPBACK:
        return False
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return False
    if request.method == "GET":
        return True
    is_json = request.content_type == "application/json"
    return is_json and request.headers.get(HEADER) == "1"


async def _tell(response: web.StreamResponse, count: int) -> None:
    await response.write(f"event: changed\ndata: {count}\n\n".encode())


def _outcome(seen: Seen) -> Json:
    return {"ok": seen.is_fine, "error": seen.error}
