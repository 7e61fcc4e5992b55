"""What the gate lets through, and in which order it turns the rest away."""

import hashlib
import json
from random import Random

import pytest

from handlers.gate import Admitted, Limits, Turned, admit
from handlers.shapes import is_shaped
from tests.security.slack_requests import (
    CLICK,
    COMMAND,
    FORM,
    GENUINE,
    JSON,
    MENTION,
    NOW,
    SECRET,
    as_json,
    form,
    misheaded,
    payload,
    sign,
    signed,
    spoiled,
)

LIMITS = Limits()


def judged(
    headers: dict[str, str],
    body: bytes,
    secrets: tuple[bytes, ...] = (SECRET,),
    now: float = NOW,
    limits: Limits = LIMITS,
) -> Admitted | Turned:
    return admit(headers, body, secrets=secrets, now=now, limits=limits)


def status(verdict: Admitted | Turned) -> int:
    return verdict.status if isinstance(verdict, Turned) else 200


def status_of_json(text: str, limits: Limits = LIMITS) -> int:
    """The same answer is due whether it is the body or the payload of a form."""
    direct, within = text.encode(), form({"payload": text})
    answers = {
        status(judged(signed(direct, JSON), direct, limits=limits)),
        status(judged(signed(within, FORM), within, limits=limits)),
    }
    assert len(answers) == 1
    return answers.pop()


@pytest.mark.parametrize(("body", "content_type"), GENUINE)
def test_what_slack_signed_is_admitted_byte_for_byte(body: bytes, content_type: str) -> None:
    verdict = judged(signed(body, content_type), body)

    assert isinstance(verdict, Admitted)
    assert verdict.body == body
    assert verdict.digest == hashlib.sha256(body).hexdigest()
    assert is_shaped(verdict.content)


def test_forms_and_payloads_are_decoded() -> None:
    command, click = form(COMMAND), payload(CLICK)
    first, second = judged(signed(command), command), judged(signed(click), click)

    assert isinstance(first, Admitted)
    assert isinstance(second, Admitted)
    assert first.content == COMMAND
    assert second.content == CLICK


@pytest.mark.parametrize(
    ("timestamp", "signature", "body", "content_type"),
    [
        ("", "v0=" + "0" * 64, b"", FORM),
        ("abc", "v0=" + "0" * 64, b"", FORM),
        ("9" * 5000, "v0=" + "0" * 64, b"", FORM),
        ("１７９５１８４４００", "v0=" + "0" * 64, b"", FORM),
        (f"{NOW}\n", "v0=" + "0" * 64, b"", FORM),
        (str(NOW), "v0=" + "é" * 64, b"", FORM),
        (str(NOW), "", b"", FORM),
        (str(NOW), "v0=" + "0" * 64, b"\xff\xfe", FORM),
        (str(NOW), "v0=" + "0" * 64, b"a=b", "text/plain; charset=klingon"),
        (str(NOW), "v0=" + "0" * 64, b"[1]", JSON),
        (str(NOW), "v0=" + "0" * 64, b"[" * 100_000, JSON),
        (str(NOW), "v0=" + "A" * 64, b"{}", JSON),
        (str(NOW), "v1=" + "0" * 64, b"payload=%FF", FORM),
    ],
)
def test_unsigned_garbage_is_unauthorised(
    timestamp: str, signature: str, body: bytes, content_type: str
) -> None:
    headers = {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
        "Content-Type": content_type,
    }

    assert status(judged(headers, body)) == 401
    assert status(judged({}, body)) == 401


@pytest.mark.parametrize("timestamp", ["soon", "", f"0{NOW}", f"{NOW}.0", "-179518440", " 1"])
def test_a_timestamp_of_another_shape_is_refused_even_when_signed(timestamp: str) -> None:
    body = form(COMMAND)
    signature = {"X-Slack-Signature": sign(body, timestamp)}

    refused = judged(signed(body) | {"X-Slack-Request-Timestamp": timestamp} | signature, body)

    assert refused == Turned(401, "signature headers missing or malformed")


def test_one_changed_byte_breaks_the_signature() -> None:
    body = form(COMMAND)
    headers = signed(body)

    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert status(judged(headers, changed)) == 401
    assert status(judged(headers | {"X-Slack-Request-Timestamp": str(NOW + 1)}, body)) == 401


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, 200), (300, 200), (301, 401), (-300, 200), (-301, 401), (10**9, 401)],
)
def test_age_counts_in_both_directions(seconds: int, expected: int) -> None:
    body = form(COMMAND)

    assert status(judged(signed(body), body, now=NOW + seconds)) == expected


def test_any_secret_counts_while_they_are_rotated() -> None:
    body = form(COMMAND)
    old, new = b"old", b"new"

    for secret, expected in ((old, 200), (new, 200), (b"third", 401)):
        verdict = judged(signed(body, secret=secret), body, secrets=(old, new))
        assert status(verdict) == expected


