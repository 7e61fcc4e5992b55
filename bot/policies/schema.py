"""The shape of a service's policy once its profile has been merged in."""

from typing import Literal

from pydantic import Field

from bot.policies.org_schema import Strict
from bot.policies.stage_schema import HealthEntry, StageEntry
from bot.policies.values import Duration, Key, Member, Url, Variable, Words

#: Whether a version may come where nothing is known to serve.
FirstDeployment = Literal["allowed", "refused"]


class HttpSource(Strict):
    """Something that is asked over HTTP and answers with JSON."""

    driver: Literal["http"] = Field(description="How it is asked.")
    url: Url = Field(description="Base address, without a trailing slash.")


class RouterEntry(Strict):
    """What splits an environment's traffic between versions."""

    driver: Literal["weighted_http"] = Field(description="How weights are set and read back.")
    url: Url = Field(description="Base address of the router's control interface.")


class EnvironmentEntry(Strict):
    """A place that versions are deployed to."""

    router: RouterEntry = Field(description="Sets the traffic's weights, and is asked for them.")
    metrics: HttpSource = Field(description="Gives readings per version.")
    first_deployment: FirstDeployment | None = Field(
        default=None, description="Replaces the service's `first_deployment` here."
    )


class CheckEntry(Strict):
    """One question to the world, which a gate names by its key."""

    name: Words = Field(description="As people read it on the card, e.g. Staging is healthy.")
    driver: Literal["http"] = Field(
        description="http: passes when the address answers 200 to a GET."
    )
    url: Url = Field(
        description="Address of the health check; {service}, {version} and {environment} are "
        "replaced."
    )
    version_field: Member | None = Field(
        default=None,
        description="Field of the JSON answer that must equal the deployed version; leave it out "
        "for a check of whatever serves now.",
    )
    owner: Key | None = Field(
        default=None, description="Role whose people are named while the check does not pass."
    )
    needs_serving: bool = Field(
        default=False,
        description="true for a check of what serves already; a first deployment leaves it out.",
    )


class JobEntry(Strict):
    """A program, which a job stage names by its key."""

    driver: Literal["shell"] = Field(
        description="shell: a program beside the bot, started without any shell."
    )
    run: tuple[str, ...] = Field(
        min_length=1,
        max_length=64,
        description="Program and arguments. {service}, {version}, {commit}, {artefact} and "
        "{environment} are replaced where they are a whole argument.",
    )
    env: tuple[Variable, ...] = Field(
        default=(), description="Names of the bot's environment variables that the program gets."
    )


class RightsEntry(Strict):
    """Which roles may do what; `anyone` is everybody who is listed and active."""

    request: tuple[Key, ...] = Field(description="Roles that may ask for a deployment.")
    hold: tuple[Key, ...] = Field(description="Roles that may hold and resume, beside the asker.")
    promote: tuple[Key, ...] = Field(description="Roles that may end a step's wait early.")
    cancel: tuple[Key, ...] = Field(description="Roles that may cancel, beside the asker.")
    reject: tuple[Key, ...] = Field(description="Roles that may say no, beside the approvers.")
    roll_back: tuple[Key, ...] = Field(description="Roles that may go back to an older version.")
    abandon: tuple[Key, ...] = Field(description="Roles that may give up a rollback.")
    unlock: tuple[Key, ...] = Field(description="Roles that may lift a lock.")


class RollbackEntry(Strict):
    """Going back."""

    verify: tuple[Key, ...] = Field(
        description="Keys of `checks` that must pass before a rollback is called done."
    )
    page_every: Duration = Field(description="How often on call is paged while it is not done.")
    reason_length: int = Field(
        ge=1, le=200, description="Characters that a reason for rolling back needs at least."
    )
    by_hand: Words = Field(
        default="take the service out of traffic at its router",
        description="What a person can do when a first deployment fails: nothing to go back to.",
    )


class UpdatesEntry(Strict):
    """The scheduled status message."""

    every: Duration = Field(description="Time between two updates, at least 1m.")
    late_after: Duration = Field(description="How late an update may be before it says so.")


class HoldEntry(Strict):
    """Holding a deployment."""

    remind_every: Duration = Field(description="Time between two reminders of a hold.")
    expires_after: Duration = Field(
        description="When a held deployment that changed nothing yet expires."
    )


class KindEntry(Strict):
    """A way to deploy: what it goes through, in order."""

    stages: tuple[StageEntry, ...] = Field(
        min_length=1, max_length=40, description="The stages, in order; the last one is a watch."
    )


class ServiceFile(Strict):
    """One service's policy. With `extends`, mappings merge into the profile, lists replace."""

    service: Key = Field(description="The service's name, as it is typed after /deploy.")
    aliases: tuple[Key, ...] = Field(default=(), description="Other names people may type.")
    extends: Key | None = Field(
        default=None, description="Shipped profile that this file overrides: starter."
    )
    channel: Key = Field(description="Name in org.yaml's `channels` where its cards stand.")
    default_environment: Key = Field(description="Environment when none is typed.")
    on_call: Key = Field(description="Role that is called when nobody else is at hand.")
    releases: HttpSource = Field(description="The catalogue of versions.")
    environments: dict[Key, EnvironmentEntry] = Field(
        min_length=1, description="Where the service can be deployed to, by name."
    )
    checks: dict[Key, CheckEntry] = Field(
        default_factory=dict, description="Checks by the key that gates and `verify` use."
    )
    jobs: dict[Key, JobEntry] = Field(
        default_factory=dict, description="Programs by the key that job stages use."
    )
    health: HealthEntry | None = Field(
        default=None, description="Health rules of every stage that has none of its own."
    )
    kinds: dict[Key, KindEntry] = Field(
        min_length=1, description="Ways to deploy by name; `standard` is the usual one."
    )
    first_deployment: FirstDeployment = Field(
        default="refused",
        description="allowed lets a version come where nothing is known to serve: all traffic at "
        "once, no way back. refused asks for `pilothouse adopt` first.",
    )
    rights: RightsEntry = Field(description="Who may do what.")
    rollback: RollbackEntry = Field(description="How going back is verified and pressed for.")
    updates: UpdatesEntry = Field(description="The scheduled status.")
    hold: HoldEntry = Field(description="Reminders and the end of a hold.")
