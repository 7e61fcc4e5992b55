"""What is read of the past: the newest that went well, of one kind and one place."""

from datetime import timedelta
from typing import Any

from bot.domain.deployment import Deployment, Phase
from bot.domain.past import Past
from bot.memory import Transaction
from storage.store import OpenStore
from tests.builders import NOW, a_deployment, a_plan, a_target, a_version

MINUTE = timedelta(minutes=1)


def took(number: int, minutes: int, phase: Phase = Phase.SUCCEEDED, **changes: Any) -> Deployment:
    """Number *number* of a series, finished one after the other."""
    start = NOW + number * timedelta(hours=1)
    done = {
        "requested_at": start,
        "live_at": start + minutes * MINUTE,
        "finished_at": start + timedelta(minutes=59),
    }
    return a_deployment(phase, id=f"D-{number}", **(done | changes))


async def past(store: OpenStore, *before: Deployment, kind: str = "normal") -> Past:
    async def unit(tx: Transaction) -> Past:
        for d in before:
            await tx.deployments.add(d, None)
        return await tx.deployments.past(a_target(), kind)

    return await store.run(unit)


async def test_the_newest_five_count_newest_first(store: OpenStore) -> None:
    found = await past(store, *(took(number, number) for number in range(10, 17)))

    assert [each / MINUTE for each in found.took] == [16, 15, 14, 13, 12]


async def test_what_was_overtaken_in_its_watch_went_live_all_the_same(store: OpenStore) -> None:
    found = await past(store, took(1, 7), took(2, 9, Phase.SUPERSEDED))

    assert [each / MINUTE for each in found.took] == [9, 7]


async def test_only_what_went_well_here_and_in_this_way_counts(store: OpenStore) -> None:
    others = (
        took(1, 5, Phase.ROLLED_BACK),
        took(2, 5, Phase.FAILED, live_at=None),
        took(3, 5, plan=a_plan(service="search")),
        took(4, 5, plan=a_plan(environment="staging")),
        took(5, 5, team="T0OTHER"),
        took(6, 5, Phase.WATCHING, finished_at=None),
    )

    assert (await past(store, *others)).took == ()
    assert (await past(store, kind="rollback")).took == ()


async def test_since_when_a_version_serves_is_known_where_one_does(store: OpenStore) -> None:
    before = await past(store)
    await store.run(lambda tx: tx.environments.serves(a_target(), a_version("v1.8.2"), NOW))
    locked = a_target(environment="staging")
    await store.run(lambda tx: tx.environments.lock(locked, "audit", None, NOW))

    assert before.serving_since is None
    assert (await past(store)).serving_since == NOW
    assert (await store.run(lambda tx: tx.deployments.past(locked, "normal"))).serving_since is None
