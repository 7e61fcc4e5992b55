"""What is in doubt: traffic is fenced, so a newer wish replaces it; what Slack saw stays."""

from datetime import timedelta

from storage.store import OpenStore
from tests.storage.parcels import again, card, claim, put, traffic


async def test_traffic_in_doubt_gives_way_to_a_newer_wish(store: OpenStore) -> None:
    await put(store, traffic(10))
    await claim(store, lease=timedelta(seconds=-1))
    (lost,) = await claim(store)
    assert lost.is_in_doubt
    await again(store, lost, timedelta(minutes=5))

    await put(store, traffic(0))

    (newer,) = await claim(store)
    assert (newer.effect, newer.is_in_doubt) == (traffic(0).effect, False)


async def test_traffic_that_fails_in_doubt_is_dropped_for_a_newer_wish(store: OpenStore) -> None:
    await put(store, traffic(10))
    await claim(store, lease=timedelta(seconds=-1))
    (lost,) = await claim(store)
    await put(store, traffic(0))

    await again(store, lost, timedelta(minutes=5))

    assert [r.effect for r in await claim(store)] == [traffic(0).effect]


async def test_what_slack_may_have_seen_gives_way_to_nothing(store: OpenStore) -> None:
    await put(store, card())
    await claim(store, lease=timedelta(seconds=-1))
    (lost,) = await claim(store)
    await again(store, lost, timedelta())

    await put(store, card())

    assert [row.key for row in await claim(store)] == [lost.key]
