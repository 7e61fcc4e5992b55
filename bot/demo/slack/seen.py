"""What a person sees after doing something, and what keeps them from doing it."""

from dataclasses import dataclass, field

from bot.demo.slack.wire import Json
from bot.demo.slack.workspace import Message


class NotOnScreen(Exception):
    """The person does not see the thing they would have to press."""


@dataclass(frozen=True)
class Seen:
    #: the bot answered in time
    acknowledged: bool
    #: what it sent along: the answer to a command, `response_action` of a form
    body: Json = field(default_factory=dict)
    #: what Slack itself says went wrong
    error: str | None = None
    #: texts under the fields of a form, by block
    errors: dict[str, str] = field(default_factory=dict)
    #: the message that came with the acknowledgement
    message: Message | None = None

    @property
    def is_fine(self) -> bool:
        return self.acknowledged and self.error is None and not self.errors
