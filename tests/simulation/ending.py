"""What must be true when everything has come to rest: Slack shows what the database knows."""

import json
from datetime import timedelta

from bot.blocks.card import card
from bot.blocks.text import names_of
from bot.blocks.thread import announce
from bot.domain.deployment import Deployment, Phase
from bot.domain.release import Target
from bot.memory import Transaction
from bot.ports import Posted
from storage.transaction import connection_of
from tests.simulation import oracle
from tests.simulation.play import Play

_BEATS = "SELECT team, thing, effect FROM outbox WHERE lane LIKE '%/update' AND state = 'done'"


async def check_ending(play: Play) -> None:
    # A minute after the last fault all is told, or later by what the clock was put back.
    for _ in range(6 if play.oracle.jumped_at is None else 60):
        play.clock.pass_(timedelta(seconds=11))
        for replica in play.replicas:
            await replica.drain()
    assert not play.dead, play.dead
    assert await play.plain_store.run(lambda tx: tx.outbox.next_at()) is None, "all is sent (I21)"
    for d in play.seen.deployments.values():
        await _card(play, d)
        if d.phase is Phase.ROLLBACK_FAILED:
            told = [s.message.text for s in play.chat.shown.values() if d.id in s.message.text]
            assert any("rollback failed" in text for text in told), "somebody is called (I12)"
    for target in oracle.TARGETS:
        _traffic(play, target)
    beats = await play.plain_store.run(lambda tx: connection_of(tx).rows(_BEATS))
    found = [(*beat[:2], json.loads(str(beat[2])).get("beat")) for beat in beats]
    numbered = [beat for beat in found if beat[2] is not None]
    assert len(numbered) == len(set(numbered)), "a beat is told once (I23)"
    if play.chat.is_readable:
        assert set(play.chat.posts.values()) <= {1}, "nothing is said twice (F21)"


def _traffic(play: Play, target: Target) -> None:
    """Where nobody is at work, all traffic is where the ledger says it is."""
    around = play.seen.around[target]
    is_by_hand = any(d.phase is Phase.ROLLBACK_FAILED for d in play.seen.of(target))
    if around.slot.holder is None and not is_by_hand:
        live = play.road.split(target).live
        serving = around.ledger.serving
        if serving is None:
            # One that could not be taken back is left to people, and locked.
            left = [d for d in play.seen.of(target) if d.is_over and d.is_touched]
            by_hand = [((d.version.name, 100),) for d in left if not d.taken_back]
            assert live == () or (live in by_hand and around.lock is not None), live
            return
        wanted = ((serving.name, 100),)
        assert live == wanted, f"{live} serve, {wanted} should (F63)"


async def _card(play: Play, d: Deployment) -> None:
    async def unit(tx: Transaction) -> tuple[Posted | None, list[str]]:
        where = await tx.threads.find(d.team, d.id, "card")
        story = await tx.journal.story(d.team, d.id)
        names = names_of(play.policies.people)
        return where, [announce(entry.line, at, names).text for at, entry in story]

    where, told = await play.plain_store.run(unit)
    assert where is not None, f"{d.id} has a card"
    shown = play.chat.shown[where].message
    # A card is drawn when something changes; only then may a number become too old to believe.
    drawn_at = {play.clock.now, d.health.at if d.health else play.clock.now}
    rosters = [play.policies.people, *play.mishaps.rosters]
    true = [card(d, people, moment) for moment in drawn_at for people in rosters]
    assert shown in true, f"the card of {d.id} is true (G9)"
    said = [each.message.text for each in play.chat.thread(where)]
    in_thread = [text for text in said if text in set(told)]
    if not play.chat.is_readable:
        # Where Slack may not be searched, a lost answer means saying it again, in its place.
        in_thread, told = list(dict.fromkeys(in_thread)), list(dict.fromkeys(told))
    assert in_thread == told, f"the thread of {d.id} tells it once and in order (I22)"
