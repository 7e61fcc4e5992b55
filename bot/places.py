"""Where a button was pressed, and whether what it names stands there."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.deployment import Deployment
from bot.domain.line import Bold, Code
from bot.domain.refusal import Refused, Way
from bot.memory import Transaction
from bot.ports import Posted


@dataclass(frozen=True, slots=True)
class Place:
    """The message that was pressed, as Slack signed it."""

    channel: str = ""
    ts: str = ""
    #: The message whose thread it stands in.
    thread: str = ""
    #: What we posted it under, from its metadata; empty where Slack does not say.
    key: str = ""
    #: Only the one who pressed sees it: an ephemeral message or a form. Nobody else's id can
    #: have come there but by our own hand, and rights are judged for the one who pressed.
    is_private: bool = False


async def mind(tx: Transaction, d: Deployment, place: Place | None) -> None:
    """Raises `Refused` unless *d* stands at *place*; None when nothing was pressed."""
    if place is None or place.is_private:
        return
    if not is_place_of(d, place, await tx.threads.places(d.team, d.id)):
        raise Refused(
            "elsewhere",
            (Bold("That button does not belong here:"), f" this message is not about {d.id}."),
            (
                "Nothing was changed. Press it on the card, which ",
                Code(f"/deploy status {d.id}"),
                " leads to.",
            ),
            (Way(f"Show {d.id}", "deploy.status", d.id),),
        )


def is_place_of(d: Deployment, place: Place, known: Mapping[str, Posted]) -> bool:
    """*known* is where the messages of *d* stand, by role.

    A message that we do not remember is one whose posting Slack never confirmed to us: it is
    believed when it says that it was posted for *d*, and stands where *d* is told about.
    """
    if any(
        posted.channel == place.channel and posted.ts in (place.ts, place.thread)
        for posted in known.values()
    ):
        return True
    if not place.key.startswith(f"{d.team}/{d.id}/"):
        return False
    told_in = {d.plan.channel, *(posted.channel for posted in known.values())}
    # Who asked is told in person when the channel is gone.
    return place.channel in told_in or place.channel.startswith("D")
