"""Slack's side of Socket Mode: tickets, connections and acknowledgements."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import WSMsgType, web

from bot.demo.slack.changes import Changes
from bot.demo.slack.payloads import APP_ID
from bot.demo.slack.timing import Clock
from bot.demo.slack.wire import Json, SlackError, decode_object, token

#: Seconds in which an issued address must be used.
TICKET_LIFETIME = 30
MOST_CONNECTIONS = 10


class ConnectionLost(Exception):
    """The socket closed before the bot acknowledged."""


@dataclass(eq=False)
class Connection:
    socket: web.WebSocketResponse
    #: asked to reconnect: nothing new is sent here
    is_leaving: bool = False
    awaited: dict[str, asyncio.Future[Json]] = field(default_factory=dict)


class SocketMode:
    def __init__(self, clock: Clock, changes: Changes) -> None:
        self._clock = clock
        self._changes = changes
        self._tickets: dict[str, datetime] = {}
        self._connections: list[Connection] = []
        self._turn = 0

    @property
    def open_connections(self) -> int:
        return sum(not connection.is_leaving for connection in self._connections)

    def issue_ticket(self) -> str:
        if self.open_connections >= MOST_CONNECTIONS:
            raise SlackError("too_many_websockets")
        ticket = token(size=16).lower()
        self._tickets[ticket] = self._clock() + timedelta(seconds=TICKET_LIFETIME)
        return ticket

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until either side closes it."""
        valid_until = self._tickets.pop(request.query.get("ticket", ""), None)
        if valid_until is None or self._clock() > valid_until:
            raise web.HTTPForbidden(text="unknown ticket")
        socket = web.WebSocketResponse(heartbeat=30, timeout=1)
        await socket.prepare(request)
        connection = Connection(socket)
        self._connections.append(connection)
        try:
            await socket.send_json(self._hello())
            self._changes.touch()
            await self._read(connection)
        finally:
            self._drop(connection)
        return socket

    async def send(self, envelope: Json, patience: float) -> Json:
        """Give *envelope* to one connection and return what the bot acknowledges with.

        Raises `ConnectionLost`, also without any connection, or `TimeoutError`.
        """
        connection = self._next()
        envelope_id = str(envelope["envelope_id"])
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        connection.awaited[envelope_id] = future
        try:
            await connection.socket.send_json(envelope)
            return await asyncio.wait_for(future, patience)
        except ConnectionResetError as error:
            raise ConnectionLost from error
        finally:
            connection.awaited.pop(envelope_id, None)

    async def ask_to_reconnect(self, reason: str = "refresh_requested") -> None:
        """Send `disconnect` to every connection, as before Slack recycles them."""
        for connection in list(self._connections):
            connection.is_leaving = True
            frame = {"type": "disconnect", "reason": reason, "debug_info": _debug_info()}
            await connection.socket.send_json(frame)
        self._changes.touch()

    async def close_all(self) -> None:
        """Cut every connection without a word."""
        connections = list(self._connections)
        for connection in connections:
            connection.is_leaving = True
        await asyncio.gather(*(connection.socket.close() for connection in connections))

    def _next(self) -> Connection:
        ready = [one for one in self._connections if not one.is_leaving]
        if not ready:
            raise ConnectionLost
        self._turn += 1
        return ready[self._turn % len(ready)]

    async def _read(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            answer = decode_object(frame.data)
            future = connection.awaited.get(str(answer.get("envelope_id")))
            if future is not None and not future.done():
                future.set_result(answer.get("payload") or {})

    def _drop(self, connection: Connection) -> None:
        self._connections.remove(connection)
        for future in connection.awaited.values():
            if not future.done():
                future.set_exception(ConnectionLost())
        self._changes.touch()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.open_connections,
            "connection_info": {"app_id": APP_ID},
            "debug_info": _debug_info(),
        }


def _debug_info() -> Json:
    return {"host": "loopback", "build_number": 1, "approximate_connection_time": 18060}
