"""Signed requests as Slack makes them, and ways to spoil them."""

import hashlib
import hmac
import json
from random import Random
from typing import Any
from urllib.parse import urlencode

SECRET = b"8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_795_184_400
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

COMMAND = {
    "command": "/deploy",
    "text": "checkout v1.8.3",
    "team_id": "T0DEMO",
    "user_id": "U0DANA",
    "channel_id": "C0DEPLOY",
    "trigger_id": "13.37",
    "response_url": "https://example.com/response/1",
}
CLICK = {
    "type": "block_actions",
    "team": {"id": "T0DEMO", "domain": "demo"},
    "user": {"id": "U0ANA", "name": "ana"},
    "trigger_id": "13.38",
    "channel": {"id": "C0DEPLOY"},
    "message": {"ts": "1795184400.000100", "thread_ts": "1795184300.000100", "text": "card"},
    "actions": [
        {
            "type": "button",
            "action_id": "dep.approve",
            "block_id": "d142.act.3",
            "value": '{"d":"D-142","o":3}',
            "action_ts": "1795184400.1",
        }
    ],
}
SUBMISSION = {
    "type": "view_submission",
    "team": {"id": "T0DEMO"},
    "user": {"id": "U0DANA"},
    "view": {
        "id": "V1",
        "type": "modal",
        "callback_id": "rollback.submit",
        "private_metadata": "{}",
        "hash": "1.2",
        "state": {"values": {"reason": {"v": {"type": "plain_text_input", "value": "500s"}}}},
    },
}
SUGGESTION = {
    "type": "block_suggestion",
    "team": {"id": "T0DEMO"},
    "user": {"id": "U0DANA"},
    "action_id": "deploy.service",
    "block_id": "service",
    "value": "che",
}
MENTION = {
    "type": "event_callback",
    "team_id": "T0DEMO",
    "event_id": "Ev1",
    "event_time": NOW,
    "event": {
        "type": "app_mention",
        "user": "U0ANA",
        "text": "<@U0PILOT> approve",
        "ts": "1795184400.000200",
        "thread_ts": "1795184300.000100",
        "channel": "C0DEPLOY",
    },
}
CHALLENGE = {"type": "url_verification", "token": "old", "challenge": "3eZbrw1aBm2rZgRN"}


def sign(body: bytes, timestamp: str, secret: bytes = SECRET) -> str:
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret, base, hashlib.sha256).hexdigest()


def signed(
    body: bytes,
    content_type: str = FORM,
    at: int = NOW,
    secret: bytes = SECRET,
    **more: str,
) -> dict[str, str]:
    headers = {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": str(at),
        "X-Slack-Signature": sign(body, str(at), secret),
    }
    return headers | {name.replace("_", "-"): value for name, value in more.items()}


def form(fields: dict[str, Any]) -> bytes:
    return urlencode(fields).encode()


def payload(content: dict[str, Any]) -> bytes:
    return form({"payload": json.dumps(content)})


def as_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


GENUINE = [
    (form(COMMAND), FORM),
    (payload(CLICK), FORM),
    (payload(SUBMISSION), FORM),
    (payload(SUGGESTION), FORM),
    (as_json(MENTION), JSON),
    (as_json(CHALLENGE), JSON),
]

_NASTY = [
    b"", b"[1]", b"null", b"[" * 5000, b'{"a":' * 40, b"\xff\xfe", b"payload=", b"payload=%FF",
    b"payload=[1]", b"%", b"&" * 2000, b'{"type":"\\ud800"}', b'{"type":1e999}', b"\x00",
    b'"' * 999, b'{"type":"block_actions","actions":[{}]}', b'"\\' * 500, b"{" + b"9" * 5000,
]  # fmt: skip
_NASTY_VALUES = [
    "",
    "0",
    "9" * 5000,
    "é",
    "１７９５１８４４００",
    "-1795184400",
    "nan",
    "v0=",
    "v0=" + "é" * 64,
]


def spoiled(random: Random, body: bytes) -> bytes:
    """The body with some of its bytes changed, cut, doubled or replaced."""
    match random.randrange(5):
        case 0:
            return random.choice(_NASTY)
        case 1:
            return body[: random.randrange(len(body) + 1)]
        case 2:
            place = random.randrange(len(body) + 1)
            return body[:place] + random.choice(_NASTY)[:50] + body[place:]
        case 3:
            changed = bytearray(body)
            for _ in range(random.randrange(1, 9)):
                changed[random.randrange(len(changed))] = random.randrange(256)
            return bytes(changed)
    return body * random.randrange(1, 4)


def misheaded(random: Random, headers: dict[str, str]) -> dict[str, str]:
    """The headers with one of them dropped, garbled, doubled in another case, or added."""
    name = random.choice(list(headers))
    match random.randrange(5):
        case 0:
            return {key: value for key, value in headers.items() if key != name}
        case 1:
            return headers | {name: random.choice(_NASTY_VALUES)}
        case 2:
            return headers | {name.upper(): random.choice(_NASTY_VALUES)}
        case 3:
            return headers | {"Content-Type": random.choice(["a/b", JSON + "; charset=x", FORM])}
    return headers | {"X-Slack-Retry-Num": random.choice(_NASTY_VALUES)}
