"""Words that want to be more than words: mentions, links, commands; end to end."""

import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.pace import Pace
from bot.adapters.slack import SlackChat
from bot.blocks.lint import lint
from bot.domain.line import plain
from bot.ports import Message, Rejected
from tests.builders import ANA, DANA, SAM, TEAM
from tests.handlers.office import Office

HOSTILE = [
    "<!channel> <!here> <!everyone>",
    "<@U0EVIL> <#C0SECRET>",
    "<https://evil.example|the runbook>",
    "</div>&lt;!channel&gt;&amp;",
    "$(touch /tmp/x) `id` ; rm -rf / | cat",
    "{{7*7}} ${7*7} #{7*7} %s %(x)s {0.__class__}",
    "\u202etxet desrever\u202c \u200b\u2066",
    "*bold* _it_ ~no~ `code` ```block``` > quote",
    "😀" * 200,
    "x" * 2900,
]


def raw(office: Office) -> list[tuple[Message, str]]:
    every = [each.message for each in office.chat.shown.values()]
    every += [message for _, message in office.chat.answers]
    return [(m, json.dumps([m.text, *m.blocks], default=dict, ensure_ascii=False)) for m in every]


def check(office: Office) -> None:
    for message, text in raw(office):
        assert not lint({"text": message.text, "blocks": list(message.blocks)})
        for forbidden in ("<!channel", "<!here", "<!everyone", "<@U0EVIL", "<#C0", "<https://evil"):
            assert forbidden not in text, text
        assert "\u202e" not in text


@pytest.mark.parametrize("words", HOSTILE)
async def test_a_reason_stays_words_wherever_it_is_shown(office: Office, words: str) -> None:
    id = await office.at_approval()
    await office.types(DANA, f"/deploy hold {id} {words}")
    await office.types(DANA, f"/deploy resume {id}")
    await office.mentions(ANA, f"approve {id} v1.8.3 {words}", await office.card(id))
    await office.submits(ANA, "reject.submit", json.dumps({"d": id}), reason=words)
    for _ in range(3):
        await office.beat()

    told = await office.types(DANA, f"/deploy status {id}")

    assert (await office.get(id)).is_over
    check(office)
    assert "<!channel" not in json.dumps(told.body)


@pytest.mark.parametrize("words", HOSTILE)
async def test_the_reason_of_a_rollback_stays_words(office: Office, words: str) -> None:
    id = await office.at_canary()
    preview = await office.types(SAM, f"/rollback {id} {words}")
    await office.submits(SAM, "rollback.submit", json.dumps({"d": id}), reason=words)
    for _ in range(3):
        await office.beat()

    assert preview.status == 200
    assert "<!channel" not in json.dumps(preview.body)
    check(office)


#: A terminal obeys these, a reader is turned round by them, or a database cannot keep them.
UNSEEN = "\x1b]0;mine\x07\x1b[2K\x9b31m\u202e\u2066\u2028\x7f\x00\ud800"


@pytest.mark.parametrize("callback", ["rollback.submit", "cancel.submit", "reject.submit"])
async def test_what_cannot_be_seen_is_not_kept_of_a_form(office: Office, callback: str) -> None:
    is_late = callback == "rollback.submit"
    id = await (office.at_canary() if is_late else office.at_approval())
    user = SAM if is_late else ANA
    await office.submits(user, callback, json.dumps({"d": id}), reason=f"500s{UNSEEN} on /pay")

    told = await office.plain_store.run(lambda tx: tx.journal.story(TEAM, id))

    said = [plain(entry.line) for _, entry in told]
    assert [line for line in said if "500s" in line and "on /pay" in line]
    assert not [line for line in said if set(UNSEEN) - set("]0;mine[2K31m") & set(line)]


async def test_a_reason_is_as_long_as_a_form_takes_and_no_longer(office: Office) -> None:
    id = await office.at_canary()
    await office.submits(SAM, "rollback.submit", json.dumps({"d": id}), reason="x" * 200_000)

    rolling = await office.get(id)

    assert rolling.rollback is not None
    assert len(rolling.rollback.reason) == 3000


@pytest.mark.parametrize("words", HOSTILE)
async def test_no_word_is_a_version_a_service_or_an_environment(office: Office, words: str) -> None:
    for line in (f"/deploy checkout {words}", f"/deploy {words}", f"/deploy checkout v1 {words}"):
        answer = await office.types(DANA, line)
        shown = json.dumps(answer.body, ensure_ascii=False)
        assert answer.status == 200
        assert "<!channel" not in shown
        assert "<@U0EVIL" not in shown

    assert await office.every() == ()


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/",
        "https://hooks.slack.com.evil.example/x",
        "https://hooks.slack.com@evil.example/x",
        "https://evil.example/hooks.slack.com",
        "http://hooks.slack.com/x",
        "https://hooks.slack.com:444/x",
        "//hooks.slack.com/x",
        "file:///etc/passwd",
        "replace:http://127.0.0.1:1/",
    ],
)
async def test_an_answer_goes_to_slack_or_nowhere(to: str) -> None:
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient("xoxb-test", base_url="http://127.0.0.1:1/", session=session)
        chat = SlackChat(client, session, Pace(lambda: 0.0))

        with pytest.raises(Rejected):
            await chat.answer(to, Message("no"))


async def test_a_redirect_is_not_followed() -> None:
    followed: list[str] = []

    async def away(request: web.Request) -> web.Response:
        followed.append(request.path)
        return web.Response(status=307, headers={"Location": "/secret"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", away)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        own = str(server.make_url("/")).rstrip("/")
        client = AsyncWebClient("xoxb-test", base_url=own, session=session)
        chat = SlackChat(client, session, Pace(lambda: 0.0), (own,))

        with pytest.raises(Rejected):
            await chat.answer(f"{own}/response", Message("hello"))

    assert followed == ["/response"]
