"""The demo's own service, one version of it; runs as a process of its own."""

import argparse
import asyncio
import hashlib
import json
import os
import sys
from hmac import compare_digest
from itertools import count

from aiohttp import web

#: Its value, when set, is what `/_fail` asks for in the header `X-Token`.
TOKEN = "PILOTHOUSE_WORLD_TOKEN"  # noqa: S105 - the name of a variable, no token


class Service:
    """Answers like a small shop would: a little work, a little waiting, now and then slower.

    Neither is random, so that 30 % failing are 30 % in every run.
    """

    def __init__(self, service: str, version: str, token: str) -> None:
        self._facts = {"service": service, "version": version}
        self._token = token
        self._is_failing = False
        self._numbers = count()

    def application(self) -> web.Application:
        app = web.Application(client_max_size=4096)
        app.router.add_get("/healthz", self._health)
        app.router.add_post("/_fail", self._fail)
        app.router.add_get("/{path:.*}", self._work)
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response(self._facts)

    async def _work(self, _: web.Request) -> web.Response:
        number = next(self._numbers)
        receipt = hashlib.pbkdf2_hmac("sha256", str(number).encode(), b"demo", 300)
        slower = 120 + number * 31 % 180 if self._is_failing else 0
        await asyncio.sleep((4 + number * 13 % 22 + slower) / 1000)
        if self._is_failing and number * 7 % 10 < 3:
            return web.json_response({"error": "the payment did not go through"}, status=500)
        return web.json_response(self._facts | {"receipt": receipt.hex()[:16]})

    async def _fail(self, request: web.Request) -> web.Response:
        given = request.headers.get("X-Token", "").encode()
        if not self._token or not compare_digest(given, self._token.encode()):
            return web.json_response({"error": "not for you"}, status=403)
        try:
            wish = json.loads(await request.read())
        except ValueError:
            wish = None
        if not isinstance(wish, dict) or not isinstance(wish.get("on"), bool):
            return web.json_response({"error": "say on: true or false"}, status=400)
        self._is_failing = wish["on"]
        return web.json_response({"on": self._is_failing})


async def serve(service: Service, port: int, is_tethered: bool) -> None:
    """Serve until killed, or, when tethered, until standard input ends: its owner is gone then."""
    runner = web.AppRunner(service.application(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    sys.stdout.write(json.dumps({"port": runner.addresses[0][1]}) + "\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    if is_tethered:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _watch, ended)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    await runner.cleanup()


def _watch(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 64):
        ended.set()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bot.demo.world.service")
    parser.add_argument("--service", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tethered", action="store_true")
    given = parser.parse_args()
    service = Service(given.service, given.version, os.environ.get(TOKEN, ""))
    asyncio.run(serve(service, given.port, given.tethered))


if __name__ == "__main__":
    main()
