"""Everything outside the bot, and always well: Slack's Web API, releases, checks, metrics."""

import asyncio
import itertools
import sys

from aiohttp import web

_VERSIONS = [
    {
        "name": name,
        "commit": f"{number:040x}",
        "artefact": f"sha256:{number:064x}",
        "authors": ["U0DEVO"],
        "summary": "Faster baskets",
        "changes": 3,
    }
    for number, name in enumerate(("v1.8.3", "v1.8.2"), 1)
]


class Outside:
    """Counts the calls to Slack's Web API under `/calls`."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._calls = 0

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._slack)
        app.router.add_get("/calls", self._count)
        app.router.add_get("/releases", self._releases)
        app.router.add_route("*", "/router", self._weights)
        app.router.add_route("*", "/{rest:.*}", self._well)
        return app

    async def _slack(self, request: web.Request) -> web.Response:
        self._calls += 1
        ts = f"1772000000.{next(self._numbers):06}"
        link = f"https://demo.slack.com/archives/C0DEPLOY/p{ts.replace('.', '')}"
        return web.json_response({"ok": True, "channel": "C0DEPLOY", "ts": ts, "permalink": link})

    async def _count(self, _: web.Request) -> web.Response:
        return web.json_response({"calls": self._calls})

    async def _releases(self, _: web.Request) -> web.Response:
        return web.json_response({"versions": _VERSIONS})

    async def _weights(self, _: web.Request) -> web.Response:
        return web.json_response({"weights": {"v1.8.2": 100}})

    async def _well(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "version": "v1.8.3"})


async def serve(port: int) -> None:
    """Until the process is ended."""
    runner = web.AppRunner(Outside().application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
