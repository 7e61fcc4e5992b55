"""Planted secrets: whatever they get into, they come out nowhere."""

import json
import sqlite3
from pathlib import Path

import pytest

from bot.adapters.http_json import shown
from bot.adapters.shell import tail
from bot.domain.jobs import JobState
from tests.builders import DANA, SAM
from tests.handlers.office import Office
from tests.handlers.reading import text_of
from tests.processes import python

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKc\n-----END PRIVATE KEY-----"
CANARIES = {
    "bot token": "xoxb-" + "111122223333-canary-AbCdEfGhIjKl",
    "app token": "xapp-" + "1-A0CANARY-123-abcdef",
    "hook": "https://hooks.slack.com/services/T0/B0/canarycanary",
    "bearer": "Bearer canary.of.the.token",
    "dsn": "postgresql://bot:canarypassword@db/pilothouse",
    "pem": PEM,
    "named": "password=canarypassword",
}
TELLTALE = ("canary", "CANARY", "MIIEvQ")

LOGGING = """
import logging, sys, structlog
from bot import log
log.set_up(sys.argv[1])
for canary in sys.argv[2:]:
    logger = structlog.get_logger()
    logger.info("said", what=canary, nested={"deep": [canary]})
    logging.getLogger("library").warning("said %s", canary)
    try:
        raise ValueError(canary)
    except ValueError:
        logger.exception("bug")
        logging.getLogger("library").exception("bug")
logging.getLogger("slack_sdk").info("a payload with people's words")
logging.getLogger("slack_bolt.AsyncApp").warning("Unhandled request with people's words")
structlog.get_logger().info("first line\\nsecond line\\u202e", who="a\\nb\\u2028c\\u2029d\\u061c")
"""

#: What nobody catches and nobody logs, on its way out of the program.
UNCAUGHT = """
import sys, threading, warnings
from bot import log
log.set_up(sys.argv[1])

def fall(what):
    raise ValueError(what)

for canary in sys.argv[2:]:
    warnings.warn(canary)
    thread = threading.Thread(target=fall, args=(canary,))
    thread.start()
    thread.join()
fall(" ".join(sys.argv[2:]))
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_and_no_payload_is_ever_logged(style: str) -> None:
    ran = python("-c", LOGGING, style, *CANARIES.values())

    assert ran.status == 0, ran.err
    assert not [word for word in TELLTALE if word in ran.err + ran.out]
    assert "people's words" not in ran.err
    assert "\u202e" not in ran.err
    assert "first line\\nsecond line" in ran.err.replace("\\\\n", "\\n")


@pytest.mark.parametrize("style", ["json", "console"])
def test_what_nobody_caught_tells_no_secret_either(style: str) -> None:
    ran = python("-c", UNCAUGHT, style, *CANARIES.values())

    assert ran.status == 1
    assert ran.err.count("ValueError") > len(CANARIES)
    assert ran.err.count("UserWarning") == len(CANARIES)
    assert not [word for word in TELLTALE if word in ran.err + ran.out], ran.err


@pytest.mark.parametrize("program", [LOGGING, UNCAUGHT])
def test_every_line_of_the_json_log_is_one_object(program: str) -> None:
    ran = python("-c", program, "json", *CANARIES.values())

    assert ran.err
    assert all(isinstance(json.loads(line), dict) for line in ran.err.splitlines())


def test_a_line_of_the_console_log_is_one_line_for_everybody() -> None:
    ran = python("-c", LOGGING, "console")

    (said,) = [line for line in ran.err.splitlines() if "first line" in line]
    assert said.endswith("d\\u061c")


async def test_a_jobs_output_with_secrets_in_it_is_shown_without(office: Office) -> None:
    """As the runner hands it over."""
    office.world.runner.tail = tail(("\n".join(CANARIES.values()) + "\ndone").encode())
    office.world.runner.ends = JobState.FAILED
    id = await office.requested()
    for _ in range(6):
        await office.beat()

    said = everything_shown(office)
    assert (await office.get(id)).is_over
    assert "done" in said
    assert not [word for word in TELLTALE if word in said]


@pytest.mark.parametrize("canary", [CANARIES["bot token"], CANARIES["dsn"], CANARIES["named"]])
async def test_an_outside_error_with_a_secret_in_it_is_not_shown(
    office: Office, canary: str
) -> None:
    id = await office.at_canary()
    office.world.router.refuses = shown(f"refused for {canary}", 120)
    await office.submits(SAM, "rollback.submit", json.dumps({"d": id}), reason="500s on /pay")
    await office.replica.drain()
    await office.replica.drain()

    assert "refused for" in everything_shown(office)
    assert "canary" not in everything_shown(office)


async def test_nothing_of_a_token_is_stored_or_counted(office: Office, database: Path) -> None:
    await office.at_canary()
    await office.types(DANA, f"/deploy checkout {CANARIES['bot token']}")
    await office.types(DANA, f"/deploy {CANARIES['named']}")

    with sqlite3.connect(database) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()

    assert not [word for word in TELLTALE if word in dump]
    assert not [word for word in TELLTALE if word in office.numbers.text().decode()]


def everything_shown(office: Office) -> str:
    shown = [text_of(each.message) for each in office.chat.shown.values()]
    return "\n".join(shown + [text_of(message) for _, message in office.chat.answers])
