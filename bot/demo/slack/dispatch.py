"""Bringing payloads to the bot: over a socket, or as signed requests."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

import aiohttp

from bot.demo.slack.changes import Changes
from bot.demo.slack.socket_mode import ConnectionLost, SocketMode
from bot.demo.slack.timing import Clock, Timing
from bot.demo.slack.wire import Json, SlackError, decode_object, token

Kind = Literal["slash_commands", "interactive", "events_api"]
Transport = Literal["auto", "socket", "http"]

LATE = "operation_timeout"
FAILED = "dispatch_failed"


@dataclass(frozen=True)
class Acknowledgement:
    #: what the bot sent along, empty when nothing
    body: Json
    #: "operation_timeout" or "dispatch_failed" when it did not acknowledge in time
    error: str | None = None
    #: the bot asked that this event is not repeated
    is_final: bool = False


class Dispatcher:
    def __init__(
        self,
        socket_mode: SocketMode,
        changes: Changes,
        *,
        signing_secret: str,
        events_url: str | None,
        transport: Transport,
        clock: Clock,
        timing: Timing,
        is_down: Callable[[], bool],
    ) -> None:
        self.events_url = events_url
        self._socket_mode = socket_mode
        self._changes = changes
        self._signing_secret = signing_secret.encode()
        self._transport = transport
        self.clock = clock
        self.timing = timing
        self._is_down = is_down
        self._session: aiohttp.ClientSession | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._session = aiohttp.ClientSession()

    async def stop(self) -> None:
        """Forget the repetitions still to come."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    @property
    def reaches_the_bot(self) -> bool:
        return not self._is_down() and (self._uses_socket() or self._uses_http())

    @property
    def is_busy(self) -> bool:
        """An event is on its way, or waits to be repeated."""
        return bool(self._running)

    async def deliver(
        self, kind: Kind, payload: Json, attempt: int = 0, reason: str = ""
    ) -> Acknowledgement:
        """Send once and wait as long as Slack waits."""
        try:
            return await self._sent(kind, payload, attempt, reason)
        finally:
            self._changes.touch()

    def deliver_event(self, payload: Json) -> None:
        """Send in the background, and again when nobody acknowledges."""
        self.in_background(self._repeat(payload))

    def in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _repeat(self, payload: Json) -> None:
        answer = await self.deliver("events_api", payload)
        for attempt, pause in enumerate(self.timing.event_retries, start=1):
            if answer.error is None or answer.is_final:
                return
            reason = "http_timeout" if answer.error == LATE else "http_error"
            await asyncio.sleep(pause)
            answer = await self.deliver("events_api", payload, attempt, reason)

    async def _sent(self, kind: Kind, payload: Json, attempt: int, reason: str) -> Acknowledgement:
        if self._is_down():
            return Acknowledgement({}, FAILED)
        if self._uses_socket():
            return await self._over_socket(kind, payload, attempt, reason)
        if self._uses_http():
            return await self._over_http(kind, payload, attempt, reason)
        return Acknowledgement({}, FAILED)

    def _uses_socket(self) -> bool:
        return self._transport != "http" and self._socket_mode.open_connections > 0

    def _uses_http(self) -> bool:
        return self._transport != "socket" and self.events_url is not None

    async def _over_socket(
        self, kind: Kind, payload: Json, attempt: int, reason: str
    ) -> Acknowledgement:
        envelope = {
            "envelope_id": token(size=16).lower(),
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        try:
            return Acknowledgement(await self._socket_mode.send(envelope, self.timing.ack))
        except TimeoutError:
            return Acknowledgement({}, LATE)
        except ConnectionLost:
            return Acknowledgement({}, FAILED)

    async def _over_http(
        self, kind: Kind, payload: Json, attempt: int, reason: str
    ) -> Acknowledgement:
        if self._session is None or self.events_url is None:
            raise RuntimeError("not started")
        body, content_type = _encoded(kind, payload)
        headers = self._signed(body) | {"Content-Type": content_type}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        timeout = aiohttp.ClientTimeout(total=self.timing.ack)
        try:
            async with self._session.post(
                self.events_url, data=body, headers=headers, timeout=timeout
            ) as response:
                is_final = response.headers.get("X-Slack-No-Retry") == "1"
                if response.status != 200:
                    return Acknowledgement({}, FAILED, is_final)
                return Acknowledgement(_acknowledged(await response.text()))
        except TimeoutError:
            return Acknowledgement({}, LATE)
        except aiohttp.ClientError:
            return Acknowledgement({}, FAILED)

    def _signed(self, body: bytes) -> dict[str, str]:
        timestamp = str(int(self.clock().timestamp()))
        base = b"v0:" + timestamp.encode() + b":" + body
        digest = hmac.new(self._signing_secret, base, hashlib.sha256).hexdigest()
        return {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
            "User-Agent": "Slackbot 1.0 (loopback)",
        }


def _encoded(kind: Kind, payload: Json) -> tuple[bytes, str]:
    form = "application/x-www-form-urlencoded"
    if kind == "slash_commands":
        return urlencode(payload).encode(), form
    text = json.dumps(payload)
    if kind == "interactive":
        return urlencode({"payload": text}).encode(), form
    return text.encode(), "application/json"


def _acknowledged(text: str) -> Json:
    """A command may be answered with plain words instead of an object."""
    if not text:
        return {}
    try:
        return decode_object(text)
    except SlackError:
        return {"text": text}
