"""The demo page's requests, without a browser."""

from collections.abc import AsyncGenerator
from typing import Any

import aiohttp

from bot.demo.slack import SlackEmulator

OURS = {"X-Pilothouse-Demo": "1"}


class Page:
    """What our own page asks of the server, as it asks it."""

    def __init__(self, slack: SlackEmulator, session: aiohttp.ClientSession) -> None:
        self._url = f"{slack.url}/_demo/"
        self._session = session

    async def state(self, user: str = "U0DANA") -> dict[str, Any]:
        async with self._session.get(f"{self._url}state?as={user}") as response:
            assert response.status == 200
            answer: dict[str, Any] = await response.json()
            return answer

    async def post(self, path: str, user: str = "U0DANA", **wish: Any) -> dict[str, Any]:
        body = {"as": user} | wish
        url = self._url + path
        async with self._session.post(url, json=body, headers=OURS) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def knock(self, **how: Any) -> int:
        body = {"as": "U0DANA", "channel": "C0DEPLOY", "text": "hi"}
        sent = {"json": body, "headers": OURS} | how
        async with self._session.post(f"{self._url}say", **sent) as response:
            return response.status

    async def changes(self) -> AsyncGenerator[str, None]:
        async with self._session.get(f"{self._url}stream?as=U0DANA") as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    yield line.decode().strip()
