"""A service that nothing serves yet, beside the one that everybody knows."""

from dataclasses import dataclass, field

from aiohttp import web

from bot.demo.policies import DemoWorld as Names
from tests.builders import DANA
from tests.e2e.harness import CHANNEL, Team
from tests.e2e.policies import write_fast
from tests.e2e.world import RecordingWorld

SERVICE, FIRST, SECOND = "newthing", "v1.0.0", "v1.1.0"


@dataclass
class EmptyWorld(RecordingWorld):
    """A world in which nobody gets any traffic until it is asked for."""

    weights: dict[str, int] = field(default_factory=dict)

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/releases", self._releases)
        app.router.add_get("/router/weights", self._show)
        app.router.add_put("/router/weights", self._take)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/production/{service}/healthz", self._answering)
        app.router.add_post("/staging", self._stage)
        app.router.add_get("/staging/{service}/{path:.*}", self._staged)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _releases(self, _: web.Request) -> web.Response:
        versions = [
            {
                "name": name,
                "commit": name.encode().hex() * 3,
                "artefact": f"image@{name}",
                "authors": list[str](),
                "summary": "",
                "changes": 1,
                "compare_url": None,
                "migrations": list[str](),
            }
            for name in (SECOND, FIRST)
        ]
        return web.json_response({"versions": versions})

    async def _answering(self, request: web.Request) -> web.Response:
        if not self.weights:
            return web.json_response({"error": "nothing here"}, status=503)
        return await self._serving(request)


def write_newthing(team: Team, world: EmptyWorld, first: str = "allowed", bake: str = "1s") -> None:
    """Its policy, beside the other one; before a bot starts."""
    where, folder = world.addresses, team.site.directory / "policies"
    names = Names(
        releases=where.releases,
        router=where.router,
        metrics=where.metrics,
        production_health=where.production_health,
        staging_health=where.staging_health,
        staging=where.stage_command,
    )
    write_fast(folder / "aside", names, bake=bake, watch="4s")
    text = (folder / "aside" / "checkout.yaml").read_text()
    text = text.replace("service: checkout", f"service: {SERVICE}\nfirst_deployment: {first}")
    text = text.replace("owner: on_call}", "needs_serving: true}")
    (folder / f"{SERVICE}.yaml").write_text(text)


async def request(team: Team, version: str, by: str = DANA) -> str:
    """Previewed and confirmed; what the preview said."""
    seen = await team.slack.command(by, "/deploy", f"{SERVICE} {version}")
    assert seen.message is not None, seen
    pressed = await team.slack.click(by, CHANNEL, seen.message.ts, "deploy.request.confirm")
    assert pressed.is_fine, pressed
    return f"{seen.message.text} {seen.message.blocks}"
