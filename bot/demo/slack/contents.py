"""What may stand in a message or a form, and what is refused with which code."""

from collections.abc import Callable, Mapping

from bot.demo.slack.elements import with_ids
from bot.demo.slack.wire import Json, SlackError, Surface, decoded

#: Names what Slack would refuse in a payload; empty when it would take it.
Lint = Callable[[Mapping[str, object], Surface], list[str]]

LONGEST_TEXT = 40_000


class Contents:
    def __init__(self, lint: Lint) -> None:
        self._lint = lint

    def of_message(self, arguments: Json) -> tuple[str, list[Json]]:
        """Return text and blocks with their ids filled in."""
        text = str(arguments.get("text") or "")
        blocks = decoded(arguments.get("blocks")) or []
        if not text and not blocks:
            raise SlackError("no_text")
        if len(text) > LONGEST_TEXT:
            raise SlackError("msg_too_long")
        if not isinstance(blocks, list):
            raise SlackError("invalid_blocks_format")
        message = {"blocks": blocks} | ({"text": text} if text else {})
        if found := self._lint(message, "message"):
            raise SlackError("invalid_blocks", **_explained(found))
        return text, with_ids(blocks)

    def of_view(self, view: object, surface: Surface) -> Json:
        view = decoded(view)
        if not isinstance(view, dict):
            raise SlackError("invalid_arguments", **_explained(["view must be an object"]))
        if found := self._lint(view, surface):
            raise SlackError("invalid_arguments", **_explained(found))
        return view


def _explained(found: list[str]) -> Json:
    return {"response_metadata": {"messages": [f"[ERROR] {line}" for line in found]}}
