"""What would happen: the same rules as the real thing, decided and thrown away again."""

import asyncio
import difflib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.domain import plan as plans
from bot.domain.absent import nothing_to_roll_back
from bot.domain.deployment import Deployment, Phase
from bot.domain.events import Requested, RollbackRequested
from bot.domain.health import spoken
from bot.domain.line import Bold, Code, Line, Said
from bot.domain.past import Past
from bot.domain.plan import Plan
from bot.domain.refusal import Refused, Way
from bot.domain.release import Target, Version
from bot.domain.request import request, request_rollback
from bot.domain.rollback import choose_target, targets
from bot.domain.wishes import mind_rollback
from bot.memory import Draft, Store, Transaction
from bot.ports import Policies, ServicePolicy, Unavailable, World
from bot.writer import Writer

#: Slack waits three seconds for an answer; whatever else is asked must fit well below.
_RESOLVE_WITHIN = 1.5
_SHOWN = 5
_LOOKED_THROUGH = 1000


@dataclass(frozen=True, slots=True)
class DeploymentPreview:
    """A request as it would be sent; `serving` is what it would be rolled back to.

    None when nothing serves: then *plan* is that of a first deployment.
    """

    draft: Draft
    plan: Plan
    serving: Version | None
    past: Past


@dataclass(frozen=True, slots=True)
class RollbackPreview:
    """Where a rollback would lead; `draft` is None until there is a reason to send it with."""

    deployment: Deployment
    to: Version
    possible: tuple[Version, ...]
    draft: Draft | None
    now: datetime


