"""The views.* methods: opening and changing forms and home tabs."""

from bot.demo.slack.contents import Contents
from bot.demo.slack.payloads import Payloads
from bot.demo.slack.triggers import Triggers
from bot.demo.slack.views import View, Views
from bot.demo.slack.wire import Json, Method, SlackError
from bot.demo.slack.workspace import Workspace


class ViewMethods:
    def __init__(
        self,
        workspace: Workspace,
        contents: Contents,
        payloads: Payloads,
        views: Views,
        triggers: Triggers,
    ) -> None:
        self._workspace = workspace
        self._contents = contents
        self._payloads = payloads
        self._views = views
        self._triggers = triggers
        self.methods: dict[str, Method] = {
            "views.open": self.open,
            "views.push": self.push,
            "views.update": self.update,
            "views.publish": self.publish,
        }

    def open(self, arguments: Json) -> Json:
        content = self._contents.of_view(arguments.get("view"), "modal")
        user = self._triggers.redeem(arguments.get("trigger_id"))
        return self._shown(self._views.open(user, content))

    def push(self, arguments: Json) -> Json:
        content = self._contents.of_view(arguments.get("view"), "modal")
        user = self._triggers.redeem(arguments.get("trigger_id"))
        return self._shown(self._views.push(user, content))

    def update(self, arguments: Json) -> Json:
        view = self._views.find(arguments.get("view_id"), arguments.get("external_id"))
        content = self._contents.of_view(arguments.get("view"), "modal")
        return self._shown(self._views.update(view, content, arguments.get("hash")))

    def publish(self, arguments: Json) -> Json:
        user = str(arguments.get("user_id") or "")
        if user not in self._workspace.people:
            raise SlackError("invalid_arguments")
        content = self._contents.of_view(arguments.get("view"), "home")
        return self._shown(self._views.publish(user, content, arguments.get("hash")))

    def _shown(self, view: View) -> Json:
        return {"view": self._payloads.view(view, {})}
