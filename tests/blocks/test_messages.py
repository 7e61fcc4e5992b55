"""What goes to the channel and the thread: askings, status, milestones, pages, output."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.blocks.ask import ask, ask_closed
from bot.blocks.milestone import milestone
from bot.blocks.page import page
from bot.blocks.thread import anchor, job_tail
from bot.domain.approvals import Approval, RoleSlot
from bot.domain.deployment import Deployment, Last, Phase, RollbackRun
from bot.domain.line import Bold, Code, Mention, Said
from bot.domain.plan import ApprovalStage
from bot.domain.release import Migration
from bot.domain.roles import People, Person
from tests.blocks.shown import buttons, lines, mentioned, payload
from tests.blocks.test_card import canary, when
from tests.builders import ANA, DANA, NOW, QUINN, a_deployment, a_plan, a_version, people

LINK = "https://example.com/card"
MINUTE = timedelta(minutes=1)


def asking() -> Deployment:
    return a_deployment(cursor=2, ask_round=1, offer=3)


def test_an_asking_mentions_exactly_who_may_still_sign() -> None:
    assert mentioned(payload(ask(asking(), people()))) == {ANA, QUINN}

    signed = replace(
        asking(), approvals=(Approval(ANA, NOW, asking().digest, stage=asking().cursor),)
    )
    assert mentioned(payload(ask(signed, people()))) == {QUINN}


def test_an_asking_never_mentions_the_requester_or_an_author() -> None:
    d = replace(asking(), requested_by=ANA, version=a_version(authors=(QUINN,)))

    assert mentioned(payload(ask(d, people()))) == set()


def test_an_asking_says_the_risk_the_evidence_and_the_thread_rule() -> None:
    version = a_version(
        migrations=(Migration("0042", is_reversible=True), Migration("0043", is_reversible=False)),
        compare_url="https://example.com/compare",
    )
    d = a_deployment(cursor=2, ask_round=1, offer=3, version=version)

    assert lines(ask(d, people())) == [
        "<@U0ANA> and <@U0QUINN> *please approve or reject* "
        "checkout v1.8.3 to production (`D-142`)",
        "Needed: Deployment Lead, QA Lead",
        "*Changes:* 3 commits, migration `0042` (reversible), migration `0043` (one-way)",
        "Faster baskets",
        "<https://example.com/compare|see changes>",
        "*If it fails:* back to `v1.8.2`",
        "*Gates:* :large_green_circle: 1 of 1 passed",
        "*Staging:* done",
        "[Approve]",
        "[Reject…]",
        "Slack does not run slash commands inside threads. Use the buttons, or write "
        f"`@pilot approve D-142` here. A reminder goes out at {when(NOW + 30 * MINUTE, '14:30')}, "
        "once. Expires <!date^1772474400^{date_short_pretty} {time}|02 Mar 18:00 UTC>.",
    ]


def test_an_asking_leads_with_what_is_wanted_of_whom() -> None:
    text = ask(asking(), people()).text

    assert text == "checkout v1.8.3 to production: please approve or reject: Ana, Quinn. D-142"


def test_a_reminder_promises_no_second_one() -> None:
    drawn = ask(asking(), people(), is_reminder=True)

    assert "still waiting: please approve or reject" in drawn.text
    assert "A reminder goes out" not in lines(drawn)[-1]


def test_a_crowd_that_may_sign_is_mentioned_as_far_as_it_fits() -> None:
    crowd = {
        f"U0C{n:08}": Person(f"U0C{n:08}", f"C{n}", frozenset({"qa_lead"})) for n in range(400)
    }
    first = lines(ask(asking(), People(crowd)))[0]

    assert first.count("<@U0C") == 100
    assert "and 300 more" in first


def test_an_asking_that_nobody_can_answer_says_so() -> None:
    drawn = ask(asking(), People({}))

    assert lines(drawn)[0] == (
        "*Nobody can sign* checkout v1.8.3 to production (`D-142`) now. "
        "A lead names somebody in `org.yaml`."
    )
    assert drawn.text == "checkout v1.8.3 to production: nobody can sign it now. D-142"


def test_a_closed_asking_is_one_line_without_buttons() -> None:
    d = replace(
        asking(), cursor=3, approvals=(Approval(ANA, NOW, asking().digest, stage=asking().cursor),)
    )
    drawn = ask_closed(d, people())

    assert buttons(drawn) == {}
    assert lines(drawn) == [
        f":white_check_mark: Approved by Ana as *Deployment Lead*, {when(NOW, '14:00')} · `D-142`"
    ]


def test_a_closed_asking_of_a_rejected_deployment_says_who_and_why() -> None:
    last = Last(("Rejected by ", Mention(ANA), ": ", Said("not today")), ANA, NOW)
    d = a_deployment(Phase.REJECTED, cursor=2, last=last)

    assert lines(ask_closed(d, people())) == [":white_circle: Rejected by Ana: not today · `D-142`"]


def test_a_role_taken_away_later_does_not_unsay_a_signature() -> None:
    d = replace(
        asking(), cursor=3, approvals=(Approval(DANA, NOW, asking().digest, stage=asking().cursor),)
    )

    assert "Approved by Dana" in lines(ask_closed(d, people()))[0]


def test_the_complete_message_keeps_its_wording() -> None:
    d = canary(phase=Phase.WATCHING, cursor=4, live_at=NOW + 52 * MINUTE)
    d = replace(d, approvals=(Approval(ANA, NOW, d.digest, stage=d.cursor),))
    drawn = milestone(d, "complete", people(), LINK)

    assert lines(drawn) == [
        ":tada: *DEPLOYMENT COMPLETE* · checkout v1.8.3 · <https://example.com/card|D-142>",
        "Deployment: SUCCESS",
        "Duration: 52 min",
        "Checks: All passing ✓",
        "Status: Live in production",
        "Metrics: error rate 0.08 %, limit 5 %",
        "Next: Monitoring continues for 24 h",
        "Thanks to: <@U0DANA>, <@U0ANA>, <@U0DEVO>",
    ]


def test_a_rolled_back_message_says_why_how_long_and_what_serves() -> None:
    run = RollbackRun(a_version("v1.8.2"), None, "error rate 6.2 % for 2 min", NOW, NOW)
    d = canary(phase=Phase.ROLLED_BACK, rollback=run, finished_at=NOW + 3 * MINUTE)
    drawn = milestone(d, "rolled_back", people(), LINK)

    assert lines(drawn)[1:] == [
        "Serving again: v1.8.2, seen to serve after 3 min",
        "Why: automatic, error rate 6.2 % for 2 min",
        "To try again: `/deploy checkout v1.8.3`",
    ]
    assert drawn.text.startswith("ROLLED BACK to v1.8.2: checkout v1.8.3 to production")


@pytest.mark.parametrize("kind", ["failed", "expired"])
def test_a_stop_before_anything_was_touched_says_so(kind: str) -> None:
    drawn = milestone(a_deployment(Phase(kind)), kind, people())

    assert "production was not touched" in drawn.text


def test_a_page_mentions_who_is_on_call_and_admits_that_nobody_was_phoned() -> None:
    reason = (Bold("checkout v1.8.3 is held"), ": ", Said("no metrics"), ". ", Code("D-142"), ".")
    drawn = page(canary(), reason, people(), LINK)

    assert lines(drawn) == [
        ":red_circle: <@U0SAM>: *checkout v1.8.3 is held*: no metrics. `D-142`.",
        "*Paging is off*: nobody was phoned. · <https://example.com/card|D-142>",
    ]
    assert drawn.text == "checkout v1.8.3 is held: no metrics. D-142."


def test_a_page_without_anybody_on_call_says_that() -> None:
    assert "nobody is listed as on call" in lines(page(canary(), ("Help.",), People()))[0]


def test_output_keeps_its_end_and_its_indentation_and_cannot_leave_its_block() -> None:
    tail = "first\n" * 2000 + "  File x.py\n```<!channel>\nlast"
    block = lines(job_tail("Staging", tail, "D-142"))

    assert block[0] == "Output of Staging · D-142"
    assert block[1:3] == ["```", "…"]
    assert block[-4:] == ["  File x.py", "'''&lt;!channel&gt;", "last", "```"]


def test_the_anchor_reads_as_the_auditor_takes_it() -> None:
    drawn = anchor("D-142", 14, "ab12" * 16)

    proof = f"D-142:14:{'ab12' * 16}"
    assert drawn.text == f"Journal of D-142 closed, 14 records. Anchor {proof}"
    assert lines(drawn) == [
        f"Journal of D-142 closed, 14 records. For the auditor, its anchor: `{proof}`"
    ]


def test_one_person_with_two_roles_still_is_asked_once() -> None:
    both = Person(QUINN, "Quinn", frozenset({"qa_lead", "deployment_lead"}))
    plan = a_plan()
    stages = tuple(
        replace(s, slots=(RoleSlot("qa_lead", 2), RoleSlot("deployment_lead")))
        if isinstance(s, ApprovalStage)
        else s
        for s in plan.stages
    )
    d = a_deployment(cursor=2, plan=replace(plan, stages=stages))

    assert lines(ask(d, People({QUINN: both})))[0].count("<@U0QUINN>") == 1


def test_who_signed_one_place_is_not_asked_for_the_next() -> None:
    both = frozenset({"qa_lead", "deployment_lead"})
    team = People({user: Person(user, user, both) for user in (ANA, QUINN)})
    d = replace(asking(), approvals=(Approval(ANA, NOW, asking().digest, stage=asking().cursor),))

    assert mentioned(payload(ask(d, team))) == {QUINN}
