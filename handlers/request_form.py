"""The form of `/deploy` while it is being filled in: which versions there are, of which service."""

from bot.blocks import request
from bot.blocks.pieces import Json
from bot.blocks.text import clean
from bot.domain.refusal import Refused
from bot.ports import Rejected, Unavailable
from handlers.desk import Desk
from handlers.shapes import BlockActions, BlockSuggestion, View
from handlers.wording import MOST_CHARACTERS, is_version


class RequestForm:
    """Reads only; what is sent in the end is checked anew, whatever was offered here."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def options(self, question: BlockSuggestion, may_look: bool = True) -> list[Json]:
        """What is offered under the field that is typed into; never raises, may be empty.

        Without a look, what is typed is offered as it is, as while the catalogue is away.
        """
        service = _service(question)
        typed = question.value.strip()
        if service not in self._desk.policies.services or (typed and not is_version(typed)):
            return []
        try:
            found = await self._desk.previews.offered(service, typed) if may_look else None
        except Refused:
            return []
        return request.version_options(found, typed, self._desk.names)

    async def service_chosen(self, click: BlockActions) -> None:
        """The form of the chosen service takes the place of the one before."""
        chosen = click.actions[0].selected_option
        service = chosen.value if chosen is not None else ""
        forms, view = self._desk.forms, click.view
        if forms is None or view is None or service not in self._desk.policies.services:
            return
        drawn = await self._desk.request_form(service)
        # One that has changed meanwhile, or cannot be reached, stays: the versions it offers are
        # those of the service chosen in it all the same.
        try:
            await forms.update_form(view.id, view.hash, drawn)
        except (Unavailable, Rejected, TimeoutError):
            return


def chosen(view: View, field: str) -> str:
    """What stands in *field*: typed text, or the chosen option's value.

    On one line and without what cannot be seen, as what is typed after a command is read, and as
    long as Slack's fields are at most.
    """
    for element in view.state.values.get(block_of(view, field), {}).values():
        option = element.get("selected_option")
        value = option.get("value") if isinstance(option, dict) else element.get("value")
        if isinstance(value, str):
            return clean(value)[:MOST_CHARACTERS]
    return ""


def block_of(view: View, field: str) -> str:
    """The block that *field* stands in, which may be named for the service as well."""
    named = (block for block in view.state.values if block.startswith(f"{field}."))
    return field if field in view.state.values else next(named, field)


def _service(question: BlockSuggestion) -> str:
    if question.action_id != request.CHOOSE_VERSION:
        return ""
    in_form = chosen(question.view, request.SERVICE) if question.view is not None else ""
    return in_form or question.block_id.partition(".")[2]
