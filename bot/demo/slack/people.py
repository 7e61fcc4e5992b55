"""What people do in channels: type commands, say things, press buttons."""

import html
import re

from bot.demo.slack.answers import Answers
from bot.demo.slack.dispatch import Dispatcher
from bot.demo.slack.elements import Choice, UnknownOption, find_element, pressed
from bot.demo.slack.manifest import Manifest
from bot.demo.slack.payloads import Payloads
from bot.demo.slack.seen import NotOnScreen, Seen
from bot.demo.slack.triggers import Triggers
from bot.demo.slack.wire import Json, SlackError
from bot.demo.slack.workspace import Channel, Message, Workspace

_NAMED = re.compile(r"(?<![\w.<])([@#])([\w-]+)")
#: A mention the client already wrote in Slack's form, after escaping.
_MENTION = re.compile(r"&lt;(@[A-Z0-9]+)(?:\|[\w-]+)?&gt;")


class People:
    #: where the bot answers interactions; known once the server listens
    response_base = ""

    def __init__(
        self,
        workspace: Workspace,
        manifest: Manifest,
        payloads: Payloads,
        triggers: Triggers,
        answers: Answers,
        dispatcher: Dispatcher,
    ) -> None:
        self._workspace = workspace
        self._manifest = manifest
        self._payloads = payloads
        self._triggers = triggers
        self._answers = answers
        self._dispatcher = dispatcher

    async def command(
        self,
        user: str,
        command: str,
        text: str = "",
        *,
        channel: str = "C0DEPLOY",
        thread_ts: str | None = None,
    ) -> Seen:
        known = self._manifest.commands.get(command)
        if known is None:
            return Seen(False, error=f"{command} is not a valid command.")
        if thread_ts is not None:
            return Seen(False, error=f"{command} is not supported in threads. Sorry!")
        place = self._entered(user, channel)
        self._workspace.mark_read(user, channel)
        typed = self._escaped(text.strip(), with_names=known.should_escape, named=True)
        secret = self._answers.urls.mint(place.id, user, None)
        payload = self._payloads.command(user, place.id, command, typed) | {
            "trigger_id": self._triggers.mint(user),
            "response_url": self.response_base + secret,
        }
        answer = await self._dispatcher.deliver("slash_commands", payload)
        if answer.error is not None:
            return Seen(False, error=f'{command} failed with the error "{answer.error}"')
        return self._answered(command, answer.body, secret)

    async def say(self, user: str, channel: str, text: str, *, thread_ts: str | None = None) -> str:
        """Return the timestamp; the bot hears of it only when it is mentioned."""
        place = self._entered(user, channel)
        if place.is_archived:
            raise SlackError("is_archived")
        escaped = self._escaped(text, with_names=True, named=False)
        message = self._workspace.draft(channel, user, escaped)
        if thread_ts is not None:
            self._visible(user, channel, thread_ts)
            message.thread_ts = thread_ts
        self._workspace.post(message)
        self._workspace.mark_read(user, channel)
        if self._hears(place, message):
            self._dispatcher.deliver_event(self._payloads.mention(message))
        return message.ts

    async def click(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        value: str | None = None,
        block_id: str | None = None,
        selected: Choice = None,
    ) -> Seen:
        """Press or pick something on a message; raises `NotOnScreen` if it is not there.

        With *block_id*, what stood there until a moment ago counts too: as with Slack, the press
        then reaches the bot, which knows what it meant.
        """
        self._entered(user, channel)
        message = self._visible(user, channel, ts)
        action = self._action(message, action_id, block_id, value, selected)
        if not self._manifest.is_interactive:
            return Seen(False, error="This app does not handle interactive responses.")
        self._workspace.mark_read(user, channel)
        secret = self._answers.urls.mint(channel, user, ts)
        payload = self._payloads.message_action(user, message, action) | {
            "trigger_id": self._triggers.mint(user),
            "response_url": self.response_base + secret,
        }
        answer = await self._dispatcher.deliver("interactive", payload)
        return Seen(answer.error is None, answer.body, answer.error)

    def _action(
        self,
        message: Message,
        action_id: str,
        block_id: str | None,
        value: str | None,
        selected: Choice,
    ) -> Json:
        found = find_element(message.blocks, action_id, block_id, value)
        if found is None and block_id is not None:
            # A client names the block it shows, which may have been edited a moment ago.
            for blocks in self._workspace.shown_before(message):
                found = found or find_element(blocks, action_id, block_id, value)
        if found is None:
            raise NotOnScreen(f"{action_id} is not on message {message.ts}")
        block, element = found
        try:
            part = pressed(element, selected)
        except UnknownOption as error:
            raise NotOnScreen(str(error)) from error
        return part | {
            "type": element["type"],
            "action_id": action_id,
            "block_id": block["block_id"],
            "action_ts": f"{self._workspace.clock().timestamp():.6f}",
        }

    def _answered(self, command: str, body: Json, secret: str) -> Seen:
        """A command may be answered in the acknowledgement itself."""
        if not body.get("text") and not body.get("blocks"):
            return Seen(True, body)
        try:
            message = self._answers.show(body, self._answers.urls.place(secret))
        except SlackError as error:
            return Seen(True, body, f'{command} failed with the error "{error.code}"')
        return Seen(True, body, message=message)

    def _entered(self, user: str, channel: str) -> Channel:
        self._workspace.person(user)
        place = self._workspace.channel(channel)
        if user not in place.members:
            raise SlackError("not_in_channel")
        return place

    def _visible(self, user: str, channel: str, ts: str) -> Message:
        message = self._workspace.find(channel, ts)
        if message is None or not message.is_seen_by(user):
            raise NotOnScreen(f"{user} sees no message {ts} in {channel}")
        return message

    def _hears(self, place: Channel, message: Message) -> bool:
        bot = self._workspace.bot.id
        is_told = bot in place.members and place.only_for is None
        subscribed = "app_mention" in self._manifest.events
        return is_told and subscribed and f"<@{bot}>" in message.text

    def _escaped(self, text: str, *, with_names: bool, named: bool) -> str:
        """Slack's form of typed text: `&<>` escaped, names as ids, *named* adds the name."""
        escaped = _MENTION.sub(r"<\1>", html.escape(text, quote=False))
        if not with_names:
            return escaped
        people = [*self._workspace.people.values(), self._workspace.bot]
        ids = {f"@{person.handle}": person.id for person in people}
        ids |= {f"#{one.name}": one.id for one in self._workspace.channels.values()}

        def reference(match: re.Match[str]) -> str:
            sign, name = match.groups()
            id_ = ids.get(sign + name.lower())
            if id_ is None:
                return match.group()
            return f"<{sign}{id_}|{name.lower()}>" if named or sign == "#" else f"<@{id_}>"

        return _NAMED.sub(reference, escaped)
