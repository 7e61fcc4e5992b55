"""People who do what is due, as often as it takes: a bot that dies answers nobody."""

import asyncio
from collections.abc import Callable
from time import monotonic

from bot.demo.slack.seen import NotOnScreen, Seen
from bot.domain.deployment import OVER, Deployment, Phase
from bot.domain.jobs import JobState
from bot.domain.plan import ApprovalStage
from tests.builders import ANA, DANA, QUINN, SAM
from tests.e2e.harness import CHANNEL, Team
from tests.e2e.waiting import LONG, actions_of, eventually


class Crew:
    """Looks at the newest deployment and does the one next thing.

    `accepted` is what the bot acknowledged, by person, action and deployment.
    """

    def __init__(self, team: Team) -> None:
        self._team = team
        self.accepted: set[tuple[str, str, str]] = set()
        self.newest = "D-1"
        self._cards: dict[str, str] = {}

    async def work(self, *, fidgets: bool = False) -> None:
        """*fidgets*: hold and resume instead of going on. What is live is rolled back."""
        d = await self.look()
        await self._watch_card()
        if d is None or d.phase in OVER:
            await self._begin(d)
        elif d.phase is Phase.HELD and is_lost(d):
            await self._team.slack.command(DANA, "/deploy", f"cancel {d.id} who knows how it ended")
        elif d.phase is Phase.HELD:
            await self._press(DANA, "dep.resume", d)
        elif fidgets and d.phase is Phase.RUNNING and await self._is_read():
            await self._press(DANA, "dep.hold", d)
        elif d.phase is Phase.RUNNING and isinstance(d.stage, ApprovalStage):
            signed = {approval.by for approval in d.approvals}
            for user in {ANA, QUINN} - signed:
                await self._press(user, "dep.approve", d, "ask")
        elif d.phase is Phase.WATCHING:
            await self._go_back(d)

    async def finish(self) -> None:
        """Work until the newest deployment is over. Raises `TimeoutError`."""
        deadline = monotonic() + 2 * LONG
        while True:
            d = await self.look()
            if d is not None and d.is_over:
                return
            if monotonic() > deadline:
                raise TimeoutError(f"it does not end\n{await self._team.standing()}")
            await self.work()
            await asyncio.sleep(0.1)

    async def _is_read(self) -> bool:
        """Whether everything that was to be told was told: people wait for that."""
        return len(await self._team.unsent()) < 4

    async def look(self) -> Deployment | None:
        """The newest one there is."""
        found = await self._team.deployment(self.newest)
        following = f"D-{int(self.newest[2:]) + 1}"
        later = await self._team.deployment(following)
        if later is None:
            return found
        self.newest = following
        return later

    async def _watch_card(self) -> None:
        """The card that people saw first is the one that goes on."""
        where = await self._team.where("card", self.newest)
        if where is not None:
            first = self._cards.setdefault(self.newest, where.ts)
            assert first == where.ts, f"{self.newest} has another card"

    async def _begin(self, before: Deployment | None) -> None:
        if before is not None and before.phase is Phase.SUCCEEDED:
            await self._go_back(before)
            return
        seen = await self._team.slack.command(DANA, "/deploy", "checkout v1.8.3")
        if seen.message is not None and "deploy.request.confirm" in actions_of(seen.message):
            await self._click(DANA, seen.message.ts, "deploy.request.confirm")

    async def _go_back(self, d: Deployment) -> None:
        seen = await self._press(SAM, "dep.roll_back", d)
        stack = self._team.slack.views.stack(SAM)
        if seen is not None and seen.is_fine and stack:
            await self._team.submit(SAM, reason="as it was before")
        self._team.slack.views.clear(SAM)

    async def _press(
        self, user: str, action: str, d: Deployment, role: str = "card"
    ) -> Seen | None:
        where = await self._team.where(role, d.id)
        if where is None:
            return None
        seen = await self._click(user, where.ts, action)
        if seen is not None and seen.is_fine:
            self.accepted.add((user, action, d.id))
        return seen

    async def _click(self, user: str, ts: str, action: str) -> Seen | None:
        try:
            return await self._team.slack.click(user, CHANNEL, ts, action)
        except NotOnScreen:
            return None  # not drawn yet, or not any more


def is_lost(d: Deployment) -> bool:
    """The bot died while it started the job; what became of it a person must find out."""
    return d.job is not None and d.job.state is JobState.LOST


async def canary(team: Team) -> None:
    """A deployment whose first step is live and healthy."""
    await team.request()
    await team.approve(ANA, QUINN)
    await team.until_so(lambda d: d.passing_since is not None, "is healthy at its first step")


async def promoted(team: Team, *weights: int) -> None:
    """From a healthy step to each of the next ones as soon as the one before is healthy, so that
    it stands still between two of them however busy the machine is."""

    async def pressed(weight: int) -> bool:
        d = await team.deployment()
        assert d is not None
        if d.weight != weight and d.passing_since is not None:
            # The card may be older than what stands, and its button out of date: press again.
            await team.press(ANA, "dep.promote")
        return healthy_at(weight)(d)

    for weight in weights:
        await eventually(lambda w=weight: pressed(w), f"is healthy at {weight} %", LONG)  # type: ignore[misc]


def healthy_at(weight: int) -> Callable[[Deployment], bool]:
    return lambda d: d.weight == weight and d.passing_since is not None
