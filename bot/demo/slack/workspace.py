"""The workspace people look at: who is there, which channels, what was said in them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.demo.slack.changes import Changes
from bot.demo.slack.timing import Clock, utc_now
from bot.demo.slack.wire import Json, SlackError

#: How many notifications are kept; a phone shows fewer.
NOTIFICATIONS_KEPT = 500
#: How long a client may still show what a message looked like before an edit.
SHOWN_STILL = timedelta(seconds=10)


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    title: str

    @property
    def handle(self) -> str:
        return self.name.lower()


@dataclass
class Channel:
    id: str
    name: str
    members: set[str]
    is_archived: bool = False
    #: the one person who has this direct conversation with the bot
    only_for: str | None = None


@dataclass
class Message:
    ts: str
    channel: str
    user: str
    text: str
    at: datetime
    blocks: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    #: the one person who sees this ephemeral message
    visible_to: str | None = None
    is_broadcast: bool = False
    metadata: Json | None = None
    edits: int = 0
    edited_at: datetime | None = None
    #: what it looked like before, and until when; a client learns of an edit a moment later
    replaced: list[tuple[datetime, list[Json]]] = field(default_factory=list)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def is_seen_by(self, user: str) -> bool:
        return self.visible_to in (None, user)


@dataclass(frozen=True)
class Notification:
    at: datetime
    channel: str
    text: str
    author: str


class Workspace:
    def __init__(
        self,
        people: list[Person],
        channels: list[Channel],
        *,
        bot: Person,
        bot_id: str,
        team_id: str,
        clock: Clock = utc_now,
    ) -> None:
        self.people = {person.id: person for person in people}
        self.channels = {channel.id: channel for channel in channels}
        self.bot = bot
        self.bot_id = bot_id
        self.team_id = team_id
        self.clock = clock
        self.changes = Changes()
        self.notifications: list[Notification] = []
        self._messages: dict[str, dict[str, Message]] = {}
        self._replies: dict[tuple[str, str], list[Message]] = {}
        self._read: dict[tuple[str, str], str] = {}
        self._last_ts = (0, 0)

    def person(self, user: str) -> Person:
        if user == self.bot.id:
            return self.bot
        if user not in self.people:
            raise SlackError("user_not_found")
        return self.people[user]

    def channel(self, channel: str) -> Channel:
        if channel not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel]

    def conversation_with(self, user: str) -> Channel:
        """The direct conversation between the bot and *user*, opened when new."""
        person = self.person(user)
        direct = f"D{person.id[1:]}"
        members = {person.id, self.bot.id}
        fresh = Channel(direct, self.bot.name, members, only_for=person.id)
        return self.channels.setdefault(direct, fresh)

    def post(self, message: Message, *, notifies: bool = True) -> Message:
        """Show *message*; only new messages everybody can see notify people."""
        self._messages.setdefault(message.channel, {})[message.ts] = message
        if message.is_reply and message.thread_ts is not None:
            thread = self._replies.setdefault((message.channel, message.thread_ts), [])
            thread.append(message)
        if notifies and message.visible_to is None:
            self._notify(message)
        self.changes.touch()
        return message

    def draft(self, channel: str, user: str, text: str) -> Message:
        """A message with a fresh timestamp that nobody sees until it is posted."""
        at = self.clock()
        return Message(self._next_ts(at), channel, user, text, at)

    def edit(self, message: Message, text: str, blocks: list[Json]) -> None:
        now = self.clock()
        message.replaced = [*self._shown_still(message, now), (now, message.blocks)]
        message.text, message.blocks = text, blocks
        message.edits += 1
        message.edited_at = now
        self.changes.touch()

    def shown_before(self, message: Message) -> list[list[Json]]:
        """The blocks that somebody's client may still show, newest first."""
        still = self._shown_still(message, self.clock())
        return [blocks for _, blocks in reversed(still)]

    def delete(self, message: Message) -> None:
        if self.reply_count(message):
            message.text, message.blocks = "This message was deleted.", []
            message.user = "USLACKBOT"
        else:
            self._forget(message)
        self.changes.touch()

    def find(self, channel: str, ts: str) -> Message | None:
        return self._messages.get(channel, {}).get(ts)

    def messages(self, channel: str) -> list[Message]:
        """All of them, oldest first, with replies and everybody's ephemerals."""
        return list(self._messages.get(channel, {}).values())

    def replies(self, channel: str, thread_ts: str) -> list[Message]:
        return list(self._replies.get((channel, thread_ts), []))

    def reply_count(self, message: Message) -> int:
        """How many replies everybody sees."""
        replies = self._replies.get((message.channel, message.ts), [])
        return sum(reply.visible_to is None for reply in replies)

    def reload(self, user: str) -> None:
        """What *user* alone could see is gone, as after reloading the client."""
        for messages in self._messages.values():
            for message in [m for m in messages.values() if m.visible_to == user]:
                self._forget(message)
        self.changes.touch()

    def mark_read(self, user: str, channel: str) -> None:
        newest = next(reversed(self._messages.get(channel, {})), "")
        if self._read.get((user, channel), "") != newest:
            self._read[user, channel] = newest
            self.changes.touch()

    def unread(self, user: str, channel: str) -> int:
        read = self._read.get((user, channel), "")
        count = 0
        for message in reversed(self._messages.get(channel, {}).values()):
            if message.ts <= read:
                break
            count += message.visible_to is None
        return count

    def _shown_still(self, message: Message, now: datetime) -> list[tuple[datetime, list[Json]]]:
        return [(at, blocks) for at, blocks in message.replaced if now - at <= SHOWN_STILL]

    def _forget(self, message: Message) -> None:
        self._messages[message.channel].pop(message.ts, None)
        thread = self._replies.get((message.channel, message.thread_ts or ""), [])
        if message in thread:
            thread.remove(message)

    def _notify(self, message: Message) -> None:
        text = message.text or "This content can't be displayed."
        note = Notification(message.at, message.channel, text, message.user)
        self.notifications.append(note)
        del self.notifications[:-NOTIFICATIONS_KEPT]

    def _next_ts(self, at: datetime) -> str:
        since = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        micros = since // timedelta(microseconds=1)
        seconds, fraction = max(divmod(micros, 10**6), self._last_ts)
        if (seconds, fraction) == self._last_ts:
            seconds, fraction = divmod(seconds * 10**6 + fraction + 1, 10**6)
        self._last_ts = (seconds, fraction)
        return f"{seconds}.{fraction:06d}"


def demo_workspace(clock: Clock = utc_now) -> Workspace:
    """The team of the demo, with its three channels, all of them open to the bot."""
    people = [
        Person("U0DANA", "Dana", "Developer"),
        Person("U0DEVO", "Devo", "Developer"),
        Person("U0ANA", "Ana", "Deployment Lead"),
        Person("U0QUINN", "Quinn", "QA Lead"),
        Person("U0SAM", "Sam", "On call"),
        Person("U0TESS", "Tess", "Tech Lead"),
        Person("U0CHRIS", "Chris", "CTO"),
    ]
    bot = Person("U0PILOT", "pilot", "Bot")
    everyone = {person.id for person in people} | {bot.id}
    names = {"C0DEPLOY": "deployment", "C0INCIDENT": "incidents", "C0GENERAL": "general"}
    channels = [Channel(id_, name, set(everyone)) for id_, name in names.items()]
    return Workspace(people, channels, bot=bot, bot_id="B0PILOT", team_id="T0DEMO", clock=clock)
