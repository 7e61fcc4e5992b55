"""Secrets are taken out of whatever people read; what they compare stays."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.redact import HIDDEN, redact

PEM = """-----BEGIN RSA PRIVATE KEY-----
MIIEpAIBAAKCAQEAsecretsecret
abc=
-----END RSA PRIVATE KEY-----"""


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token is xoxb-12345-67890-abcDEF", "12345"),
        ("xoxp-1-2-3-deadbeef", "deadbeef"),
        ("XAPP-1-A0-99-deadbeef", "deadbeef"),
        ("posting to https://hooks.slack.com/services/T0/B0/XyZ failed", "XyZ"),
        ("https://hooks.slack.com/commands/T0/1/abc", "abc"),
        ("Authorization: Bearer abc.def-ghi", "abc.def"),
        ("curl -H 'authorization: bearer s3cr3tvalue'", "s3cr3tvalue"),
        ("postgresql+asyncpg://pilot:hunter2@db/pilot", "hunter2"),
        ("redis://:hunter2@cache:6379/0", "hunter2"),
        (PEM, "MIIEp"),
        (PEM[:60], "MIIEp"),
        (PEM[33:], "secretsecret"),
        ("password=hunter2", "hunter2"),
        ("PGPASSWORD=hunter2 psql", "hunter2"),
        ('{"password": "hunter 2", "user": "x"}', "hunter"),
        ("token: hunter2", "hunter2"),
        ("api_key = 'hunter2'", "hunter2"),
        ("--token hunter2", "hunter2"),
        ("--db-password hunter2 --verbose", "hunter2"),
        ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
        ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "K7MDENG"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "abcdefghij"),
        ("glpat-ABCDEFGHIJ0123456789", "ABCDEFGHIJ"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
        ("key 7Fq2xLw9TzR4vKb8NcY1mHs6PdJ3gXaE", "7Fq2xLw9"),
    ],
)
def test_a_secret_is_hidden(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "deployed checkout v1.8.3 to staging in 12.4 s",
        "commit 4f1c2a9b8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "id 123e4567-e89b-12d3-a456-426614174000",
        "https://github.com/acme/checkout/compare/v1.8.2...v1.8.3",
        "/usr/lib/python3.11/site-packages/checkout/payments/handlers.py:120",
        "the password was changed, every token is new",
        "test_a_very_long_name_of_a_test_that_has_no_secret_2_in_it",
        "----------------------------------------------------------",
        "<@U0DANA> asked, <@U0ANA> approved D-142",
        "2026-03-02T14:05:00.123456+00:00",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_what_stands_around_a_secret_stays() -> None:
    assert redact("a password=x1 b") == f"a password={HIDDEN} b"
    assert redact("postgresql://pilot:hunter2@db/x") == f"postgresql://pilot:{HIDDEN}@db/x"


@given(st.text(max_size=2000))
def test_any_text_can_be_redacted_twice_to_the_same(text: str) -> None:
    once = redact(text)

    assert redact(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        *("eyJ-", "eyJaaaaaaaa.", "://a:", "--token", "-----BEGIN ", "bearer ", "a:b@", "é"),
        *("a://", "password", "password=", "token ", "--", "A1b", "eyJ", " ", "="),
    ],
)
def test_looking_for_secrets_takes_no_longer_than_there_is_to_read(piece: str) -> None:
    text = piece * (256 * 1024 // len(piece))
    before = process_time()

    redact(text)

    assert process_time() - before < 10, "a job's output is looked at in every lap"
