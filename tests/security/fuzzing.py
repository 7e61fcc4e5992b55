"""Requests that are nearly right: Slack's payloads with one thing or several gone wrong."""

import copy
import json
from random import Random
from typing import Any

from tests.builders import ANA, CHRIS, DANA, QUINN, SAM
from tests.security.slack_requests import (
    CHALLENGE,
    CLICK,
    COMMAND,
    FORM,
    JSON,
    MENTION,
    SUBMISSION,
    SUGGESTION,
    as_json,
    form,
    misheaded,
    payload,
    signed,
    spoiled,
)

Headers = dict[str, str]

WORDS = [
    "checkout", "v1.8.3", "v1.8.2", "status", "list", "help", "hold", "resume", "cancel", "unlock",
    "D-1", "D-999999999", "D-0", "production", "staging", "reject", "abandon", "to", "reason",
    "--hotfix", "--force", "—dry-run", "<@U0ANA>", "<!channel>", "&lt;", "`", "$(id)", "../..",
    "'; DROP TABLE deployments; --", "\u202e", "\u0000", "🙂", "é" * 40, "9" * 60, "a" * 600,
]  # fmt: skip
ACTIONS = [
    "dep.approve", "dep.hold", "dep.resume", "dep.promote", "dep.reject", "dep.cancel",
    "dep.roll_back", "dep.timeline", "dep.more", "deploy.request.confirm", "deploy.request.edit",
    "deploy.request.cancel", "deploy.retry", "deploy.retry.2", "deploy.status", "rollback.confirm",
    "rollback.edit", "rollback.cancel", "deploy.form.service", "deploy.form.version", "nothing",
]  # fmt: skip
CALLBACKS = ["deploy.form", "deploy.check", "rollback.submit", "reject.submit", "cancel.submit"]
VALUES = [
    '{"d":"D-1","o":1}',
    '{"d":"D-1","o":4}',
    '{"d":"D-1","a":"timeline"}',
    '{"r":"ab12"}',
    "",
]
PEOPLE = [DANA, ANA, QUINN, SAM, CHRIS, "U0STRANGER"]

_DEEP: list[Any] = []
for _ in range(40):
    _DEEP = [_DEEP]
STRANGE: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**30, "", " ", "\x00", "\ud800", "\u202e", "x" * 5000, [], {},
    [None], {"": ""}, {"id": None}, [[]], _DEEP, "{}", "[" * 500, "D-1", "T0OTHER", "-1",
]  # fmt: skip


def a_request(random: Random, now: int) -> tuple[Headers, bytes]:
    """Headers and body of one request: right, wrong in its meaning, or wrong in its bytes."""
    body, kind = _sensible(random)
    if random.random() < 0.6:
        body = _strange(random, copy.deepcopy(body))
    raw = _encoded(body, kind)
    if random.random() < 0.15:
        raw = spoiled(random, raw)
    headers = signed(raw, kind, now)
    if random.random() < 0.25:
        headers = misheaded(random, headers)
    if random.random() < 0.15:
        headers = signed(raw, kind, now, b"not-the-secret-at-all")
    return headers, raw


def _sensible(random: Random) -> tuple[dict[str, Any], str]:
    number = str(random.getrandbits(60))
    line = " ".join(random.choices(WORDS, k=random.randint(0, 5)))
    user = random.choice(PEOPLE)
    match random.randrange(12):
        case 0 | 1 | 2:
            command = random.choice(["/deploy", "/approve", "/rollback", "/other"])
            more = {"command": command, "text": line, "user_id": user, "trigger_id": number}
            return COMMAND | more, FORM
        case 3 | 4 | 5:
            click = copy.deepcopy(CLICK)
            (action,) = click["actions"]
            action["action_id"] = random.choice(ACTIONS)  # type: ignore[index]
            action["value"] = random.choice([*VALUES, line])  # type: ignore[index]
            reply = "https://hooks.slack.com/actions/1"
            who = {"user": {"id": user}, "trigger_id": number, "response_url": reply}
            return click | who, FORM
        case 6 | 7 | 8:
            view = copy.deepcopy(SUBMISSION["view"])
            typed = {name: {"v": {"value": random.choice(WORDS)}} for name in _FIELDS}
            view |= {  # type: ignore[operator]
                "callback_id": random.choice(CALLBACKS),
                "private_metadata": random.choice(VALUES),
                "state": {"values": typed},
            }
            return SUBMISSION | {"view": view, "user": {"id": user}, "trigger_id": number}, FORM
        case 9 | 10:
            event = MENTION["event"] | {"text": f"<@U0PILOT> {line}", "user": user}  # type: ignore[operator]
            return MENTION | {"event": event, "event_id": f"Ev{number}"}, JSON
        case 11 if random.random() < 0.7:
            asked = {"action_id": random.choice(ACTIONS), "value": random.choice([*WORDS, line])}
            place = f"version.{random.choice(WORDS)}"
            return SUGGESTION | asked | {"block_id": place, "user": {"id": user}}, FORM
    return random.choice([SUGGESTION, CHALLENGE]), random.choice([FORM, JSON])


_FIELDS = ("service", "version", "environment", "reason", "target")


def _strange(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    for _ in range(random.randint(1, 3)):
        place: Any = body
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = random.choice(keys)
            inner = place[key]
            if isinstance(inner, dict | list) and inner and random.random() < 0.75:
                place = inner
                continue
            _change(random, place, key)
            break
    return body


def _change(random: Random, place: Any, key: Any) -> None:
    match random.randrange(4):
        case 0:
            del place[key]
        case 1 if isinstance(place, dict):
            place[str(random.choice(STRANGE))[:20]] = place.pop(key)
        case _:
            place[key] = copy.deepcopy(random.choice(STRANGE))


def _encoded(body: dict[str, Any], kind: str) -> bytes:
    if kind == JSON:
        return as_json(body)
    if "command" not in body:
        return payload(body)
    fields = {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}
    return form({_encodable(k): _encodable(v) for k, v in fields.items()})


def _encodable(text: str) -> str:
    return text.replace("\ud800", "?")
