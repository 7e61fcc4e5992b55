"""Naming one delivery of Slack's, so that it counts once however often it comes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bot.memory import InboxKey
from bot.places import Place
from bot.writer import Source
from handlers.shapes import AppMentioned, BlockActions, Container, SlashCommand, ViewSubmission


def of_command(command: SlashCommand, body: Mapping[str, Any]) -> Source:
    return Source(_key(command.team_id, "command", command.trigger_id, body))


def of_click(click: BlockActions, body: Mapping[str, Any]) -> Source:
    # One press may carry several actions, and Slack gives them one trigger.
    key = _key(click.team.id, "action", click.trigger_id, body)
    place = _place(click)
    if click.response_url is None:
        return Source(key, place=place)
    return Source(key, _reply_to(click.response_url, place, _is_own(click)), place)


def _is_own(click: BlockActions) -> bool:
    return click.container is not None and click.container.is_ephemeral


def _reply_to(url: str, place: Place, is_own: bool) -> str:
    if is_own:
        # What only the clicker saw has served its purpose: the answer takes its place.
        return f"replace:{url}"
    if place.thread not in ("", place.ts):
        # On a phone an open thread hides the channel, and with it what is said there.
        return f"thread:{place.thread}:{url}"
    return url


def _place(click: BlockActions) -> Place:
    container = click.container or Container()
    if container.is_ephemeral or click.view is not None:
        return Place(is_private=True)
    message = click.message
    posted = message.metadata if message is not None else None
    key = posted.event_payload.get("key") if posted is not None else None
    return Place(
        (click.channel.id if click.channel is not None else container.channel_id) or "",
        container.message_ts or (message.ts if message is not None else ""),
        container.thread_ts or (message.thread_ts if message is not None else None) or "",
        key if isinstance(key, str) else "",
    )


def of_form(form: ViewSubmission, body: Mapping[str, Any]) -> Source:
    own = form.trigger_id or f"{form.view.id}/{form.view.hash}"
    return Source(_key(form.team.id, "form", own, body))


def of_mention(mention: AppMentioned, body: Mapping[str, Any]) -> Source:
    """The answer goes to the one who wrote, in the thread where they wrote, if they did."""
    event = mention.event
    # Slack shows nothing that only one person sees in a thread nobody has answered in yet.
    place = "/".join((event.channel, event.thread_ts or "", event.user or ""))
    return Source(_key(mention.team_id, "event", mention.event_id, body), f"ephemeral:{place}")


def _key(team: str, kind: str, own: str, body: Mapping[str, Any]) -> InboxKey:
    digest = hashlib.sha256(_WRITER.encode(body).encode()).hexdigest()
    return InboxKey(team, kind, own or digest, digest)


#: Made once, as `json.dumps` would make it for every delivery.
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)
