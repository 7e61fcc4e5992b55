"""How a command ends when something went wrong that was foreseen: words, next step, status."""

from typing import NamedTuple

from bot.app import CannotListen
from bot.domain.refusal import Refused
from bot.operate import NotPossible, Unfinished
from bot.policies.findings import PolicyError
from bot.ports import InDoubt, Unavailable
from handlers.commands import Misread
from storage.addresses import BadAddress, NoFolder
from storage.audit import BadAnchor
from storage.lock import AlreadyRunning
from storage.opening import CannotOpen, Corrupt
from storage.store import WrongSchema

DONE, NO, USAGE, NO_ANSWER = range(4)


class End(NamedTuple):
    """*what* is said with the failure's own words in it."""

    kinds: tuple[type[Exception], ...]
    what: str
    next_step: str
    status: int


#: The first that fits counts.
ENDS = (
    End((BadAnchor,), "{}", "Copy it from the log or from the deployment's thread.", USAGE),
    End(
        (PolicyError,), "{}", "Mend the lines above; `pilothouse policy validate` checks them.", NO
    ),
    End(
        (CannotListen,),
        "{}",
        "Set PILOTHOUSE_LISTEN to another host:port, or stop what listens there.",
        NO,
    ),
    End(
        (Refused, Misread, NotPossible, AlreadyRunning, WrongSchema, Corrupt, BadAddress),
        "{}",
        "Nothing was changed.",
        NO,
    ),
    End(
        (NoFolder,),
        "{}",
        "Nothing was changed. Mount or make that folder, or set DATABASE_URL to another place: "
        "the bot makes the file, never the folder.",
        NO,
    ),
    End(
        (CannotOpen,),
        "{}",
        "Nothing was changed. Let the bot's user read and write that file and its folder, or set "
        "DATABASE_URL to another file.",
        NO_ANSWER,
    ),
    End((Unfinished,), "{}", "Run the same command again to go on driving it.", NO_ANSWER),
    End(
        (InDoubt,),
        "No answer: {}.",
        "Nobody knows whether it was done. Look before you try again: "
        'pilothouse do "/deploy status".',
        NO_ANSWER,
    ),
    End((Unavailable,), "No answer: {}.", "Nothing was changed. Try again.", NO_ANSWER),
    End((OSError,), "The system refused: {}.", "Mend that, and run it again.", NO_ANSWER),
)

FORESEEN = tuple(kind for end in ENDS for kind in end.kinds)
