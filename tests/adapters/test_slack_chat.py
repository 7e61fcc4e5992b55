"""Slack's refusals and silences, sorted into what the outbox must know of each."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.pace import Pace
from bot.adapters.slack import SlackChat
from bot.ports import CannotLook, Gone, Message, Posted, Rejected, Unavailable, Unreachable
from tests.builders import NOW
from tests.fakes import Clock

THREAD = "1795215172.778034"
CARD, WHERE = Message("Card"), Posted("C0DEPLOY", "1.2")


@dataclass
class Script:
    """Answers every call with `answer`, and counts them."""

    answer: Callable[[], web.StreamResponse]
    calls: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(request.path)
        self.bodies.append(await request.text())
        return self.answer()


def says(error: str = "", status: int = 200, **headers: str) -> Callable[[], web.Response]:
    body: dict[str, Any] = {"ok": not error, "channel": "C0DEPLOY", "ts": "1.2"}
    if error:
        body["error"] = error
    return lambda: web.json_response(body, status=status, headers=headers)


@dataclass
class Line:
    chat: SlackChat
    script: Script
    clock: Clock
    own: str


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    script, clock = Script(says()), Clock()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.serve)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        own = str(server.make_url("/")).rstrip("/")
        client = AsyncWebClient("xoxb-test", base_url=f"{own}/", session=session, retry_handlers=[])
        chat = SlackChat(client, session, Pace(clock.seconds), (own,), timedelta(seconds=5))
        yield Line(chat, script, clock, own)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("channel_not_found", Unreachable),
        ("is_archived", Unreachable),
        ("not_in_channel", Unreachable),
        ("restricted_action", Unreachable),
        ("thread_not_found", Gone),
        ("restricted_action_thread_locked", Gone),
        ("message_limit_exceeded", Unavailable),
        ("invalid_blocks", Rejected),
        ("something_new", Rejected),
        ("token_revoked", Unavailable),
        ("internal_error", Unavailable),
    ],
)
async def test_a_refusal_is_sorted_by_what_can_be_done_about_it(
    line: Line, error: str, kind: type[Exception]
) -> None:
    line.script.answer = says(error)

    with pytest.raises(kind):
        await line.chat.post("C0DEPLOY", CARD, "key")


@pytest.mark.parametrize("status", [403, 404, 407])
async def test_what_a_proxy_says_is_tried_again_and_in_no_doubt(line: Line, status: int) -> None:
    line.script.answer = lambda: web.Response(
        status=status, text="<html>proxy</html>", content_type="text/html"
    )

    with pytest.raises(Unavailable) as caught:
        await line.chat.post("C0DEPLOY", CARD, "key")

    assert not caught.value.is_in_doubt
    assert not line.chat.is_revoked


@pytest.mark.parametrize("kind", ["application/json", "text/html", "text/plain"])
async def test_a_success_that_cannot_be_read_is_in_doubt(line: Line, kind: str) -> None:
    line.script.answer = lambda: web.Response(text="<html>sign in</html>", content_type=kind)

    with pytest.raises(Unavailable) as caught:
        await line.chat.post("C0DEPLOY", CARD, "key")

    assert caught.value.is_in_doubt


async def test_an_edit_of_what_is_gone_says_so(line: Line) -> None:
    line.script.answer = says("message_not_found")

    with pytest.raises(Gone):
        await line.chat.edit(WHERE, CARD)


async def test_a_missing_right_to_read_is_no_answer_to_the_question(line: Line) -> None:
    line.script.answer = says("missing_scope")

    with pytest.raises(CannotLook):
        await line.chat.find("C0DEPLOY", "key", NOW)
    line.script.answer = says()
    await line.chat.post("C0DEPLOY", CARD, "key")


async def test_an_answer_for_one_person_outlives_the_thread(line: Line) -> None:
    said = iter([says("thread_not_found"), says()])
    line.script.answer = lambda: next(said)()

    await line.chat.answer("ephemeral:C0DEPLOY/1.2/U0ANA", CARD)

    assert ["thread_ts" in body for body in line.script.bodies] == [True, False]


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("Fri, 01 Jan 2027", 30), ("", 30), ("-5", 30), ("٣", 30)]
)
async def test_a_limit_is_kept_as_long_as_slack_said(line: Line, header: str, seconds: int) -> None:
    line.script.answer = says("ratelimited", 429, **{"Retry-After": header})
    with pytest.raises(Unavailable) as caught:
        await line.chat.post("C0DEPLOY", CARD, "key")
    line.script.answer = says()

    line.clock.pass_(timedelta(seconds=seconds - 1))
    with pytest.raises(Unavailable):
        await line.chat.post("C0DEPLOY", CARD, "key")
    held_back = len(line.script.calls)
    line.clock.pass_(timedelta(seconds=2))
    await line.chat.post("C0DEPLOY", CARD, "key")

    assert caught.value.retry_after == timedelta(seconds=seconds)
    assert held_back == 1


async def test_a_limit_counts_for_methods_without_a_published_one(line: Line) -> None:
    line.script.answer = says("ratelimited", 429, **{"Retry-After": "7"})
    for _ in range(2):
        with pytest.raises(Unavailable):
            await line.chat.answer("ephemeral:C0DEPLOY/1.2/U0ANA", CARD)

    assert len(line.script.calls) == 1


async def test_an_answer_for_one_person_names_a_thread_only_where_there_is_one(line: Line) -> None:
    for place in ("ephemeral:C0DEPLOY//U0ANA", "ephemeral:C0DEPLOY/1.2/U0ANA"):
        await line.chat.answer(place, CARD)

    assert ["thread_ts" in body for body in line.script.bodies] == [False, True]


async def test_another_channel_is_not_held_back_by_this_ones_limit(line: Line) -> None:
    line.script.answer = says("ratelimited", 429, **{"Retry-After": "60"})
    with pytest.raises(Unavailable):
        await line.chat.post("C0DEPLOY", CARD, "key")
    line.script.answer = says()

    await line.chat.post("C0INCIDENT", CARD, "key")


@pytest.mark.parametrize(
    "code",
    [
        *("token_revoked", "team_added_to_org", "ekm_access_denied", "accesslimited"),
        *("access_denied", "org_login_required", "team_access_not_granted"),
        *("two_factor_setup_required", "missing_scope"),
    ],
)
async def test_an_app_that_is_shut_out_is_no_storm_and_mended_by_itself(
    line: Line, code: str
) -> None:
    line.script.answer = says(code)
    for _ in range(60):
        with pytest.raises(Unavailable):
            await line.chat.post("C0DEPLOY", CARD, "key")
        line.clock.pass_(timedelta(seconds=1))
    calls, was_revoked = len(line.script.calls), line.chat.is_revoked
    line.script.answer = says()
    line.clock.pass_(timedelta(seconds=30))
    await line.chat.post("C0DEPLOY", CARD, "key")

    assert calls <= 5
    assert was_revoked
    assert not line.chat.is_revoked


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_error_leaves_the_call_in_doubt(line: Line, status: int) -> None:
    line.script.answer = lambda: web.Response(status=status, text="<html>oops</html>")

    with pytest.raises(Unavailable) as caught:
        await line.chat.post("C0DEPLOY", CARD, "key")

    assert caught.value.is_in_doubt


async def test_a_slack_that_cannot_be_reached_was_never_told(line: Line) -> None:
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(
            "xoxb-test", base_url="http://127.0.0.1:1/", session=session, retry_handlers=[]
        )
        with pytest.raises(Unavailable) as caught:
            await SlackChat(client, session, Pace(line.clock.seconds)).post("C", CARD, "key")

    assert not caught.value.is_in_doubt


async def test_a_channel_is_posted_to_about_once_a_second(line: Line) -> None:
    sent = 0
    for _ in range(600):
        line.clock.pass_(timedelta(seconds=0.1))
        try:
            await line.chat.post("C0DEPLOY", CARD, "key")
        except Unavailable:
            continue
        sent += 1

    assert 55 <= sent <= 64


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, Rejected), (407, Unavailable), (500, Unavailable), (429, Unavailable)],
)
async def test_an_answer_to_a_click_is_tried_again_or_given_up(
    line: Line, status: int, kind: type[Exception]
) -> None:
    line.script.answer = lambda: web.Response(status=status)

    with pytest.raises(kind):
        await line.chat.answer(f"{line.own}/response", CARD)


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("", {"replace_original": False}),
        ("replace:", {"replace_original": True}),
        (f"thread:{THREAD}:", {"replace_original": False, "thread_ts": THREAD}),
    ],
)
async def test_an_answer_to_a_click_stands_where_it_is_addressed_to(
    line: Line, way: str, expected: dict[str, Any]
) -> None:
    await line.chat.answer(f"{way}{line.own}/response", CARD)

    assert line.script.calls == ["/response"]
    sent = json.loads(line.script.bodies[0])
    assert sent.pop("blocks") == []
    assert sent == {"response_type": "ephemeral", "text": "Card"} | expected


@pytest.mark.parametrize("way", ["", "replace:", "thread:1.2:", "thread:", "thread:1.2"])
async def test_no_way_of_answering_leads_out_of_slack(line: Line, way: str) -> None:
    with pytest.raises(Rejected, match="outside Slack"):
        await line.chat.answer(f"{way}http://127.0.0.1:9/response", CARD)

    assert line.script.calls == []


async def test_a_form_is_renewed_only_as_it_was_seen(line: Line) -> None:
    await line.chat.update_form("V1", "h1", {"type": "modal"})

    assert line.script.calls == ["/views.update"]
    assert '"h1"' in line.script.bodies[0] or "hash=h1" in line.script.bodies[0]
    line.script.answer = says("hash_conflict")
    with pytest.raises(Rejected):
        await line.chat.update_form("V1", "h1", {"type": "modal"})
