"""What is shown before anything happens: previews and forms, for requests and rollbacks."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.blocks import request, rollback
from bot.blocks.pieces import Json
from bot.domain.deployment import Deployment, Phase
from bot.domain.gates import Check, Driver
from bot.domain.health import Finding, Verdict
from bot.domain.line import Bold, plain
from bot.domain.past import Past
from bot.domain.plan import RollbackRules
from bot.domain.release import Migration, Version
from bot.memory import Draft
from bot.ports import Message
from tests.blocks.shown import buttons, lines
from tests.blocks.test_card import MINUTE, canary, healthy
from tests.builders import DANA, NOW, TEAM, a_plan, a_version, people


def draft(*migrations: Migration) -> Draft:
    version = a_version(migrations=migrations)
    return Draft(TEAM, "R-8", DANA, "checkout", "production", "standard", version, NOW)


def element(view: Json, block_id: str) -> dict[str, object]:
    found = [b for b in json.loads(json.dumps(view))["blocks"] if b.get("block_id") == block_id]
    drawn = found[0]["element"]
    assert isinstance(drawn, dict)
    return drawn


def test_the_request_preview_says_what_will_be_asked_of_whom() -> None:
    drawn = request.preview(draft(), a_plan(kind="standard"), a_version("v1.8.2"), people())

    assert drawn.text == (
        "Ready to request: checkout v1.8.3 to production. 1 gate to pass, "
        "approvals: Deployment Lead, QA Lead"
    )
    assert lines(drawn) == [
        "*Request checkout v1.8.3 → production?*",
        "Faster baskets",
        "3 commits since v1.8.2",
        "*Kind*",
        "Standard, 10 → 50 → 100 %, at least 15 min",
        "*Gates to pass*",
        "ci",
        "*Approvals needed*",
        "Deployment Lead, QA Lead",
        "*Rollback target*",
        "`v1.8.2`",
        "*Migrations*",
        "none",
        "[Request deployment]",
        "[Edit]",
        "[Cancel]",
        "Only you can see this. Nothing has started. `/deploy checkout v1.8.3` brings it back.",
    ]
    assert {each["value"] for each in buttons(drawn).values()} == {'{"r":"R-8"}'}


def test_a_request_preview_says_which_migrations_are_one_way() -> None:
    moved = draft(Migration("0042", is_reversible=False))

    assert "`0042` one-way" in lines(request.preview(moved, a_plan(), None, people()))


def facts(past: Past, stable: Version | None) -> list[str]:
    return lines(request.preview(draft(), a_plan(), stable, people(), past))


def test_a_preview_says_how_long_it_may_take_and_from_how_many_that_is_known() -> None:
    past = Past(tuple(timedelta(minutes=each) for each in (52, 55, 300, 58)))

    said = facts(past, a_version("v1.8.2"))

    assert said[said.index("*Expected time*") + 1] == (
        "about 56 min to full traffic, median of the last 4"
    )
    assert "*Expected time*" not in facts(Past(past.took[:2]), a_version("v1.8.2"))


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (timedelta(days=3, hours=5), "`v1.8.2`, live 3 days"),
        (timedelta(days=2), "`v1.8.2`, live 2 days"),
        (timedelta(hours=47), "`v1.8.2`, live 47 h"),
        (timedelta(minutes=12, seconds=7), "`v1.8.2`, live 12 min"),
        (timedelta(seconds=-5), "`v1.8.2`, live 0 s"),
    ],
)
def test_a_preview_says_how_long_the_version_that_serves_is_live(
    since: timedelta, said: str
) -> None:
    assert said in facts(Past(serving_since=NOW - since), a_version("v1.8.2"))


def test_where_nothing_serves_nothing_has_an_age() -> None:
    shown = facts(Past(serving_since=NOW), None)

    assert shown[shown.index("*Rollback target*") + 1] == "none"


def test_the_form_keeps_what_was_typed() -> None:
    filled = request.Filled("checkout", "v1.8.3", "production", "tax fix")
    view = request.form(["checkout", "search"], ["staging", "production"], filled)

    assert view["callback_id"] == "deploy.form"
    assert element(view, "note")["initial_value"] == "tax fix"
    initials = {
        block: element(view, block)["initial_option"]
        for block in ("service", "version.checkout", "environment.checkout")
    }
    assert {block: initial["value"] for block, initial in initials.items()} == {  # type: ignore[index]
        "service": "checkout",
        "version.checkout": "v1.8.3",
        "environment.checkout": "production",
    }


def test_a_form_without_a_service_asks_for_one_first() -> None:
    view = request.form(["checkout", "search"], ["staging", "production"], request.Filled())

    assert "Choose a service first" in json.dumps(element(view, "version")["placeholder"])
    service = next(b for b in json.loads(json.dumps(view))["blocks"] if b["block_id"] == "service")
    assert service["dispatch_action"] is True


def test_a_version_to_choose_says_who_made_it_how_much_it_is_and_what_it_brings() -> None:
    version = a_version(authors=(DANA, "U0GONE"), changes=1, summary="Faster baskets")
    (drawn,) = request.version_options([version], "", {DANA: "Dana"})

    assert json.loads(json.dumps(drawn)) == {
        "text": {"type": "plain_text", "text": "v1.8.3 · Dana · 1 commit", "emoji": True},
        "value": "v1.8.3",
        "description": {"type": "plain_text", "text": "Faster baskets", "emoji": True},
    }


def test_at_most_a_hundred_versions_are_offered_and_none_that_cannot_be_sent() -> None:
    many = [a_version(f"v1.{n}") for n in range(150)]

    assert len(request.version_options(many, "", {})) == 100
    assert request.version_options([a_version("x" * 200)], "", {}) == []


def test_without_the_catalogue_what_was_typed_can_still_be_sent() -> None:
    (drawn,) = request.version_options(None, "v1.8.3", {})

    assert drawn["value"] == "v1.8.3"
    assert request.version_options(None, "", {}) == []


def test_the_rollback_preview_is_computed_and_carries_ids_only() -> None:
    version = a_version(migrations=(Migration("0042", is_reversible=False),))
    drawn = rollback.preview(
        canary(version=version), a_version("v1.8.2"), "R-7", "500s on /pay", people(), NOW
    )

    assert drawn.text == (
        "Roll back checkout in production from v1.8.3 to v1.8.2? Confirm to start. D-142"
    )
    shown = lines(drawn)
    assert shown[:2] == [
        "*Roll back checkout in production, v1.8.3 → v1.8.2?*",
        "Reason: 500s on /pay",
    ]
    assert (
        ":warning: *Database*: migration `0042` (one-way); nothing is migrated back, "
        "so `v1.8.2` has to run with it."
    ) in shown
    assert buttons(drawn)["rollback.confirm"]["value"] == (
        '{"d":"D-142","o":3,"t":"v1.8.2","r":"R-7"}'
    )
    assert not any("500s" in each["value"] for each in buttons(drawn).values())


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=1)])
def test_a_rollback_preview_says_unknown_where_nothing_is_known(later: timedelta) -> None:
    d = canary(health=None) if not later else canary()
    drawn = rollback.preview(d, a_version("v1.8.2"), "R-7", "why", people(), NOW + later)

    assert "*Health now*: unknown" in lines(drawn)


def test_going_further_back_admits_that_migrations_between_are_unknown() -> None:
    drawn = rollback.preview(canary(), a_version("v1.7.9"), "R-7", "why", people(), NOW)

    assert any("Migrations of versions in between are unknown" in line for line in lines(drawn))


def test_a_rollback_in_one_sentence_warns_of_what_is_not_migrated_back() -> None:
    dropped = a_version(migrations=(Migration("0042_drop", is_reversible=False),))
    old = a_version("v1.8.2")

    said = rollback.in_a_line(canary(version=dropped), old, [old, a_version("v1.8.1")], NOW)

    assert Bold("Migration 0042_drop is one-way") in said
    assert "v1.8.2 has to run with it" in plain(said)
    assert "To another version (v1.8.1): /rollback D-142 to VERSION reason" in plain(said)


def test_the_rollback_form_asks_for_a_target_and_a_reason() -> None:
    targets = (a_version("v1.8.2"), a_version("v1.8.1"))
    view = rollback.form(canary(), targets, people(), NOW)

    assert view["callback_id"] == "rollback.submit"
    assert view["private_metadata"] == '{"d":"D-142","o":3}'
    assert element(view, "reason")["min_length"] == 5
    options = element(view, "target")["options"]
    assert isinstance(options, list)
    assert [(o["text"]["text"], o["value"]) for o in options] == [
        ("v1.8.2 (last good)", "v1.8.2"),
        ("v1.8.1", "v1.8.1"),
    ]


def test_the_rollback_form_tells_of_the_version_that_was_asked_for() -> None:
    targets = (a_version("v1.8.2"), a_version("v1.8.1"))
    drawn = json.dumps(rollback.form(canary(), targets, people(), NOW, target="v1.8.1"))

    assert "All traffic goes to `v1.8.1`" in drawn
    assert '"initial_option": {"text": {"type": "plain_text", "text": "v1.8.1"' in drawn


def test_a_rollback_after_the_fact_leaves_the_finished_one_as_it_is() -> None:
    done = canary(phase=Phase.SUCCEEDED, cursor=4)
    drawn = rollback.preview(done, a_version("v1.8.2"), "R-7", "why", people(), NOW)

    assert any("`D-142` stays as it is" in line for line in lines(drawn))


def test_a_rollback_form_shows_good_health_beside_its_limits_and_says_what_is_wrong_once() -> None:
    good = Finding("error rate", "%", 0.08, Decimal(1), MINUTE, is_breached=False)
    bad = Finding("error rate", "%", 6.2, Decimal(5), MINUTE, is_breached=True)
    why = "error rate 6.2 % > 5 % for 2 min"
    well = canary(health=healthy(why="within every limit", findings=(good,)))
    sick = canary(health=healthy(verdict=Verdict.FAIL, why=why, findings=(bad,)))
    said = [
        next(line for line in lines(previewed(d)) if line.startswith("*Health now*"))
        for d in (well, sick)
    ]

    assert said == [
        "*Health now*: within every limit: error rate 0.08 %, limit 1 %",
        "*Health now*: error rate 6.2 % &gt; 5 % for 2 min",
    ]


def previewed(d: Deployment) -> Message:
    return rollback.preview(d, a_version("v1.8.2"), "R-7", "why", people(), NOW)


def test_a_rollback_form_says_when_it_is_done_in_whole_sentences() -> None:
    serves = Check("serves", Driver("http"), "on_call")
    one, two = (
        replace(canary(), plan=a_plan(rollback=RollbackRules(checks, MINUTE, 3)))
        for checks in ((serves,), (serves, serves))
    )

    assert "2. It is done when that version is seen to serve and 1 check passes." in lines(
        previewed(one)
    )
    assert any("and 2 checks pass." in line for line in lines(previewed(two)))
    assert "2. It is done when that version is seen to serve." in lines(previewed(canary()))
