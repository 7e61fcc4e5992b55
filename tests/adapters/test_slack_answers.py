"""A success of Slack's that does not say what was asked for is none."""

from typing import Any

import pytest

from bot.adapters.slack_answers import EVENT, among, permalink, posted
from bot.ports import Posted, Unavailable

OURS = {"event_type": EVENT, "event_payload": {"key": "key"}}
WHERE = Posted("C0DEPLOY", "1.2")


def test_where_a_message_stands_is_taken_as_slack_says_it() -> None:
    assert posted({"ok": True, "channel": "C0DEPLOY", "ts": "1.2"}) == WHERE


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"channel": "C0DEPLOY"},
        {"channel": "C0DEPLOY", "ts": None},
        {"channel": "C0DEPLOY", "ts": 1.2},
        {"channel": "C0DEPLOY", "ts": ""},
        {"channel": {"id": "C0DEPLOY"}, "ts": "1.2"},
    ],
)
def test_a_success_that_does_not_say_where_it_stands_is_in_doubt(answer: dict[str, Any]) -> None:
    with pytest.raises(Unavailable) as caught:
        posted(answer)

    assert caught.value.is_in_doubt


@pytest.mark.parametrize("link", [None, 5, "", "javascript:alert(1)", "<!channel>", "//x"])
def test_a_link_that_is_none_is_not_shown(link: object) -> None:
    with pytest.raises(Unavailable):
        permalink({"permalink": link})


def test_a_link_is_taken_as_slack_says_it() -> None:
    assert permalink({"permalink": "https://acme.slack.com/a/1"}) == "https://acme.slack.com/a/1"


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [None, 5, "x", []],
        [{"ts": "1.2"}, {"ts": "1.2", "metadata": None}, {"ts": "1.2", "metadata": "key"}],
        [{"ts": "1.2", "metadata": OURS | {"event_payload": None}}],
        [{"ts": "1.2", "metadata": OURS | {"event_payload": {"key": "another"}}}],
        [{"ts": "1.2", "metadata": OURS | {"event_type": "of_another_app"}}],
        [{"ts": None, "metadata": OURS}, {"metadata": OURS}],
    ],
)
def test_what_is_not_surely_our_message_is_not_taken_for_it(messages: list[Any]) -> None:
    assert among({"messages": messages}, "C0DEPLOY", "key") is None


def test_our_own_message_is_found_among_others() -> None:
    messages = [None, {"ts": "1.1"}, {"ts": "1.2", "metadata": OURS}]

    assert among({"messages": messages}, "C0DEPLOY", "key") == WHERE


@pytest.mark.parametrize("answer", [{}, {"messages": None}, {"messages": "none"}])
def test_who_cannot_look_does_not_say_that_there_is_nothing(answer: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        among(answer, "C0DEPLOY", "key")
