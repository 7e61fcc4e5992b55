"""The refusals about what is not there: no such deployment, nothing to take back."""

from bot.domain.line import Bold, Code
from bot.domain.refusal import Refused
from bot.domain.release import Target, Version


def nothing_to_roll_back(target: Target, serving: Version | None) -> Refused:
    if serving is None:
        return Refused(
            "nothing_deployed",
            (
                Bold(f"Nothing is known to serve {target.service} in {target.environment}"),
                ", so there is nothing to roll back.",
            ),
            (
                "Nothing was changed. What is on its way there: ",
                Code(f"/deploy status {target.service}"),
                ". If something serves, whoever has the host says it once: ",
                Code(f"pilothouse adopt {target.service} VERSION"),
                ".",
            ),
        )
    return Refused(
        "nothing_deployed",
        (
            Bold(f"{target.service} {serving.name} serves {target.environment}"),
            ", and no deployment of this bot brought it, so there is none to take back.",
        ),
        (
            "Nothing was changed. To change what serves, deploy another version: ",
            Code(f"/deploy {target.service} VERSION"),
            ".",
        ),
    )


def unknown_thing(thing: str) -> Refused:
    return Refused(
        "unknown",
        (Bold(f"There is no deployment {thing} here."),),
        ("Nothing was changed. See what runs with ", Code("/deploy status"), "."),
    )
