"""Takes secrets out of text before anybody reads it: job output, errors, logs."""

import math
import re
from collections import Counter

HIDDEN = "[redacted]"

#: Shorter runs are names and words; 24 letters, digits and signs without a space are not.
_LONG_ENOUGH = 24
#: Bits a character. Prose and identifiers stay below, random base64 is well above.
_RANDOM = 3.9

#: Each keeps group 1 (what the secret is) and hides the rest; none has nested repeats.
_RULES = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"(-----BEGIN [A-Z ]{0,40}-----).*?(?:-----END [A-Z ]{0,40}-----|\Z)",
        r"()\bxox[a-z]-[\w.-]+",
        r"()\bxapp-[\w.-]+",
        r"((?:https?://)?hooks\.slack\.com/)[^\s\"'<>]+",
        r"(\b(?:bearer|basic)\s{1,3})[\w.~+/=-]{6,}",
        r"(://[^\s:/@]{0,200}:)[^\s/@]+(?=@)",
        r"()\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"()\b(?:gh[pousr]_|github_pat_|glpat-)[\w-]{20,}",
        r"()\beyJ[\w-]{8,2000}+\.[\w-]{8,}+\.[\w-]*",
    )
)
_NAMES = (
    r"(?:pass(?:word|wd|phrase)|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|routing[_-]?key|signing[_-]?key|credentials?|authorization)[\w-]{0,30}"
)
_VALUE = r"(?:\"[^\"\n]*\"?|'[^'\n]*'?|[^\s\"',;&]+)"
#: `password=…`, `"api_key": "…"`, `AWS_SECRET_ACCESS_KEY = …`, and `--token …`.
_NAMED = re.compile(rf"({_NAMES}[\"']?\s{{0,3}}[=:]\s{{0,3}}){_VALUE}", re.IGNORECASE)
_OPTION = re.compile(rf"(--[\w-]{{0,30}}?{_NAMES}\s{{1,3}}){_VALUE}", re.IGNORECASE)

#: An end without its beginning: the output was cut in the middle of a key.
_HALF_PEM = re.compile(r"\A(?:[A-Za-z0-9+/=\s]*)(-----END [A-Z ]{0,40}PRIVATE KEY-----)")

_RUN = re.compile(rf"[\w+=-]{{{_LONG_ENOUGH},}}", re.ASCII)
_HEX = re.compile(r"[0-9a-f-]+|[0-9A-F-]+")


def redact(text: str) -> str:
    """*text* with everything that looks like a secret replaced; never raises.

    Commits, digests and UUIDs stay: they are what people compare.
    """
    text = _HALF_PEM.sub(HIDDEN, text)
    for rule in _RULES:
        text = rule.sub(_keep_first, text)
    text = _OPTION.sub(_keep_first, _NAMED.sub(_keep_first, text))
    return _RUN.sub(_hide_random, text)


def _keep_first(match: re.Match[str]) -> str:
    return f"{match[1]}{HIDDEN}"


def _hide_random(match: re.Match[str]) -> str:
    run = match[0]
    if _HEX.fullmatch(run) or not _is_mixed(run) or _entropy(run) < _RANDOM:
        return run
    return HIDDEN


def _is_mixed(run: str) -> bool:
    return (
        any(c.isdigit() for c in run)
        and any(c.islower() for c in run)
        and any(c.isupper() for c in run)
    )


def _entropy(run: str) -> float:
    """Shannon's, in bits a character."""
    total = len(run)
    return -sum(n / total * math.log2(n / total) for n in Counter(run).values())
