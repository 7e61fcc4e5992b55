"""What cannot be understood is refused with a way on, and never guessed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.parse import Command, Deploy, Known, Misread, deploy, mention
from handlers.wording import normalised
from tests.handlers.test_parse import KNOWN, misread, said


@pytest.mark.parametrize(
    ("text", "says", "suggestions"),
    [
        ("chekout v1.8.3", "no service chekout", ("/deploy checkout v1.8.3",)),
        ("v1.8.3 chekout", "no service chekout", ("/deploy v1.8.3 checkout",)),
        ("chekout@v1.8.3", "no service chekout", ("/deploy checkout v1.8.3",)),
        ("paymants-api", "no service paymants-api", ("/deploy payments-api",)),
        ("billing v1", "no service billing", ()),
        ("statsu D-142", "no service statsu", ("/deploy status D-142",)),
        ("status chekout", "no service chekout", ("/deploy status checkout",)),
        ("list serch", "no service serch", ("/deploy list search",)),
        ("unlock serch", "no service serch", ("/deploy unlock search",)),
        ("unlock", "what to unlock", ()),
        ("api v1", "could be", ("/deploy checkout v1", "/deploy search v1")),
        ("status api", "could be", ("/deploy status checkout", "/deploy status search")),
        ("checkout search v1", "two: checkout and search", ()),
        ("checkout v1 staging production", "two: staging and production", ()),
        ("checkout v1 v2", "two versions", ("/deploy checkout v1", "/deploy checkout v2")),
        ("checkout v1 to stagin", "environment stagin", ("/deploy checkout v1 to staging",)),
        ("checkout v1 stagin", "environment stagin", ("/deploy checkout v1 staging",)),
        ("checkout stagin", "environment stagin", ("/deploy checkout staging",)),
        ("checkout v1 to qa", "environment qa", ()),
        ("checkout v1 to", "where to", ("/deploy checkout v1 to production",)),
        ("checkout v1 carefully", "what carefully means", ()),
        ("checkout main branch", "what main means", ()),
        ("checkout ../../etc", "no version", ()),
        ("checkout v1;reboot", "no version", ()),
        ("checkout " + "x" * 129, "no version", ()),
        ("checkout v1 " + "x" * 4000, "too long", ()),
        ("list 0", "cannot list 0", ()),
        ("list 51", "cannot list 51", ()),
        ("hold", "Which deployment", ()),
        ("resume chekout", "Which deployment", ()),
        ("resume D-142 tomorrow", "what tomorrow means", ()),
        ("hold D-", "D- is no deployment", ()),
        ("hold D-0", "D-0 is no deployment", ()),
        ("hold INC-5", "INC-5 is no deployment", ()),
        ("cancel D-142", "reason is missing", ()),
        ("lock checkout", "lock is not built", ()),
        ("freeze until monday", "freeze is not built", ()),
        ("unfreeze", "unfreeze is not built", ()),
        ("windows", "windows is not built", ()),
        ("roles", "roles is not built", ()),
    ],
)
def test_a_deploy_that_is_unclear_is_refused(
    text: str, says: str, suggestions: tuple[str, ...]
) -> None:
    refusal = misread(text)

    assert says in refusal.what
    assert refusal.suggestions[: len(suggestions)] == suggestions
    assert suggestions or not refusal.suggestions
    assert refusal.why
    assert refusal.next_step


@pytest.mark.parametrize("flag", ["--hotfix", "--dry-run", "--queue", "--yes"])
def test_a_flag_that_is_not_built_says_so_and_what_to_do_instead(flag: str) -> None:
    for typed in (flag, flag.replace("--", "—"), flag.replace("--", "–"), f'"{flag}"'):
        for text in (f"checkout v1 {typed}", f"{typed} checkout v1"):
            refusal = misread(text)
            assert refusal.what == f"{flag} is not built yet."
            assert refusal.suggestions == ()


@pytest.mark.parametrize("command", ["/deploy", "/approve", "/rollback", "@pilot"])
@pytest.mark.parametrize(
    "flag",
    ["--dryrun", "—dry-rum", "-n", "--no-wait", "‑‑force", "(--force)", "--force=yes", "---x"],
)
def test_a_flag_nobody_knows_is_refused_everywhere(command: str, flag: str) -> None:
    for text in (f"status {flag}", f"checkout v1 {flag}", f"D-142 errors {flag}"):
        assert "no flag" in misread(text, command).what


@pytest.mark.parametrize(("slip", "meant"), [("--dryrun", "--dry-run"), ("--hot-fix", "--hotfix")])
def test_a_slip_of_a_flag_is_refused_and_the_flag_that_was_meant_is_explained(
    slip: str, meant: str
) -> None:
    refusal = misread(f"checkout v1.8.3 {slip}")

    assert refusal.what == f"I know no flag {slip}."
    assert refusal.next_step.startswith(f"{meant} is not built yet either. ")
    assert misread("checkout v1.8.3 --zzz").next_step == "Send the line again without it."


@pytest.mark.parametrize("text", ["checkout v1.8.3--dry-run", "checkout v1 - -dry-run"])
def test_a_flag_that_lost_its_blank_is_refused(text: str) -> None:
    assert misread(text).suggestions == ()


def test_the_bare_word_hotfix_is_a_hotfix() -> None:
    assert "hotfix is not built" in misread("checkout v1 hotfix").what


@pytest.mark.parametrize(
    ("command", "text", "says"),
    [
        ("/approve", "D-142 rejct no tests", "is a no"),
        ("/approve", "D-142 no", "is a no"),
        ("/approve", "D-142 don't", "is a no"),
        ("/approve", "D-142 don’t", "is a no"),
        ("/approve", "D-142 wait for QA", "is a no"),
        ("/approve", "D-142 please reject", "is a no"),
        ("/approve", "D-142 I reject this", "is a no"),
        ("/approve", "D-142 reject", "reason is missing"),
        ("/approve", "D-14x", "no deployment"),
        ("/approve", "checkout", "is a service"),
        ("/approve", "fine: D-1 and D-2", "two deployments"),
        ("/rollback", "chekout errors", "no service chekout"),
        ("/rollback", "something broke", "no service something"),
        ("/rollback", "api errors", "could be"),
        ("/rollback", "checkout v1.8.1", "cannot tell what v1.8.1"),
        ("/rollback", "checkout v1.8.3 is broken", "cannot tell what v1.8.3"),
        ("/rollback", "checkout v18", "cannot tell what v18"),
        ("/rollback", "errors: checkout is slow", "no service errors"),
        ("/rollback", "checkout@v1.8.1", "cannot tell what v1.8.1"),
        ("/rollback", "chekout@v1.8.1", "no service chekout"),
        ("/rollback", "checkout to latest", "neither a version"),
        ("/rollback", "checkout to stagin errors", "neither a version"),
        ("/rollback", "checkout to v1 to v2", "one too many"),
        ("/rollback", "checkout staging production", "one too many"),
        ("/rollback", "abandon D-142", "reason is missing"),
        ("/rollback", "abandon", "Which deployment"),
        ("/rollback", "D-", "no deployment"),
        ("@pilot", "<@U0PILOT> aprove D-142", "what to do with aprove"),
        ("@pilot", "<@U0PILOT> do not approve D-142", "what to do with do"),
        ("@pilot", "<@U0PILOT> deploy checkout v1", "only on a command"),
        ("@pilot", "<@U0PILOT> ack", "ack is not built"),
        ("@pilot", "<@U0PILOT> reject no tests", "Which deployment"),
        ("@pilot", "<@U0PILOT> reject", "Which deployment"),
    ],
)
def test_what_could_mean_the_opposite_is_asked(command: str, text: str, says: str) -> None:
    assert says in misread(text, command).what


@pytest.mark.parametrize(
    "text", ["<@U0PILOT> approve 141", "<@U0PILOT> reject 500 errors", "<@U0PILOT> hold 9"]
)
def test_in_a_thread_a_bare_number_is_asked_about(text: str) -> None:
    refusal = misread(text, "@pilot", "D-142")

    assert "cannot tell" in refusal.what
    assert len(refusal.suggestions) == 2


def test_a_suggestion_keeps_the_rest_of_the_line() -> None:
    assert misread("checkout v1.8.3 is slow", "/rollback").suggestions == (
        "/rollback checkout to v1.8.3 is slow",
        "/rollback checkout because v1.8.3 is slow",
    )
    assert misread("checkout to stagin errors", "/rollback").suggestions == (
        "/rollback checkout to staging errors",
    )
    assert misread("checkout@v1.8.3 is slow", "/rollback").suggestions[0] == (
        "/rollback checkout to v1.8.3 is slow"
    )
    assert misread("<@U0PILOT> reject 500 errors", "@pilot", "D-142").suggestions == (
        "@pilot reject D-500 errors",
        "@pilot reject D-142 500 errors",
    )
    assert misread("<@U0PILOT> aprove D-142", "@pilot").suggestions == ("@pilot approve D-142",)


def test_a_suggestion_too_long_for_a_button_is_left_out() -> None:
    fits = "x" * (200 - len("/rollback checkout to v1 "))

    assert len(misread(f"checkout v1 {fits}", "/rollback").suggestions) == 1
    assert misread(f"checkout v1 {fits}x", "/rollback").suggestions == ()


def test_a_service_that_looks_like_a_version_is_still_a_slip() -> None:
    known = Known({"3d-engine": ()}, ("production",))

    with pytest.raises(Misread, match="no service 3d-engin"):
        deploy("3d-engin", known)


def test_in_a_thread_a_slip_of_a_service_is_not_taken_for_the_reason() -> None:
    refusal = misread("<@U0PILOT> rollback serch errors", "@pilot", "D-142")

    assert refusal.suggestions == ("@pilot rollback search errors",)


def test_a_request_to_somebody_else_is_not_ours() -> None:
    text = "<@U0ANA> please approve, <@U0PILOT> waits"

    with pytest.raises(Misread, match="not asked first"):
        mention(text, KNOWN, "D-142", "U0PILOT")


def test_a_service_may_be_called_like_a_civility() -> None:
    assert deploy("now v1", Known({"now": ()}, ("production",))) == Deploy("now", "v1")


def test_entities_are_unescaped_once() -> None:
    assert normalised("&amp;lt;b&amp;gt; <#C0GENERAL|general>") == "&lt;b&gt; #general"


PIECES = st.sampled_from(
    [
        "checkout",
        "v1.8.3",
        "to",
        "staging",
        "--",
        "—",
        "-",
        "@",
        ":",
        "D-142",
        "142",
        "reject",
        "status",
        "list",
        "abandon",
        "<@U0PILOT>",
        "<",
        "|",
        ">",
        "&lt;",
        "`",
        "“",
        "\u202e",
        "api",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=200), st.lists(PIECES | st.text(max_size=4), max_size=8).map(" ".join)
)
COMMANDS = st.sampled_from(["/deploy", "/approve", "/rollback", "@pilot"])


@settings(deadline=None)
@given(COMMANDS, TEXTS, st.sampled_from([None, "D-7"]))
def test_any_text_is_a_command_or_a_sentence(command: str, text: str, implied: str | None) -> None:
    found: Command | Misread
    try:
        found = said(command, text, implied)
    except Misread as refusal:
        found = refusal
    if isinstance(found, Misread):
        assert len(found.suggestions) <= 2
        assert all(len(line) <= 200 for line in found.suggestions)
    else:
        assert isinstance(found, Command)


@settings(deadline=None)
@given(
    st.lists(PIECES, max_size=5),
    st.sampled_from(["--", "—", "–", "‑‑", "-"]),
    st.from_regex("[a-z][a-z-]{0,12}", fullmatch=True),
    st.integers(0, 5),
)
def test_no_line_with_a_flag_is_ever_a_deployment(
    pieces: list[str], dash: str, name: str, place: int
) -> None:
    text = " ".join([*pieces[:place], dash + name, *pieces[place:]])

    with pytest.raises(Misread):
        deploy(text, KNOWN)
