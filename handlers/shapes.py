"""What Slack's payloads look like, as far as we use them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

#: Never anything that could end the place where it is written, such as `C1/1.1/U1` or `<@U1>`.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Name = Annotated[str, StringConstraints(max_length=255)]
Typed = Annotated[str, StringConstraints(max_length=40_000)]
Url = Annotated[str, StringConstraints(max_length=3000)]
Timestamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}$")]


class Shape(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class SlashCommand(Shape):
    command: Annotated[str, StringConstraints(pattern=r"^/[^\s/]{1,32}$")]
    text: Typed = ""
    team_id: Id
    user_id: Id
    channel_id: Id
    trigger_id: Name
    response_url: Url


class Identified(Shape):
    id: Id


class Metadata(Shape):
    #: What the one who posted the message wrote into it.
    event_payload: dict[str, object] = {}


class Message(Shape):
    ts: Timestamp
    thread_ts: Timestamp | None = None
    metadata: Metadata | None = None


class Container(Shape):
    channel_id: Id | None = None
    message_ts: Timestamp | None = None
    thread_ts: Timestamp | None = None
    is_ephemeral: bool = False


class State(Shape):
    #: By block id and action id; what stands there depends on the element.
    values: dict[str, dict[str, dict[str, object]]] = Field(default={}, max_length=100)


class View(Shape):
    id: Id
    type: Name
    callback_id: Name = ""
    private_metadata: Annotated[str, StringConstraints(max_length=3000)] = ""
    hash: Name = ""
    root_view_id: Id | None = None
    state: State = State()


class Option(Shape):
    value: Name = ""


class Action(Shape):
    type: Name
    action_id: Name
    block_id: Name
    value: Annotated[str, StringConstraints(max_length=2000)] | None = None
    selected_option: Option | None = None
    action_ts: Name = ""


class Interaction(Shape):
    team: Identified
    user: Identified


class BlockActions(Interaction):
    type: Literal["block_actions"]
    trigger_id: Name
    actions: list[Action] = Field(min_length=1, max_length=25)
    response_url: Url | None = None
    channel: Identified | None = None
    container: Container | None = None
    message: Message | None = None
    view: View | None = None


class ViewSubmission(Interaction):
    type: Literal["view_submission"]
    trigger_id: Name = ""
    view: View


class BlockSuggestion(Interaction):
    type: Literal["block_suggestion"]
    action_id: Name
    block_id: Name
    value: Annotated[str, StringConstraints(max_length=3000)]
    view: View | None = None


class AppMention(Shape):
    type: Literal["app_mention"]
    user: Id | None = None
    bot_id: Id | None = None
    text: Typed
    ts: Timestamp
    thread_ts: Timestamp | None = None
    channel: Id

    @property
    def person(self) -> str | None:
        """Who wrote it; None for a bot, which may have a user of its own, or speak for one."""
        return self.user if self.bot_id is None else None


class AppMentioned(Shape):
    type: Literal["event_callback"]
    team_id: Id
    event_id: Id
    event: AppMention


class UrlVerification(Shape):
    type: Literal["url_verification"]
    challenge: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


_BY_TYPE: dict[object, type[Shape]] = {
    "block_actions": BlockActions,
    "view_submission": ViewSubmission,
    "block_suggestion": BlockSuggestion,
    "event_callback": AppMentioned,
    "url_verification": UrlVerification,
}


def shape_of(content: Mapping[str, object]) -> Shape | None:
    """The payload as one of the shapes, or None when it fits none."""
    kind = content.get("type")
    if "command" in content:
        shape: type[Shape] | None = SlashCommand
    else:
        shape = _BY_TYPE.get(kind) if isinstance(kind, str) else None
    if shape is None:
        return None
    try:
        return shape.model_validate(content)
    except ValidationError:
        return None


def is_shaped(content: Mapping[str, object]) -> bool:
    return shape_of(content) is not None
