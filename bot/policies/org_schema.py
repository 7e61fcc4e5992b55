"""The shape of `org.yaml`: people, their roles, and channels."""

from pydantic import BaseModel, ConfigDict, Field

from bot.policies.values import Channel, Duration, Key, User, Words, Zone


class Strict(BaseModel):
    """Nothing is guessed: no unknown keys, no conversions, no changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PersonEntry(Strict):
    """A human; everything they may do comes from their roles."""

    name: Words = Field(description="How the person is called in messages.")
    roles: tuple[Key, ...] = Field(
        default=(), description="Keys of `roles`. Rights and approval slots are given to roles."
    )
    accounts: tuple[User, ...] = Field(
        default=(),
        description="Further Slack user ids of the same human; they sign only once.",
    )
    active: bool = Field(
        default=True, description="false takes every right away at once, running ones included."
    )


class RoleEntry(Strict):
    """A role that people hold and policies name."""

    title: Words = Field(description="As people read it, e.g. Deployment Lead.")


class LimitsEntry(Strict):
    """How much may be asked of one running bot within a minute; rolling back is never limited."""

    commands_per_minute: int = Field(
        default=10, ge=1, le=600, description="Commands and mentions that one person may type."
    )
    clicks_per_minute: int = Field(
        default=30, ge=1, le=600, description="Buttons and forms that one person may send."
    )
    channel_per_minute: int = Field(
        default=120, ge=1, le=6000, description="All of these by everybody in one channel."
    )
    lookups_per_minute: int = Field(
        default=60,
        ge=1,
        le=600,
        description="Times that versions are looked up while one person types into the form.",
    )
    click_refusals_per_minute: int = Field(
        default=12,
        ge=1,
        le=60,
        description="How often one person reads that a click was too much; each calls Slack.",
    )
    mention_refusals_per_minute: int = Field(
        default=1,
        ge=1,
        le=60,
        description="How often one person reads that a mention was too much; each calls Slack.",
    )


class AlarmsEntry(Strict):
    """When the bot calls for help because it is late itself. What is broken is told at once."""

    look_late_after: Duration = Field(
        default="2m",
        description="How late a look at a deployment may be, on top of twelve laps; at least 1m.",
    )
    sending_lost_after: Duration = Field(
        default="2m",
        description="How long nobody may know what became of a message that was being sent.",
    )
    given_up_for: Duration = Field(
        default="24h", description="How long a message that was given up is worth an alarm."
    )


class OrgFile(Strict):
    """The organisation: one file, `org.yaml`, beside the service files."""

    team: Words = Field(description="The team's name.")
    zone: Zone = Field(
        default="UTC", description="IANA time zone of the team's times of day, e.g. Europe/Berlin."
    )
    preview_lasts: Duration = Field(
        default="15m",
        description="How long a preview can be confirmed; what it shows ages meanwhile.",
    )
    roles: dict[Key, RoleEntry] = Field(
        description="Every role there is, by its key (small letters, digits, underscores)."
    )
    people: dict[User, PersonEntry] = Field(
        description="Everybody who may do anything, by Slack user id. Not listed means no."
    )
    channels: dict[Key, Channel] = Field(
        description="Slack channels by the name that policies use, e.g. deployment: C0123ABCD."
    )
    limits: LimitsEntry = Field(
        default=LimitsEntry(), description="How much one person or channel may ask in a minute."
    )
    alarms: AlarmsEntry = Field(
        default=AlarmsEntry(), description="How late the bot may be before it calls for help."
    )
