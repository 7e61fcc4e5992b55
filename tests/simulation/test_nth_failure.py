"""Whichever call fails, for every one of them: a whole life goes on, and nothing happens twice."""

import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from bot.blocks.text import names_of
from bot.blocks.thread import announce
from bot.domain.deployment import Deployment, Phase
from bot.domain.gates import Driver
from bot.domain.release import Target, Weights
from bot.ports import InDoubt, Unavailable
from storage import audit
from tests.builders import ANA, DANA, QUINN, SAM, TEAM
from tests.fakes import FakeRouter, Trouble
from tests.handlers.office import Office
from tests.handlers.reading import buttons
from tests.simulation.fate import Crash, Fate

#: Every so-many-th call fails; 1 for all of them, which takes minutes.
EVERY = int(os.environ.get("PILOTHOUSE_NTH", "40"))
KINDS = (
    "database down",
    "database lost",
    "chat down",
    "chat lost",
    "chat limited",
    "world down",
    "world lost",
)
TROUBLES = {"down": Trouble.DOWN, "lost": Trouble.LOST, "limited": Trouble.LIMITED}


@dataclass
class Nth(Fate):
    """The n-th call to `kind`, and no other, comes to nothing, or is done and its answer lost."""

    kind: str = ""
    n: int = 0
    calls: int = 0

    async def __call__(self, call: str) -> Trouble:
        system, _, how = self.kind.partition(" ")
        is_chat = call.startswith("chat.")
        if (system == "chat") is not is_chat or system == "database":
            return Trouble.NONE
        return TROUBLES[how] if self._is_it() else Trouble.NONE

    async def before_transaction(self) -> None:
        if self.kind == "database down" and self._is_it():
            raise Unavailable("the database is away")

    async def after_commit(self) -> None:
        if self.kind == "database lost" and self._is_it():
            raise InDoubt("the connection broke before the answer came")

    def _is_it(self) -> bool:
        self.calls += 1
        return self.calls == self.n


@dataclass
class RecordingRouter(FakeRouter):
    """Remembers each split it was brought to."""

    splits_taken: list[Weights] = field(default_factory=list)

    async def set_weights(
        self, driver: Driver, target: Target, weights: Weights, fence: int
    ) -> None:
        before = self.split(target).wanted
        try:
            await super().set_weights(driver, target, weights, fence)
        finally:
            if self.split(target).wanted != before:
                self.splits_taken.append(self.split(target).wanted)


@pytest.mark.parametrize("kind", KINDS)
async def test_one_failure_anywhere_delays_a_life_and_changes_nothing_else(
    kind: str, database: Path
) -> None:
    n = 1 + Random(kind).randrange(EVERY)
    is_over = False
    while not is_over:
        fate = Nth(Random(1), kind=kind, n=n)
        copied = shutil.copy(database, database.with_name(f"{n}.db"))
        try:
            office = Office(Path(copied), fate=fate)
            router = RecordingRouter(office.clock, fate)
            office.world.router = router
            async with office:
                await live(office)
                await check(office, router)
        except BaseException as error:
            error.add_note(f"it was call {n} of {kind!r} that failed")
            raise
        is_over = fate.calls < n
        n += EVERY


async def test_who_dies_before_the_commit_has_acknowledged_nothing(database: Path) -> None:
    fate = Fate(Random(1))
    async with Office(database, fate=fate) as office:
        await office.at_approval()
        value = await office.value("D-1")
        pressed = {"type": "button", "action_id": "dep.approve", "block_id": "b", "value": value}
        fate.crash_in = 1

        with pytest.raises(Crash):
            await office.sends(
                {
                    "type": "block_actions",
                    "team": {"id": TEAM},
                    "user": {"id": ANA},
                    "trigger_id": "t1",
                    "response_url": "https://hooks.slack.com/actions/1",
                    "container": {"is_ephemeral": False},
                    "actions": [pressed],
                }
            )

        assert not (await office.get("D-1")).approvals


async def live(office: Office) -> None:
    """Asked for, signed, rolled out, watched to the end, and taken back afterwards."""
    await until_there(office, "D-1", lambda: ask(office, DANA, "/deploy checkout v1.8.3"))
    for _ in range(30):
        if (await office.get("D-1")).ask_round:
            break
        await office.beat()
    for user in (ANA, QUINN):
        await until_signed(office, user)
    assert (await office.over("D-1")).phase is Phase.SUCCEEDED
    rollback = "/rollback checkout 500s on /pay"
    await until_there(office, "D-2", lambda: ask(office, SAM, rollback))
    assert (await office.over("D-2")).phase is Phase.ROLLED_BACK
    for _ in range(8):
        await office.beat()


async def ask(office: Office, user: str, line: str) -> None:
    """Typed, and tapped if there is something to tap."""
    preview = await office.types(user, line)
    for action, value in buttons(preview.body).items():
        if action in ("deploy.request.confirm", "rollback.confirm"):
            await office.presses(user, action, value)


async def until_there(office: Office, id: str, act: Callable[[], Awaitable[None]]) -> None:
    for _ in range(4):
        await act()
        if any(d.id == id for d in await office.every()):
            return
    raise AssertionError(f"{id} cannot be asked for")


async def until_signed(office: Office, user: str) -> None:
    for _ in range(4):
        d = await office.get("D-1")
        if user in {approval.by for approval in d.approvals}:
            return
        await office.presses(user, "dep.approve", await office.value("D-1"))
    raise AssertionError(f"{user} cannot sign")


async def check(office: Office, router: RecordingRouter) -> None:
    assert not office.faults
    first, second = sorted(await office.every(), key=lambda d: d.id)
    assert [a.by for a in first.approvals] == [ANA, QUINN]
    assert second.kind == "rollback"
    assert len(office.world.runner.started) == 1, "the job ran once"
    shares = [dict(split).get("v1.8.3", 0) for split in router.splits_taken]
    assert shares == [10, 50, 100, 0]
    assert set(office.chat.posts.values()) == {1}, "each message is there once"
    assert not office.replica.dead
    for d in (first, second):
        await check_told(office, d)
    around = await office.plain_store.run(
        lambda tx: tx.deployments.surroundings(first.target, None)
    )
    assert around.slot.holder is None
    assert await office.plain_store.run(lambda tx: tx.outbox.next_at()) is None
    assert await audit.verify(office.plain_store) == []


async def check_told(office: Office, d: Deployment) -> None:
    """The card is there, and under it the whole story, once and in order."""
    where = await office.card(d.id)
    story = await office.plain_store.run(lambda tx: tx.journal.story(d.team, d.id))
    names = names_of(office.policies.people)
    lines = [announce(entry.line, at, names).text for at, entry in story]
    told = [shown.message.text for shown in office.chat.thread(where)]
    assert [text for text in told if text in lines] == lines
