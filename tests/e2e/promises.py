"""What must be true after any number of crashes, read from the database, Slack and the world."""

import json
from collections import Counter
from datetime import timedelta

from bot.auditor import Limits
from bot.demo.world.catalogue import FIRST
from bot.domain.deployment import OVER, Deployment
from bot.memory import Transaction
from bot.violation import Violation
from storage import audit
from storage.connection import Row
from storage.invariants import Invariants
from storage.transaction import connection_of
from tests.builders import PATIENCE, TEAM, a_target
from tests.e2e.harness import CHANNEL, Team
from tests.e2e.policies import STEPS
from tests.e2e.waiting import LONG, eventually
from tests.e2e.world import Order

_WAITING = "SELECT lane, state, attempts, why FROM outbox WHERE done_at IS NULL"
_DEAD = "SELECT lane, why FROM outbox WHERE state = 'dead'"
_BEATS = "SELECT thing, id, effect FROM outbox WHERE lane LIKE '%/update' AND state = 'done'"
_ALL = "SELECT id FROM deployments"


async def kept(team: Team, spare_duplicates: int = 0, within: float = 2 * LONG) -> list[Deployment]:
    """Every promise holds; the deployments there were. At most *spare_duplicates* posts may be
    in Slack twice: those that were on their way in a crash, where history may not be read."""
    await eventually(lambda: _is_quiet(team), "everything is sent", within, team.last_words)
    everything = await _deployments(team)
    assert await _rows(team, _DEAD) == []
    for d in everything:
        assert d.phase in OVER, f"{d.id} is still {d.phase}"
        signers = [approval.by for approval in d.approvals]
        assert len(signers) == len(set(signers)), f"{d.id} was signed twice: {signers}"
    signed = [d for d in everything if d.approvals]
    asked = [d for d in everything if d.kind != "rollback"]
    assert len(signed) <= len(team.recorded.stagings) <= len(asked), "a job ran twice, or never"
    traffic_climbed_only_step_by_step(team.recorded.orders)
    around = await team.store.run(
        lambda tx: tx.deployments.surroundings(a_target("checkout"), None)
    )
    assert around.slot.holder is None, "a slot was leaked"
    assert await audit.verify(team.store) == []
    assert await team.store.run(_broken) == ()
    keys = posted_keys(team)
    twice = [key for key, count in keys.items() if count > 1]
    assert len(twice) <= spare_duplicates, f"posted twice: {twice}"
    await threads_are_in_order(team, list(keys))
    await beats_came_once(team, keys, spare_duplicates)
    await _cards_show_the_end(team, everything)
    return everything


def traffic_climbed_only_step_by_step(orders: list[Order]) -> None:
    """Along the plan's shares, back to none from anywhere, and under fences that never fall."""
    share, fence = 0, 0
    for order in orders:
        if not order.is_taken:
            continue
        new = 100 - order.weights.get(FIRST, 0)
        following = next((step for step in STEPS if step > share), None)
        assert new in (share, 0, following), f"from {share} % to {new} %"
        assert order.fence >= fence, "a fence fell"
        share, fence = new, order.fence


def posted_keys(team: Team) -> Counter[str]:
    """How often each post is in Slack, by the key it was sent under."""
    return Counter(
        str(message.metadata["event_payload"]["key"])
        for message in team.slack.workspace.messages(CHANNEL)
        if message.metadata
    )


async def beats_came_once(team: Team, keys: Counter[str], spare: int = 0) -> None:
    """Every beat is one row, and one message or, where it was in doubt, none."""
    rows = await _rows(team, _BEATS)
    effects = [(thing, json.loads(effect)) for thing, _, effect in rows]
    numbered = [(thing, told["beat"]) for thing, told in effects if told.get("beat") is not None]
    assert len(numbered) == len(set(numbered)), "a beat was told twice"
    told = [keys[f"{TEAM}/{thing}/{id}"] for thing, id, _ in rows]
    assert sum(count - 1 for count in told if count > 1) <= spare


async def threads_are_in_order(team: Team, keys: list[str]) -> None:
    """What happened first stands first, whatever was tried again in between."""
    for d in await _deployments(team):
        numbers = sorted(int(key.rsplit("/", 1)[1]) for key in await team.keys_of("thread", d.id))
        expected = [f"{TEAM}/{d.id}/{number}" for number in numbers]
        told = [key for key in keys if key in expected]
        assert told == [key for key in expected if key in told], f"the thread of {d.id}"


async def _cards_show_the_end(team: Team, everything: list[Deployment]) -> None:
    for d in everything:
        where = await team.where("card", d.id)
        assert where is not None, f"{d.id} has no card"
        card = team.slack.workspace.find(where.channel, where.ts)
        assert card is not None, f"the card of {d.id} is gone"
        assert d.phase.value.replace("_", " ") in card.text.lower() or "live" in card.text, (
            card.text
        )


async def _broken(tx: Transaction) -> tuple[Violation, ...]:
    return await Invariants().violations(tx, Limits.of(PATIENCE, timedelta(seconds=1)), ())


async def _is_quiet(team: Team) -> bool:
    return await _rows(team, _WAITING) == []


async def _deployments(team: Team) -> list[Deployment]:
    found = [await team.deployment(row[0]) for row in await _rows(team, _ALL)]
    return [d for d in found if d is not None]


async def _rows(team: Team, sql: str) -> list[Row]:
    async def unit(tx: Transaction) -> list[Row]:
        return list(await connection_of(tx).rows(sql))

    return await team.store.run(unit)
