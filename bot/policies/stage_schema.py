"""The shape of the stages a deployment goes through, and of the health they ask for."""

from typing import Literal

from pydantic import Field

from bot.policies.org_schema import Strict
from bot.policies.values import Duration, Key, Lasting, Limit, Member, Percent, Words


class RuleEntry(Strict):
    """A trigger: a number above its limit for so long is a failure."""

    metric: Member = Field(
        description="Name of the number in the metrics' answer, e.g. error_rate."
    )
    above: Limit = Field(description="Limit in the metric's own unit; exactly on it still passes.")
    lasting: Lasting = Field(
        alias="for", description="How long it must stay above before it is a failure."
    )
    unit: str = Field(default="", max_length=12, description="Shown after the number, e.g. ms.")
    label: str = Field(
        default="", max_length=60, description="As people read it; the metric's name without it."
    )
    minimum_requests: int = Field(
        default=0, ge=0, description="Requests a reading must rest on; with fewer nobody knows."
    )


class HealthEntry(Strict):
    """When a version counts as healthy."""

    rules: tuple[RuleEntry, ...] = Field(
        min_length=1, max_length=20, description="Every trigger; one is enough to fail."
    )
    max_age: Duration = Field(
        description="An older reading says nothing; between two looks no more than this counts."
    )
    patience: Duration = Field(
        description="How long not knowing is borne before the deployment is held or goes back."
    )


class GateEntry(Strict):
    """Passes when every check has passed freshly; one failure ends the deployment."""

    name: Words = Field(description="The stage's name on the card.")
    checks: tuple[Key, ...] = Field(min_length=1, description="Keys of the service's `checks`.")
    fresh_for: Duration = Field(description="How long a passed check is believed.")
    patience: Duration = Field(description="How long not knowing is borne.")


class JobStageEntry(Strict):
    """Runs one of the service's jobs, once."""

    name: Words = Field(description="The stage's name on the card.")
    job: Key = Field(description="Key of the service's `jobs`.")
    time_limit: Duration = Field(description="After this long the program is ended: a failure.")
    changes: bool = Field(
        default=False,
        description="true when it touches the environment that is deployed to, not only staging.",
    )


class SlotEntry(Strict):
    """A place to sign."""

    role: Key = Field(description="Role that may sign here.")
    needed: int = Field(default=1, ge=1, le=20, description="How many different people must.")


class ApprovalEntry(Strict):
    """Passes when every slot is signed for exactly this build, plan and policy."""

    name: Words = Field(description="The stage's name on the card.")
    slots: tuple[SlotEntry, ...] = Field(min_length=1, description="Who must sign.")
    expires_after: Duration = Field(description="When the request for signatures expires.")
    remind_after: Duration = Field(description="When those who have not signed are reminded.")
    self_approval: bool = Field(
        default=False, description="true lets the asker and the authors sign. Think twice."
    )


class StepEntry(Strict):
    """A share of the traffic, and how long health must pass there."""

    weight: Percent = Field(description="Share of the traffic for the new version.")
    bake: Duration = Field(description="How long health must pass at this share.")


class RolloutEntry(Strict):
    """Moves the traffic step by step."""

    name: Words = Field(description="The stage's name on the card.")
    steps: tuple[StepEntry, ...] = Field(
        min_length=1, max_length=20, description="Rising shares; the last one is 100%."
    )
    health: HealthEntry | None = Field(
        default=None, description="Replaces the service's `health` here, as a whole."
    )
    automatic_rollback: bool = Field(
        default=True, description="true goes back by itself when health fails; false holds."
    )
    on_unknown: Literal["hold", "roll_back"] = Field(
        default="hold", description="What happens when not knowing outlasts the patience."
    )


class WatchEntry(Strict):
    """Looks after a version that has all the traffic."""

    name: Words = Field(description="The stage's name on the card.")
    lasts: Duration = Field(description="Healthy time until the deployment is done.")
    proven_after: Duration = Field(
        description="Healthy time until one may go back to this version; at most `lasts`."
    )
    health: HealthEntry | None = Field(
        default=None, description="Replaces the service's `health` here, as a whole."
    )
    automatic_rollback: bool = Field(
        default=True, description="true goes back by itself when health fails."
    )


class StageEntry(Strict):
    """Exactly one of these."""

    gate: GateEntry | None = Field(default=None, description="Checks that must pass.")
    job: JobStageEntry | None = Field(default=None, description="A program that must succeed.")
    approval: ApprovalEntry | None = Field(default=None, description="People who must sign.")
    rollout: RolloutEntry | None = Field(default=None, description="Traffic, step by step.")
    watch: WatchEntry | None = Field(default=None, description="Care after the last step.")
