"""Decides over raw bytes whether a request is Slack's, before anything reads its meaning."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from handlers.shapes import is_shaped

_TIMESTAMP = re.compile(r"[0-9]{10}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_RETRY = re.compile(r"[0-9]{1,3}")
_RETRY_REASON = re.compile(r"[a-z_]{1,64}")
_CONTENT_TYPE = re.compile(
    r"(application/json|application/x-www-form-urlencoded)"
    r"(?:\s*;\s*charset=\"?utf-?8\"?)?\s*;?\s*",
    re.IGNORECASE,
)
#: A string, or what is left of one that never ends; possessive, so that it stays linear.
_JSON_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_LONE_OR_NUL = re.compile("[\ud800-\udfff\x00]")
_SINGLE = ("x-slack-request-timestamp", "x-slack-signature", "content-type")


@dataclass(frozen=True)
class Limits:
    body_bytes: int = 256 * 1024
    age_seconds: int = 300
    json_depth: int = 32
    keys: int = 1000
    read_seconds: float = 5.0


@dataclass(frozen=True)
class Admitted:
    """A request that somebody with the signing secret made within the allowed age."""

    body: bytes
    #: The JSON object, or the form's fields, or the object in the form's `payload`.
    content: Mapping[str, object]
    #: SHA-256 of the body in hex.
    digest: str
    #: Slack's count of earlier tries; a retry is admitted like any other request.
    retry_number: int | None = None
    retry_reason: str | None = None


@dataclass(frozen=True)
class Turned:
    """Sent away. `why` is for the log and the plain body, and quotes nothing received."""

    status: int
    why: str


class _Malformed(Exception):
    """The body is signed and still not what Slack sends."""


_TOO_LARGE = Turned(413, "body too large")
_TOO_SLOW = Turned(408, "body too slow")
_CUT_OFF = Turned(400, "body incomplete")
_ENCODED = Turned(415, "no content encoding is accepted")
_POST_ONLY = Turned(405, "only POST")
_SHAPELESS = Turned(400, "not a payload of this app")


def admit(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[bytes],
    now: float,
    limits: Limits,
) -> Admitted | Turned:
    """Never raises. *now* is in seconds since 1970, UTC; any one of *secrets* may match."""
    if len(body) > limits.body_bytes:
        return _TOO_LARGE
    found = _lowered(headers.items())
    if found is None:
        return Turned(401, "a header is there twice")
    timestamp = found.get("x-slack-request-timestamp", "")
    signature = found.get("x-slack-signature", "")
    if not (_TIMESTAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature)):
        return Turned(401, "signature headers missing or malformed")
    if not _is_signed(timestamp, signature, body, secrets):
        return Turned(401, "signature does not match")
    if not abs(now - int(timestamp)) <= limits.age_seconds:
        return Turned(401, "too old or too new")
    if found.get("content-encoding", "identity").lower() != "identity":
        return _ENCODED
    try:
        content = _decoded(found.get("content-type", ""), body, limits)
    except _Malformed as malformed:
        return Turned(400, str(malformed))
    return Admitted(body, content, hashlib.sha256(body).hexdigest(), *_retry(found))


def _lowered(headers: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    """None when a header that decides is there twice: two readers could take different ones."""
    found: dict[str, str] = {}
    for name, value in headers:
        lowered = name.lower()
        if lowered in found and lowered in _SINGLE:
            return None
        found[lowered] = value
    return found


def _is_signed(timestamp: str, signature: str, body: bytes, secrets: Sequence[bytes]) -> bool:
    """Compares with every secret, so that the time taken does not tell which matched."""
    base = b"v0:" + timestamp.encode() + b":" + body
    matches = [
        hmac.compare_digest(
            b"v0=" + hmac.new(secret, base, hashlib.sha256).hexdigest().encode(),
            signature.encode(),
        )
        for secret in secrets
        if secret
    ]
    return any(matches)


def _retry(headers: Mapping[str, str]) -> tuple[int | None, str | None]:
    number = headers.get("x-slack-retry-num", "")
    reason = headers.get("x-slack-retry-reason", "")
    return (
        int(number) if _RETRY.fullmatch(number) else None,
        reason if _RETRY_REASON.fullmatch(reason) else None,
    )


def _decoded(content_type: str, body: bytes, limits: Limits) -> Mapping[str, object]:
    kind = _CONTENT_TYPE.fullmatch(content_type)
    if kind is None:
        raise _Malformed("content type is neither JSON nor a form in UTF-8")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise _Malformed("body is not UTF-8") from None
    if kind[1].lower() == "application/json":
        return _object(text, limits)
    fields = _fields(text, limits)
    return _object(fields["payload"], limits) if "payload" in fields else fields


def _fields(text: str, limits: Limits) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=limits.keys)
    except ValueError:
        raise _Malformed("form cannot be decoded, or has too many fields") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _Malformed("a form field is there twice")
    _refuse_unstorable("".join((*fields, *fields.values())))
    return fields


def _object(text: str, limits: Limits) -> dict[str, object]:
    _refuse_deep_or_wide(text, limits)
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _Malformed("JSON cannot be decoded") from None
    if not isinstance(value, dict):
        raise _Malformed("JSON is not an object")
    _refuse_unstorable(value)
    return value


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _refuse_deep_or_wide(text: str, limits: Limits) -> None:
    """Counts brackets and colons outside strings, before a parser builds anything."""
    bones = _JSON_STRING.sub("", text)
    depth = 0
    for bracket in _BRACKET.finditer(bones):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > limits.json_depth:
            raise _Malformed("JSON is nested too deep")
    if bones.count(":") > limits.keys:
        raise _Malformed("JSON has too many keys")


def _refuse_unstorable(root: object) -> None:
    """Half a surrogate pair and NUL pass JSON, and fail only in the database."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and _LONE_OR_NUL.search(value):
            raise _Malformed("text has characters that cannot be stored")
        if isinstance(value, dict):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def gated(
    handle: Callable[[Admitted, web.Request], Awaitable[web.StreamResponse]],
    secrets: Sequence[bytes],
    clock: Callable[[], float],
    limits: Limits,
    on_turned: Callable[[int], object] = lambda status: None,
) -> Handler:
    """Lets only admitted requests through to *handle*; *clock* gives seconds since 1970, UTC.

    Raises `ValueError` at once when there is no secret to verify with.
    """
    if not any(secrets):
        raise ValueError("a signing secret is needed")

    async def gate(request: web.Request) -> web.StreamResponse:
        verdict = await _judge(request, secrets, clock, limits)
        if isinstance(verdict, Turned):
            on_turned(verdict.status)
            return _answer(verdict)
        return await handle(verdict, request)

    return gate


