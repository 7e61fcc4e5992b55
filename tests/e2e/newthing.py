"""A service that nothing serves yet, beside the one that everybody knows."""

from dataclasses import dataclass, field

from aiohttp import web

from tests.builders import DANA
from tests.e2e.harness import CHANNEL, Team
from tests.e2e.policies import write_fast
from tests.e2e.world import RecordingWorld

SERVICE, FIRST, SECOND = "newthing", "v1.0.0", "v1.1.0"


@dataclass
class EmptyWorld(RecordingWorld):
    """A world in which nobody gets any traffic until it is asked for."""

    weights: dict[str, int] = field(default_factory=dict)

    async def _releases(self, _: web.Request) -> web.StreamResponse:
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

    async def _serving(self, request: web.Request) -> web.Response:
        if not self.weights:
            return web.json_response({"error": "nothing here"}, status=503)
        return await super()._serving(request)


def write_newthing(team: Team, world: EmptyWorld, first: str = "allowed", bake: str = "1s") -> None:
    """Its policy, beside the other one; before a bot starts."""
    folder = team.site.directory / "policies"
    write_fast(folder / "aside", world.addresses, bake=bake, watch="4s")
    text = (folder / "aside" / "checkout.yaml").read_text()
    text = text.replace("service: checkout", f"service: {SERVICE}\nfirst_deployment: {first}")
    text = text.replace("owner: on_call}", "needs_serving: true}")
    (folder / f"{SERVICE}.yaml").write_text(text)


async def request(team: Team, version: str, by: str = DANA) -> str:
    """Previewed and confirmed; what the preview said."""
    seen = await team.slack.command(by, "/deploy", f"{SERVICE} {version}")
    assert seen.message is not None, seen
    # Before the press: the bot puts its answer in this message's place.
    preview = f"{seen.message.text} {seen.message.blocks}"
    pressed = await team.slack.click(by, CHANNEL, seen.message.ts, "deploy.request.confirm")
    assert pressed.is_fine, pressed
    return preview
