"""A press is believed only where what it names stands, whatever its value says."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.deployment import Phase
from bot.places import Place, is_place_of
from bot.ports import Message, Posted
from tests.builders import ANA, DANA, QUINN, SAM, TEAM, a_deployment
from tests.handlers.office import Office
from tests.handlers.reading import buttons

OTHER_TEAM = "T0OTHER"
ACTIONS = [
    "dep.approve",
    "dep.approve.2",
    "dep.hold",
    "dep.resume",
    "dep.promote",
    "dep.reject",
    "dep.cancel",
    "dep.roll_back",
    "dep.timeline",
    "dep.more/cancel",
    "dep.more/timeline",
]
PRIVATE = [
    "deploy.request.confirm",
    "deploy.request.edit",
    "deploy.request.cancel",
    "deploy.retry",
    "deploy.status",
    "rollback.confirm",
    "rollback.edit",
    "rollback.cancel",
]


async def test_a_value_of_another_deployment_is_refused_on_every_message(office: Office) -> None:
    mine, other, before = await two(office)
    value = await office.value(other)
    places = await office.places(mine)

    for action in ACTIONS:
        act = action.partition("/")[2]
        sent = json.dumps(json.loads(value) | {"a": act}) if act else value
        for where in (places["card"], places["ask"]):
            said = await office.presses(ANA, action, sent, **office.on(where))
            assert "does not belong here" in said, f"{action} on {where}"
            assert f"/deploy status {other}" in said

    assert office.chat.forms == []
    assert await standing(office) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": {"id": "C0GENERAL"}},
        {"container": {"message_ts": "1700000000.000001", "channel_id": "C0DEPLOY"}},
        {"container": {}, "message": None},
        {"container": None, "message": None, "channel": None},
    ],
    ids=["another channel", "another message", "no message", "nothing"],
)
@pytest.mark.parametrize("key", ["", f"{TEAM}/D-11/1", f"{OTHER_TEAM}/D-1/1", "D-1", "//"])
async def test_a_place_that_is_not_its_own_is_refused(
    office: Office, wrong: dict[str, Any], key: str
) -> None:
    id = await office.at_approval()
    before = await standing(office)
    posted = {"ts": "1700000000.000001", "metadata": {"event_payload": {"key": key}}}
    place = office.on(await office.card(id)) | {"message": posted} | wrong
    given = {name: value for name, value in place.items() if value is not None}

    said = [
        await office.presses(ANA, action, await office.value(id), **(_NOWHERE | given))
        for action in ("dep.approve", "dep.reject", "dep.roll_back")
    ]

    assert ["does not belong here" in text for text in said] == [True] * 3
    assert await standing(office) == before


async def test_another_teams_card_of_the_same_number_is_not_mine(office: Office) -> None:
    id = await office.at_approval()
    card = await office.card(id)
    await office.adopt("checkout", OTHER_TEAM)
    theirs = a_deployment(team=OTHER_TEAM, id=id)

    async def add(tx: Any) -> None:
        await tx.deployments.next_number(OTHER_TEAM)
        await tx.deployments.surroundings(theirs.target, None)
        await tx.deployments.add(theirs, None)

    await office.plain_store.run(add)

    said = await office.presses(
        DANA, "dep.hold", json.dumps({"d": id, "o": theirs.offer}), OTHER_TEAM, **office.on(card)
    )

    assert "does not belong here" in said
    assert await office.get(id, OTHER_TEAM) == await _read(office, OTHER_TEAM, id)
    assert (await office.get(id, OTHER_TEAM)).phase is Phase.RUNNING


@pytest.mark.parametrize("action", PRIVATE)
async def test_what_one_person_was_shown_is_not_pressed_where_all_can_see(
    office: Office, action: str
) -> None:
    id = await office.at_approval()
    before = await standing(office)

    said = await office.presses(DANA, action, "/deploy status", **office.on(await office.card(id)))

    assert "does not belong here" in said
    assert await standing(office) == before


# --- where it is rightly pressed ---------------------------------------------------------------


@pytest.mark.parametrize("role", ["card", "ask"])
@pytest.mark.parametrize("is_told", [True, False], ids=["with key", "without key"])
async def test_card_and_asking_are_places_of_it(office: Office, role: str, is_told: bool) -> None:
    id = await office.at_approval()
    place = office.on((await office.places(id))[role])
    if not is_told:
        del place["message"]

    assert "You signed" in await office.presses(ANA, "dep.approve", await office.value(id), **place)


async def test_every_message_in_the_thread_is_a_place_of_it(office: Office) -> None:
    id = await office.at_approval()
    card = await office.card(id)
    reminder = await office.chat.post(card.channel, Message("sign"), "k", card.ts)

    said = await office.presses(ANA, "dep.approve", await office.value(id), **office.on(reminder))

    assert "You signed" in said


async def test_a_card_that_was_posted_again_and_its_old_asking_both_work(office: Office) -> None:
    id = await office.at_approval()
    old = await office.places(id)
    office.chat.delete(old["card"])
    await office.presses(DANA, "dep.hold", await office.value(id), **office.on(old["ask"]))
    await office.beat()
    new = await office.card(id)

    resumed = await office.presses(DANA, "dep.resume", await office.value(id), **office.on(new))
    signed = await office.presses(
        ANA, "dep.approve", await office.value(id), **office.on((await office.places(id))["ask"])
    )

    assert new != old["card"]
    assert "goes on" in resumed
    assert "You signed" in signed


async def test_both_copies_of_a_card_whose_reply_was_lost_work(office: Office) -> None:
    id = await office.at_approval()
    first = await office.card(id)
    shown = office.chat.shown[first]
    copy = await office.chat.post(first.channel, shown.message, shown.key)

    said = [
        await office.presses(who, "dep.approve", await office.value(id), **office.on(where))
        for who, where in ((ANA, copy), (QUINN, first))
    ]

    assert ["You signed" in text for text in said] == [True, True]


async def test_a_card_in_another_channel_works_when_its_own_is_gone(office: Office) -> None:
    office.chat.closed.add("C0DEPLOY")
    id = await office.at_approval()
    card = await office.card(id)

    said = await office.presses(ANA, "dep.approve", await office.value(id), **office.on(card))

    assert card.channel == DANA
    assert "You signed" in said


async def test_a_button_that_only_i_see_works_and_is_judged_as_mine(office: Office) -> None:
    id = await office.at_approval()
    mine = buttons((await office.types(ANA, "/approve")).body)["dep.approve.1"]
    own: dict[str, Any] = {
        "container": {"is_ephemeral": True, "message_ts": "1.1", "channel_id": "C0GENERAL"}
    }

    refused = await office.presses(SAM, "dep.approve.1", mine, **own)
    signed = await office.presses(ANA, "dep.approve.1", mine, **own)

    assert "cannot approve" in refused
    assert "You signed" in signed
    assert [a.by for a in (await office.get(id)).approvals] == [ANA]


async def test_the_way_out_leads_to_the_right_card(office: Office) -> None:
    mine, other, _ = await two(office)
    before = len(office.chat.answers)
    await office.presses(
        ANA, "dep.hold", await office.value(other), **office.on(await office.card(mine))
    )
    offered = buttons(office.chat.answers[before][1])

    told = await office.presses(ANA, "deploy.status", offered["deploy.status"])

    assert other in told
    card = await office.card(other)
    assert f"/{card.channel}/p{card.ts.replace('.', '')}" in told


# --- over all pairs ----------------------------------------------------------------------------

_teams = st.sampled_from([TEAM, OTHER_TEAM])
_channels = st.sampled_from(["C0DEPLOY", "C0GENERAL", "D0DANA"])
_roles = st.lists(st.sampled_from(["card", "ask", "update"]), unique=True)
_things = st.lists(
    st.tuples(_teams, st.integers(1, 40), _channels, _roles),
    min_size=2,
    max_size=6,
    unique_by=lambda thing: thing[:2],
)


@settings(deadline=None)
@given(_things, st.booleans(), st.booleans())
def test_of_all_pairs_only_the_thing_itself_is_believed(
    things: list[tuple[str, int, str, list[str]]], is_keyed: bool, is_reply: bool
) -> None:
    count = 0
    standing: list[tuple[str, str, Mapping[str, Posted]]] = []
    for team, number, channel, roles in things:
        places = {}
        for role in roles:
            count += 1
            places[role] = Posted(channel, f"17.{count:06d}")
        standing.append((team, f"D-{number}", places))

    for team, id, known in standing:
        d = a_deployment(team=team, id=id)
        for their_team, their_id, theirs in standing:
            for posted in theirs.values():
                key = f"{their_team}/{their_id}/9" if is_keyed else ""
                # A reply that nobody remembers, under a message that is remembered.
                ts, thread = ("17.9", posted.ts) if is_reply else (posted.ts, "")
                is_believed = is_place_of(d, Place(posted.channel, ts, thread, key), known)
                assert is_believed == ((team, id) == (their_team, their_id))
                elsewhere = Place("C0ELSEWHERE", ts, thread, key)
                assert not is_place_of(d, elsewhere, known)


# --- the pieces --------------------------------------------------------------------------------

_NOWHERE: dict[str, Any] = {"container": {"is_ephemeral": False}}


async def two(office: Office) -> tuple[str, str, object]:
    """One that waits for signatures, the one before it, which is over, and how all stands."""
    first = await office.at_approval()
    await office.types(DANA, f"/deploy cancel {first} not today")
    await office.beat()
    second = await office.at_approval("v1.8.4")
    return second, first, await standing(office)


async def standing(office: Office) -> object:
    """Every deployment, and the head of each one's journal."""
    every = await office.every()
    heads = [
        await office.plain_store.run(lambda tx, id=d.id: tx.journal.head(TEAM, id))  # type: ignore[misc]
        for d in every
    ]
    return every, heads


async def _read(office: Office, team: str, id: str) -> object:
    return await office.plain_store.run(lambda tx: tx.deployments.get(team, id))
