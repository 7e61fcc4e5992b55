"""Answers to one person: every one says what did not happen, and leads on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.blocks import replies
from bot.blocks.help import help_for
from bot.blocks.lists import deployment_table, status_list, status_of, waiting
from bot.domain.effects import Announce, Reply
from bot.domain.line import Bold, Code, Mention, Said
from bot.domain.refusal import Refusal, Way
from bot.domain.slots import Lock
from tests.blocks.shown import buttons, lines, payload
from tests.blocks.test_card import canary, when
from tests.builders import (
    ANA,
    DANA,
    NOW,
    QUINN,
    a_deployment,
    a_plan,
    a_target,
    people,
)


def test_a_refusal_says_what_why_and_who_can() -> None:
    why = (
        Bold("You cannot approve D-142."),
        " It still needs a ",
        Bold("QA Lead"),
        ": ",
        Mention(QUINN),
        ".",
    )
    refused = Refusal("role", why, ("Nothing was changed. Ask them.",))
    drawn = replies.refusal(refused, "/approve D-142", {QUINN: "Quinn"})

    assert drawn.text == (
        "You cannot approve D-142. It still needs a QA Lead: Quinn. Nothing was changed. Ask them."
    )
    assert lines(drawn) == [
        ":lock: *You cannot approve D-142.* It still needs a *QA Lead*: <@U0QUINN>.",
        "Nothing was changed. Ask them.",
        "You typed `/approve D-142`.",
    ]


def test_the_ways_on_are_buttons_each_with_an_id_of_its_own() -> None:
    ways = (Way("Show it", "deploy.status", "D-141"), Way("And this", "deploy.status", "D-140"))
    drawn = replies.refusal(Refusal("slot", ("No.",), ("Look.",), ways))

    assert {name: each["value"] for name, each in buttons(drawn).items()} == {
        "deploy.status": "D-141",
        "deploy.status.2": "D-140",
    }


def test_a_misread_line_offers_whole_lines_to_run_again() -> None:
    drawn = replies.misread(
        "I know no service chekout.",
        "It is not in the policy.",
        "Did you mean one of these?",
        ("/deploy checkout v1.8.3", "/deploy checkout-api v1.8.3"),
        "/deploy chekout v1.8.3",
    )

    assert lines(drawn) == [
        ":x: *I know no service chekout.* It is not in the policy.",
        "Did you mean one of these?",
        "[/deploy checkout v1.8.3]",
        "[checkout-api v1.8.3]",
        "You typed `/deploy chekout v1.8.3`. Nothing was changed.",
    ]
    assert buttons(drawn)["deploy.retry.2"]["value"] == "/deploy checkout-api v1.8.3"


@pytest.mark.parametrize(
    ("rule", "sign"),
    [("role", ":lock:"), ("stale", ":arrows_counterclockwise:"), ("reason", ":x:")],
)
def test_a_refused_click_has_the_sign_of_its_rule(rule: str, sign: str) -> None:
    drawn = replies.reply(Reply("", ("No.",), is_refusal=True, rule=rule))

    assert lines(drawn)[0] == f"{sign} No."


def test_our_own_fault_has_a_code_a_person_and_a_way_without_us() -> None:
    drawn = replies.fault("E-7F3K", ["U0TESS"], "kubectl rollout undo deployment/checkout", "U0SAM")

    assert "E-7F3K" in drawn.text
    assert lines(drawn) == [
        ":warning: *Something broke on our side. Nothing was changed.*",
        "Try once more. If it fails again, tell <@U0TESS> the code `E-7F3K`.",
        "If production is in danger now: runbook `kubectl rollout undo deployment/checkout` · "
        "on call <@U0SAM>",
    ]


def test_help_shows_what_one_may_do_and_says_what_not() -> None:
    devs = lines(help_for(DANA, people(), [a_plan()]))
    leads = lines(help_for(ANA, people(), [a_plan()]))

    assert not any("/approve" in line or "unlock" in line for line in devs[:-1])
    assert devs[-1].startswith("You are *developer* here. Not with your roles: approve, reject")
    assert any("/approve" in line for line in leads)
    assert "Not with your roles" not in leads[-1]


def test_help_offers_what_the_asker_may_do_and_speaks_of_the_teams_own_service() -> None:
    plan = replace(a_plan(), service="search")
    nobody = help_for("U0NOBODY", people(), [plan])
    dev = help_for(DANA, people(), [plan])

    assert buttons(dev)["deploy.retry"]["value"] == "/deploy"
    assert list(buttons(nobody)) == ["deploy.retry.2"]
    assert "`/deploy search v1.8.3`  ask for a deployment; a preview comes first" in lines(dev)
    assert dev.text == "What would you like to do? /deploy opens a form."


def test_help_names_only_what_exists() -> None:
    shown = " ".join(lines(help_for(ANA, people(), [a_plan()])))

    assert not any(word in shown for word in ("/triage", "freeze", "go/no-go", "windows"))


def test_the_status_list_counts_and_shows_what_runs_and_what_is_locked() -> None:
    lock = Lock("tax audit", ANA, NOW)
    drawn = status_list([canary()], [(a_target("payments"), lock)], people(), NOW)

    assert drawn.text == "1 running, 1 locked."
    assert lines(drawn)[1:3] == [
        ":large_blue_circle: `D-142` checkout v1.8.3 → production · Rollout 50 %, healthy · Dana",
        f":lock: payments in production · locked by Ana since {when(NOW, '14:00')}: tax audit",
    ]


def test_what_happened_on_another_day_says_which_day() -> None:
    told = [Announce((Said("x"),), NOW), Announce((Said("y"),), NOW + timedelta(days=1))]
    drawn = lines(status_of(canary(), told, people(), NOW + timedelta(days=1)))

    assert "02 Mar 14:00 UTC · x" in drawn
    assert "14:00 UTC · y" in drawn


def test_an_empty_status_says_what_one_can_do() -> None:
    assert "`/deploy` starts one." in lines(status_list([], [], people(), NOW))


def test_a_long_list_ends_with_how_to_see_the_rest() -> None:
    drawn = status_list([a_deployment()] * 60, [], people(), NOW)

    assert "and 19 more: `/deploy list`" in lines(drawn)


def test_the_status_of_one_says_where_it_stands_and_then_what_happened() -> None:
    told = [Announce(("Requested by ", Mention(DANA)), NOW), Announce((Said("x"),), NOW)]
    shown = lines(status_of(canary(), told, people(), NOW))

    assert shown[1] == ":large_blue_circle: *Rollout 50 %*, healthy · `D-142`"
    assert any("limit" in line for line in shown)
    assert shown[shown.index("*Timeline*, 2 entries") + 1 :][:2] == [
        "14:00 UTC · Requested by Dana",
        "14:00 UTC · x",
    ]


def test_the_status_of_one_that_waits_for_signatures_names_who_can_give_them() -> None:
    drawn = status_of(a_deployment(cursor=2), [], people(), NOW)

    assert ":hourglass_flowing_sand: QA Lead: Quinn" in lines(drawn)


def test_the_table_has_a_row_for_each_deployment() -> None:
    blocks = payload(deployment_table([canary(), a_deployment()], people(), NOW))["blocks"]
    rows = [[cell["text"] for cell in row] for row in blocks[1]["rows"]]

    assert rows[0] == ["Id", "Version", "Where", "State", "By", "When"]
    assert rows[1] == [
        "D-142",
        "v1.8.3",
        "checkout production",
        "Rollout 50 %",
        "Dana",
        "02 Mar 14:00 UTC",
    ]


def test_the_status_of_one_links_to_its_card() -> None:
    drawn = status_of(canary(), [], people(), NOW, "https://example.com/card")

    assert any("<https://example.com/card|see its card>" in line for line in lines(drawn))


def test_an_answer_is_one_sentence() -> None:
    line = (Code("D-142"), " goes on.")

    assert replies.answer(line).text == "D-142 goes on."
    assert lines(replies.answer(line)) == ["`D-142` goes on."]


@pytest.mark.parametrize(("count", "words"), [(1, "1 waits for"), (2, "2 wait for")])
def test_what_waits_is_counted_in_english(count: int, words: str) -> None:
    assert waiting([a_deployment(cursor=2)] * count, people()).text.startswith(words)