async def _judge(
    request: web.Request,
    secrets: Sequence[bytes],
    clock: Callable[[], float],
    limits: Limits,
) -> Admitted | Turned:
    if request.method != "POST":
        return _POST_ONLY
    # The server inflates while it reads, so this cannot wait until the body is there.
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        return _ENCODED
    body = await _read(request, limits)
    if isinstance(body, Turned):
        return body
    verdict = admit(request.headers, body, secrets=secrets, now=clock(), limits=limits)
    if isinstance(verdict, Admitted) and not is_shaped(verdict.content):
        return _SHAPELESS
    return verdict


async def _read(request: web.Request, limits: Limits) -> bytes | Turned:
    if (request.content_length or 0) > limits.body_bytes:
        return _TOO_LARGE
    body = bytearray()
    try:
        if request.content.is_eof():
            # It came with its headers, as nearly every body does: there is nothing to wait for.
            whole = request.content.read_nowait()
            return _TOO_LARGE if len(whole) > limits.body_bytes else whole
        async with asyncio.timeout(limits.read_seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limits.body_bytes:
                    return _TOO_LARGE
    except TimeoutError:
        return _TOO_SLOW
    except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
        return _CUT_OFF
    return bytes(body)


def _answer(turned: Turned) -> web.Response:
    response = web.Response(status=turned.status, text=turned.why)
    if turned.status == 405:
        response.headers["Allow"] = "POST"
    if turned.status != 401:
        response.force_close()  # the rest of the body is not worth reading
    return response
