"""What the bot answers an interaction with, shown to the person or to the channel."""

from bot.demo.slack.contents import Contents
from bot.demo.slack.triggers import ResponseUrl, ResponseUrls
from bot.demo.slack.wire import Json, SlackError, is_true
from bot.demo.slack.workspace import Message, Workspace


class Answers:
    def __init__(self, workspace: Workspace, contents: Contents, urls: ResponseUrls) -> None:
        self.urls = urls
        self._workspace = workspace
        self._contents = contents

    def show(self, body: Json, place: ResponseUrl) -> Message | None:
        """Post, replace or delete as *body* says; raises `SlackError`."""
        if is_true(body.get("delete_original")):
            self._workspace.delete(self._original(place))
            return None
        text, blocks = self._contents.of_message(body)
        if is_true(body.get("replace_original")) and place.source_ts is not None:
            original = self._original(place)
            self._workspace.edit(original, text, blocks)
            return original
        message = self._workspace.draft(place.channel, self._workspace.bot.id, text)
        message.blocks = blocks
        message.thread_ts = body.get("thread_ts")
        if body.get("response_type", "ephemeral") != "in_channel":
            message.visible_to = place.user
        return self._workspace.post(message)

    def respond_at(self, secret: str, body: Json) -> Json:
        self.show(body, self.urls.use(secret))
        return {}

    def _original(self, place: ResponseUrl) -> Message:
        found = self._workspace.find(place.channel, place.source_ts or "")
        if found is None:
            raise SlackError("message_not_found")
        return found
