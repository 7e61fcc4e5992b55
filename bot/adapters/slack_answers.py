"""What is read of Slack's successes: strictly, for a proxy may have answered in its place."""

from collections.abc import Mapping
from typing import Any

from bot.ports import Posted, Unavailable

#: What the messages of this program carry, with the key of their parcel.
EVENT = "pilothouse_parcel"


def posted(answer: Mapping[str, Any]) -> Posted:
    """Where the message stands. Without that nobody knows whether it does."""
    channel, ts = answer.get("channel"), answer.get("ts")
    if not _is_text(channel) or not _is_text(ts):
        raise Unavailable("Slack did not say where the message stands", is_in_doubt=True)
    return Posted(str(channel), str(ts))


def permalink(answer: Mapping[str, Any]) -> str:
    link = answer.get("permalink")
    if not isinstance(link, str) or not link.startswith(("https://", "http://")):
        raise Unavailable("Slack gave no link")
    return link


def among(answer: Mapping[str, Any], channel: str, key: str) -> Posted | None:
    """The message in *channel* that carries *key*; another app may carry its own under it."""
    messages = answer.get("messages")
    if not isinstance(messages, list):
        raise Unavailable("Slack did not say which messages there are")
    found = (m for m in messages if isinstance(m, dict) and _is_text(m.get("ts")))
    ours = (m for m in found if _carries(m.get("metadata"), key))
    return next((Posted(channel, m["ts"]) for m in ours), None)


def _carries(metadata: object, key: str) -> bool:
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT:
        return False
    payload = metadata.get("event_payload")
    return isinstance(payload, dict) and payload.get("key") == key


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
