"""The boundary where every failure becomes a visible answer; one of two places that catch all."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from bot.blocks import replies
from bot.domain.line import Bold, Code
from bot.domain.refusal import Refusal, Refused
from bot.numbers import Numbers
from bot.ports import InDoubt, Message, Policies, Rejected, Unavailable
from handlers.commands import Misread

_log = structlog.get_logger()

#: Letters and digits that nobody confuses when reading a code aloud.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class Answers:
    """Turns a piece of work into the message its asker sees, whatever happens on the way.

    Slack gives up after three seconds, so *patience* ends the work before that.
    """

    def __init__(
        self,
        policies: Policies,
        numbers: Numbers,
        patience: timedelta = timedelta(seconds=2.3),
    ) -> None:
        self._policies = policies
        self._numbers = numbers
        self._patience = patience.total_seconds()

    async def to(
        self, work: Callable[[], Awaitable[Message | None]], typed: str = ""
    ) -> Message | None:
        """What *work* answers, or the sentence about why it could not; None when the answer
        is already on its way."""
        message: Message | None = None

        async def answer() -> None:
            nonlocal message
            message = await self._foreseen(work, typed)

        fault = await self.of_a_bug(answer)
        return message if fault is None else fault

    async def _foreseen(
        self, work: Callable[[], Awaitable[Message | None]], typed: str
    ) -> Message | None:
        try:
            async with asyncio.timeout(self._patience):
                message = await work()
        except Misread as misread:
            self._count("misread")
            return replies.misread(
                misread.what, misread.why, misread.next_step, misread.suggestions, typed
            )
        except Refused as refused:
            self._count("refused")
            return replies.refusal(refused.refusal, typed, self._names)
        except (InDoubt, TimeoutError) as error:
            # What was handed to the database cannot be taken back, so nothing is claimed of it.
            self._count("busy")
            _log.warning("busy", why=str(error) or "too slow")
            return replies.refusal(_SLOW, typed, self._names)
        except Unavailable as error:
            self._count("busy")
            _log.warning("busy", why=str(error))
            return replies.refusal(_AWAY, typed, self._names)
        except Rejected as error:
            # Only a form is asked of Slack within an answer; its trigger dies in three seconds.
            self._count("refused")
            _log.warning("form_not_opened", why=str(error))
            return replies.refusal(_NO_FORM, typed, self._names)
        self._count("done")
        return message

    async def of_a_bug(self, work: Callable[[], Awaitable[None]]) -> Message | None:
        """What to say of a bug in *work*, which answers by itself; None when there was none."""
        try:
            await work()
        except Exception:
            return self._fault()
        return None

    def _fault(self) -> Message:
        code = "E-" + "".join(secrets.choice(_ALPHABET) for _ in range(4))
        self._count("fault")
        self._numbers.bugs.labels("handler").inc()
        _log.exception("bug", code=code)
        return replies.fault(code, self._on_call())

    def _on_call(self) -> tuple[str, ...]:
        plans = (p for service in self._policies.services.values() for p in service.plans.values())
        roles = dict.fromkeys(plan.on_call for plan in plans)
        return tuple(u for role in roles for u in self._policies.people.holders(role))

    @property
    def _names(self) -> dict[str, str]:
        return {person.id: person.name for person in self._policies.people.by_id.values()}

    def _count(self, outcome: str) -> None:
        self._numbers.commands.labels(outcome).inc()


_AWAY = Refusal(
    "busy",
    (Bold("Nothing was done:"), " an outside system or the database did not answer."),
    ("Try again in a moment. If production is in danger, follow your runbook by hand.",),
)
_NO_FORM = Refusal(
    "no_form",
    (Bold("The form could not be opened"), ", because Slack took too long."),
    ("Nothing was changed. Press or type it again.",),
)
_SLOW = Refusal(
    "slow",
    (Bold("This takes longer than Slack waits"), ", so it is not known yet whether it was done."),
    ("Look before you try again: ", Code("/deploy status"), "."),
)
