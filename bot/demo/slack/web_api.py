"""Slack's Web API: tokens, scopes, faults and limits before any method is called."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from bot.demo.slack.changes import Changes
from bot.demo.slack.limits import Fault, Faults, Limits
from bot.demo.slack.manifest import Manifest
from bot.demo.slack.timing import Clock
from bot.demo.slack.wire import Json, Method, SlackError, decode_form, decode_object

#: How many calls are remembered.
CALLS_KEPT = 5000
#: The methods that take the app-level token instead of the bot's.
APP_LEVEL = frozenset({"apps.connections.open"})
#: Under this name answers to interactions stand in the log and take faults.
RESPONSE_URL = "response_url"
NO_TOKEN = frozenset({"api.test"})


@dataclass(frozen=True)
class Call:
    method: str
    #: as the bot sent them, without its token
    arguments: Json
    at: datetime
    #: empty when the bot got no answer that it could read
    answer: Json
    status: int = 200


@dataclass
class WebApi:
    manifest: Manifest
    methods: Mapping[str, Method]
    #: shows what was sent to the response address with this secret
    respond_at: Callable[[str, Json], Json]
    faults: Faults
    limits: Limits
    bot_token: str
    app_token: str
    clock: Clock
    changes: Changes
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))

    async def handle(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        try:
            arguments = await _arguments(request)
        except SlackError as error:
            return web.json_response(error.answer())
        token = _token(request, arguments)
        return self._finish(
            request, method, arguments, lambda: self._call(method, token, arguments)
        )

    async def handle_answer(self, request: web.Request) -> web.Response:
        """An answer to an interaction: the secret in the address stands for a token."""
        secret = request.match_info["secret"]
        try:
            body = decode_object(await request.text())
        except SlackError as error:
            return web.json_response(error.answer(), status=400)
        return self._finish(
            request, RESPONSE_URL, body, lambda: self.respond_at(secret, body), refusal=404
        )

    def _finish(
        self,
        request: web.Request,
        method: str,
        arguments: Json,
        call: Callable[[], Json],
        refusal: int = 200,
    ) -> web.Response:
        fault = self.faults.next(method) or Fault()
        response = self._prevented(method, arguments, fault)
        answer: Json = {}
        if response is None:
            answer = _outcome(call, fault)
            status = 200 if answer["ok"] else refusal
            headers = {"X-OAuth-Scopes": ",".join(sorted(self.manifest.granted))}
            response = web.json_response(answer, status=status, headers=headers)
        self.calls.append(Call(method, arguments, self.clock(), answer, response.status))
        self.changes.touch()
        if fault.loses_reply and request.transport is not None:
            request.transport.abort()
        return response

    def _prevented(self, method: str, arguments: Json, fault: Fault) -> web.Response | None:
        """The response that stands instead of the call, when there is to be none."""
        if self.faults.is_down:
            return web.Response(status=503, text="upstream unavailable")
        if fault.is_server_error:
            return web.Response(status=500, text="server error")
        wait = fault.retry_after or self.limits.take(method, arguments)
        if wait is None:
            return None
        answer = {"ok": False, "error": "ratelimited"}
        return web.json_response(answer, status=429, headers={"Retry-After": str(wait)})

    def _call(self, method: str, token: str, arguments: Json) -> Json:
        if method not in self.methods:
            raise SlackError("unknown_method", req_method=method)
        if method not in NO_TOKEN:
            self._check_token(method, token)
            self.manifest.require(method)
        return self.methods[method](arguments)

    def _check_token(self, method: str, token: str) -> None:
        if not token:
            raise SlackError("not_authed")
        if token not in (self.bot_token, self.app_token):
            raise SlackError("invalid_auth")
        if (method in APP_LEVEL) != (token == self.app_token):
            raise SlackError("not_allowed_token_type")


def _outcome(call: Callable[[], Json], fault: Fault) -> Json:
    try:
        if fault.error is not None:
            raise SlackError(fault.error)
        return {"ok": True, **call()}
    except SlackError as error:
        return error.answer()


async def _arguments(request: web.Request) -> Json:
    """From the address, a form or a JSON body, whichever the bot uses."""
    arguments: Json = decode_form(request.query)
    if request.content_type == "application/json":
        text = await request.text()
        return arguments | (decode_object(text) if text else {})
    form = await request.post()
    texts = {key: value for key, value in form.items() if isinstance(value, str)}
    return arguments | decode_form(texts)


def _token(request: web.Request, arguments: Json) -> str:
    sent = str(arguments.pop("token", ""))
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else sent
