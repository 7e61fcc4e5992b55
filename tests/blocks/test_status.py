"""The rolling status and the line it shrinks to, as people read them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.status import Told, collapsed, status, summary
from bot.blocks.text import names_of
from bot.blocks.thread import announce
from bot.domain.deployment import Hold, Phase, RollbackRun
from bot.domain.line import Bold, Mention
from bot.ports import Posted
from tests.blocks.shown import lines, mentioned, payload
from tests.blocks.test_card import canary
from tests.builders import ANA, NOW, a_deployment, a_version, people

LINK = "https://example.com/card"
MINUTE = timedelta(minutes=1)


def test_the_status_keeps_its_wording_line_for_line() -> None:
    d = canary(update_due_at=NOW + 36 * MINUTE)
    now = NOW + 31 * MINUTE
    drawn = status(
        replace(d, health=replace(d.health, at=now)) if d.health else d, people(), now, now, LINK
    )

    assert lines(drawn) == [
        "*[Deployment Status - 14:31 UTC]* checkout v1.8.3 · <https://example.com/card|D-142>",
        ":bar_chart: Status: IN PROGRESS",
        ":stopwatch: Elapsed: 31 minutes / at least 15 minutes in all",
        ":large_green_circle: Pre-flight checks: COMPLETE",
        ":large_blue_circle: Deployment: IN PROGRESS (Rollout 50 %, healthy)",
        ":hourglass_flowing_sand: Post-deployment tests: PENDING",
        ":busts_in_silhouette: Team: Dana (requested), Sam (on call)",
        ":rotating_light: Issues: None",
        "Next update: 14:36 UTC",
    ]
    assert drawn.text == (
        "Status 14:31 UTC: checkout v1.8.3, Rollout 50 %, healthy. Next update: 14:36 UTC. D-142"
    )


def test_a_status_always_ends_with_the_id_and_says_nothing_twice() -> None:
    held = canary(phase=Phase.HELD, hold=Hold(ANA, "", NOW, NOW))

    assert status(held, people(), NOW, NOW).text == (
        "Status 14:00 UTC: checkout v1.8.3, Held by Ana, traffic stays at 50 %. "
        "Next update: after a decision. D-142"
    )
    assert summary(held, people(), NOW) == "Held by Ana, traffic stays at 50 %"
    for stage in range(5):
        d = a_deployment(cursor=stage, waits_for="x" * 300)
        text = status(d, people(), NOW, NOW).text
        assert text.endswith(" D-142")
        assert "…." not in text


@pytest.mark.parametrize(("behind", "is_late"), [(timedelta(minutes=2), False), (MINUTE * 3, True)])
def test_a_status_that_is_later_than_the_policy_bears_says_so(
    behind: timedelta, is_late: bool
) -> None:
    drawn = status(canary(), people(), NOW, NOW + behind)

    assert ("(late)" in drawn.text) is is_late
    assert ("(late)" in lines(drawn)[0]) is is_late


def test_a_status_and_a_timeline_entry_call_nobody() -> None:
    line = ("Approved by ", Mention(ANA), " as ", Bold("Deployment Lead"))
    told = announce(line, NOW, names_of(people()))

    assert mentioned(payload(status(canary(), people(), NOW, NOW))) == set()
    assert mentioned(payload(told)) == set()
    assert lines(told) == ["14:00 UTC · Approved by Ana as *Deployment Lead*"]


def test_health_that_nobody_looks_at_is_an_issue() -> None:
    drawn = lines(status(canary(), people(), NOW, NOW + timedelta(hours=1)))

    assert ":rotating_light: Issues: health not looked at since 14:00 UTC" in drawn


def test_a_rollback_has_no_tests_to_wait_for() -> None:
    run = RollbackRun(a_version("v1.8.2"), ANA, "500s on /pay", NOW, NOW)
    drawn = lines(status(canary(phase=Phase.ROLLING_BACK, rollback=run), people(), NOW, NOW))

    assert ":hourglass_flowing_sand: Post-deployment tests: n/a" in drawn


@pytest.mark.parametrize("phase", [Phase.REJECTED, Phase.CANCELLED, Phase.EXPIRED])
def test_what_ended_is_not_said_to_have_no_issues(phase: Phase) -> None:
    ended = f"{phase.value.capitalize()}, production not touched"

    assert summary(a_deployment(phase), people(), NOW) == ended


def test_an_older_status_shrinks_to_what_it_said() -> None:
    was = summary(canary(), people(), NOW)
    drawn = collapsed(canary(), NOW, was, LINK)

    assert lines(drawn) == [
        "14:00 UTC · checkout v1.8.3 · Rollout 50 %, healthy, no issues · "
        "<https://example.com/card|D-142>"
    ]


@given(st.integers(0, 10**6), st.text(), st.integers(0, 4 * 10**9), st.text(max_size=300))
def test_what_a_status_told_is_read_back_from_its_note(
    beat: int, news: str, at: int, said: str
) -> None:
    told = Told(beat, news, datetime.fromtimestamp(at, UTC), said)

    assert Told.read(told.note, None) == told


@pytest.mark.parametrize("note", ["", "Rollout 50 %, no issues", "17", "{}", '{"beat":1,"at":"x"}'])
def test_of_another_note_only_the_words_and_the_moment_of_the_post_are_known(note: str) -> None:
    told = Told.read(note, Posted("C0DEPLOY", f"{NOW.timestamp():.0f}.000100"))

    assert told.beat < 0, "no beat, so that a new one is posted"
    assert abs(told.at - NOW) < timedelta(seconds=1)
    assert told.summary == note
