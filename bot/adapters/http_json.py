"""Asks other systems for JSON: only hosts a policy names, in little time and little memory."""

import ipaddress
import json
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import quote

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from bot.ports import Unavailable
from bot.redact import redact

Json = Any
MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
TIMEOUT = 3.0
#: Above it counts are not exact in every JSON reader, and soon fit no column.
MOST = 2**53

_PLACEHOLDER = re.compile(r"\{(service|version|environment)\}")
_BRACKET = re.compile(r"[\[\]{}]")
#: A string, or what is left of one that never ends; possessive, so that it stays linear.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NO_STORE = re.compile("[\ud800-\udfff\x00]")


Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Each ends with an IPv4 address that is meant.
_HOLDING = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "::/96", "64:ff9b::/96")))
#: Where clouds hand out credentials, apart from those on the link; and everybody.
_NOBODYS = frozenset(
    map(
        ipaddress.ip_address,
        ("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "255.255.255.255"),
    )
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and what came with it; `body` is None when it was no JSON."""

    status: int
    body: Json


class Forbidden(OSError):
    """A name that leads to an address no policy can mean, such as a cloud's metadata."""


class HttpJson:
    """One client for every adapter. *hosts* are the only ones it will ever speak to.

    Every call raises `Unavailable` when there is no answer; what it says names the host only,
    because an address may carry credentials.
    """

    def __init__(self, hosts: Iterable[str], timeout: float = TIMEOUT) -> None:
        self._hosts = frozenset(host.lower() for host in hosts)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, query: Mapping[str, str] | None = None) -> Answer:
        return await self._ask("GET", url, query)

    async def put(self, url: str, body: Json) -> Answer:
        return await self._ask("PUT", url, None, body)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _ask(
        self, method: str, url: str, query: Mapping[str, str] | None, body: Json = None
    ) -> Answer:
        where = self._allowed(url)
        if query:
            where = where.extend_query(query)
        try:
            async with self._connected().request(
                method, where, json=body, allow_redirects=False
            ) as response:
                return await _read(response)
        except TimeoutError as error:
            raise Unavailable(f"{where.host} did not answer in time") from error
        except Forbidden as error:
            raise Unavailable(f"{where.host} is at an address that is not asked") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(f"{where.host} could not be asked") from error

    def _allowed(self, url: str) -> URL:
        try:
            where = URL(url)
        except ValueError as error:
            raise Unavailable("the address is not one") from error
        if where.scheme not in ("http", "https") or (where.host or "").lower() not in self._hosts:
            raise Unavailable(f"{where.host} is not a host that a policy names")
        if _is_forbidden(where.host or ""):
            raise Unavailable(f"{where.host} is at an address that is not asked")
        return where

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(resolver=CarefulResolver(), limit=32),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
                auto_decompress=False,  # a small body must not become a large one
            )
        return self._session


class CarefulResolver(AbstractResolver):
    """Resolves as the system does, and refuses what leads to the machine's own link."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if any(_is_forbidden(entry["host"]) for entry in found):
            raise Forbidden(host)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def hosts_of(urls: Iterable[str]) -> frozenset[str]:
    """The hosts of the addresses that policies name; what is no address is left out."""
    hosts = set()
    for url in urls:
        try:
            host = URL(url).host
        except ValueError:
            continue
        if host:
            hosts.add(host.lower())
    return frozenset(hosts)


def fill(url: str, service: str, version: str, environment: str) -> str:
    """*url* with its placeholders replaced, percent-encoded, so that none can leave its place."""
    values = {"service": service, "version": version, "environment": environment}
    return _PLACEHOLDER.sub(lambda match: quote(values[match[1]], safe=""), url)


def shown(words: str, most: int) -> str:
    """Another system's words as they may stand on a card: printable, short, without secrets."""
    return redact("".join(c for c in words if c.isprintable()))[:most]


def not_understood(host_of: str, why: str) -> NoReturn:
    """Raises `Unavailable` for an answer of the wrong shape."""
    raise Unavailable(f"the answer of the {host_of} was not understood: {why}")


def _is_forbidden(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return any(_is_nobodys(each) for each in (address, *_inside(address)))


def _inside(address: Address) -> Iterator[Address]:
    """The older addresses that a newer one may stand for: mapped, compatible, 6to4, NAT64."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.sixtofour is not None:
            yield address.sixtofour
        if any(address in network for network in _HOLDING):
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _is_nobodys(address: Address) -> bool:
    """Whether it is never a service that a policy can mean."""
    is_of_all = address.is_link_local or address.is_multicast or address.is_unspecified
    return is_of_all or address in _NOBODYS


async def _read(response: aiohttp.ClientResponse) -> Answer:
    if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        raise Unavailable(f"{response.url.host} points elsewhere, and that is not followed")
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > MAX_BYTES:
            response.close()
            raise Unavailable(f"{response.url.host} answers more than {MAX_BYTES // 1024} kB")
    return Answer(response.status, _decoded(bytes(body)))


def _decoded(body: bytes) -> Json:
    try:
        text = body.decode("utf-8-sig")
        if _depth(text) > MAX_DEPTH:
            return None
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return _storable(found) if "\\u" in text else found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _depth(text: str) -> int:
    """How deep the brackets of *text* nest, without building anything."""
    deepest = depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _storable(value: Json) -> Json:
    """Half an emoji, as some cut their texts, and NUL pass JSON, and fail only in the database."""
    if isinstance(value, str):
        return _NO_STORE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value
