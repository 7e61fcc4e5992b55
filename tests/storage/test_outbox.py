"""The outbox: in order per lane, urgent first, wishes give way, doubts are kept."""

import asyncio
from datetime import timedelta
from functools import partial

from bot.domain.effects import Announce, Page, PostUpdate, RefreshCard
from bot.memory import Parcel, Sending, Transaction
from bot.ports import Unreadable
from storage.prune import prune
from storage.store import OpenStore
from storage.transaction import connection_of
from tests.builders import NOW, TEAM
from tests.storage.parcels import CARD, LEASE, again, claim, done, put, said, texts, traffic


async def test_a_claimed_parcel_is_what_was_put(store: OpenStore) -> None:
    await put(store, said("hello"))

    (row,) = await claim(store)

    assert row.effect == Announce(("hello",), NOW)
    assert (row.team, row.thing, row.lane) == (TEAM, "D-1", "D-1/thread")
    assert (row.attempts, row.is_in_doubt, row.owner) == (1, False, "one")
    assert row.key == f"{TEAM}/D-1/{row.id}"


async def test_a_lane_goes_on_only_after_its_first_is_done(store: OpenStore) -> None:
    await put(store, said("one"), said("two"))
    (first,) = await claim(store)
    assert await claim(store) == ()

    await done(store, first)

    assert texts(await claim(store)) == ["two"]


async def test_lanes_do_not_wait_for_each_other_and_the_urgent_leaves_first(
    store: OpenStore,
) -> None:
    await put(store, said("slow", "D-1/a", 4), said("page", "D-1/b", 0), said("state", "D-1/c", 2))

    assert texts(await claim(store, limit=2)) == ["page", "state"]
    assert texts(await claim(store)) == ["slow"]


async def test_one_that_must_wait_holds_its_own_lane_only(store: OpenStore) -> None:
    await put(store, said("one"), said("two"), said("other", "D-2/thread"))
    rows = await claim(store)
    await again(store, rows[0], timedelta(minutes=5))
    await done(store, rows[1])

    assert await claim(store) == ()


async def test_trying_again_counts_the_tries_and_stays_first(store: OpenStore) -> None:
    await put(store, said("one"), said("two"))
    (row,) = await claim(store)
    await again(store, row, timedelta())

    (retried,) = await claim(store)

    assert (texts((retried,)), retried.attempts, retried.is_in_doubt) == (["one"], 2, False)


async def test_a_buried_one_lets_its_lane_go_on(store: OpenStore) -> None:
    await put(store, said("one"), said("two"))
    (row,) = await claim(store)

    await store.run(lambda tx: tx.outbox.bury(row, "the channel is archived"))

    assert texts(await claim(store)) == ["two"]


async def test_an_unsent_wish_gives_way_to_a_newer_one(store: OpenStore) -> None:
    await put(store, traffic(10))
    await put(store, traffic(25), traffic(0))

    (row,) = await claim(store)
    await done(store, row)

    assert row.effect == traffic(0).effect
    assert await claim(store) == ()


async def test_a_wish_of_another_lane_or_team_does_not_give_way(store: OpenStore) -> None:
    await put(store, traffic(10))
    await store.run(lambda tx: tx.outbox.put("T0OTHER", "D-1", [traffic(25)]))

    assert len(await claim(store)) == 2


async def test_a_wish_that_is_being_sent_is_not_taken_away(store: OpenStore) -> None:
    await put(store, traffic(10))
    (row,) = await claim(store)
    await put(store, traffic(0))
    assert await claim(store) == ()

    await done(store, row)

    assert [r.effect for r in await claim(store)] == [traffic(0).effect]


async def test_a_failed_wish_that_was_replaced_meanwhile_is_dropped(store: OpenStore) -> None:
    await put(store, traffic(10))
    (row,) = await claim(store)
    await put(store, traffic(0))

    await again(store, row, timedelta())

    assert [r.effect for r in await claim(store)] == [traffic(0).effect]


async def test_facts_never_give_way(store: OpenStore) -> None:
    page = Parcel("D-1/page", 0, Page(("look",), "key", NOW))
    await put(store, page)
    await put(store, page)
    (row,) = await claim(store)
    await done(store, row)

    assert len(await claim(store)) == 1


async def test_one_whose_sender_is_gone_comes_back_in_doubt_and_stays_so(
    store: OpenStore,
) -> None:
    await put(store, said("one"))
    (lost,) = await claim(store, "one", timedelta(seconds=-1))

    (taken,) = await claim(store, "two")
    await again(store, taken, timedelta())
    (later,) = await claim(store, "two")

    assert (lost.is_in_doubt, taken.is_in_doubt, later.is_in_doubt) == (False, True, True)
    assert taken.epoch > lost.epoch
    assert taken.key == lost.key


async def test_a_sender_that_lost_its_lease_cannot_end_what_another_sends(
    store: OpenStore,
) -> None:
    await put(store, said("one"))
    (lost,) = await claim(store, "one", timedelta(seconds=-1))
    (taken,) = await claim(store, "two")

    await done(store, lost)
    await again(store, lost, timedelta())
    await store.run(lambda tx: tx.outbox.bury(lost, "gone"))

    await again(store, taken, timedelta())
    assert texts(await claim(store)) == ["one"]


