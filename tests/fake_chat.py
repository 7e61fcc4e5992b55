"""Slack as the program needs it, in memory: strict about blocks, and failing on demand."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.blocks.lint import lint
from bot.ports import CannotLook, Gone, Message, Posted, Unreachable
from tests.fakes import Clock, Fate, calm, lose, mind


@dataclass
class Shown:
    """A message as it stands in a channel now."""

    message: Message
    key: str
    thread: str | None
    edits: int = 0


class FakeChat:
    """Slack as far as the port goes; refuses what our block lint refuses."""

    def __init__(self, clock: Clock, fate: Fate = calm) -> None:
        self._clock = clock
        self._fate = fate
        self._count = 0
        self.shown: dict[Posted, Shown] = {}
        self.answers: list[tuple[str, Message]] = []
        self.forms: list[tuple[str, Mapping[str, Any]]] = []
        self.posts: Counter[str] = Counter()
        self.closed: set[str] = set()
        self.deleted: set[Posted] = set()
        self.is_readable = True

    async def post(
        self, channel: str, message: Message, key: str, thread: str | None = None
    ) -> Posted:
        is_lost = mind(await self._fate("chat.post"), "Slack")
        if channel in self.closed:
            raise Unreachable("is_archived")
        if thread is not None and Posted(channel, thread) in self.deleted:
            raise Gone("thread_not_found")
        assert thread is None or Posted(channel, thread) in self.shown, "no such thread"
        _lint(message)
        self._count += 1
        where = Posted(channel, f"{self._clock.now.timestamp():.0f}.{self._count:06d}")
        self.shown[where] = Shown(message, key, thread)
        self.posts[key] += 1
        lose(is_lost, "Slack")
        return where

    async def edit(self, where: Posted, message: Message) -> None:
        is_lost = mind(await self._fate("chat.edit"), "Slack")
        _lint(message)
        if where.channel in self.closed:
            raise Unreachable("is_archived")
        if where not in self.shown:
            raise Gone("message_not_found")
        self.shown[where].message = message
        self.shown[where].edits += 1
        lose(is_lost, "Slack")

    async def answer(self, to: str, message: Message) -> None:
        is_lost = mind(await self._fate("chat.answer"), "Slack")
        _lint(message)
        self.answers.append((to, message))
        lose(is_lost, "Slack")

    async def find(
        self, channel: str, key: str, since: datetime, thread: str | None = None
    ) -> Posted | None:
        is_lost = mind(await self._fate("chat.find"), "Slack")
        if not self.is_readable:
            raise CannotLook("missing_scope")
        lose(is_lost, "Slack")
        for where, shown in self.shown.items():
            if (where.channel, shown.key, shown.thread) == (channel, key, thread):
                return where
        return None

    async def link(self, where: Posted) -> str:
        lose(mind(await self._fate("chat.link"), "Slack"), "Slack")
        return f"https://demo.slack.com/archives/{where.channel}/p{where.ts.replace('.', '')}"

    async def open_form(self, trigger: str, view: Mapping[str, Any]) -> None:
        is_lost = mind(await self._fate("chat.open_form"), "Slack")
        assert not lint(view, "modal"), lint(view, "modal")
        self.forms.append((trigger, view))
        lose(is_lost, "Slack")

    async def update_form(self, id: str, hash: str, view: Mapping[str, Any]) -> None:
        is_lost = mind(await self._fate("chat.update_form"), "Slack")
        assert not lint(view, "modal"), lint(view, "modal")
        self.forms.append((id, view))
        lose(is_lost, "Slack")

    def delete(self, where: Posted) -> None:
        del self.shown[where]
        self.deleted.add(where)

    def thread(self, where: Posted) -> list[Shown]:
        """What stands under the message, oldest first."""
        return [
            s for w, s in self.shown.items() if (w.channel, s.thread) == (where.channel, where.ts)
        ]


def _lint(message: Message) -> None:
    found = lint({"text": message.text, "blocks": list(message.blocks)})
    assert not found, found
