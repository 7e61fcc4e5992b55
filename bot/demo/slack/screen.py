"""What one person has in front of them, as JSON for the demo page."""

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.demo.slack.manifest import Manifest
from bot.demo.slack.payloads import Payloads
from bot.demo.slack.views import Views
from bot.demo.slack.wire import Json
from bot.demo.slack.workspace import Channel, Message, Workspace

#: How much of a channel, and how many notifications, the page is given.
NEWEST_MESSAGES, NEWEST_NOTIFICATIONS = 200, 20

WorldState = Callable[[], Json]


class Screen:
    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        payloads: Payloads,
        manifest: Manifest,
        reaches_the_bot: Callable[[], bool],
        world_state: WorldState | None,
    ) -> None:
        self._workspace = workspace
        self._views = views
        self._payloads = payloads
        self._manifest = manifest
        self._reaches_the_bot = reaches_the_bot
        self._world_state = world_state

    def of(self, user: str) -> Json:
        channels = [
            channel for channel in self._workspace.channels.values() if user in channel.members
        ]
        return {
            "me": self._person(user),
            "people": [self._person(id_) for id_ in self._workspace.people],
            "bot": {"id": self._workspace.bot.id, "name": self._workspace.bot.name},
            "channels": [self._channel(channel, user) for channel in channels],
            "messages": {one.id: self._top_level(one.id, user) for one in channels},
            "threads": self._threads(channels, user),
            "views": self._forms(user),
            "home": self._home(user),
            "commands": self._commands(),
            "notifications": self._notifications(channels, user),
            "bot_connected": self._reaches_the_bot(),
            "world": self._world_state() if self._world_state is not None else None,
        }

    def _person(self, user: str) -> Json:
        person = self._workspace.person(user)
        return {"id": person.id, "name": person.name, "title": person.title}

    def _channel(self, channel: Channel, user: str) -> Json:
        unread = self._workspace.unread(user, channel.id)
        return {"id": channel.id, "name": channel.name, "unread": unread}

    def _top_level(self, channel: str, user: str) -> list[Json]:
        shown = [
            message
            for message in self._workspace.messages(channel)
            if not message.is_reply or message.is_broadcast
        ]
        return self._messages(shown, user)

    def _threads(self, channels: list[Channel], user: str) -> Json:
        threads = {}
        for channel in channels:
            for message in self._workspace.messages(channel.id):
                replies = self._workspace.replies(channel.id, message.ts)
                if replies:
                    key = f"{channel.id}:{message.ts}"
                    threads[key] = self._messages(replies, user)
        return threads

    def _messages(self, messages: Iterable[Message], user: str) -> list[Json]:
        seen = [message for message in messages if message.is_seen_by(user)]
        return [self._message(message) for message in seen[-NEWEST_MESSAGES:]]

    def _message(self, message: Message) -> Json:
        return {
            "ts": message.ts,
            "channel": message.channel,
            "thread_ts": message.thread_ts,
            "user": message.user,
            "name": self._name(message.user),
            "text": message.text,
            "blocks": message.blocks,
            "edited": message.edits > 0,
            "broadcast": message.is_broadcast,
            "ephemeral": message.visible_to is not None,
            "reply_count": self._workspace.reply_count(message),
            "at": _iso(message.at),
        }

    def _name(self, user: str) -> str:
        known = user in self._workspace.people or user == self._workspace.bot.id
        return self._workspace.person(user).name if known else "Slack"

    def _forms(self, user: str) -> list[Json]:
        return [
            {"id": view.id, "hash": view.hash, "view": self._payloads.view(view, {})}
            for view in self._views.stack(user)
        ]

    def _home(self, user: str) -> Json | None:
        home = self._views.home(user)
        return None if home is None else self._payloads.view(home, {})

    def _commands(self) -> list[Json]:
        return [
            {
                "command": command.command,
                "usage_hint": command.usage_hint,
                "description": command.description,
            }
            for command in self._manifest.commands.values()
        ]

    def _notifications(self, channels: list[Channel], user: str) -> list[Json]:
        """Newest first; nobody is notified of their own messages."""
        visible = {channel.id for channel in channels}
        notes = [
            {"at": _iso(note.at), "channel": note.channel, "text": note.text}
            for note in reversed(self._workspace.notifications)
            if note.channel in visible and note.author != user
        ]
        return notes[:NEWEST_NOTIFICATIONS]


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
