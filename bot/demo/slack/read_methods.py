"""The methods that only look: who am I, who is that, what was said."""

from bot.demo.slack.payloads import TEAM_DOMAIN, Payloads
from bot.demo.slack.wire import Json, Method, SlackError, is_true
from bot.demo.slack.workspace import Channel, Message, Workspace


class ReadMethods:
    def __init__(self, workspace: Workspace, payloads: Payloads) -> None:
        self._workspace = workspace
        self._payloads = payloads
        self.methods: dict[str, Method] = {
            "api.test": self.api_test,
            "auth.test": self.auth_test,
            "users.info": self.user_info,
            "conversations.info": self.conversation_info,
            "conversations.history": self.history,
            "conversations.replies": self.replies,
        }

    def api_test(self, arguments: Json) -> Json:
        if "error" in arguments:
            raise SlackError(str(arguments["error"]), args=arguments)
        return {"args": arguments}

    def auth_test(self, arguments: Json) -> Json:
        del arguments
        return {
            "url": f"https://{TEAM_DOMAIN}.slack.com/",
            "team": "Demo",
            "user": self._workspace.bot.name,
            "team_id": self._workspace.team_id,
            "user_id": self._workspace.bot.id,
            "bot_id": self._workspace.bot_id,
            "is_enterprise_install": False,
        }

    def user_info(self, arguments: Json) -> Json:
        person = self._workspace.person(str(arguments.get("user")))
        return {
            "user": {
                "id": person.id,
                "team_id": self._workspace.team_id,
                "name": person.handle,
                "real_name": person.name,
                "tz": "Etc/UTC",
                "deleted": False,
                "is_bot": person.id == self._workspace.bot.id,
                "profile": {
                    "display_name": person.handle,
                    "real_name": person.name,
                    "title": person.title,
                },
            }
        }

    def conversation_info(self, arguments: Json) -> Json:
        channel = self._workspace.channel(str(arguments.get("channel")))
        return {
            "channel": {
                "id": channel.id,
                "name": channel.name,
                "is_channel": channel.only_for is None,
                "is_im": channel.only_for is not None,
                "is_archived": channel.is_archived,
                "is_private": False,
                "is_member": self._workspace.bot.id in channel.members,
                "num_members": len(channel.members),
            }
        }

    def history(self, arguments: Json) -> Json:
        channel = self._joined(arguments)
        found = [
            message
            for message in self._workspace.messages(channel.id)
            if message.visible_to is None and (not message.is_reply or message.is_broadcast)
        ]
        return self._page(list(reversed(found)), arguments)

    def replies(self, arguments: Json) -> Json:
        channel = self._joined(arguments)
        ts = str(arguments.get("ts"))
        parent = self._workspace.find(channel.id, ts)
        if parent is None or parent.visible_to is not None:
            raise SlackError("thread_not_found")
        if parent.is_reply:
            return self._page([parent], arguments)
        replies = self._workspace.replies(channel.id, ts)
        seen = [message for message in replies if message.visible_to is None]
        return self._page([parent, *seen], arguments)

    def _joined(self, arguments: Json) -> Channel:
        channel = self._workspace.channel(str(arguments.get("channel")))
        if self._workspace.bot.id not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def _page(self, messages: list[Message], arguments: Json) -> Json:
        oldest = float(arguments.get("oldest") or 0)
        latest = float(arguments.get("latest") or "inf")
        within = [m for m in messages if _is_between(m, oldest, latest, arguments)]
        start, size = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
        more = start + size < len(within)
        with_metadata = is_true(arguments.get("include_all_metadata"))
        shown = [self._shown(m, with_metadata) for m in within[start : start + size]]
        following = str(start + size) if more else ""
        return {
            "messages": shown,
            "has_more": more,
            "response_metadata": {"next_cursor": following},
        }

    def _shown(self, message: Message, with_metadata: bool) -> Json:
        shown = self._payloads.message(message)
        if with_metadata and message.metadata is not None:
            shown["metadata"] = message.metadata
        return shown


def _is_between(message: Message, oldest: float, latest: float, arguments: Json) -> bool:
    at = float(message.ts)
    if is_true(arguments.get("inclusive")):
        return oldest <= at <= latest
    return oldest < at < latest
