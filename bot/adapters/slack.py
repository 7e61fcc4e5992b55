"""Slack as a `Chat`: one attempt per call, every failure sorted into the port's few kinds."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.adapters.pace import Pace
from bot.adapters.slack_answers import EVENT, among, permalink, posted
from bot.ports import CannotLook, Gone, Message, Posted, Rejected, Unavailable, Unreachable

#: What was to be edited, or answered under.
_GONE = {
    "message_not_found",
    "cant_update_message",
    "edit_window_closed",
    "thread_not_found",
    "cannot_reply_to_message",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
}
_UNREACHABLE = {
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "user_not_found",
    "cannot_dm_bot",
    "messages_tab_disabled",
}
#: Said by Slack about the token, not about the message: nothing works until it is mended.
REVOKED = {"invalid_auth", "token_revoked", "account_inactive", "not_authed", "token_expired"}
#: The same, about the workspace or about what the app may do in it.
_SHUT_OUT = {
    "access_denied",
    "accesslimited",
    "ekm_access_denied",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "org_login_required",
    "team_access_not_granted",
    "team_added_to_org",
    "two_factor_setup_required",
}
#: Of those, what a team may choose: posting goes on without the right to read.
_MAY_NOT_READ = {"access_denied", "missing_scope", "no_permission", "not_allowed_token_type"}
_PROBE_SECONDS = 20.0
_TRANSIENT = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
#: Not taken now, and nothing is wrong with what was said.
_PASSING = {
    "external_channel_migrating",
    "message_limit_exceeded",
    "rate_limited",
    "team_quota_exceeded",
}
_PASSING_PAUSE = timedelta(seconds=30)


class SlackChat:
    """Posts, edits and answers. `is_revoked` is true while Slack refuses the token,
    or the app in its workspace."""

    def __init__(
        self,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        pace: Pace,
        response_origins: tuple[str, ...] = ("https://hooks.slack.com",),
        deadline: timedelta = timedelta(seconds=8),
    ) -> None:
        self._client = client
        self._session = session
        self._pace = pace
        self._origins = response_origins
        self._deadline = deadline.total_seconds()
        self.is_revoked = False

    async def post(
        self, channel: str, message: Message, key: str, thread: str | None = None
    ) -> Posted:
        answer = await self._call(
            "chat.postMessage",
            channel,
            channel=channel,
            text=message.text,
            blocks=list(message.blocks),
            thread_ts=thread,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": EVENT, "event_payload": {"key": key}},
        )
        return posted(answer)

    async def edit(self, where: Posted, message: Message) -> None:
        await self._call(
            "chat.update",
            "",
            channel=where.channel,
            ts=where.ts,
            text=message.text,
            blocks=list(message.blocks),
        )

    async def find(
        self, channel: str, key: str, since: datetime, thread: str | None = None
    ) -> Posted | None:
        method = "conversations.replies" if thread else "conversations.history"
        arguments: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{since.timestamp() - 5:.6f}",
            "limit": 100,
            "include_all_metadata": True,
        }
        if thread:
            arguments["ts"] = thread
        try:
            answer = await self._call(method, channel, **arguments)
        except Rejected as error:
            raise CannotLook(str(error)) from error
        return among(answer, channel, key)

    async def link(self, where: Posted) -> str:
        answer = await self._call(
            "chat.getPermalink", "", channel=where.channel, message_ts=where.ts
        )
        return permalink(answer)

    async def open_form(self, trigger: str, view: Mapping[str, Any]) -> None:
        """Open a modal; the trigger dies after 3 s, so this has 2 and no second try."""
        async with asyncio.timeout(2):
            await self._call("views.open", "", trigger_id=trigger, view=dict(view))

    async def update_form(self, id: str, hash: str, view: Mapping[str, Any]) -> None:
        """Replace an open modal, unless it has changed since *hash*: then `Rejected`."""
        async with asyncio.timeout(2):
            await self._call("views.update", "", view_id=id, hash=hash or None, view=dict(view))

    async def answer(self, to: str, message: Message) -> None:
        """*to* is a response_url, the same after `replace:` when the answer takes the clicked
        message's place, the same after `thread:TS:` when it stands in that thread, or
        `ephemeral:CHANNEL/THREAD/USER` where Slack gave no address; else it stands in the
        channel."""
        way, _, rest = to.partition(":")
        if way == "ephemeral":
            await self._whisper(rest, message)
            return
        thread, url = "", rest if way == "replace" else to
        if way == "thread":
            thread, _, url = rest.partition(":")
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" not in self._origins:
            raise Rejected("a response_url outside Slack is never called")
        body = {
            "response_type": "ephemeral",
            "replace_original": way == "replace",
            "text": message.text,
            "blocks": list(message.blocks),
        } | ({"thread_ts": thread} if thread else {})
        await self._respond(url, body)

    async def _whisper(self, place: str, message: Message) -> None:
        channel, thread, user = place.split("/")
        try:
            await self._whisper_in(channel, thread or None, user, message)
        except Gone:
            if not thread:
                raise
            await self._whisper_in(channel, None, user, message)

    async def _whisper_in(
        self, channel: str, thread: str | None, user: str, message: Message
    ) -> None:
        await self._call(
            "chat.postEphemeral",
            channel,
            channel=channel,
            user=user,
            thread_ts=thread,
            text=message.text,
            blocks=list(message.blocks),
        )

    async def _respond(self, url: str, body: dict[str, Any]) -> None:
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._session.post(url, json=body, allow_redirects=False) as response,
            ):
                await _mind_status(response)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("Slack did not take the answer") from error

    async def _call(self, method: str, place: str, **arguments: Any) -> Mapping[str, Any]:
        self._pace.take(method, place)
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._send(method, given)
        except SlackApiError as error:
            raise self._sorted(method, place, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            never_arrived = isinstance(error, aiohttp.ClientConnectorError)
            why = f"Slack did not answer {method}"
            raise Unavailable(why, is_in_doubt=not never_arrived) from error
        self.is_revoked = False
        return answer

    async def _send(self, method: str, given: dict[str, Any]) -> Mapping[str, Any]:
        try:
            if method.startswith("conversations.") or method == "chat.getPermalink":
                response = await self._client.api_call(method, http_verb="GET", params=given)
            else:
                response = await self._client.api_call(method, json=given)
        except (AttributeError, ValueError) as error:
            # How the client stumbles over a 200 whose body is no JSON object.
            raise Unavailable(f"not Slack answered {method}", is_in_doubt=True) from error
        data = response.data
        return data if isinstance(data, dict) else {}

    def _sorted(self, method: str, place: str, error: SlackApiError) -> Exception:
        status, headers, code = _heard(error)
        if status == 429 or code == "ratelimited":
            seconds = _pause(headers)
            self._pace.freeze(method, place, seconds)
            return Unavailable(f"Slack limits {method}", timedelta(seconds=seconds))
        if status >= 500 or code in _TRANSIENT:
            return Unavailable(f"Slack answered {status} to {method}", is_in_doubt=True)
        if not code:
            # A proxy on the way says nothing about the message. Behind a 200 Slack may be.
            why = f"not Slack answered {status} to {method}"
            return Unavailable(why, is_in_doubt=status < 300)
        return self._refused(method, code)

    def _refused(self, method: str, code: str) -> Exception:
        is_reading = method.startswith("conversations.")
        if code in REVOKED or (code in _SHUT_OUT and not (is_reading and code in _MAY_NOT_READ)):
            # Asking on would be a storm; one call in a while finds out when it was mended.
            self.is_revoked = True
            self._pace.freeze_all(_PROBE_SECONDS)
            return Unavailable(f"Slack refuses the app: {code}", timedelta(seconds=30))
        if code in _PASSING:
            return Unavailable(f"Slack takes no {method} now: {code}", _PASSING_PAUSE)
        if code in _GONE:
            return Gone(code)
        if code in _UNREACHABLE:
            return Unreachable(code)
        return Rejected(f"{method}: {code}")


def _heard(error: SlackApiError) -> tuple[int, Mapping[str, str], str]:
    """Status, headers and Slack's code; without a code it was not Slack who answered."""
    response = error.response
    if isinstance(response, AsyncSlackResponse):
        data = response.data
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        return response.status_code, response.headers, code
    if isinstance(response, aiohttp.ClientResponse):  # what called itself JSON could not be read
        return response.status, response.headers, ""
    return 0, {}, ""


def _pause(headers: Mapping[str, str]) -> float:
    """Seconds to wait; an hour at most, and a guess when nothing usable was said."""
    said = headers.get("Retry-After", "")
    return min(float(said), 3600.0) if said.isascii() and said.isdigit() else 30.0


async def _mind_status(response: aiohttp.ClientResponse) -> None:
    if response.status == 429:
        seconds = _pause(response.headers)
        raise Unavailable("Slack limits answers", timedelta(seconds=seconds))
    if response.status >= 500 or response.status == 407:
        raise Unavailable(f"Slack, or a proxy before it, answered {response.status}")
    if response.status >= 300:
        raise Rejected(f"Slack answered {response.status}")
