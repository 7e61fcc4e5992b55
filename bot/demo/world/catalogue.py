"""The versions of the demo's service, as a build server would list them."""

from itertools import pairwise
from typing import Any

from aiohttp import web

Json = dict[str, Any]

SERVICE = "checkout"
FIRST = "v1.8.2"

#: name, commit, author, commits since the one before, what it brings; oldest first.
_HISTORY = (
    ("v1.8.1", "9d03e5b17c2a", "U0DANA", 7, "Gift cards can be combined with a voucher"),
    ("v1.8.2", "c81f6a40b9de", "U0DANA", 3, "Rounding of foreign currencies follows the bank"),
    ("v1.8.3", "4f1c2a97e0d5", "U0DEVO", 5, "Receipts are written while the payment is on its way"),
    ("v1.9.0", "b27e90c4d318", "U0DANA", 18, "Addresses move to a table of their own"),
)
_NO_HOST = "The demo has no code host. With yours, this is the comparison of the two versions."
_MIGRATIONS = {"v1.9.0": [{"name": "0042_drop_legacy_address_columns", "is_reversible": False}]}

#: Oldest first.
VERSIONS = tuple(name for name, *_ in _HISTORY)


def releases(service: str, address: str) -> list[Json]:
    """Newest first, their changes to be read under *address*; none for a service that is not
    there."""
    if service != SERVICE:
        return []
    before = (None, *VERSIONS)
    found = [
        {
            "name": name,
            "commit": commit,
            "artefact": f"registry.example/{SERVICE}@sha256:{commit * 5}{commit[:4]}",
            "authors": [author],
            "summary": summary,
            "changes": changes,
            "compare_url": f"{address}/changes/{name}" if old else None,
            "migrations": _MIGRATIONS.get(name, []),
        }
        for old, (name, commit, author, changes, summary) in zip(before, _HISTORY, strict=False)
    ]
    return found[::-1]


async def answer(request: web.Request) -> web.Response:
    found = releases(request.query.get("service", ""), str(request.url.origin()))
    return web.json_response({"versions": found}, status=200 if found else 404)


async def changes(request: web.Request) -> web.Response:
    """What *see changes* leads to, where a team has its code host."""
    for (old, *_), (name, commit, _, number, summary) in pairwise(_HISTORY):
        if name == request.match_info["version"]:
            head = f"{SERVICE} {old}...{name}: {number} commits, the last is {commit}"
            return web.Response(text=f"{head}\n\n{summary}\n\n{_NO_HOST}\n")
    raise web.HTTPNotFound
