"""The live card: what it says in each state, and what it offers to press."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.blocks.card import card
from bot.domain.approvals import Approval
from bot.domain.deployment import Deployment, Hold, Last, Phase, RollbackRun
from bot.domain.health import Breach, Finding, Health, Verdict
from bot.domain.line import Bold, Mention, Said
from bot.domain.plan import RolloutStage
from bot.domain.release import Migration
from tests.blocks.shown import buttons, lines
from tests.builders import ANA, DANA, NOW, a_deployment, a_plan, a_version, people

MINUTE = timedelta(minutes=1)


def when(moment: datetime, shown: str) -> str:
    return f"<!date^{int(moment.timestamp())}^{{time}}|{shown} UTC>"


def healthy(**changes: Any) -> Health:
    finding = Finding("error rate", "%", 0.08, Decimal(5), 2 * MINUTE, is_breached=False)
    return replace(Health(Verdict.PASS, NOW, "within every limit", 512, (finding,)), **changes)


def canary(**changes: Any) -> Deployment:
    moving = {"cursor": 3, "step": 1, "is_touched": True, "fence": 1, "offer": 3}
    seen = {"health": healthy(), "live_since": NOW, "passing_since": NOW, "started_at": NOW}
    return a_deployment(**{**moving, **seen, **changes})


def shown(d: Deployment, now: datetime = NOW) -> list[str]:
    return lines(card(d, people(), now))


def test_waiting_for_approval_says_who_signed_and_who_still_can() -> None:
    d = a_deployment(cursor=2, ask_round=1, offer=3)
    d = replace(d, approvals=(Approval(ANA, NOW, d.digest, stage=d.cursor),))
    drawn = card(d, people(), NOW)

    assert drawn.text == (
        "checkout v1.8.3 to production: "
        "waiting for approval: 1 of 2 signed, QA Lead missing (Quinn). D-142"
    )
    assert lines(drawn) == [
        "*checkout v1.8.3 → production*",
        ":large_yellow_circle: *Waiting for approval*: 1 of 2 signed, QA Lead missing · `D-142`",
        "Faster baskets. 3 commits since v1.8.2",
        "`▰▰▰▱▱` *Step 3 of 5: Approval*",
        "Gates ✓ › Staging ✓ › *Approval* › Rollout › Watch",
        "*Gates*",
        ":large_green_circle: 1 of 1 passed",
        "*Approvals*",
        f":white_check_mark: Deployment Lead <@U0ANA>, {when(NOW, '14:00')}",
        ":hourglass_flowing_sand: QA Lead: Quinn",
        "*Requested by*",
        f"<@U0DANA>, {when(NOW, '14:00')}",
        "*Expires*",
        "<!date^1772474400^{date_short_pretty} {time}|02 Mar 18:00 UTC>",
        "[Approve]",
        "[Reject…]",
        "[Hold]",
        "The timeline is in the thread · *Paging is off*: nobody is phoned",
    ]


def test_a_canary_shows_its_numbers_beside_their_limits_and_its_steps() -> None:
    drawn = card(canary(update_due_at=NOW + 15 * MINUTE), people(), NOW)

    assert drawn.text == "checkout v1.8.3 to production: rollout 50 %, healthy. D-142"
    assert lines(drawn) == [
        "*checkout v1.8.3 → production*",
        ":large_blue_circle: *Rollout 50 %*, healthy · `D-142`",
        "Faster baskets. 3 commits since v1.8.2",
        "`▰▰▰▰▱` *Step 4 of 5: Rollout* · Traffic: 10 ✓ · *50 now* · 100 %",
        "Gates ✓ › Staging ✓ › Approval ✓ › *Rollout* › Watch",
        ":large_green_circle: Error rate *0.08 %*, limit 5 % for 2 min",
        "Measured on 512 requests",
        "*Step since*",
        when(NOW, "14:00"),
        "*Next*",
        f"100 % at {when(NOW + 5 * MINUTE, '14:05')} if healthy",
        "*If it fails*",
        "Auto rollback to v1.8.2 at error rate &gt; 5 % for 2 min",
        "[Promote to 100 %]",
        "[Hold]",
        "[Roll back…]",
        f"On call <@U0SAM> · Next update {when(NOW + 15 * MINUTE, '14:15')} · "
        "The timeline is in the thread · *Paging is off*: nobody is phoned",
    ]


@pytest.mark.parametrize(
    ("verdict", "style"),
    [(Verdict.PASS, "primary"), (Verdict.UNKNOWN, None), (Verdict.FAIL, None)],
)
def test_to_promote_is_the_green_step_only_while_health_is_good(
    verdict: Verdict, style: str | None
) -> None:
    drawn = buttons(card(canary(health=healthy(verdict=verdict)), people(), NOW))

    assert drawn["dep.promote"].get("style") == style


def test_a_metric_that_is_called_by_a_name_keeps_it() -> None:
    finding = Finding("p95", "ms", 212.0, Decimal(500), MINUTE, is_breached=False)
    drawn = shown(canary(health=healthy(findings=(finding,), requests=1)))

    assert ":large_green_circle: p95 *212 ms*, limit 500 ms for 1 min" in drawn
    assert "Measured on 1 request" in drawn


def test_a_running_breach_is_red_with_the_moment_it_fires() -> None:
    breached = healthy(verdict=Verdict.UNKNOWN, breaches=(Breach("error_rate", Decimal(5), NOW),))
    drawn = shown(canary(health=breached))

    fires = when(NOW + 2 * MINUTE, "14:02")
    assert drawn[1] == (
        f":red_circle: *Rollout 50 %*, over the limit: rolls back by itself at {fires} "
        "unless it recovers · `D-142`"
    )
    assert f":red_circle: Over the limit since {when(NOW, '14:00')}, fires at {fires}" in drawn


def test_a_trigger_that_has_fired_is_told_in_the_past() -> None:
    breached = healthy(verdict=Verdict.FAIL, breaches=(Breach("error_rate", Decimal(5), NOW),))
    d = canary(
        phase=Phase.HELD, hold=Hold(ANA, "", NOW, NOW), health=replace(breached, at=NOW + MINUTE)
    )
    drawn = shown(d, NOW + 2 * MINUTE)

    assert any(", fired at " in line for line in drawn)
    assert not any("no reason given" in line for line in drawn)


def test_a_one_way_migration_is_never_promised_an_automatic_rollback() -> None:
    version = a_version(migrations=(Migration("0042_drop_tax", is_reversible=False),))
    breached = healthy(verdict=Verdict.UNKNOWN, breaches=(Breach("error_rate", Decimal(5), NOW),))
    drawn = shown(canary(version=version, health=breached))

    assert "somebody is called" in drawn[1]
    assert "Held and people called, because `0042_drop_tax` is one-way" in drawn


def test_unknown_health_is_said_as_unknown_and_never_as_good() -> None:
    unknown = healthy(verdict=Verdict.UNKNOWN, why="the metrics did not answer", findings=())
    drawn = shown(canary(health=unknown, passing_since=None))

    assert drawn[1] == (
        ":large_yellow_circle: *Rollout 50 %*, health unknown: the metrics did not answer · `D-142`"
    )
    assert "Error rate unknown, limit 5 % for 2 min" in drawn
    assert "100 % after 5 min healthy" in drawn


def test_numbers_that_are_too_old_are_unknown() -> None:
    drawn = shown(canary(), NOW + timedelta(hours=1))

    assert "health unknown: not looked at since" in drawn[1]
    assert not any("0.08" in line for line in drawn)


def test_traffic_that_was_asked_for_and_not_seen_is_not_called_healthy() -> None:
    assert "asked for, not seen yet" in shown(canary(live_since=None))[1]


def test_a_hold_says_who_why_and_since_when() -> None:
    hold = Hold(DANA, "pager is noisy", NOW, NOW)
    drawn = shown(canary(phase=Phase.HELD, hold=hold))

    first = drawn.index("*Held by*")

    assert drawn[1] == ":double_vertical_bar: *Held* by Dana, traffic stays at 50 % · `D-142`"
    assert drawn[first + 1 : first + 4] == [
        f"<@U0DANA>, since {when(NOW, '14:00')}",
        "*Why*",
        "pager is noisy",
    ]


def test_a_hold_of_the_bot_itself_says_so() -> None:
    hold = Hold(None, "the router refused", NOW, NOW)

    assert "*Held* by itself" in shown(canary(phase=Phase.HELD, hold=hold))[1]


def test_waiting_for_the_slot_says_what_for() -> None:
    d = a_deployment(cursor=3, waits_for="D-141 is changing production")

    assert shown(d)[1] == (
        ":white_circle: *Waiting to enter production*: D-141 is changing production · `D-142`"
    )


def test_a_rollback_on_its_way_has_no_buttons_and_says_why_not() -> None:
    run = RollbackRun(a_version("v1.8.2"), ANA, "500s on /pay", NOW, NOW)
    drawn = card(canary(phase=Phase.ROLLING_BACK, rollback=run), people(), NOW)

    assert buttons(drawn) == {}
    assert ":large_blue_circle: *Rolling back to v1.8.2* · `D-142`" in lines(drawn)
    assert "Asked by <@U0ANA>: 500s on /pay" in lines(drawn)
    assert "No buttons while traffic goes back" in lines(drawn)[-1]


def test_a_failed_rollback_says_what_to_do_by_hand() -> None:
    run = RollbackRun(a_version("v1.8.2"), None, "error rate 6.2 %", NOW, NOW)
    last = Last((Bold("Rollback failed"), ": ", Said("the router refused"), "."), None, NOW)
    d = canary(phase=Phase.ROLLBACK_FAILED, rollback=run, last=last, finished_at=NOW + MINUTE)
    drawn = shown(d)

    assert drawn[1].startswith(":red_circle: *Rollback to v1.8.2 failed*, put it right by hand")
    assert (
        "*By hand*: 1. Put all traffic on `v1.8.2`. 2. See that it serves. 3. Then <@U0ANA>, "
        "<@U0TESS> or <@U0CHRIS> can say `/deploy unlock checkout reason`. "
        "Until then checkout stays locked in production."
    ) in drawn


@pytest.mark.parametrize("phase", [Phase.REJECTED, Phase.CANCELLED, Phase.EXPIRED, Phase.FAILED])
def test_an_end_that_is_no_success_says_why_and_how_to_try_again(phase: Phase) -> None:
    last = Last(("Ended by ", Mention(ANA), ": ", Said("not today")), ANA, NOW)
    drawn = shown(a_deployment(phase, last=last))

    assert "Ended by <@U0ANA>: not today" in drawn
    assert "To try again: `/deploy checkout v1.8.3`" in drawn


def test_a_rolled_back_card_says_each_thing_once() -> None:
    evidence = healthy(
        findings=(Finding("error rate", "%", 6.2, Decimal(5), MINUTE, is_breached=True),)
    )
    run = RollbackRun(a_version("v1.8.2"), ANA, "500s on /pay", NOW, NOW, False, evidence)
    last = Last((Bold("Rolled back to v1.8.2"), ", seen to serve after 3 min."), None, NOW)
    ended = NOW + 3 * MINUTE
    drawn = shown(a_deployment(Phase.ROLLED_BACK, last=last, rollback=run, finished_at=ended))

    assert drawn[1:] == [
        ":leftwards_arrow_with_hook: *Rolled back to v1.8.2* · `D-142`",
        "*Why*",
        "Asked by <@U0ANA>: 500s on /pay",
        "*Took*",
        f"3 min, seen to serve {when(ended, '14:03')}",
        "*Health then*",
        "error rate 6.2 %, limit 5 %",
        "To try again: `/deploy checkout v1.8.3`",
        "The timeline is in the thread",
    ]


def test_live_says_until_when_it_is_watched() -> None:
    d = canary(phase=Phase.WATCHING, cursor=4, live_at=NOW + 52 * MINUTE, counted_at=NOW)
    drawn = shown(d)

    assert drawn[1] == ":large_green_circle: *Live*, healthy · `D-142`"
    assert "52 min to full traffic" in drawn
    until = "<!date^1772546400^{date_short_pretty} {time}|03 Mar 14:00 UTC>"
    assert f"Watching until {until}, not proven yet" in drawn


def test_a_watch_without_good_news_stands_still_and_says_so() -> None:
    d = canary(phase=Phase.WATCHING, cursor=4, waits_for="the metrics did not answer")

    assert (
        "The watch is paused with 24 h to go: the metrics did not answer, not proven yet"
    ) in shown(d)


def test_a_watch_that_has_just_begun_is_not_called_paused() -> None:
    assert "Watched for 24 h from the next look on, not proven yet" in shown(
        canary(phase=Phase.WATCHING, cursor=4)
    )


def test_a_rollback_left_to_people_is_not_promised() -> None:
    plan = a_plan()
    stages = tuple(
        replace(s, is_rollback_automatic=False) if isinstance(s, RolloutStage) else s
        for s in plan.stages
    )
    drawn = shown(canary(plan=replace(plan, stages=stages)))

    assert "People are called at error rate &gt; 5 % for 2 min, they decide" in drawn
