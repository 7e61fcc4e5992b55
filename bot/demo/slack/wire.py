"""What travels between this Slack and the bot: JSON objects, and errors by their code."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Literal

Json = dict[str, Any]

#: Takes a call's arguments and returns its answer without `ok`; raises `SlackError`.
Method = Callable[[Json], Json]

Surface = Literal["message", "modal", "home"]


class SlackError(Exception):
    """Slack answers `ok: false` with this code and these further fields."""

    def __init__(self, code: str, **more: object) -> None:
        super().__init__(code)
        self.code = code
        self.more = more

    def answer(self) -> Json:
        return {"ok": False, "error": self.code, **self.more}


def decode_object(text: str | bytes) -> Json:
    """Raises `SlackError("invalid_json")` for anything but a JSON object."""
    try:
        decoded = json.loads(text)
    except ValueError as error:
        raise SlackError("invalid_json") from error
    if not isinstance(decoded, dict):
        raise SlackError("json_not_object")
    return decoded


def decode_form(fields: Mapping[str, str]) -> Json:
    """A form carries objects and lists as JSON text; plain values stay text."""
    arguments: Json = {}
    for key, value in fields.items():
        is_nested = value[:1] in ("{", "[") and key not in ("text", "private_metadata")
        arguments[key] = decoded(value) if is_nested else value
    return arguments


def decoded(value: object) -> object:
    """Slack takes objects and lists as JSON text as well."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def is_true(value: object) -> bool:
    """Flags arrive as booleans in JSON and as words in forms."""
    return value is True or str(value).lower() in ("true", "1")


def token(prefix: str = "", size: int = 5) -> str:
    return prefix + secrets.token_hex(size).upper()
