"""What our own messages keep to beyond Slack's limits."""

import pytest

from bot.blocks.lint import house
from tests.blocks.test_lint import Json, actions, button, home, message, modal, mrkdwn, section
from tests.blocks.test_lint import plain as words


def spoken(label: str = "Hold", **more: object) -> Json:
    return button(text=words(label), accessibility_label=f"{label} D-142", **more)


def fields(count: int) -> Json:
    return message(section(fields=[mrkdwn("x")] * count))


def says(sentences: list[str], part: str) -> bool:
    return any(part in sentence for sentence in sentences)


def test_a_quiet_card_keeps_every_rule() -> None:
    card = message(
        section(),
        actions(spoken("Approve", style="primary"), spoken("Roll back…", style="danger")),
    )

    assert house(card) == []


@pytest.mark.parametrize(
    ("fits", "too_much"),
    [
        (message() | {"text": "x" * 150}, message() | {"text": "x" * 151}),
        (message() | {"text": "x"}, message() | {"text": " "}),
        (message() | {"text": "x"}, {"blocks": [section()]}),
        (message(actions(*[spoken()] * 4)), message(actions(*[spoken()] * 5))),
        (message(actions(spoken("x" * 24))), message(actions(spoken("x" * 25)))),
        (
            message(actions(spoken(style="primary"), spoken())),
            message(actions(spoken(style="primary"), spoken(style="primary"))),
        ),
        (
            message(actions(button(accessibility_label="x" * 75))),
            message(actions(button(accessibility_label="x" * 76))),
        ),
        (message(actions(spoken())), message(actions(button()))),
        (fields(4), fields(5)),
        (
            message({"type": "header", "text": words("Week 47")}),
            message({"type": "header", "text": words(":tada: Week 47")}),
        ),
        (
            message(section(), {"type": "header", "text": words("🎉 Week 47")}),
            message({"type": "header", "text": words("🎉 Week 47")}),
        ),
        (
            message(actions(spoken(style="danger", confirm={}))),
            message(actions(spoken(style="danger"))),
        ),
        (message(section("&lt;!channel&gt;")), message(section("<!channel>"))),
        (message(section("here")), message(section("*<!here|here>*"))),
        (message(section("all")), message(section("<!EVERYONE>"))),
    ],
)
def test_what_keeps_the_rule_passes_and_the_next_does_not(fits: Json, too_much: Json) -> None:
    assert house(fits) == []
    assert len(house(too_much)) == 1


def test_fields_add_up_over_all_blocks() -> None:
    two = section(fields=[mrkdwn("x")] * 3)

    assert says(house(message(two, two)), "6 fields")


def test_a_preview_may_have_ten_fields() -> None:
    assert house(fields(10), is_preview=True) == []
    assert says(house(fields(11), is_preview=True), "11 fields")


def test_danger_needs_no_second_question_where_it_is_already_asked() -> None:
    danger = message(actions(spoken("Roll back now", style="danger")))

    assert says(house(danger), "dangerous")
    assert house(danger, is_preview=True) == []
    assert house(danger | {"response_type": "ephemeral"}) == []
    assert house(modal(actions(button(style="danger"))), "modal") == []


def test_a_button_nobody_answers_is_refused() -> None:
    mute = {"type": "button", "text": words("Hold"), "accessibility_label": "Hold"}

    assert says(house(message(actions(mute))), "no action_id")


def test_a_broadcast_is_found_at_any_depth_and_on_every_surface() -> None:
    buried = [["a", ["<!channel>"]]]

    assert says(house(home(section(), private_metadata="<!here>"), "home"), "too many people")
    assert says(house(message() | {"metadata": buried}), "too many people")


def test_a_spoken_label_is_not_empty() -> None:
    assert house(message(actions(button(accessibility_label="x")))) == []
    assert says(house(message(actions(button(accessibility_label="")))), "at most 75")


def test_home_may_have_more_buttons_than_a_message() -> None:
    many = home(*[section(accessory=button())] * 6)

    assert house(many, "home") == []
