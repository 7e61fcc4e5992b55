"""Which payloads have everything that we use of them."""

from typing import Any

import pytest

from handlers.shapes import is_shaped
from tests.security.slack_requests import CLICK, COMMAND, MENTION, SUBMISSION


def without(content: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != name}


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"type": "unknown"},
        {"type": ["block_actions"]},
        COMMAND | {"command": "deploy"},
        COMMAND | {"text": "x" * 40_001},
        COMMAND | {"user_id": ""},
        CLICK | {"actions": []},
        CLICK | {"actions": CLICK["actions"] * 26},  # type: ignore[operator]
        CLICK | {"user": None},
        CLICK | {"message": {"ts": "yesterday"}},
        SUBMISSION | {"view": {"id": 1}},
        SUBMISSION | {"view": {"id": "V1", "private_metadata": "x" * 3001}},
        SUBMISSION | {"view": {"id": "V1", "state": {"values": []}}},
        MENTION | {"event": {"type": "message"}},
        COMMAND | {"user_id": "host:root"},
        COMMAND | {"channel_id": "C1\n"},
        COMMAND | {"user_id": "U1> <!channel"},
        CLICK | {"team": {"id": "T0DEMO/T1"}},
        MENTION | {"event": MENTION["event"] | {"channel": "C1/2/U0ANA"}},  # type: ignore[operator]
        {"type": "url_verification"},
        *[without(COMMAND, name) for name in COMMAND if name != "text"],
        *[without(CLICK, name) for name in ("user", "actions", "trigger_id")],
        *[without(MENTION, name) for name in ("team_id", "event_id", "event")],
    ],
)
def test_a_payload_without_what_we_use_has_no_shape(content: dict[str, Any]) -> None:
    assert not is_shaped(content)


def test_what_we_do_not_use_is_ignored() -> None:
    assert is_shaped(COMMAND | {"enterprise_id": None, "api_app_id": 1})
