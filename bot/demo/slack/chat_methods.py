"""The chat.* methods: posting, editing and deleting the bot's own messages."""

from collections.abc import Callable

from bot.demo.slack.contents import Contents
from bot.demo.slack.payloads import Payloads
from bot.demo.slack.wire import Json, Method, SlackError, decoded, is_true
from bot.demo.slack.workspace import Channel, Message, Workspace


class ChatMethods:
    def __init__(
        self,
        workspace: Workspace,
        contents: Contents,
        payloads: Payloads,
        address: Callable[[], str],
    ) -> None:
        """*address* is where the workspace is served; known once that is so."""
        self._address = address
        self._workspace = workspace
        self._contents = contents
        self._payloads = payloads
        self.methods: dict[str, Method] = {
            "chat.postMessage": self.post_message,
            "chat.postEphemeral": self.post_ephemeral,
            "chat.update": self.update,
            "chat.delete": self.delete,
            "chat.getPermalink": self.get_permalink,
        }

    def post_message(self, arguments: Json) -> Json:
        """A person's id as channel opens the direct conversation with them."""
        channel = self._writable(self._target(arguments))
        message = self._drafted(channel, arguments)
        message.metadata = _metadata(arguments)
        message.is_broadcast = is_true(arguments.get("reply_broadcast"))
        self._workspace.post(message)
        shown = self._payloads.message(message)
        return {"channel": channel.id, "ts": message.ts, "message": shown}

    def post_ephemeral(self, arguments: Json) -> Json:
        channel = self._writable(self._target(arguments))
        user = str(arguments.get("user") or "")
        if user not in channel.members:
            raise SlackError("user_not_in_channel")
        message = self._drafted(channel, arguments)
        message.visible_to = user
        self._workspace.post(message)
        return {"message_ts": message.ts}

    def update(self, arguments: Json) -> Json:
        """What is not given stays as it was; an empty list removes the blocks."""
        message = self._own(arguments, "cant_update_message")
        content = dict(arguments)
        if content.get("blocks") is None:
            content["blocks"] = message.blocks
        if content.get("text") is None:
            content["text"] = message.text
        text, blocks = self._contents.of_message(content)
        message.metadata = _metadata(arguments) or message.metadata
        self._workspace.edit(message, text, blocks)
        shown = self._payloads.message(message)
        return {"channel": message.channel, "ts": message.ts, "text": text, "message": shown}

    def delete(self, arguments: Json) -> Json:
        message = self._own(arguments, "cant_delete_message")
        self._workspace.delete(message)
        return {"channel": message.channel, "ts": message.ts}

    def get_permalink(self, arguments: Json) -> Json:
        channel = self._workspace.channel(str(arguments.get("channel")))
        ts = str(arguments.get("message_ts"))
        message = self._workspace.find(channel.id, ts)
        if message is None or message.visible_to is not None:
            raise SlackError("message_not_found")
        link = f"{self._address()}/archives/{channel.id}/p{ts.replace('.', '')}"
        if message.is_reply:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    def _target(self, arguments: Json) -> Channel:
        id_ = str(arguments.get("channel") or "")
        if id_ in self._workspace.people:
            return self._workspace.conversation_with(id_)
        return self._workspace.channel(id_)

    def _writable(self, channel: Channel) -> Channel:
        if channel.is_archived:
            raise SlackError("is_archived")
        if self._workspace.bot.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def _drafted(self, channel: Channel, arguments: Json) -> Message:
        text, blocks = self._contents.of_message(arguments)
        thread_ts = arguments.get("thread_ts") or None
        if thread_ts is not None:
            self._require_parent(channel, str(thread_ts))
        message = self._workspace.draft(channel.id, self._workspace.bot.id, text)
        message.blocks, message.thread_ts = blocks, thread_ts
        return message

    def _require_parent(self, channel: Channel, thread_ts: str) -> None:
        """Stricter than Slack, which takes any timestamp and shows the reply to nobody."""
        parent = self._workspace.find(channel.id, thread_ts)
        if parent is None or parent.visible_to is not None or parent.is_reply:
            raise SlackError("thread_not_found")

    def _own(self, arguments: Json, refusal: str) -> Message:
        channel = self._workspace.channel(str(arguments.get("channel")))
        message = self._workspace.find(channel.id, str(arguments.get("ts")))
        if message is None or message.visible_to is not None:
            raise SlackError("message_not_found")
        if message.user != self._workspace.bot.id:
            raise SlackError(refusal)
        if channel.is_archived:
            raise SlackError("is_inactive")
        return message


def _metadata(arguments: Json) -> Json | None:
    metadata = decoded(arguments.get("metadata"))
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not {"event_type", "event_payload"} <= set(metadata):
        raise SlackError("invalid_metadata_format")
    return metadata