async def test_a_sender_that_started_again_under_its_name_is_another(store: OpenStore) -> None:
    await put(store, said("one"))
    (lost,) = await claim(store, "one", timedelta(seconds=-1))
    (taken,) = await claim(store, "one")

    await done(store, lost)

    await again(store, taken, timedelta())
    assert texts(await claim(store)) == ["one"]


async def test_the_next_time_is_of_the_first_that_may_leave(store: OpenStore) -> None:
    async def next_in() -> timedelta | None:
        async def unit(tx: Transaction) -> timedelta | None:
            at = await tx.outbox.next_at()
            return None if at is None else at - tx.now

        return await store.run(unit)

    assert await next_in() is None
    await put(store, said("card needed", "D-2/x", needs_card=True), thing="D-2")
    assert await next_in() is None
    await put(store, said("one"), said("two"))
    now = await next_in()
    (row,) = await claim(store)
    sending = await next_in()
    await again(store, row, timedelta(minutes=5))
    later = await next_in()

    assert now is not None
    assert now <= timedelta()
    assert sending is not None
    assert timedelta(seconds=5) < sending <= LEASE
    assert later is not None
    assert timedelta(minutes=4) < later <= timedelta(minutes=5)


async def test_two_claimers_never_get_the_same_parcel(store: OpenStore) -> None:
    await put(store, *(said(str(i), f"lane {i}") for i in range(200)))
    got: list[str] = []

    async def sender(name: str) -> None:
        while rows := await claim(store, name, limit=3):
            got.extend(texts(rows))
            for row in rows:
                await done(store, row)

    await asyncio.gather(*(sender(f"sender {i}") for i in range(4)))

    assert sorted(got, key=int) == [str(i) for i in range(200)]


async def test_the_order_of_a_lane_survives_several_senders(store: OpenStore) -> None:
    await put(store, *(said(f"{i}", f"lane {i % 3}") for i in range(60)))
    got: list[str] = []

    async def sender(name: str) -> None:
        while len(got) < 60:
            for row in await claim(store, name, limit=1):
                got.extend(texts((row,)))
                await done(store, row)

    async with asyncio.timeout(60):
        await asyncio.gather(*(sender(f"sender {i}") for i in range(4)))

    for lane in range(3):
        mine = [int(text) for text in got if int(text) % 3 == lane]
        assert mine == sorted(mine)


async def test_only_what_was_delivered_long_ago_is_forgotten(store: OpenStore) -> None:
    await put(store, said("done", "a"), said("dead", "b"), said("waiting", "c"))
    rows = {texts((row,))[0]: row for row in await claim(store)}
    await done(store, rows["done"])
    await store.run(lambda tx: tx.outbox.bury(rows["dead"], "no"))

    recent = await prune(store, timedelta(hours=1))
    old = await prune(store, timedelta(seconds=-1), limit=1)

    left = await store.run(lambda tx: connection_of(tx).rows("SELECT lane FROM outbox ORDER BY id"))
    assert (recent, old) == (0, 1)
    assert [row[0] for row in left] == ["b", "c"]


async def test_a_status_nobody_saw_gives_way_to_the_next(store: OpenStore) -> None:
    beats = [
        Parcel("D-1/update", 4, PostUpdate(NOW, beat), wish="update", needs_card=True)
        for beat in (1, 2)
    ]
    for beat in beats:
        await put(store, beat)
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-1", "card", CARD))

    assert [row.effect for row in await claim(store)] == [PostUpdate(NOW, 2)]


async def test_a_wish_is_as_urgent_as_the_unsent_one_it_replaces(store: OpenStore) -> None:
    async def unit(tx: Transaction) -> tuple[Sending, ...]:
        await tx.outbox.put(TEAM, "D-1", [Parcel("D-1/card", 2, RefreshCard(), wish="card")])
        late = Parcel("D-1/card", 4, RefreshCard(is_urgent=False), wish="card")
        await tx.outbox.put(TEAM, "D-1", [late])
        return await tx.outbox.claim("me", timedelta(seconds=20), 10)

    assert [row.priority for row in await store.run(unit)] == [2]


async def test_one_that_cannot_be_read_holds_back_no_other(store: OpenStore) -> None:
    await put(store, said("hello"), said("later", "D-1/page"))
    await put(store, said("other", "D-2/thread"), thing="D-2")
    for lane, text in (("D-1/thread", '{"_":"Hologram"}'), ("D-1/page", "no JSON")):
        broken = f"UPDATE outbox SET effect = '{text}' WHERE lane = '{lane}'"  # noqa: S608
        await store.run(partial(_changed, sql=broken))

    rows = await claim(store)

    assert [type(row.effect) for row in rows] == [Unreadable, Unreadable, Announce]


async def _changed(tx: Transaction, sql: str) -> int:
    return await connection_of(tx).change(sql)
