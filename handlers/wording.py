"""Turns what keyboards, phones and Slack make of a typed line back into plain words."""

import re
import unicodedata
from difflib import get_close_matches

from handlers.commands import Known, Misread

MOST_CHARACTERS = 3000
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")

_DROPPED = {"Cf", "Cs"}
_BLANK = {"Cc", "Zs", "Zl", "Zp"}
_PLAIN = str.maketrans(
    dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("‘’‚‛′", "'")
    | dict.fromkeys("‐‑‒−－", "-")
    | {"`": None}
)
_LINK = re.compile(r"<([@#!]?)([^<>|\s]*)(?:\|([^<>]*))?>")
_ENTITY = re.compile("&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
#: Phones and Macs turn two hyphens into one dash.
_DASHED_FLAG = re.compile(r"(?<!\S)[–—―](?=[^\W\d_])")
_ID = re.compile(r"#?d[-–—]?([0-9]{1,9})", re.IGNORECASE)
_BARE_ID = re.compile(r"#?([0-9]{1,9})")
_ID_GONE_WRONG = re.compile(r"d[-–—].*|inc-?[0-9].*|d[0-9].*", re.IGNORECASE)
_VERSION_LIKE = re.compile(r"v?[0-9].*|(?=[a-f]*[0-9])[0-9a-f]{7,40}", re.IGNORECASE)
_LONGEST_GUESSED = 64


def normalised(text: str) -> str:
    text = "".join(_shown(letter) for letter in text.translate(_PLAIN))
    text = _DASHED_FLAG.sub("--", text)
    text = _LINK.sub(_unlinked, text)
    text = _ENTITY.sub(lambda match: _ENTITIES[match[1]], text)
    return " ".join(text.split())


def _shown(letter: str) -> str:
    """Bidirectional and zero-width marks can make a line read as what it is not."""
    category = unicodedata.category(letter)
    if category in _DROPPED:
        return ""
    return " " if category in _BLANK else letter


def _unlinked(match: re.Match[str]) -> str:
    sign, target, label = match[1], match[2], match[3]
    if not sign:
        return label or target
    sign = "#" if sign == "#" else "@"
    return sign + (label or target).lstrip("@#")


def words(text: str) -> tuple[str, ...]:
    if len(text) > MOST_CHARACTERS:
        raise Misread(
            "That line is too long.",
            f"It has {len(text)} characters, and I read at most {MOST_CHARACTERS}.",
            "Say it shorter; details fit into the thread.",
        )
    return tuple(normalised(text).split())


def bare(word: str) -> str:
    """The word without the quotes and the punctuation that a sentence puts around it."""
    return word.strip("\"'(),;!?").rstrip(".:")


def deployment_id(word: str, *, is_number_enough: bool = True) -> str | None:
    match = _ID.fullmatch(bare(word))
    if match is None and is_number_enough:
        match = _BARE_ID.fullmatch(bare(word))
    number = int(match[1]) if match else 0
    return f"D-{number}" if number else None


def is_broken_id(word: str) -> bool:
    return _ID_GONE_WRONG.fullmatch(bare(word)) is not None


def is_version_like(word: str) -> bool:
    """Begins as versions do, or is a commit; other shapes need a place that says so."""
    return is_version(word) and _VERSION_LIKE.fullmatch(word) is not None


def is_version(word: str) -> bool:
    """By shape. Two hyphens in it are a flag that lost its blank, such as v1.8.3--dry-run."""
    return VERSION.fullmatch(word) is not None and "--" not in word


def close(word: str, candidates: list[str], likeness: float = 0.6) -> list[str]:
    """At most two candidates that *word* may be a slip of."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    if len(word) > _LONGEST_GUESSED:
        return []
    found = get_close_matches(word.casefold(), list(by_folded), n=2, cutoff=likeness)
    return [by_folded[each] for each in found]


def service_names(known: Known) -> list[str]:
    return [*known.services, *(alias for each in known.services.values() for alias in each)]


def services_called(word: str, known: Known) -> list[str]:
    """The services of that name; those of that alias only when none has the name."""
    folded = word.casefold()
    named = [name for name in known.services if name.casefold() == folded]
    return named or [
        name
        for name, aliases in known.services.items()
        if folded in {alias.casefold() for alias in aliases}
    ]


_SHORT = {"prod": "production", "prd": "production", "stage": "staging", "stg": "staging"}


def environment_called(word: str, known: Known) -> str | None:
    folded = word.casefold()
    wanted = {folded, _SHORT.get(folded, folded)}
    return next((name for name in known.environments if name.casefold() in wanted), None)
