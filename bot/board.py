"""Which messages stand for a thing, and what they show: the chat and the memory of it in step."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.crashpoint import crashpoint
from bot.domain.deployment import Deployment
from bot.domain.effects import RefreshCard
from bot.memory import Sending, Store, Transaction
from bot.outbox import route
from bot.ports import (
    CannotLook,
    Chat,
    Gone,
    Message,
    Posted,
    Rejected,
    Unavailable,
    Unreachable,
)

#: A card whose numbers moved is edited this often at the most; a change of state at once.
_CARD_EVERY = timedelta(seconds=10)


class Board:
    """Posts and edits. Raises `Unavailable` to be tried again, `Rejected` to give up."""

    def __init__(self, store: Store, chat: Chat | None, clock: Callable[[], float]) -> None:
        self._store = store
        self._chat_or_none = chat
        self._clock = clock
        self._edited: dict[tuple[str, str], float] = {}
        self._links: dict[Posted, str] = {}

    @property
    def chat(self) -> Chat:
        if self._chat_or_none is None:
            raise Unavailable("this process has no link to Slack", timedelta(seconds=60))
        return self._chat_or_none

    async def card(self, row: Sending, d: Deployment, message: Message, is_urgent: bool) -> None:
        """Let the card show *message*; what it shows already is kept with it, for every replica."""
        where, shown = await self.kept(row, "card")
        new = _fingerprint(message)
        if where is None:
            # What an earlier try posted may show an earlier state.
            shown = "" if row.is_in_doubt else new
            where = await self.post(row, d, message, None, "card", note=shown)
        if where is not None and shown != new:
            self._mind_numbers(d, is_urgent)
            if shown:
                # Until Slack has answered, nobody knows what the card shows.
                await self.remember(row, "card", where, "")
            await self._redraw(row, d, where, message)
        self._edited[d.team, d.id] = self._clock()
        if d.is_over:
            del self._edited[d.team, d.id]

    async def _redraw(self, row: Sending, d: Deployment, where: Posted, message: Message) -> None:
        try:
            await self.chat.edit(where, message)
        except (Gone, Unreachable):
            # Somebody deleted it, or the channel: the deployment goes on in a new one.
            await self.post(row, d, message, None, "card", note=_fingerprint(message))
        else:
            await self._card_shows(row, d, where, _fingerprint(message))

    async def post(
        self,
        row: Sending,
        d: Deployment,
        message: Message,
        parent: Posted | None,
        role: str | None,
        is_dropped_in_doubt: bool = False,
        note: str = "",
    ) -> Posted | None:
        """Post once as far as Slack lets us look; None when it was dropped in doubt."""
        channel = parent.channel if parent else d.plan.channel
        ts = parent.ts if parent else None
        posted = None
        if row.is_in_doubt:
            try:
                posted = await self.chat.find(channel, row.key, row.created_at, ts)
            except CannotLook:
                if is_dropped_in_doubt:
                    return None
        if posted is None:
            crashpoint("post")
            try:
                posted = await self._post_somewhere(channel, d, message, row.key, ts)
            except Gone:
                if parent is None:
                    raise
                # Its thread is closed. It is said all the same, and the card begins a new one.
                await self._card_lost(row, parent)
                return await self.post(row, d, message, None, role, is_dropped_in_doubt, note)
            crashpoint("posted")
        if role is not None:
            await self.remember(row, role, posted, note)
        return posted

    async def redraw(
        self, row: Sending, d: Deployment, where: Posted, message: Message, role: str, note: str
    ) -> None:
        """Edit *where*, or post anew when nobody can reach that any more."""
        try:
            await self.chat.edit(where, message)
        except (Gone, Unreachable):
            await self.post(row, d, message, None, role, True, note)
        else:
            await self.remember(row, role, where, note)

    async def call(
        self, row: Sending, channel: str, people: Sequence[str], message: Message
    ) -> None:
        """Post into *channel*, or to the first of *people* when it is closed."""
        if row.is_in_doubt:
            try:
                if await self.chat.find(channel, row.key, row.created_at) is not None:
                    return
            except CannotLook:
                pass  # told twice is better than not told
        try:
            await self.chat.post(channel, message, row.key)
        except Unreachable:
            if not people:
                raise
            await self.chat.post(people[0], message, row.key)

    async def say(
        self, row: Sending, d: Deployment, message: Message, role: str | None = None, note: str = ""
    ) -> None:
        """Post into the card's thread."""
        where = await self.found(row, "card")
        if where is None:
            raise Unavailable("the card is not posted yet", timedelta(seconds=1))
        await self.post(row, d, message, where, role, note=note)

    async def edit(self, row: Sending, role: str, message: Message) -> None:
        """Edit the message that stands for *role*; silent when nobody can reach it
        any more."""
        where = await self.found(row, role)
        if where is not None:
            try:
                await self.chat.edit(where, message)
            except (Gone, Unreachable):
                return

    async def link(self, row: Sending) -> str | None:
        """The card's address, or None: a message without it is better than none."""
        where = await self.found(row, "card")
        if where is None:
            return None
        if where not in self._links:
            try:
                self._links[where] = await self.chat.link(where)
            except (Unavailable, Rejected):
                return None
        return self._links[where]

    async def found(self, row: Sending, role: str) -> Posted | None:
        return await self._store.run(lambda tx: tx.threads.find(row.team, row.thing, role))

    async def note(self, row: Sending, role: str) -> str:
        return await self._store.run(lambda tx: tx.threads.note(row.team, row.thing, role))

    def _mind_numbers(self, d: Deployment, is_urgent: bool) -> None:
        edited = self._edited.get((d.team, d.id))
        if is_urgent or edited is None:
            return
        elapsed = timedelta(seconds=self._clock() - edited)
        if elapsed < _CARD_EVERY:
            raise Unavailable("the card was edited a moment ago", _CARD_EVERY - elapsed)

    async def kept(self, row: Sending, role: str) -> tuple[Posted | None, str]:
        """What stands for *role*, and the note that is kept with it."""

        async def unit(tx: Transaction) -> tuple[Posted | None, str]:
            where = await tx.threads.find(row.team, row.thing, role)
            return where, await tx.threads.note(row.team, row.thing, role)

        return await self._store.run(unit)

    async def _card_shows(self, row: Sending, d: Deployment, where: Posted, what: str) -> None:
        async def unit(tx: Transaction) -> None:
            await tx.threads.remember(row.team, row.thing, "card", where, what)
            newest = await tx.deployments.get(row.team, row.thing)
            if newest is not None and newest.revision != d.revision:
                # We may have been slow, and have drawn over what another replica drew.
                await tx.outbox.put(row.team, row.thing, [route(row.thing, RefreshCard())])

        await self._store.run(unit)

    async def _post_somewhere(
        self, channel: str, d: Deployment, message: Message, key: str, ts: str | None
    ) -> Posted:
        try:
            return await self.chat.post(channel, message, key, ts)
        except Unreachable:
            # The channel is gone or we are not in it: whoever asked must hear of it all the same.
            return await self.chat.post(d.requested_by, message, key)

    async def _card_lost(self, row: Sending, where: Posted) -> None:
        async def unit(tx: Transaction) -> None:
            if await tx.threads.find(row.team, row.thing, "card") == where:
                # What it shows is not known, so it is drawn anew: in a new message if it is gone.
                await tx.threads.remember(row.team, row.thing, "card", where, "")
                await tx.outbox.put(row.team, row.thing, [route(row.thing, RefreshCard())])

        await self._store.run(unit)

    async def remember(self, row: Sending, role: str, posted: Posted, note: str) -> None:
        """*posted* stands for *role* from now on."""
        await self._store.run(
            lambda tx: tx.threads.remember(row.team, row.thing, role, posted, note)
        )


def _fingerprint(message: Message) -> str:
    shown = json.dumps([message.text, message.blocks], default=dict, sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()
