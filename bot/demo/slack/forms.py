"""What people do with an open form: fill it in, send it, close it."""

from bot.demo.slack.contents import Contents
from bot.demo.slack.dispatch import Dispatcher
from bot.demo.slack.elements import (
    Choice,
    UnknownOption,
    complaints,
    find_element,
    form_state,
    pressed,
)
from bot.demo.slack.payloads import Payloads
from bot.demo.slack.seen import NotOnScreen, Seen
from bot.demo.slack.triggers import Triggers
from bot.demo.slack.views import View, Views
from bot.demo.slack.wire import Json, SlackError

#: Slack asks the bot for options only after this many characters, unless told otherwise.
CHARACTERS_BEFORE_ASKING = 3


class Forms:
    def __init__(
        self,
        contents: Contents,
        payloads: Payloads,
        triggers: Triggers,
        views: Views,
        dispatcher: Dispatcher,
    ) -> None:
        self._contents = contents
        self._payloads = payloads
        self._triggers = triggers
        self._views = views
        self._dispatcher = dispatcher
        #: options the bot offered, by view, action and value
        self._offered: dict[tuple[str, str], dict[str, Json]] = {}

    async def submit(self, user: str, view_id: str, values: Json) -> Seen:
        """Send the uppermost form; *values* by block and action, unnamed fields as shown."""
        view = self._uppermost(user, view_id)
        state = self._state(view, values)
        if found := complaints(view.blocks, state):
            return Seen(False, errors=found)
        payload = self._payloads.submission(view, state)
        payload["trigger_id"] = self._triggers.mint(user)
        answer = await self._dispatcher.deliver("interactive", payload)
        if answer.error is not None:
            return Seen(False, error=_trouble(answer.error))
        try:
            errors = self._follow(view, answer.body)
        except SlackError as error:
            return Seen(True, answer.body, _trouble(error.code))
        return Seen(True, answer.body, errors=errors)

    async def close_view(self, user: str, view_id: str) -> Seen:
        """The bot hears of it only if the form asked for that."""
        view = self._uppermost(user, view_id)
        self._views.close(view)
        if not view.content.get("notify_on_close", False):
            return Seen(True)
        answer = await self._dispatcher.deliver("interactive", self._payloads.closed(view))
        return Seen(answer.error is None, answer.body, answer.error)

    async def press(
        self,
        user: str,
        view_id: str,
        action_id: str,
        *,
        block_id: str | None = None,
        selected: Choice = None,
        values: Json | None = None,
    ) -> Seen:
        """Press or pick something inside a form, or on the home tab, before sending it."""
        view = self._shown(user, view_id)
        found = find_element(view.blocks, action_id, block_id, None)
        if found is None:
            raise NotOnScreen(f"{action_id} is not on view {view_id}")
        block, element = found
        picked = self._known_option(view, action_id, selected)
        filled = dict(values or {})
        filled[block["block_id"]] = {**filled.get(block["block_id"], {}), action_id: picked}
        try:
            part = pressed(element, picked)
        except UnknownOption as error:
            raise NotOnScreen(str(error)) from error
        action = {**part, "type": element["type"], "action_id": action_id}
        action["block_id"] = block["block_id"]
        payload = self._payloads.view_action(view, action, self._state(view, filled))
        payload["trigger_id"] = self._triggers.mint(user)
        answer = await self._dispatcher.deliver("interactive", payload)
        return Seen(answer.error is None, answer.body, answer.error)

    async def suggest(
        self,
        user: str,
        view_id: str,
        block_id: str,
        action_id: str,
        typed: str,
        *,
        values: Json | None = None,
    ) -> list[Json]:
        """The options below an external select; empty when the bot does not answer."""
        view = self._shown(user, view_id)
        found = find_element(view.blocks, action_id, block_id, None)
        if found is None or "external" not in found[1]["type"]:
            raise NotOnScreen(f"{action_id} in {block_id} asks for no options")
        if len(typed) < found[1].get("min_query_length", CHARACTERS_BEFORE_ASKING):
            return []
        state = self._state(view, values or {})
        payload = self._payloads.suggestion(view, block_id, action_id, typed, state)
        answer = await self._dispatcher.deliver("interactive", payload)
        groups = answer.body.get("option_groups", [])
        offered: list[Json] = [option for group in groups for option in group["options"]]
        offered += answer.body.get("options", [])
        known = self._offered.setdefault((view.id, action_id), {})
        known.update({option["value"]: option for option in offered})
        return offered

    def _follow(self, view: View, body: Json) -> dict[str, str]:
        """Do what the bot answered a submission with; return texts for fields."""
        wish = body.get("response_action")
        if wish == "errors":
            return _checked_errors(view, body.get("errors"))
        if wish == "update":
            self._views.update(view, self._contents.of_view(body.get("view"), "modal"))
        elif wish == "push":
            content = self._contents.of_view(body.get("view"), "modal")
            self._views.push(view.user, content)
        elif wish == "clear":
            self._views.clear(view.user)
        elif view in self._views.stack(view.user):
            self._views.close(view)
        return {}

    def _state(self, view: View, values: Json) -> Json:
        filled = {
            block_id: {
                action_id: self._known_option(view, action_id, choice)
                for action_id, choice in chosen.items()
            }
            for block_id, chosen in values.items()
        }
        try:
            return form_state(view.blocks, filled)
        except UnknownOption as error:
            raise NotOnScreen(str(error)) from error

    def _known_option(self, view: View, action_id: str, choice: Choice) -> Choice:
        if not isinstance(choice, str):
            return choice
        return self._offered.get((view.id, action_id), {}).get(choice, choice)

    def _uppermost(self, user: str, view_id: str) -> View:
        stack = self._views.stack(user)
        if not stack or stack[-1].id != view_id:
            raise NotOnScreen(f"{user} does not have form {view_id} in front of them")
        return stack[-1]

    def _shown(self, user: str, view_id: str) -> View:
        home = self._views.home(user)
        if home is not None and home.id == view_id:
            return home
        return self._uppermost(user, view_id)


def _trouble(code: str) -> str:
    return f"We had some trouble connecting. Try again? ({code})"


def _checked_errors(view: View, errors: object) -> dict[str, str]:
    """Slack shows texts under input blocks only, and fails on anything else."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise SlackError("invalid_errors")
    return {str(block): str(text) for block, text in errors.items()}
