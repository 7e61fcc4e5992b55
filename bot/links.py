"""The sockets to Slack: two of them, so that one may be renewed without a gap."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

_CONNECTIONS = 2
_PING_SECONDS = 5.0


class SocketLinks:
    """Socket Mode, when there is an app token; connects in the background and again for ever."""

    def __init__(self, app: AsyncApp, token: SecretStr | None, client: AsyncWebClient) -> None:
        self._handlers: list[AsyncSocketModeHandler] = []
        self._connecting: list[asyncio.Task[None]] = []
        if token is None:
            return
        logger = logging.getLogger("slack_bolt.socket_mode")
        logger.addFilter(_in_one_line)
        for _ in range(_CONNECTIONS):
            own = AsyncWebClient(
                token=token.get_secret_value(),
                base_url=client.base_url,
                session=client.session,
                retry_handlers=[],
            )
            self._handlers.append(
                AsyncSocketModeHandler(
                    app,
                    token.get_secret_value(),
                    logger=logger,
                    web_client=own,
                    ping_interval=_PING_SECONDS,
                )
            )

    def start(self) -> None:
        # `connect` tries again by itself, so a Slack that is away does not keep us from starting.
        self._connecting = [asyncio.create_task(_connect(h)) for h in self._handlers]

    @property
    def is_up(self) -> bool:
        """Whether at least one socket is open now."""
        sessions = (handler.client.current_session for handler in self._handlers)
        return any(session is not None and not session.closed for session in sessions)

    async def stop(self) -> None:
        for task in self._connecting:
            task.cancel()
        for handler in self._handlers:
            await _close(handler)


def _in_one_line(record: logging.LogRecord) -> bool:
    """A Slack that is away is said every few seconds; where in the code says nothing then."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, aiohttp.ClientError | OSError | SlackApiError):  # a timeout is an OSError
        record.exc_info = None
    return True


async def _connect(handler: AsyncSocketModeHandler) -> None:
    connect: Callable[[], Awaitable[None]] = handler.connect_async
    await connect()


async def _close(handler: AsyncSocketModeHandler) -> None:
    close: Callable[[], Awaitable[None]] = handler.client.close
    await close()
