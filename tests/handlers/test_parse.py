"""What people type, and what we understand by it."""

import pytest

from handlers.parse import (
    AbandonRollback,
    Approve,
    CancelIt,
    Command,
    Deploy,
    DeployHelp,
    DeployList,
    DeployStatus,
    Help,
    HoldIt,
    Known,
    Misread,
    Reject,
    ResumeIt,
    Rollback,
    StatusOf,
    Unlock,
    approve,
    deploy,
    mention,
    rollback,
)

KNOWN = Known(
    {
        "checkout": ("shop", "api"),
        "search": ("find", "api"),
        "payments-api": ("pay",),
    },
    ("production", "staging"),
)
C = "checkout"
V = "v1.8.3"
FULL = Deploy(C, V)
STAGED = Deploy(C, V, "staging")
LIVE = Deploy(C, V, "production")


def misread(text: str, command: str = "/deploy", implied: str | None = None) -> Misread:
    with pytest.raises(Misread) as caught:
        said(command, text, implied)
    return caught.value


def said(command: str, text: str, implied: str | None = None) -> Command:
    match command:
        case "/deploy":
            return deploy(text, KNOWN)
        case "/approve":
            return approve(text, KNOWN)
        case "/rollback":
            return rollback(text, KNOWN)
    return mention(text, KNOWN, implied)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Deploy()),
        ("   ", Deploy()),
        ("\u200b\u00a0", Deploy()),
        ("please", Deploy()),
        ("checkout", Deploy(C)),
        ("Checkout", Deploy(C)),
        ("shop", Deploy(C)),
        ("pay v2", Deploy("payments-api", "v2")),
        ("v1.8.3", Deploy(None, V)),
        ("checkout v1.8.3", FULL),
        ("v1.8.3 checkout", FULL),
        ("checkout@v1.8.3", FULL),
        ("checkout:v1.8.3", FULL),
        ("<mailto:checkout@v1.8.3|checkout@v1.8.3>", FULL),
        ("CHECKOUT   v1.8.3  ", FULL),
        ("please deploy checkout v1.8.3", FULL),
        ("hey could you please deploy the checkout v1.8.3 now, thanks!", FULL),
        ("/deploy checkout v1.8.3", FULL),
        ("deploy version v1.8.3 of checkout", FULL),
        ("checkout v1.8.3 to staging", STAGED),
        ("checkout v1.8.3 on staging", STAGED),
        ("checkout v1.8.3 in staging", STAGED),
        ("checkout v1.8.3 → staging", STAGED),
        ("checkout v1.8.3 -> staging", STAGED),
        ("checkout v1.8.3 -&gt; staging", STAGED),
        ("checkout v1.8.3 staging", STAGED),
        ("staging checkout v1.8.3", STAGED),
        ("v1.8.3 staging checkout", STAGED),
        ("to staging checkout@v1.8.3", STAGED),
        ("checkout to v1.8.3 on Production", LIVE),
        ("checkout v1.8.3 prod", LIVE),
        ("checkout v1.8.3 to stg", STAGED),
        ("checkout staging", Deploy(C, None, "staging")),
        ("`checkout` `v1.8.3`", FULL),
        ("“checkout” ‘v1.8.3’", FULL),
        ("checkout v1.8.3.", FULL),
        ("checkout, v1.8.3", FULL),
        ("checkout\u00a0v1.8.3", FULL),
        ("check\u200bout v1.8.3", FULL),
        ("\u202echeckout\u202c v1.8.3", FULL),
        ("checkout\tv1.8.3\n", FULL),
        ("checkout <http://v1.8.3|v1.8.3>", FULL),
        ("checkout v1.8.3-rc.1+build_7", Deploy(C, "v1.8.3-rc.1+build_7")),
        ("checkout 4f3c2a1", Deploy(C, "4f3c2a1")),
        ("checkout 142", Deploy(C, "142")),
        ("checkout main", Deploy(C, "main")),
        ("checkout " + "1" * 128, Deploy(C, "1" * 128)),
        ("help", DeployHelp()),
        ("HELP", DeployHelp()),
        ("status", DeployStatus()),
        ("status D-142", DeployStatus("D-142")),
        ("status d142", DeployStatus("D-142")),
        ("status 142", DeployStatus("D-142")),
        ("status D–142", DeployStatus("D-142")),
        ("status D‑0142", DeployStatus("D-142")),
        ("status shop", DeployStatus(C)),
        ("list", DeployList()),
        ("list checkout", DeployList(C)),
        ("list 5", DeployList(None, 5)),
        ("list search 50", DeployList("search", 50)),
        ("list 5 search please", DeployList("search", 5)),
        ("hold D-142", HoldIt("D-142")),
        ("hold 142 errors are rising", HoldIt("D-142", "errors are rising")),
        ("resume d-142", ResumeIt("D-142")),
        ("cancel D-142 wrong version", CancelIt("D-142", "wrong version")),
        ("cancel D-142 because wrong version", CancelIt("D-142", "wrong version")),
        ("unlock checkout", Unlock(C)),
        ("unlock shop migration is over", Unlock(C, "migration is over")),
    ],
)
def test_deploy_is_read_as_meant(text: str, meant: Command) -> None:
    assert deploy(text, KNOWN) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Approve()),
        ("D-142", Approve("D-142")),
        ("142", Approve("D-142")),
        ("please approve D-142", Approve("D-142")),
        ("D-142 v1.8.3", Approve("D-142", "", V)),
        ("D-142 v1.8.3 tested on staging", Approve("D-142", "tested on staging", V)),
        ("D-142 v0", Approve("D-142", "", "v0")),
        ("D-142 10.2 fine", Approve("D-142", "fine", "10.2")),
        ("D-142 2 checks done", Approve("D-142", "2 checks done")),
        ("D-142 looks good", Approve("D-142", "looks good")),
        ("D-142 no issues", Approve("D-142", "no issues")),
        ("D-142 perfect", Approve("D-142", "perfect")),
        ("looks good", Approve(None, "looks good")),
        ("looks good, D-142", Approve("D-142", "looks good, D-142")),
        ("D-142 same as D-140", Approve("D-142", "same as D-140")),
        ("D-142 ok <@U0ANA|ana> &amp; me", Approve("D-142", "ok @ana & me")),
        ("D-142 see <https://example.com/a--b>", Approve("D-142", "see https://example.com/a--b")),
        ("D-142 fine — go", Approve("D-142", "fine — go")),
        ("D-142 reject no tests", Reject("D-142", "no tests")),
        ("D-142 reject 500 errors", Reject("D-142", "500 errors")),
        ("reject D-142 no tests", Reject("D-142", "no tests")),
        ("help", Help()),
    ],
)
def test_approve_is_read_as_meant(text: str, meant: Command) -> None:
    assert approve(text, KNOWN) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Rollback()),
        ("checkout", Rollback(C)),
        ("D-142", Rollback("D-142")),
        ("142 errors on pay", Rollback("D-142", reason="errors on pay")),
        ("shop errors on pay", Rollback(C, reason="errors on pay")),
        ("checkout 500s on pay", Rollback(C, reason="500s on pay")),
        ("pay errors: see search", Rollback("payments-api", reason="errors: see search")),
        ("checkout to v1.8.1", Rollback(C, "v1.8.1")),
        ("checkout to v1.8.1 errors", Rollback(C, "v1.8.1", reason="errors")),
        ("checkout → v1.8.1 errors", Rollback(C, "v1.8.1", reason="errors")),
        ("checkout staging errors", Rollback(C, None, "staging", "errors")),
        (
            "checkout to v1.8.1 in staging too slow",
            Rollback(C, "v1.8.1", "staging", "too slow"),
        ),
        ("checkout prod to v1.8.1", Rollback(C, "v1.8.1", "production")),
        ("checkout to fix the errors", Rollback(C, reason="to fix the errors")),
        ("checkout because v1.8.3 is slow", Rollback(C, reason="v1.8.3 is slow")),
        ("please roll back the checkout", Rollback(C)),
        ("abandon D-142 too late", AbandonRollback("D-142", "too late")),
        ("D-142 abandon too late", AbandonRollback("D-142", "too late")),
        ("help", Help()),
    ],
)
def test_rollback_is_read_as_meant(text: str, meant: Command) -> None:
    assert rollback(text, KNOWN) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("<@U0PILOT>", Help()),
        ("<@U0PILOT> help", Help()),
        ("<@U0PILOT> approve", Approve("D-142")),
        ("<@U0PILOT|pilot> Approve!", Approve("D-142")),
        ("hey <@U0PILOT> can you approve?", Approve("D-142")),
        ("<@U0PILOT> approve tested it", Approve("D-142", "tested it")),
        ("<@U0PILOT> approve D-141", Approve("D-141")),
        ("<@U0PILOT> approve 142", Approve("D-142")),
        ("<@U0PILOT> approve v1.8.3", Approve("D-142", "", V)),
        ("<@U0PILOT> reject no tests", Reject("D-142", "no tests")),
        ("<@U0PILOT> reject because no tests", Reject("D-142", "no tests")),
        ("<@U0PILOT> status", StatusOf("D-142")),
        ("<@U0PILOT> status D-7", StatusOf("D-7")),
        ("<@U0PILOT> status shop", DeployStatus(C)),
        ("<@U0PILOT> hold errors rise", HoldIt("D-142", "errors rise")),
        ("<@U0PILOT> resume", ResumeIt("D-142")),
        ("<@U0PILOT> resume please", ResumeIt("D-142")),
        ("<@U0PILOT> cancel not needed", CancelIt("D-142", "not needed")),
        ("<@U0PILOT> rollback errors rise", Rollback("D-142", reason="errors rise")),
        ("<@U0PILOT> roll back to v1.8.1", Rollback("D-142", "v1.8.1")),
        ("<@U0PILOT> rollback search", Rollback("search")),
        ("<@U0PILOT> rollback abandon late", AbandonRollback("D-142", "late")),
    ],
)
def test_a_mention_in_a_thread_is_about_its_deployment(text: str, meant: Command) -> None:
    assert mention(text, KNOWN, "D-142") == meant


def test_a_status_outside_a_thread_is_about_everything() -> None:
    assert mention("<@U0PILOT> status", KNOWN, None) == DeployStatus()
