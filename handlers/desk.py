"""What every handler works with: the engine to change things, and readers to look at them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.blocks import replies, request, rollback
from bot.domain.deployment import Deployment
from bot.domain.plan import Plan
from bot.domain.refusal import Outcome
from bot.engine import Engine
from bot.ports import Message, Policies, Posted, Rejected, Unavailable
from bot.previews import Previews, RollbackPreview
from bot.questions import Questions
from handlers.commands import Known

View = Mapping[str, Any]

#: Seconds; an answer without its link is better than one that comes too late.
_LINK_WITHIN = 0.7


class Forms(Protocol):
    """Opens a modal and finds a link: the calls to Slack that cannot wait for the outbox."""

    async def open_form(self, trigger: str, view: Mapping[str, Any]) -> None:
        """Raises `Unavailable` or `Rejected`; a trigger dies three seconds after the click."""

    async def update_form(self, id: str, hash: str, view: Mapping[str, Any]) -> None:
        """Raises `Unavailable`, or `Rejected` also when the form has changed since *hash*."""

    async def link(self, where: Posted) -> str:
        """Raises `Unavailable` or `Rejected`."""


@dataclass(frozen=True, slots=True)
class Desk:
    engine: Engine
    previews: Previews
    questions: Questions
    policies: Policies
    forms: Forms | None

    @property
    def known(self) -> Known:
        services = self.policies.services
        environments = dict.fromkeys(e for s in services.values() for e in s.environments)
        return Known({name: s.aliases for name, s in services.items()}, tuple(environments))

    @property
    def names(self) -> dict[str, str]:
        return {person.id: person.name for person in self.policies.people.by_id.values()}

    @property
    def plans(self) -> tuple[Plan, ...]:
        return tuple(p for s in self.policies.services.values() for p in s.plans.values())

    async def request_form(
        self, service: str | None = None, version: str | None = None, place: str | None = None
    ) -> View:
        """The form of `/deploy`, filled with what is known already."""
        services = self.policies.services
        if service is None and len(services) == 1:
            service = next(iter(services))
        environments = self.known.environments
        if service is not None:
            environments = tuple(services[service].environments)
            place = place or services[service].default_environment
        filled = request.Filled(service or "", version or "", place or "")
        return request.form(tuple(services), environments, filled)

    async def link_to(self, d: Deployment) -> str | None:
        """Where its card is; None when that cannot be said soon enough for an answer."""
        card = await self.questions.card_of(d.team, d.id)
        if card is None or self.forms is None:
            return None
        try:
            async with asyncio.timeout(_LINK_WITHIN):
                return await self.forms.link(card)
        except (Unavailable, Rejected, TimeoutError):
            return None

    def rollback_form(self, preview: RollbackPreview, reason: str = "") -> View:
        """The form that is a rollback's preview and its only confirmation."""
        return rollback.form(
            preview.deployment,
            preview.possible,
            self.policies.people,
            preview.now,
            reason,
            preview.to.name,
        )

    def shown(self, outcome: Outcome, typed: str = "") -> Message:
        """What the asker of *outcome* sees."""
        if outcome.refusal is not None:
            return replies.refusal(outcome.refusal, typed, self.names)
        return replies.answer(outcome.answer, self.names)
