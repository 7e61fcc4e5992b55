"""A server on loopback that answers as badly as the test wants."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

#: What a hostile server sends in full, or None to hang, or an empty one to cut the connection.
Reply = bytes | None


def reply(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def saying(body: Any, status: str = "200 OK") -> bytes:
    return reply(json.dumps(body).encode(), status)


@dataclass
class Hostile:
    """Listens on `url`; `reply` is what the next requests get, `asked` what they were."""

    url: str
    reply: Reply = None
    asked: list[str] = field(default_factory=list)
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Known from its first moment on, so that none is left behind at the end.
        self._open.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head.decode(errors="replace").partition("\r\n")[0])
            if self.reply is None:
                await asyncio.sleep(600)
            writer.write(self.reply or b"")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def close(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


@asynccontextmanager
async def hostile_server() -> AsyncIterator[Hostile]:
    hostile = Hostile("")
    server = await asyncio.start_server(hostile.take, "127.0.0.1", 0)
    hostile.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield hostile
    server.close()
    await hostile.close()


HUGE = reply(b'{"a": "' + b"x" * 3_000_000 + b'"}')
DEEP = reply(b"[" * 100_000 + b"]" * 100_000)
ENDLESS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b"x" * 65535
METADATA = reply(b"", "302 Found", "Location: http://169.254.169.254/latest/meta-data/")

#: Seconds in which an answer that comes is there, on a machine that is busy.
PATIENT = 30.0

#: Whatever is asked, each of these is no answer.
NO_ANSWERS: dict[str, Reply] = {
    "hangs": None,
    "cuts the connection": b"",
    "cuts the body": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
    "is no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "fails": saying({"error": "boom"}, "500 Internal Server Error"),
    "limits": saying({}, "429 Too Many Requests"),
    "is garbage": reply(b"\xff\xfe\x00garbage"),
    "is a list": saying([1, 2]),
    "is empty": reply(b""),
    "is huge": HUGE,
    "is endless": ENDLESS,
    "is too deep": DEEP,
    "is packed": reply(b"\x1f\x8b\x08\x00", "200 OK", "Content-Encoding: gzip"),
    "has NaN": reply(b'{"requests": NaN}'),
    "points to the metadata": METADATA,
}


def patience_with(how: str) -> float:
    """As many seconds as it takes to see that none comes, and enough for all the others."""
    return 0.2 if NO_ANSWERS[how] is None else PATIENT
