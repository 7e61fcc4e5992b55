"""The payloads Slack sends to the bot, in Slack's shapes."""

from bot.demo.slack.views import View
from bot.demo.slack.wire import Json, token
from bot.demo.slack.workspace import Message, Workspace

APP_ID = "A0PILOT"
TEAM_DOMAIN = "demo"
#: Slack still sends this old shared secret; nobody should check it.
VERIFICATION_TOKEN = "unused"  # noqa: S105 - not a secret, nothing trusts it


class Payloads:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def command(self, user: str, channel: str, command: str, text: str) -> Json:
        """Without trigger and response address, which the caller mints."""
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": self._workspace.team_id,
            "team_domain": TEAM_DOMAIN,
            "channel_id": channel,
            "channel_name": self._channel_name(channel),
            "user_id": user,
            "user_name": self._workspace.person(user).handle,
            "command": command,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
        }

    def message_action(self, user: str, message: Message, action: Json) -> Json:
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": message.visible_to is not None,
        }
        if message.is_reply:
            container["thread_ts"] = message.thread_ts
        payload = self._interaction("block_actions", user) | {
            "container": container,
            "channel": {"id": message.channel, "name": self._channel_name(message.channel)},
            "state": {"values": {}},
            "actions": [action],
        }
        if message.visible_to is None:
            payload["message"] = self.message(message)
            if message.metadata is not None:
                payload["message"]["metadata"] = message.metadata
        return payload

    def view_action(self, view: View, action: Json, state: Json) -> Json:
        return self._interaction("block_actions", view.user) | {
            "container": {"type": "view", "view_id": view.id},
            "view": self.view(view, state),
            "actions": [action],
        }

    def submission(self, view: View, state: Json) -> Json:
        return self._interaction("view_submission", view.user) | {
            "view": self.view(view, state),
            "response_urls": [],
        }

    def closed(self, view: View) -> Json:
        return self._interaction("view_closed", view.user) | {
            "view": self.view(view, {}),
            "is_cleared": False,
        }

    def suggestion(
        self, view: View, block_id: str, action_id: str, typed: str, state: Json
    ) -> Json:
        return self._interaction("block_suggestion", view.user) | {
            "container": {"type": "view", "view_id": view.id},
            "view": self.view(view, state),
            "block_id": block_id,
            "action_id": action_id,
            "value": typed,
        }

    def mention(self, message: Message) -> Json:
        event = {
            "type": "app_mention",
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "team": self._workspace.team_id,
            "channel": message.channel,
            "event_ts": message.ts,
        }
        if message.is_reply:
            event["thread_ts"] = message.thread_ts or ""
        return self._event(event, message)

    def message(self, message: Message) -> Json:
        """A message as the Web API and the interactions show it."""
        shown: Json = {
            "type": "message",
            "user": message.user,
            "ts": message.ts,
            "text": message.text,
            "team": self._workspace.team_id,
        }
        if message.user == self._workspace.bot.id:
            shown |= {"bot_id": self._workspace.bot_id, "app_id": APP_ID}
        if message.blocks:
            shown["blocks"] = message.blocks
        if message.thread_ts is not None:
            shown["thread_ts"] = message.thread_ts
        if message.edited_at is not None:
            at = f"{message.edited_at.timestamp():.6f}"
            shown["edited"] = {"user": message.user, "ts": at}
        if count := self._workspace.reply_count(message):
            shown |= {"thread_ts": message.ts, "reply_count": count}
        return shown

    def view(self, view: View, state: Json) -> Json:
        defaults = {"private_metadata": "", "callback_id": "", "external_id": ""}
        return (
            defaults
            | view.content
            | {
                "id": view.id,
                "team_id": self._workspace.team_id,
                "state": {"values": state},
                "hash": view.hash,
                "root_view_id": view.root_id,
                "previous_view_id": view.previous_id,
                "app_id": APP_ID,
                "app_installed_team_id": self._workspace.team_id,
                "bot_id": self._workspace.bot_id,
            }
        )

    def _interaction(self, kind: str, user: str) -> Json:
        person = self._workspace.person(user)
        team = self._workspace.team_id
        return {
            "type": kind,
            "user": {
                "id": person.id,
                "username": person.handle,
                "name": person.handle,
                "team_id": team,
            },
            "api_app_id": APP_ID,
            "token": VERIFICATION_TOKEN,
            "team": {"id": team, "domain": TEAM_DOMAIN},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _event(self, event: Json, message: Message) -> Json:
        team = self._workspace.team_id
        authorization = {
            "enterprise_id": None,
            "team_id": team,
            "user_id": self._workspace.bot.id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        return {
            "token": VERIFICATION_TOKEN,
            "team_id": team,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": token("Ev"),
            "event_time": int(message.at.timestamp()),
            "authorizations": [authorization],
            "is_ext_shared_channel": False,
            "event_context": token("4-"),
        }

    def _channel_name(self, channel: str) -> str:
        known = self._workspace.channel(channel)
        return "directmessage" if known.only_for else known.name
