"""People who ask for much, in front of a limit whose clock is a value."""

from typing import Any

from bot.memory import InboxKey
from bot.ports import Limits
from bot.writer import Source
from handlers.limit import Limit
from handlers.shapes import (
    AppMentioned,
    BlockActions,
    BlockSuggestion,
    SlashCommand,
    ViewSubmission,
    shape_of,
)
from tests.builders import DANA, TEAM
from tests.fakes import Clock
from tests.handlers.allowing import allowing

FEW = allowing(3, 4, 6)


class Crowd:
    """Sends what people do to a limit of few, each delivery once unless its number is given."""

    def __init__(self, limits: Limits | None = FEW) -> None:
        self.clock = Clock()
        self.over: list[str] = []
        self.limit = Limit(limits, self.clock.seconds, self.over.append)
        self._count = 0

    def asks(
        self, kind: str, what: str, user: str = DANA, channel: str = "C1", number: int = 0
    ) -> bool:
        """Whether it may be carried out."""
        return self.judged(kind, what, user, channel, number) is None

    def looks_up(self, user: str = DANA) -> bool:
        """Whether the catalogue is asked for what *user* types into the form."""
        question = shape_of(
            {
                "type": "block_suggestion",
                "team": {"id": TEAM},
                "user": {"id": user},
                "action_id": "deploy.form.version",
                "block_id": "version.checkout",
                "value": "v1",
            }
        )
        assert isinstance(question, BlockSuggestion)
        return self.limit.lookup(question)

    def judged(
        self, kind: str, what: str, user: str = DANA, channel: str = "C1", number: int = 0
    ) -> object:
        self._count += 1
        source = Source(InboxKey(TEAM, kind, str(number or -self._count), ""))
        match shape_of(_body(kind, what, user, channel)):
            case SlashCommand() as command:
                return self.limit.command(command, source)
            case BlockActions() as click:
                return self.limit.click(click, source)
            case ViewSubmission() as form:
                return self.limit.form(form, source)
            case AppMentioned() as mention:
                return self.limit.mention(mention, source)
        raise AssertionError(f"{kind} {what} has no shape")


def _body(kind: str, what: str, user: str, channel: str) -> dict[str, Any]:
    who: dict[str, Any] = {"team": {"id": TEAM}, "user": {"id": user}, "trigger_id": "t"}
    match kind:
        case "command":
            where = {"team_id": TEAM, "user_id": user, "channel_id": channel}
            return {"command": what, "trigger_id": "t", "response_url": "https://h/"} | where
        case "click":
            action = {"type": "button", "action_id": what, "block_id": "b"}
            place: dict[str, Any] = {"channel": {"id": channel}}
            return {"type": "block_actions", "actions": [action]} | place | who
        case "form":
            view = {"id": "V1", "type": "modal", "callback_id": what}
            return {"type": "view_submission", "view": view} | who
    event = {"type": "app_mention", "user": user, "text": f"<@U0PILOT> {what}", "ts": "1.1"}
    outer: dict[str, Any] = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev1"}
    return outer | {"event": event | {"channel": channel}}
