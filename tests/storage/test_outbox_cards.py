"""What is said in a thread waits for the card, and hurries it."""

from bot.domain.effects import RefreshCard
from storage.store import OpenStore
from tests.builders import TEAM
from tests.storage.parcels import CARD, card, claim, done, put, said, texts


async def test_what_needs_a_card_waits_for_it_and_holds_nobody_up(store: OpenStore) -> None:
    await put(store, said("thread", needs_card=True), said("plain"))
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-1", "ask", CARD))

    (plain,) = await claim(store)
    await done(store, plain)

    assert texts((plain,)) == ["plain"]
    assert await claim(store) == ()


async def test_what_needed_a_card_leaves_in_order_once_it_is_there(store: OpenStore) -> None:
    await put(store, said("one", needs_card=True), said("two", needs_card=True))
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-1", "card", CARD))

    (first,) = await claim(store)
    await done(store, first)

    assert texts((first, *await claim(store))) == ["one", "two"]


async def test_what_waits_lends_its_priority_to_the_card(store: OpenStore) -> None:
    await put(store, card(priority=4))
    await put(store, said("ask", "D-1/ask", 1, needs_card=True))
    await put(store, said("other", "D-2/x", 2), thing="D-2")

    (first,) = await claim(store, limit=1)

    assert isinstance(first.effect, RefreshCard)


async def test_a_card_that_replaces_another_is_lent_the_priority_too(store: OpenStore) -> None:
    await put(store, card(priority=4), said("ask", "D-1/ask", 1, needs_card=True))
    await put(store, card(priority=4))
    await put(store, said("other", "D-2/x", 2), thing="D-2")

    (first,) = await claim(store, limit=1)

    assert isinstance(first.effect, RefreshCard)


async def test_a_card_that_is_posted_is_lent_nothing(store: OpenStore) -> None:
    await store.run(lambda tx: tx.threads.remember(TEAM, "D-1", "card", CARD))
    await put(store, card(priority=4), said("ask", "D-1/ask", 3, needs_card=True))

    assert isinstance((await claim(store))[-1].effect, RefreshCard)
