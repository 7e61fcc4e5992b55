"""Reads what people type after `/deploy`, `/approve`, `/rollback` and `@pilot`."""

import re
from collections.abc import Callable

from handlers import approval_line
from handlers.commands import (
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
)
from handlers.line import (
    Line,
    is_polite,
    needs_reason,
    no_such_service,
    read,
    refuse_broken_id,
    take_id,
    the_service,
)
from handlers.release import release
from handlers.rollback_line import roll_back
from handlers.wording import bare, close, deployment_id, words

__all__ = [
    "AbandonRollback",
    "Approve",
    "CancelIt",
    "Command",
    "Deploy",
    "DeployHelp",
    "DeployList",
    "DeployStatus",
    "Help",
    "HoldIt",
    "Known",
    "Misread",
    "Reject",
    "ResumeIt",
    "Rollback",
    "StatusOf",
    "Unlock",
    "approve",
    "asks_to_roll_back",
    "deploy",
    "mention",
    "rollback",
]

_Reader = Callable[[Line], Command]
_MOST_LISTED = 50


def deploy(text: str, known: Known) -> Command:
    """Raises `Misread`. No words at all mean the empty form."""
    line = read("/deploy", text, known).polite("deploy", "/deploy")
    reader = _DEPLOY.get(line.first.casefold())
    if reader is not None:
        return reader(line.rest().polite())
    if line.first.casefold() in _UNBUILT:
        raise _not_built(line)
    return release(line, tuple(_DEPLOY))


def approve(text: str, known: Known) -> Command:
    """Raises `Misread`, also for what may be an objection rather than a note."""
    return approval_line.approve(read("/approve", text, known).polite("approve", "/approve"))


def rollback(text: str, known: Known) -> Command:
    """Raises `Misread`. No target means that the form asks for it."""
    return roll_back(read("/rollback", text, known))


def mention(text: str, known: Known, implied: str | None, bot_user: str | None = None) -> Command:
    """*implied* is the deployment of the thread. Raises `Misread`.

    With *bot_user*, the first person mentioned has to be the bot: "@ana please approve,
    @pilot waits" asks somebody else.
    """
    addressed = re.search(r"<@(\w+)", text)
    if bot_user is not None and addressed is not None and addressed[1] != bot_user:
        raise Misread(
            "I was not asked first.",
            "The first name in that line is somebody else's.",
            "Begin with my name when you mean me.",
        )
    line = _said(read("@pilot", text, known, implied))
    verb = line.first.casefold()
    if not line.words:
        return Help()
    if _is_roll_back(line):
        return roll_back(line.rest(2))
    if verb in _MENTION:
        return _MENTION[verb](line.rest().polite())
    if verb == "deploy":
        raise Misread(
            "I deploy only on a command.",
            "A mention may be a sentence about a deployment.",
            "Type it as a command instead.",
            (f"/deploy {line.rest().text}"[:200].rstrip(),),
        )
    if verb in _UNBUILT:
        raise _not_built(line)
    raise Misread(
        f"I do not know what to do with {line.first[:40]}.",
        f"I understand {', '.join(_MENTION)}.",
        "Begin with one of these words.",
        line.suggest(0, close(line.first, list(_MENTION))),
    )


def asks_to_roll_back(text: str) -> bool:
    """Whether a mention begins with the word for it, however the rest of it reads."""
    try:
        line = _said(Line("@pilot", words(text), Known({}, ())))
    except Misread:
        return False
    return line.first.casefold() == "rollback" or _is_roll_back(line)


def _said(line: Line) -> Line:
    """Without civilities and without our name."""
    line = line.polite()
    return line.without().polite() if line.first.startswith("@") else line


def _is_roll_back(line: Line) -> bool:
    first_two = [bare(word).casefold() for word in line.words[:2]]
    return first_two == ["roll", "back"]


_UNBUILT = {
    "lock": "Hold the running deployment instead: `/deploy hold D-142`.",
    "freeze": "Ask the leads in the channel not to approve until it is over.",
    "unfreeze": "There is no freeze to lift.",
    "windows": "Ask a lead; the policy file has the opening hours.",
    "roles": "Ask a lead; the policy file has the roles.",
    "ack": "Acknowledge it where you were paged.",
    "escalate": "Call the next level by phone.",
    "resolve": "Write it into the thread.",
    "note": "Write it into the thread.",
    "triage": "Write what is wrong into the incident channel.",
}


def _not_built(line: Line) -> Misread:
    word = line.first.casefold()
    return Misread(f"{word} is not built yet.", "So nothing has changed.", _UNBUILT[word])


def _status(line: Line) -> Command:
    if not line.words:
        return DeployStatus(line.implied)
    found = deployment_id(line.first)
    if found is not None:
        return DeployStatus(found)
    service = the_service(line)
    if service is None:
        refuse_broken_id(line)
        raise no_such_service(line)
    return DeployStatus(service)


def _status_of(line: Line) -> Command:
    status = _status(line)
    target = status.target if isinstance(status, DeployStatus) else None
    found = deployment_id(target) if target else None
    return StatusOf(found) if found else status


def _list(line: Line) -> Command:
    service: str | None = None
    count: int | None = None
    for index, word in enumerate(line.words):
        if is_polite(word):
            continue
        if re.fullmatch("[0-9]{1,9}", bare(word)):
            count = int(bare(word))
            continue
        service = the_service(line, index)
        if service is None:
            raise no_such_service(line, index)
    if count is not None and not 1 <= count <= _MOST_LISTED:
        raise Misread(
            f"I cannot list {count}.",
            f"A message holds between 1 and {_MOST_LISTED} deployments.",
            f"Ask for {_MOST_LISTED} or fewer.",
        )
    return DeployList(service, count)


def _hold(line: Line) -> Command:
    found, line = take_id(line)
    return HoldIt(found, line.reason)


def _resume(line: Line) -> Command:
    found, line = take_id(line)
    if line.polite().words:
        raise Misread(
            f"I do not know what {line.polite().first[:40]} means here.",
            "To resume takes an id and nothing else.",
            "Leave it out, and try again.",
        )
    return ResumeIt(found)


def _cancel(line: Line) -> Command:
    found, line = take_id(line)
    if not line.reason:
        raise needs_reason(line)
    return CancelIt(found, line.reason)


def _unlock(line: Line) -> Command:
    service = the_service(line) if line.words else None
    if service is None:
        raise (
            no_such_service(line)
            if line.words
            else Misread(
                "I do not know what to unlock.", "There is no service.", "Name the service."
            )
        )
    return Unlock(service, line.rest().reason)


_DEPLOY: dict[str, _Reader] = {
    "status": _status,
    "list": _list,
    "hold": _hold,
    "resume": _resume,
    "cancel": _cancel,
    "unlock": _unlock,
    "help": lambda _: DeployHelp(),
}
_MENTION: dict[str, _Reader] = {
    "approve": approval_line.approve,
    "reject": approval_line.reject,
    "rollback": roll_back,
    "status": _status_of,
    "hold": _hold,
    "resume": _resume,
    "cancel": _cancel,
    "help": lambda _: Help(),
}
