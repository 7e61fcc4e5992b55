"""Words of people stay words; only a mention and a moment become mark-up."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.text import (
    Link,
    clean,
    date,
    escaped,
    headline,
    label,
    minutes,
    mrkdwn,
    names_of,
    notice,
    quoted,
)
from bot.domain.line import At, Bold, Code, Mention, Said
from bot.domain.roles import People, Person
from tests.blocks.hostile import LONG, NASTY

AT_1405 = datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
MARKS = ("<!", "<@", "<#", "<http")
words = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(["<", "!", "@", "#", "channel", "http://x", "|", ">", "&", "*", "`", "_"])
    ).map("".join),
)


@pytest.mark.parametrize("unit", ["%", "ms", "s", "min", "h", "days"])
def test_a_number_and_its_unit_are_never_parted_at_the_end_of_a_line(unit: str) -> None:
    assert mrkdwn((f"canary 10 {unit}, step 2 of 3",)) == f"canary 10\u00a0{unit}, step 2 of 3"


def test_what_only_begins_like_a_unit_is_a_word_of_its_own() -> None:
    assert mrkdwn(("10 stages in 2 mines",)) == "10 stages in 2 mines"


@given(words, st.integers(min_value=8, max_value=400))
def test_no_words_of_a_person_become_mark_up(text: str, most: int) -> None:
    drawn = mrkdwn((Said(text), " ", Bold(text), " ", Code(text), " ", Link(text, text)), most)

    assert not any(mark in drawn for mark in MARKS) or re.fullmatch(r"https?://\S+", text)
    assert not any(mark in notice((Said(text), text), {}) for mark in MARKS)
    assert not any(mark in label(text, 75) for mark in MARKS)


@given(words, st.integers(min_value=8, max_value=400))
def test_nothing_grows_beyond_its_length_and_no_entity_is_cut(text: str, most: int) -> None:
    for drawn in (mrkdwn((Said(text), Code(text), text), most), escaped(text, most)):
        assert len(drawn) <= most
        assert re.sub(r"&(amp|lt|gt);", "", drawn).count("&") == 0
    assert len(notice((text,), {})) <= 150
    assert 0 < len(label(text, 24)) <= 24


@given(words)
def test_said_words_make_no_emphasis_and_no_code(text: str) -> None:
    assert not set(quoted(text)) & set("*~`")
    assert not re.search(r"(?<!\w)_\S", quoted(text))


def test_a_mention_and_a_moment_are_the_mark_up_there_is() -> None:
    line = ("Approved by ", Mention("U0ANA"), ", ", At(AT_1405))

    assert mrkdwn(line) == "Approved by <@U0ANA>, <!date^1795183500^{time}|14:05 UTC>"


def test_with_names_a_person_is_named_and_not_called() -> None:
    assert mrkdwn((Mention("U0ANA"), "!"), names={"U0ANA": "Ana"}) == "Ana!"


def test_a_notification_has_names_and_no_ids() -> None:
    assert notice((Mention("U0ANA"), " at ", At(AT_1405)), {"U0ANA": "Ana"}) == "Ana at 14:05 UTC"


def test_an_id_that_is_no_id_calls_nobody() -> None:
    assert mrkdwn((Mention("U0ANA> <!channel"),)) == "U0ANA&gt; &lt;!channel"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x.example/|<!channel>", "https://x y", "", None]
)
def test_an_address_that_is_none_is_shown_as_its_label(url: str | None) -> None:
    assert mrkdwn((Link(url, "see changes"),)) == "see changes"


def test_a_good_address_is_a_link() -> None:
    drawn = mrkdwn((Link("https://example.com/compare?a=1&b=2", "see changes"),))

    assert drawn == "<https://example.com/compare?a=1&b=2|see changes>"


def test_directions_and_invisible_letters_are_gone() -> None:
    assert clean("\u202egnp.exe\u202c a\u200bb\x00c\nd") == "gnp.exe ab cd".replace("cd", "c d")


def test_a_faked_state_stays_text() -> None:
    assert ":large_green_circle:" not in mrkdwn((Said(":large_green_circle: healthy"),))
    assert mrkdwn((Said("since 14:21:05"),)) == "since 14:21:05"


def test_names_inside_words_keep_their_underscores() -> None:
    assert quoted("payment_id of _all_") == "payment_id of ＿all＿"


def test_long_words_end_with_an_ellipsis() -> None:
    assert mrkdwn((Said("x" * 3000),)) == "x" * 299 + "…"


def test_a_line_that_does_not_fit_is_cut_and_never_torn() -> None:
    drawn = mrkdwn((Said(LONG), Mention("U0ANA"), At(AT_1405), Said(NASTY)), 330)

    assert len(drawn) <= 330
    assert drawn.endswith("…")


def test_a_headline_never_loses_the_id() -> None:
    text = headline("s" * 75 + " v1 to production", (Said(LONG),), "D-142", {})

    assert len(text) <= 150
    assert text.endswith(" D-142")


def test_a_headline_goes_on_in_small_letters() -> None:
    assert headline("a b to c", ("Held",), "D-1", {}) == "a b to c: held. D-1"
    assert headline("a b to c", ("CI running",), "D-1", {}) == "a b to c: CI running. D-1"


def test_a_moment_of_another_zone_falls_back_to_utc() -> None:
    kiritimati = AT_1405.astimezone(timezone(timedelta(hours=14)))

    assert date(kiritimati) == date(AT_1405)


@pytest.mark.parametrize(
    ("seconds", "spoken"), [(3125, "52 min"), (59, "59 s"), (168, "2 min"), (-5, "0 s")]
)
def test_durations_are_whole_minutes_once_there_are_two(seconds: int, spoken: str) -> None:
    assert minutes(timedelta(seconds=seconds)) == spoken


def test_a_second_account_has_the_same_name() -> None:
    ana = Person("U0ANA", "Ana", accounts=frozenset({"W0ANA"}))

    assert names_of(People({"U0ANA": ana})) == {"U0ANA": "Ana", "W0ANA": "Ana"}