class Previews:
    """Reads and decides, changes nothing but the drafts. Raises `Refused` and `Unavailable`."""

    def __init__(
        self, store: Store, policies: Policies, world: World, writer: Writer, ids: Callable[[], str]
    ) -> None:
        self._store = store
        self._policies = policies
        self._world = world
        self._writer = writer
        self._ids = ids

    async def deployment(
        self,
        team: str,
        user: str,
        service: str,
        name: str,
        environment: str | None,
        note: str = "",
    ) -> DeploymentPreview:
        """Resolve the version, apply every rule of a request, and keep a draft of it."""
        policy = self._policies.services[service]
        plan = _plan(policy, environment)
        version = await self._resolve(plan, name)
        wish = wish_for(user, version, plan, policy)
        target = Target(team, service, plan.environment)
        draft_id = self._ids()

        async def unit(tx: Transaction) -> DeploymentPreview:
            around = await tx.deployments.surroundings(target, None)
            context = self._writer.context(around)
            d = request(team, "D-0", wish, context, tx.now).state
            draft = Draft(
                team, draft_id, user, service, plan.environment, plan.kind, version, tx.now, note
            )
            await tx.drafts.add(draft)
            past = await tx.deployments.past(target, d.kind)
            return DeploymentPreview(draft, d.plan, d.stable, past)

        return await self._store.run(unit)

    async def request_draft(self, team: str, user: str, id: str) -> Draft:
        """*user*'s draft of a deployment that still lives. Raises `Refused` otherwise."""
        draft = await self._draft(team, user, id)
        policy = self._policies.services.get(draft.service)
        if policy is None or (draft.environment, draft.kind) not in policy.plans:
            raise self._draft_gone()  # a rollback's, or the policy no longer knows such a thing
        return draft

    async def rollback_draft(self, team: str, user: str, id: str) -> Draft:
        """*user*'s draft of a rollback that still lives. Raises `Refused` otherwise."""
        draft = await self._draft(team, user, id)
        if draft.kind != "rollback":
            raise self._draft_gone()
        return draft

    async def _draft(self, team: str, user: str, id: str) -> Draft:
        lasts = self._policies.preview_lasts

        async def unit(tx: Transaction) -> Draft | None:
            draft = await tx.drafts.get(team, id)
            is_fresh = draft is not None and tx.now - draft.created_at <= lasts
            return draft if draft is not None and is_fresh and draft.by == user else None

        draft = await self._store.run(unit)
        if draft is None:
            raise self._draft_gone()
        return draft

    def _draft_gone(self) -> Refused:
        lasts = spoken(self._policies.preview_lasts)
        return Refused(
            "draft_gone",
            (Bold("That preview has expired."), f" It is good for {lasts}."),
            ("Nothing was changed. Type the command again for a fresh one.",),
        )

    def request_of(self, draft: Draft) -> Requested:
        """The wish that *draft* stands for, under the policy as it is now."""
        policy = self._policies.services[draft.service]
        plan = policy.plans[(draft.environment, draft.kind)]
        return wish_for(draft.by, draft.version, plan, policy, draft.note)

    async def rollback(
        self, team: str, wish: RollbackRequested, thing: str | Target
    ) -> RollbackPreview:
        """Where *thing*, a deployment or a service's environment, would go back to."""
        draft_id = self._ids()

        async def unit(tx: Transaction) -> RollbackPreview:
            d = await self._find(tx, team, thing)
            context = await self._writer.context_of(tx, d)
            reasoned = wish if wish.reason.strip() else _with_stand_in(wish)
            if d.phase in (Phase.SUCCEEDED, Phase.SUPERSEDED):
                # The very rules of the act; what they decide is thrown away.
                request_rollback(team, "D-0", d, reasoned, context, tx.now)
                possible = context.ledger.targets(d.version.name)
            else:
                mind_rollback(d, reasoned, context)
                possible = targets(d, context)
            to = choose_target(d.plan, d.version, wish.target, possible)
            if not wish.reason.strip():
                return RollbackPreview(d, to, possible, None, tx.now)
            draft = Draft(
                team,
                draft_id,
                wish.by,
                d.plan.service,
                d.plan.environment,
                "rollback",
                to,
                tx.now,
                wish.reason,
                d.id,
            )
            await tx.drafts.add(draft)
            return RollbackPreview(d, to, possible, draft, tx.now)

        return await self._store.run(unit)

    async def _find(self, tx: Transaction, team: str, thing: str | Target) -> Deployment:
        if isinstance(thing, str):
            return await self._writer.load(tx, team, thing)
        d = await tx.deployments.current(thing)
        if d is None:
            around = await tx.deployments.surroundings(thing, None)
            raise nothing_to_roll_back(thing, around.ledger.serving)
        return d

    async def _resolve(self, plan: Plan, name: str) -> Version:
        releases = self._world.releases[plan.releases.kind]
        try:
            async with asyncio.timeout(_RESOLVE_WITHIN):
                version = await releases.resolve(plan.releases, plan.service, name)
        except TimeoutError as error:
            raise Unavailable("the release catalogue did not answer in time") from error
        if version is None:
            raise await self._unknown_version(plan, name)
        return version

    async def offered(self, service: str, typed: str) -> tuple[Version, ...] | None:
        """Versions of *service* with *typed* in their name: that very one first, then newest
        first. None when the catalogue is away."""
        plan = _plan(self._policies.services[service], None)
        releases = self._world.releases[plan.releases.kind]
        try:
            async with asyncio.timeout(_RESOLVE_WITHIN / 2):
                known = await releases.newest(plan.releases, service, _LOOKED_THROUGH)
                found = [v for v in known if typed.casefold() in v.name.casefold()]
                if typed and not found:
                    # Not every catalogue lists all that it knows.
                    one = await releases.resolve(plan.releases, service, typed)
                    found = [one] if one is not None else []
        except (TimeoutError, Unavailable):
            return None
        return tuple(sorted(found, key=lambda v: v.name.casefold() != typed.casefold()))

    async def _known(self, plan: Plan) -> list[str]:
        releases = self._world.releases[plan.releases.kind]
        try:
            async with asyncio.timeout(_RESOLVE_WITHIN / 2):
                return [v.name for v in await releases.newest(plan.releases, plan.service)]
        except (TimeoutError, Unavailable):
            return []

    async def _unknown_version(self, plan: Plan, name: str) -> Refused:
        known = await self._known(plan)
        close = difflib.get_close_matches(name, known, 2, 0.6) or known[:1]
        newest: Line = (" The newest: ", Said(", ".join(known[:_SHOWN])), ".") if known else ()
        return Refused(
            "unknown_version",
            (Bold(f"{plan.service} has no version"), " ", Code(name), ".", *newest),
            (
                "Nothing was started. Name one that CI has built: ",
                Code(f"/deploy {plan.service} {known[0] if known else 'VERSION'}"),
                ".",
            ),
            (
                *(
                    Way(f"{plan.service} {match}"[:24], "deploy.retry", f"{plan.service} {match}")
                    for match in close
                ),
                Way("Open the form", "deploy.retry", f"/deploy {plan.service}"),
            ),
        )


def wish_for(
    user: str, version: Version, plan: Plan, policy: ServicePolicy, note: str = ""
) -> Requested:
    digest = plans.digest(version, plan, policy.digest)
    return Requested(user, version, plan, digest, policy.digest, note)


def _plan(policy: ServicePolicy, environment: str | None) -> Plan:
    wanted = environment or policy.default_environment
    plan = policy.plans.get((wanted, "standard"))
    if plan is None:
        raise Refused(
            "unknown_environment",
            (Bold(f"{policy.service} has no environment"), " ", Code(wanted), " to deploy to."),
            ("Nothing was started. It knows: ", Code(", ".join(policy.environments)), "."),
        )
    return plan


def _with_stand_in(wish: RollbackRequested) -> RollbackRequested:
    # The form asks for the reason; every other rule counts already.
    return RollbackRequested(wish.by, "asked for in the form", wish.target)
