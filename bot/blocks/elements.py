"""The elements that go into blocks, with the limits Slack sets them."""

from collections.abc import Iterator, Mapping

from bot.blocks.rules import (
    Rule,
    anything,
    choice,
    flag,
    initial_is_offered,
    listing,
    number,
    one_of,
    plain,
    prose,
    record,
    string,
)

ID = string(255)
URL = string(3000)
MANY = 10_000

_STYLE = choice("primary", "danger")
_CONFIRM = record(
    {"title": plain(100), "text": prose(300), "confirm": plain(30), "deny": plain(30)},
    {"style": _STYLE},
)
_OPTION_EXTRAS: dict[str, Rule] = {"description": plain(75)}
_OPTION = record({"text": plain(75), "value": string(150)}, _OPTION_EXTRAS)
_CHOICE = record(
    {"text": prose(75), "value": string(150)}, {"description": prose(75)}
)  # checkboxes and radio buttons render mrkdwn
_OVERFLOW_OPTION = record({"text": plain(75), "value": string(150)}, {**_OPTION_EXTRAS, "url": URL})
_GROUP = record({"label": plain(75), "options": listing(_OPTION, 100)})

_INTERACTIVE: dict[str, Rule] = {"action_id": ID, "confirm": _CONFIRM, "focus_on_load": flag}
_PICKER: dict[str, Rule] = {**_INTERACTIVE, "placeholder": plain(150)}
_MULTI: dict[str, Rule] = {**_PICKER, "max_selected_items": number(1, MANY)}
_STATIC: dict[str, Rule] = {
    "options": listing(_OPTION, 100),
    "option_groups": listing(_GROUP, 100),
}
_TYPED: dict[str, Rule] = {
    "action_id": ID,
    "placeholder": plain(150),
    "dispatch_action_config": anything,
    "focus_on_load": flag,
}
_SLACK_FILE = record({}, {"id": ID, "url": URL}, [one_of("id", "url")])
IMAGE: dict[str, Rule] = {"image_url": URL, "slack_file": _SLACK_FILE}


def _lengths_agree(value: Mapping[str, object], where: str) -> Iterator[str]:
    least, most = value.get("min_length"), value.get("max_length")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield f"{where} asks for at least {least} and at most {most} characters"


_BUTTON = record(
    {"text": plain(75)},
    {
        "action_id": ID,
        "url": URL,
        "value": string(2000),
        "style": _STYLE,
        "confirm": _CONFIRM,
        "accessibility_label": string(75),
        "visible_to_user_ids": listing(string(255), MANY),
    },
)
_SELECTS: dict[str, Rule] = {
    "static_select": record(
        {},
        {**_PICKER, **_STATIC, "initial_option": _OPTION},
        [one_of("options", "option_groups"), initial_is_offered],
    ),
    "multi_static_select": record(
        {},
        {**_MULTI, **_STATIC, "initial_options": listing(_OPTION, 100)},
        [one_of("options", "option_groups"), initial_is_offered],
    ),
    "external_select": record(
        {}, {**_PICKER, "initial_option": _OPTION, "min_query_length": number(0, 3000)}
    ),
    "multi_external_select": record(
        {},
        {
            **_MULTI,
            "initial_options": listing(_OPTION, 100),
            "min_query_length": number(0, 3000),
        },
    ),
    "users_select": record({}, {**_PICKER, "initial_user": ID}),
    "multi_users_select": record({}, {**_MULTI, "initial_users": listing(ID, MANY)}),
    "channels_select": record({}, {**_PICKER, "initial_channel": ID, "response_url_enabled": flag}),
    "multi_channels_select": record({}, {**_MULTI, "initial_channels": listing(ID, MANY)}),
    "conversations_select": record(
        {},
        {
            **_PICKER,
            "initial_conversation": ID,
            "default_to_current_conversation": flag,
            "response_url_enabled": flag,
            "filter": anything,
        },
    ),
    "multi_conversations_select": record(
        {},
        {
            **_MULTI,
            "initial_conversations": listing(ID, MANY),
            "default_to_current_conversation": flag,
            "filter": anything,
        },
    ),
}
CHOOSERS: dict[str, Rule] = {
    **_SELECTS,
    "checkboxes": record(
        {"options": listing(_CHOICE, 10)},
        {**_INTERACTIVE, "initial_options": listing(_CHOICE, 10)},
        [initial_is_offered],
    ),
    "radio_buttons": record(
        {"options": listing(_CHOICE, 10)},
        {**_INTERACTIVE, "initial_option": _CHOICE},
        [initial_is_offered],
    ),
    "datepicker": record({}, {**_PICKER, "initial_date": string(10)}),
    "timepicker": record({}, {**_PICKER, "initial_time": string(5), "timezone": ID}),
    "datetimepicker": record({}, {**_INTERACTIVE, "initial_date_time": number(0, 10**10)}),
}
PRESSED: dict[str, Rule] = {
    **CHOOSERS,
    "button": _BUTTON,
    "overflow": record(
        {"options": listing(_OVERFLOW_OPTION, 5)}, {"action_id": ID, "confirm": _CONFIRM}
    ),
    "workflow_button": record(
        {"text": plain(75), "workflow": anything},
        {"action_id": ID, "style": _STYLE, "accessibility_label": string(75)},
    ),
}
IMAGE_ELEMENT = record({"alt_text": string(2000)}, IMAGE, [one_of(*IMAGE)])
TYPED_INTO: dict[str, Rule] = {
    "plain_text_input": record(
        {},
        {
            **_TYPED,
            "initial_value": string(3000, least=0),
            "multiline": flag,
            "min_length": number(0, 3000),
            "max_length": number(1, 3000),
        },
        [_lengths_agree],
    ),
    "email_text_input": record({}, {**_TYPED, "initial_value": string(3000, least=0)}),
    "url_text_input": record({}, {**_TYPED, "initial_value": string(3000, least=0)}),
    "number_input": record(
        {"is_decimal_allowed": flag},
        {**_TYPED, "initial_value": ID, "min_value": ID, "max_value": ID},
    ),
    "rich_text_input": record({}, {**_TYPED, "initial_value": anything}),
    "file_input": record({}, {"action_id": ID, "filetypes": anything, "max_files": number(1, 10)}),
}
AGENT: dict[str, Rule] = {
    "feedback_buttons": anything,
    "icon_button": record(
        {"icon": string(255), "text": plain(75)},
        {
            "action_id": ID,
            "value": string(2000),
            "confirm": _CONFIRM,
            "accessibility_label": string(75),
            "visible_to_user_ids": listing(string(255), MANY),
        },
    ),
}
