"""What our buttons and forms carry: ids and an offer, read strictly and believed as no more."""

import json
import re
from dataclasses import dataclass

_THING = re.compile(r"D-[0-9]{1,12}")
_DRAFT = re.compile(r"[0-9a-f]{1,32}")
_ACT = re.compile(r"[a-z_]{1,32}")
_HIGHEST = 2**31


@dataclass(frozen=True, slots=True)
class Value:
    """`thing` is a deployment, `draft` a preview, `act` the choice in an overflow menu.

    `offer` is None when the value names none, and -1, which is always stale, when it is no offer.
    """

    thing: str = ""
    draft: str = ""
    act: str = ""
    offer: int | None = None


def read(text: str | None) -> Value | None:
    """None when *text* is not one of our values, but words or nothing."""
    try:
        found = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return Value(
        _shaped(found.get("d"), _THING),
        _shaped(found.get("r"), _DRAFT),
        _shaped(found.get("a"), _ACT),
        _offer(found["o"]) if "o" in found else None,
    )


def _shaped(value: object, shape: re.Pattern[str]) -> str:
    return value if isinstance(value, str) and shape.fullmatch(value) else ""


def _offer(value: object) -> int:
    return value if type(value) is int and 0 <= value < _HIGHEST else -1
