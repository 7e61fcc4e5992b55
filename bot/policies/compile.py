"""Turns a checked policy into the plans that deployments walk."""

import hashlib
from collections.abc import Mapping

from bot.domain import canon
from bot.domain.approvals import RoleSlot
from bot.domain.gates import Check, Driver
from bot.domain.health import HealthRules, Rule
from bot.domain.plan import (
    ApprovalStage,
    GateStage,
    HoldRules,
    JobStage,
    Plan,
    RollbackRules,
    RolloutStage,
    Stage,
    Step,
    UpdateRules,
    WatchStage,
)
from bot.domain.roles import People, Person, Rights
from bot.policies.org_schema import OrgFile
from bot.policies.schema import CheckEntry, JobEntry, KindEntry, ServiceFile
from bot.policies.stage_schema import HealthEntry, JobStageEntry, StageEntry
from bot.policies.values import duration, limit, percent
from bot.ports import Limits, Patience, ServicePolicy


def people(org: OrgFile) -> People:
    """Everybody in `org.yaml`, as authority is judged."""
    return People(
        {
            user: Person(
                user, entry.name, frozenset(entry.roles), entry.active, frozenset(entry.accounts)
            )
            for user, entry in org.people.items()
        },
        {key: role.title for key, role in org.roles.items()},
    )


def limits(org: OrgFile) -> Limits:
    entry = org.limits
    return Limits(
        commands=entry.commands_per_minute,
        clicks=entry.clicks_per_minute,
        channel=entry.channel_per_minute,
        lookups=entry.lookups_per_minute,
        click_refusals=entry.click_refusals_per_minute,
        mention_refusals=entry.mention_refusals_per_minute,
    )


def patience(org: OrgFile) -> Patience:
    entry = org.alarms
    return Patience(
        duration(entry.look_late_after),
        duration(entry.sending_lost_after),
        duration(entry.given_up_for),
    )


def effective(policy: ServiceFile) -> str:
    """The policy with its profile merged in and every default written out, as canonical JSON.

    It stands for itself: loaded as a service file it gives the same text again.
    """
    body = policy.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"extends"})
    return canon.canonical(body).decode()


def service(policy: ServiceFile, channels: Mapping[str, str]) -> ServicePolicy:
    """A plan for every environment and kind. *policy* must have passed every check."""
    text = effective(policy)
    plans = {
        (environment, name): _plan(policy, environment, name, kind, channels[policy.channel])
        for environment in policy.environments
        for name, kind in policy.kinds.items()
    }
    return ServicePolicy(
        policy.service,
        policy.aliases,
        text,
        hashlib.sha256(text.encode()).hexdigest(),
        policy.default_environment,
        plans,
    )


def _plan(policy: ServiceFile, environment: str, name: str, kind: KindEntry, channel: str) -> Plan:
    place = policy.environments[environment]
    return Plan(
        service=policy.service,
        environment=environment,
        kind=name,
        channel=channel,
        releases=_at(policy.releases.driver, policy.releases.url),
        router=_at(place.router.driver, place.router.url),
        metrics=_at(place.metrics.driver, place.metrics.url),
        stages=tuple(_stage(entry, policy) for entry in kind.stages),
        rights=Rights(**policy.rights.model_dump()),
        rollback=RollbackRules(
            tuple(_check(policy.checks[key]) for key in policy.rollback.verify),
            duration(policy.rollback.page_every),
            policy.rollback.reason_length,
            policy.rollback.by_hand,
        ),
        updates=UpdateRules(duration(policy.updates.every), duration(policy.updates.late_after)),
        hold=HoldRules(duration(policy.hold.remind_every), duration(policy.hold.expires_after)),
        on_call=policy.on_call,
        is_first_allowed=(place.first_deployment or policy.first_deployment) == "allowed",
    )


def _stage(entry: StageEntry, policy: ServiceFile) -> Stage:
    match entry:
        case StageEntry(gate=gate) if gate is not None:
            checks = tuple(_check(policy.checks[key]) for key in gate.checks)
            return GateStage(gate.name, checks, duration(gate.fresh_for), duration(gate.patience))
        case StageEntry(job=stage) if stage is not None:
            return _job(stage, policy.jobs[stage.job])
        case StageEntry(approval=approval) if approval is not None:
            return ApprovalStage(
                approval.name,
                tuple(RoleSlot(slot.role, slot.needed) for slot in approval.slots),
                duration(approval.expires_after),
                duration(approval.remind_after),
                approval.self_approval,
            )
        case StageEntry(rollout=rollout) if rollout is not None:
            return RolloutStage(
                rollout.name,
                tuple(Step(percent(s.weight), duration(s.bake)) for s in rollout.steps),
                _health(rollout.health, policy),
                rollout.automatic_rollback,
                rollout.on_unknown == "roll_back",
            )
        case StageEntry(watch=watch) if watch is not None:
            return WatchStage(
                watch.name,
                duration(watch.lasts),
                duration(watch.proven_after),
                _health(watch.health, policy),
                watch.automatic_rollback,
            )
    raise AssertionError("a stage without a kind passed the checks")


def _job(stage: JobStageEntry, job: JobEntry) -> JobStage:
    settings = (("env", ",".join(job.env)),) if job.env else ()
    return JobStage(
        stage.name,
        Driver(job.driver, settings),
        job.run,
        duration(stage.time_limit),
        stage.changes,
    )


def _check(entry: CheckEntry) -> Check:
    settings = [("url", entry.url)]
    if entry.version_field is not None:
        settings.append(("version_field", entry.version_field))
    driver = Driver(entry.driver, tuple(settings))
    return Check(entry.name, driver, entry.owner or "", entry.needs_serving)


def _health(own: HealthEntry | None, policy: ServiceFile) -> HealthRules:
    entry = own or policy.health
    if entry is None:
        raise AssertionError("a stage without health rules passed the checks")
    rules = tuple(
        Rule(
            rule.metric,
            limit(rule.above),
            duration(rule.lasting),
            rule.unit,
            rule.label,
            rule.minimum_requests,
        )
        for rule in entry.rules
    )
    return HealthRules(rules, duration(entry.max_age), duration(entry.patience))


def _at(kind: str, url: str) -> Driver:
    return Driver(kind, (("url", url),))
