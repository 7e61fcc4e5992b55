"""The HTTP side: Slack's door, and what operators and probes look at."""

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.numbers import Numbers

#: Says in a few words what is missing before this process can do its work; empty when ready.
Readiness = Callable[[], Awaitable[tuple[str, ...]]]

#: Seconds: more than the usual minute of a balancer, which has to be the first to close.
_IDLE = 75.0


def application(
    slack: Handler | None,
    ready: Readiness,
    numbers: Numbers,
    metrics_token: str | None,
    is_loopback: bool,
) -> web.Application:
    """`/slack/events` is mounted only with a signing secret; `/metrics` asks for its token
    unless the server is bound to loopback.

    `/readyz` names open alarms and stays ready: a balancer that took this process away would
    take the way to roll back with it.
    """
    app = web.Application(client_max_size=1)  # every route reads its own body, with its own cap
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _readyz(ready, numbers))
    if metrics_token is not None or is_loopback:
        app.router.add_get("/metrics", _metrics(numbers, metrics_token))
    if slack is not None:
        app.router.add_route("*", "/slack/events", slack)
    return app


def runner_of(served: web.Application, idle: float = _IDLE) -> web.AppRunner:
    """Closes a connection on which no whole head of a request came within *idle* seconds, so
    that whoever opens many and says nothing does not use up what can be open."""
    return web.AppRunner(served, access_log=None, shutdown_timeout=3, keepalive_timeout=idle)


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


def _readyz(ready: Readiness, numbers: Numbers) -> Handler:
    async def readyz(_: web.Request) -> web.Response:
        missing = await ready()
        alarms = (f"alarm: {rule}, {count} open" for rule, count in numbers.alarms.items())
        lines = (*(missing or ("ready",)), *alarms)
        return web.Response(
            status=503 if missing else 200, text="".join(f"{line}\n" for line in lines)
        )

    return readyz


def _metrics(numbers: Numbers, token: str | None) -> Handler:
    async def metrics(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if token is not None and not hmac.compare_digest(
            given.encode(errors="replace"), f"Bearer {token}".encode()
        ):
            return web.Response(status=401, text="a bearer token is needed\n")
        return web.Response(
            body=numbers.text(), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    return metrics
