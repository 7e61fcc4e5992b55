"""`@pilot …` in threads: understood, carried out, and answered to the one who wrote."""

import pytest

from bot.domain.deployment import Phase
from tests.builders import ANA, DANA, DEVO, QUINN, SAM
from tests.handlers.office import Office
from tests.handlers.reading import buttons


async def test_a_mention_with_the_version_signs(office: Office) -> None:
    id = await office.at_approval()

    said = await office.mentions(ANA, f"approve {id} v1.8.3")

    assert "You signed" in said
    assert [a.by for a in (await office.get(id)).approvals] == [ANA]


async def test_another_version_than_the_one_asked_for_is_not_signed(office: Office) -> None:
    id = await office.at_approval()

    said = await office.mentions(ANA, f"approve {id} v1.8.4")

    assert "v1.8.3" in said
    assert (await office.get(id)).approvals == ()


async def test_a_bare_approve_takes_a_second_tap(office: Office) -> None:
    id = await office.at_approval()

    said = await office.mentions(QUINN, "approve", await office.card(id))
    value = buttons(office.chat.answers[-1][1])["dep.approve"]
    unsigned = (await office.get(id)).approvals
    signed = await office.presses(QUINN, "dep.approve", value)

    assert "Sign checkout v1.8.3" in said
    assert unsigned == ()
    assert "You signed" in signed


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("reject the migration is missing", Phase.REJECTED),
        ("hold lunch", Phase.HELD),
        ("cancel not today", Phase.CANCELLED),
    ],
)
async def test_a_word_in_the_thread_is_about_that_deployment(
    office: Office, text: str, phase: Phase
) -> None:
    id = await office.at_approval()

    said = await office.mentions(
        ANA if phase is Phase.REJECTED else DANA, text, await office.card(id)
    )

    assert id in said
    assert (await office.get(id)).phase is phase


async def test_resume_and_status_in_the_thread(office: Office) -> None:
    id = await office.at_approval()
    card = await office.card(id)
    await office.mentions(DANA, "hold", card)

    goes_on, status = [await office.mentions(DANA, text, card) for text in ("resume", "status")]

    assert "goes on" in goes_on
    assert "Resumed by" in status
    assert "Waiting for approval" in status


async def test_a_rollback_by_mention_is_confirmed_by_one_tap(office: Office) -> None:
    id = await office.at_canary()
    card = await office.card(id)

    without = await office.mentions(SAM, "rollback", card)
    said = await office.mentions(SAM, "rollback 500s on /pay", card)
    told = ("v1.8.3 → v1.8.2", "now 10 % on", "within every limit", f"/rollback {id} to VERSION")
    value = buttons(office.chat.answers[-1][1])["rollback.confirm"]
    phase = (await office.get(id)).phase
    await office.presses(SAM, "rollback.confirm", value)

    assert "reason" in without
    assert "Nothing has changed yet" in said
    assert [words for words in told if words not in said] == []
    assert phase is Phase.RUNNING
    assert (await office.get(id)).phase is Phase.ROLLING_BACK


async def test_what_is_not_understood_is_answered_and_changes_nothing(office: Office) -> None:
    id = await office.at_approval()
    before = await office.get(id)

    said = await office.mentions(ANA, "make me a sandwich", await office.card(id))
    nowhere = await office.mentions(ANA, "approve")

    assert said
    assert nowhere
    assert await office.get(id) == before


async def test_the_answer_goes_to_the_one_who_wrote_in_the_thread(office: Office) -> None:
    id = await office.at_approval()
    card = await office.card(id)

    await office.mentions(SAM, "status", card)

    assert office.chat.answers[-1][0] == f"ephemeral:C0DEPLOY/{card.ts}/{SAM}"


@pytest.mark.parametrize("who", [{}, {"user": SAM, "bot_id": "B1"}, {"user": "U0RELAY"}])
async def test_a_bot_that_mentions_us_is_not_listened_to(
    office: Office, who: dict[str, str]
) -> None:
    id = await office.at_approval()
    event = who | {
        "type": "app_mention",
        "text": f"<@U0PILOT> cancel {id} no",
        "ts": "1700000000.1",
        "channel": "C0DEPLOY",
    }

    answer = await office.sends(
        {"type": "event_callback", "team_id": "T0DEMO", "event_id": "Ev99", "event": event}
    )

    assert answer.status == 200
    assert (await office.get(id)).phase is Phase.RUNNING


@pytest.mark.parametrize("word", ["approve", "reject too slow", "hold", "cancel late", "status"])
async def test_outside_a_thread_the_id_is_asked_for(office: Office, word: str) -> None:
    id = await office.at_approval()
    before = await office.get(id)

    said = await office.mentions(SAM, word)

    assert "Which deployment?" in said
    assert f"@pilot {word.split()[0]} D-" in said
    assert await office.get(id) == before


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("approve", "dep.approve"),
        ("reject too slow", "dep.reject"),
        ("hold", "dep.hold"),
        ("status", "deploy.status"),
    ],
)
async def test_the_only_one_that_waits_for_somebody_is_offered(
    office: Office, word: str, action: str
) -> None:
    id = await office.at_approval()

    said = await office.mentions(ANA, word)

    assert id in said
    assert id in buttons(office.chat.answers[-1][1])[action]


async def test_a_note_is_kept_with_the_version_and_never_lost_unsaid(office: Office) -> None:
    id = await office.at_approval()
    card = await office.card(id)

    asked = await office.mentions(ANA, "approve looks good", card)
    await office.mentions(ANA, "approve v1.8.3 looks good", card)

    assert f"@pilot approve {id} v1.8.3 looks good" in asked
    assert [a.note for a in (await office.get(id)).approvals] == ["looks good"]


@pytest.mark.parametrize(
    ("user", "words"), [(DANA, "You asked"), (DEVO, "You wrote"), (SAM, "You cannot approve")]
)
async def test_who_cannot_sign_hears_it_at_once(office: Office, user: str, words: str) -> None:
    id = await office.at_approval()

    said = await office.mentions(user, "approve", await office.card(id))

    assert words in said
    assert buttons(office.chat.answers[-1][1]) == {}


async def test_outside_a_thread_the_answer_goes_to_the_channel(office: Office) -> None:
    await office.mentions(SAM, "help")

    assert office.chat.answers[-1][0] == f"ephemeral:C0DEPLOY//{SAM}"