def test_an_empty_secret_verifies_nothing() -> None:
    body = form(COMMAND)

    assert status(judged(signed(body, secret=b""), body, secrets=(b"",))) == 401
    assert status(judged(signed(body), body, secrets=())) == 401


def test_the_limits_are_what_we_promise() -> None:
    assert Limits(262_144, 300, 32, 1000, 5.0) == LIMITS


def test_the_size_is_looked_at_before_the_signature() -> None:
    fits, too_large = b"a" * LIMITS.body_bytes, b"a" * (LIMITS.body_bytes + 1)

    assert status(judged({}, fits)) == 401
    assert status(judged({}, too_large)) == 413
    assert status(judged(signed(too_large), too_large)) == 413


def test_the_signature_is_looked_at_before_the_age() -> None:
    body = form(COMMAND)
    unsigned = judged(signed(body, secret=b"x"), body, now=NOW + 999)

    assert unsigned == Turned(401, "signature does not match")
    assert judged(signed(body), body, now=NOW + 999) == Turned(401, "too old or too new")


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (JSON, 200),
        ("application/JSON; charset=UTF-8", 200),
        ('application/json;charset="utf-8"', 200),
        ("", 400),
        ("text/plain", 400),
        ("multipart/form-data; boundary=x", 400),
        ("application/json; charset=utf-16", 400),
        ("application/json; charset=klingon", 400),
        ("application/jsonp", 400),
    ],
)
def test_only_json_and_forms_in_utf_8_are_decoded(content_type: str, expected: int) -> None:
    body = as_json(MENTION)

    assert status(judged(signed(body, content_type), body)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "null",
        "1",
        "{",
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":"\\ud800"}',
        '{"a":"\\u0000"}',
        '{"\\udfff":1}',
        '{"a":[["\\ud83d"]]}',
        '{"a":"\x01"}',
    ],
)
def test_signed_json_that_nobody_can_use_is_a_bad_request(text: str) -> None:
    assert status_of_json(text) == 400


@pytest.mark.parametrize(
    "body", [b"a=%FF", b"a=\xff", b"a=1&a=2", b"a=%00", b"a&" * 1001, b"payload=%FF"]
)
def test_a_signed_form_that_nobody_can_use_is_a_bad_request(body: bytes) -> None:
    assert status(judged(signed(body), body)) == 400


def test_depth_is_counted_before_anything_is_parsed() -> None:
    def nested(depth: int) -> str:
        return '{"a":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"

    assert status_of_json(nested(32)) == 200
    assert status_of_json(nested(33)) == 400
    assert status_of_json('{"a":' + "[" * 80_000) == 400
    assert status_of_json(json.dumps({"a": "[" * 99 + '\\"{' * 99})) == 200


def test_keys_are_counted_over_the_whole_body() -> None:
    def wide(keys: int) -> str:
        return json.dumps({f"k{n}": "::" for n in range(keys)})

    assert status_of_json(wide(1000)) == 200
    assert status_of_json(wide(1001)) == 400


def test_a_string_without_an_end_takes_no_longer_than_its_length() -> None:
    assert status_of_json('"\\' * 100_000, Limits(body_bytes=10**6)) == 400
    assert status_of_json('"\\"' * 80_000, Limits(body_bytes=10**6)) == 400


def test_a_header_that_decides_may_not_be_there_twice() -> None:
    body = form(COMMAND)
    headers = signed(body) | {"x-slack-signature": sign(body, str(NOW))}

    assert status(judged(headers, body)) == 401


def test_compressed_bodies_are_refused() -> None:
    body = form(COMMAND)

    assert status(judged(signed(body, Content_Encoding="gzip"), body)) == 415


def test_a_retry_is_admitted_and_says_which_it_is() -> None:
    body = as_json(MENTION)
    headers = signed(body, JSON, X_Slack_Retry_Num="10", X_Slack_Retry_Reason="http_timeout")
    odd = signed(body, JSON, X_Slack_Retry_Num="x" * 99, X_Slack_Retry_Reason="<b>")
    verdict, other = judged(headers, body), judged(odd, body)

    assert isinstance(verdict, Admitted)
    assert (verdict.retry_number, verdict.retry_reason) == (10, "http_timeout")
    assert isinstance(other, Admitted)
    assert (other.retry_number, other.retry_reason) == (None, None)


def test_twenty_thousand_spoiled_requests_are_answered_without_an_exception() -> None:
    random, admitted, shaped = Random(20), 0, 0
    for turn in range(20_000):
        body, content_type = random.choice(GENUINE)
        changed = spoiled(random, body)
        is_signed = turn % 2 == 0
        headers = signed(changed if is_signed else body, content_type)
        if random.random() < 0.5:
            headers = misheaded(random, headers)
        verdict = judged(headers, changed)
        assert status(verdict) in {200, 400, 401, 413}
        rightly = signed(changed)["X-Slack-Signature"] in headers.values()
        assert rightly or status(verdict) in {401, 413}
        if isinstance(verdict, Admitted):
            admitted += 1
            shaped += is_shaped(verdict.content)
    assert 0 < shaped < admitted
