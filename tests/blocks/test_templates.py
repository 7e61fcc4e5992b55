"""Every message in every state, with the worst words people can type, is one that Slack takes."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from bot.blocks import (
    ask,
    card,
    lists,
    milestone,
    page,
    replies,
    request,
    rollback,
    status,
    stopping,
    thread,
    views,
)
from bot.blocks.help import help_for
from bot.blocks.pieces import Json
from bot.domain.deployment import Deployment
from bot.domain.effects import Announce, Reply
from bot.domain.past import Past
from bot.domain.refusal import Refusal, Way
from bot.domain.roles import People
from bot.domain.slots import Lock
from bot.memory import Draft
from bot.ports import Message
from tests.blocks.hostile import LONG, NASTY, crowd, every_state, nasty_plan
from tests.blocks.shown import faults, modal_faults
from tests.builders import ANA, DANA, NOW, TEAM, a_version

STATES = list(every_state())
Template = Callable[[Deployment, People], Message]

MESSAGES: dict[str, Template] = {
    "card": lambda d, p: card.card(d, p, NOW),
    "card, later": lambda d, p: card.card(d, p, NOW + timedelta(hours=3)),
    "ask": lambda d, p: ask.ask(d, p),
    "reminder": lambda d, p: ask.ask(d, p, is_reminder=True),
    "closed asking": ask.ask_closed,
    "status": lambda d, p: status.status(
        d, p, NOW, NOW + timedelta(minutes=5), "https://x.example"
    ),
    "collapsed": lambda d, p: status.collapsed(d, NOW, status.summary(d, p, NOW)),
    "page": lambda d, p: page.page(d, d.last.line, p),
    "status of one": lambda d, p: lists.status_of(d, [], p, NOW, "https://x.example/card"),
    "status list": lambda d, p: lists.status_list(
        [d] * 60, [(d.target, Lock(LONG, ANA, NOW))] * 60, p, NOW
    ),
    "table": lambda d, p: lists.deployment_table([d] * 120, p, NOW),
    "timeline": lambda d, p: lists.status_of(d, [Announce(d.last.line, NOW)] * 200, p, NOW),
    "announcement": lambda d, _: thread.announce(d.last.line, NOW, {}),
    "anchor": lambda d, _: thread.anchor(d.id, 14, d.digest),
    "output": lambda d, _: thread.job_tail(d.stage.name, LONG * 4, d.id),
    "refusal": lambda d, _: replies.refusal(
        Refusal("role", d.last.line, d.last.line, (Way(LONG[:200], "deploy.status", d.id),) * 9),
        typed=LONG,
    ),
    "answer": lambda d, _: replies.answer(d.last.line),
    "reply": lambda d, _: replies.reply(Reply("", d.last.line, d.last.line, is_refusal=True)),
    **{
        f"milestone {kind}": lambda d, p, kind=kind: milestone.milestone(d, kind, p, LONG)  # type: ignore[misc]
        for kind in ("complete", "rolled_back", "rollback_failed", "failed", "expired", "?")
    },
}


_TARGETS = (a_version("v1.8.2"), *(a_version(f"v1.7.{number}") for number in range(120)))

_PAST = Past((timedelta(days=400, minutes=59),) * 5, NOW - timedelta(days=12345))

FORMS: dict[str, Callable[[Deployment, People], Json]] = {
    "rollback": lambda d, p: rollback.form(d, _TARGETS, p, NOW, LONG, "v1.7.3"),
    "reject": lambda d, _: stopping.reject_form(d),
    "cancel": lambda d, _: stopping.cancel_form(d),
    "check": lambda d, p: views.check(_draft(d), d.plan, d.stable, p, _PAST),
    "notice": lambda d, p: views.notice(card.card(d, p, NOW)),
}
PREVIEWS: dict[str, Template] = {
    "rollback": lambda d, p: rollback.preview(d, _TARGETS[0], "R-7", LONG, p, NOW),
    "request": lambda d, p: request.preview(_draft(d), d.plan, d.stable, p, _PAST),
}


def _draft(d: Deployment) -> Draft:
    plan = d.plan
    return Draft(TEAM, "R-8", DANA, plan.service, plan.environment, d.kind, d.version, NOW)


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_is_clean_in_every_state(name: str) -> None:
    found = {state: faults(MESSAGES[name](d, everybody)) for state, d, everybody in STATES}

    assert {state: each for state, each in found.items() if each} == {}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_clean_in_every_state(name: str) -> None:
    found = {state: modal_faults(FORMS[name](d, everybody)) for state, d, everybody in STATES}

    assert {state: each for state, each in found.items() if each} == {}


@pytest.mark.parametrize("name", PREVIEWS)
def test_every_preview_is_clean_in_every_state(name: str) -> None:
    found = {
        state: faults(PREVIEWS[name](d, everybody), is_preview=True)
        for state, d, everybody in STATES
    }

    assert {state: each for state, each in found.items() if each} == {}


def test_no_bare_address_or_name_is_turned_into_a_link() -> None:
    for _, d, everybody in STATES:
        drawn = json.dumps(card.card(d, everybody, NOW).blocks)
        assert drawn.count('"verbatim": true') == drawn.count('"mrkdwn"')


def test_answers_without_a_deployment_are_clean() -> None:
    for message in _others():
        assert faults(message) == []


def test_the_form_is_clean_with_no_one_and_with_very_many_services() -> None:
    many = [f"{number} {NASTY[:100]}".replace("<!", "!") for number in range(450)]
    filled = request.Filled(many[7], LONG[:100], many[3], LONG)

    for services in ([], many[:1], many[:100], many):
        assert modal_faults(request.form(services, services, filled, "C0DEPLOY")) == []


def _others() -> Iterator[Message]:
    yield replies.fault("E-7F3K", [ANA], NASTY, ANA)
    yield replies.fault("E-7F3K")
    yield replies.misread(LONG[:200], LONG[:300], LONG, [LONG[:200], "/deploy x v1"], LONG)
    yield replies.misread("I know no service x.", "It is not there.", "Say another.")
    yield lists.status_list([], [], crowd(), NOW)
    yield lists.waiting([], crowd())
    yield lists.waiting([d for name, d, _ in STATES if name == "nasty running 2"] * 7, crowd())
    yield lists.deployment_table([], crowd(), NOW)
    yield help_for(ANA, crowd(), [nasty_plan()])
    yield help_for("U0NOBODY", crowd(), [])
    yield thread.job_tail("", "")
    yield thread.announce((), NOW, {})
