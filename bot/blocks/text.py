"""Sentences become what Slack draws; words of people stay words, whatever they contain."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain.health import spoken
from bot.domain.line import At, Bold, Code, Mention, Part, Said
from bot.domain.roles import People

#: Slack id → name, for places where a mention would notify somebody for nothing.
Names = Mapping[str, str]

SECTION = 3000
FIELD = 2000
NOTICE = 150
SAID = 300


@dataclass(frozen=True, slots=True)
class Link:
    """A link from outside; one that is no plain web address is shown as its label only."""

    url: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Day:
    """A moment that may lie on another day, so its date is shown with it."""

    moment: datetime


Piece = Part | Link | Day
Pieces = Sequence[Piece]

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_USER = re.compile(r"[UW][A-Z0-9]{1,30}")
_WEB = re.compile(r"https?://[A-Za-z0-9.:/_~%?#=&+,;@!-]{3,2000}")
_SIGN = re.compile(r":(?=[a-z0-9_+'-]*[a-z][a-z0-9_+'-]*:)")
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_UNIT = re.compile(r"(?<=[0-9]) (?=%|(?:ms|s|min|h|days)\b)")
_LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "'"})


def names_of(people: People) -> Names:
    """Every account, so that a second account of one human reads as the same name."""
    found = {user: person.name for user, person in people.by_id.items()}
    for person in people.by_id.values():
        found |= dict.fromkeys(person.accounts - found.keys(), person.name)
    return found


def clean(text: str) -> str:
    """One line without control, direction or invisible characters."""
    return " ".join(_seen(text).split())


def mrkdwn(pieces: Pieces, most: int = SECTION, names: Names | None = None) -> str:
    """At most *most* characters. With *names*, people are named and nobody is notified."""
    drawn: list[str] = []
    room = most
    for piece in pieces:
        text = _draw(piece, room - 1, names)
        if text is None:
            drawn.append("…")
            break
        drawn.append(text)
        room -= len(text)
        if text.endswith("…") and room <= 1:
            break
    # A number and its unit are one word, also at the end of a phone's narrow line.
    return _UNIT.sub("\u00a0", "".join(drawn).strip())


def notice(pieces: Pieces, names: Names, most: int = NOTICE) -> str:
    """The same without mark-up, for notifications and screen readers; never notifies by itself.

    Names stand for ids, because a terminal and a log show them too.
    """
    return escaped(" ".join(words(pieces, names).split()), most)


def words(pieces: Pieces, names: Names) -> str:
    """Unescaped and on one line."""
    return clean("".join(_word(piece, names) for piece in pieces))


def headline(what: str, state: Pieces, thing: str, names: Names) -> str:
    """`text` of a message: what, where, state, who must act, id; the id is never cut off."""
    tail = f". {clean(thing)[:30]}"
    head = escaped(clean(what), 80)
    said = escaped(_inside(words(state, names)), NOTICE - len(head) - len(tail) - 2)
    # What was cut off ends with its own dots.
    tail = tail.removeprefix(".") if said.endswith("…") else tail
    return f"{head}: {said}{tail}" if said else f"{head}{tail}"


def label(text: str, most: int) -> str:
    """Plain text for buttons, titles and options, where nothing is escaped."""
    text = clean(text).replace("<", "‹").replace(">", "›")
    return text if 0 < len(text) <= most else f"{text[: most - 1]}…"


def escaped(text: str, most: int) -> str:
    """Cut so that what is escaped still fits, and no entity is cut in two."""
    whole = text.translate(_ESCAPES)
    if len(whole) <= most:
        return whole
    room, kept = most - 1, []
    for letter in (each.translate(_ESCAPES) for each in text):
        room -= len(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def quoted(text: str) -> str:
    """Words of a person: no emphasis, no code, no sign of ours can arise; not yet escaped."""
    text = clean(text).translate(_LOOKALIKES)
    text = _EDGE_UNDERSCORE.sub(lambda match: "＿" * len(match[0]), text)
    return _SIGN.sub("∶", text)


def date(moment: datetime, style: str = "{time}") -> str:
    """The reader's own time; UTC where it is not drawn."""
    utc = moment.astimezone(UTC)
    fallback = f"{utc:%H:%M} UTC" if style == "{time}" else f"{utc:%d %b %H:%M} UTC"
    return f"<!date^{int(utc.timestamp())}^{style}|{fallback}>"


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M} UTC"


def minutes(duration: timedelta) -> str:
    """Whole minutes once there are two of them, so that a card does not change every second."""
    seconds = max(round(duration.total_seconds()), 0)
    whole = timedelta(seconds=seconds - seconds % 60 if seconds >= 120 else seconds)
    return spoken(whole)


def age(duration: timedelta) -> str:
    """`3 days` from the second one on, else like `minutes`."""
    days = duration // timedelta(days=1)
    return f"{days} days" if days >= 2 else minutes(duration)


def compact(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _inside(sentence: str) -> str:
    """Goes on after a colon; `CI` stays as it is."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def _seen(text: str) -> str:
    # Nearly every word is plain, and then there is nothing to look for.
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind in ("Cf", "Cs", "Co", "Cn"):
        return ""
    return " " if kind in ("Cc", "Zl", "Zp", "Zs") else letter


def _draw(piece: Piece, room: int, names: Names | None) -> str | None:
    """None when nothing of it fits."""
    if room < 8:
        return None
    match piece:
        case str():
            shown = "\n".join(_seen(row) for row in piece.split("\n"))
            return escaped(shown, room)
        case Said(text):
            return escaped(quoted(text), min(room, SAID))
        case Bold(text):
            inner = escaped(quoted(text), min(room - 2, SAID))
            return f"*{inner}*" if inner else ""
        case Code(text):
            inner = clean(text).replace("`", "'") or "n/a"
            return f"`{escaped(inner, min(room - 2, SAID))}`"
        case Mention(user):
            drawn = _mention(user, names)
        case At(moment):
            drawn = date(moment)
        case Day(moment):
            drawn = date(moment, "{date_short_pretty} {time}")
        case Link(url, text):
            drawn = _link(url, escaped(quoted(text), SAID))
    return drawn if len(drawn) <= room else None


def _mention(user: str, names: Names | None) -> str:
    if names is None and _USER.fullmatch(user):
        return f"<@{user}>"
    return escaped(quoted((names or {}).get(user, user)), 80) or "somebody"


def _link(url: str | None, text: str) -> str:
    return f"<{url}|{text}>" if url and _WEB.fullmatch(url) else text


def _word(piece: Piece, names: Names) -> str:
    match piece:
        case str():
            return piece
        case Mention(user):
            return names.get(user, user)
        case At(moment):
            return clock(moment)
        case Day(moment):
            return f"{moment.astimezone(UTC):%d %b %H:%M} UTC"
        case Said(text) | Code(text) | Bold(text):
            return text
        case Link(_, text):
            return text
