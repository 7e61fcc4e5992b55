"""Who may do what, when: role by wish by phase, from one table; everything not in it is refused."""

import json
from itertools import product

import pytest

from bot.domain.deployment import Deployment, Phase
from tests.builders import ANA, CHRIS, DANA, DEVO, QUINN, SAM, TESS
from tests.handlers.office import Office

STRANGER = "U0STRANGER"
EVERYBODY = (DANA, DEVO, ANA, QUINN, SAM, TESS, CHRIS, STRANGER)
LISTED = frozenset(EVERYBODY) - {STRANGER}
LEADS = frozenset({ANA, TESS, CHRIS})
#: Dana asks and Devo wrote it; both may do everything else that a developer may.
SIGNERS = frozenset({ANA, QUINN})

#: What is granted, to whom. Nothing else is, whoever asks.
GRANTED: dict[tuple[str, str], frozenset[str]] = {
    ("approval", "approve"): SIGNERS,
    ("approval", "reject"): SIGNERS | LEADS,
    ("approval", "hold"): LISTED,
    ("approval", "cancel"): LISTED,
    ("held", "resume"): LISTED,
    ("held", "cancel"): LISTED,
    ("held", "reject"): SIGNERS | LEADS,
    ("canary", "hold"): LISTED,
    ("canary", "promote"): LEADS,
    ("canary", "roll_back"): LISTED,
    ("watch", "roll_back"): LISTED,
    ("rolling_back", "abandon"): LEADS,
}
STAGES = ("approval", "held", "canary", "watch", "rolling_back", "over")
WISHES = ("approve", "reject", "hold", "resume", "promote", "cancel", "roll_back", "abandon")


@pytest.mark.parametrize(("stage", "wish"), list(product(STAGES, WISHES)))
async def test_a_wish_is_granted_to_those_in_the_table_and_to_nobody_else(
    office: Office, stage: str, wish: str
) -> None:
    id = await bring(office, stage)
    granted = GRANTED.get((stage, wish), frozenset())

    for user in sorted(EVERYBODY, key=lambda user: user in granted):
        before = await office.get(id)
        await ask(office, user, id, wish)
        after = await office.get(id)
        assert is_granted(before, after) == (user in granted), f"{user} {wish} at {stage}"
        if user in granted:
            break

    for user in sorted(granted)[1:]:
        fresh = await again(office, stage)
        before = await office.get(fresh)
        await ask(office, user, fresh, wish)
        assert is_granted(before, await office.get(fresh)), f"{user} {wish} at {stage}"


@pytest.mark.parametrize("user", EVERYBODY)
async def test_whoever_is_listed_may_ask_for_a_deployment(office: Office, user: str) -> None:
    answer = await office.types(user, "/deploy checkout v1.8.3")

    refused = "cannot request" in answer.text or "Nobody could approve" in answer.text
    # Ana and Quinn are the only ones in their roles, and nobody signs their own.
    assert refused == (user in {STRANGER, ANA, QUINN})


async def bring(office: Office, stage: str) -> str:
    match stage:
        case "approval":
            return await office.at_approval()
        case "held":
            id = await office.at_approval()
            await office.types(DANA, f"/deploy hold {id} lunch")
        case "canary":
            return await office.at_canary()
        case "watch":
            return await office.watching()
        case "rolling_back":
            id = await office.at_canary()
            await ask(office, SAM, id, "roll_back")
        case _:
            id = await office.at_approval()
            await office.types(DANA, f"/deploy cancel {id} not today")
    return id


async def again(office: Office, stage: str) -> str:
    """The same stage once more, for the next one who is granted it."""
    for d in await office.every():
        if d.phase in (Phase.RUNNING, Phase.HELD) and not d.is_touched:
            await office.types(DANA, f"/deploy cancel {d.id} next one")
        elif not d.is_over:
            await ask(office, SAM, d.id, "roll_back")
    for _ in range(4):
        await office.beat()
    if any(d.phase is Phase.ROLLBACK_FAILED for d in await office.every()):
        await office.types(TESS, "/deploy unlock checkout put right")
    return await bring(office, stage)


async def ask(office: Office, user: str, id: str, wish: str) -> None:
    match wish:
        case "approve" | "hold" | "resume" | "promote":
            await office.presses(user, f"dep.{wish}", await office.value(id))
        case "abandon":
            await office.types(user, f"/rollback abandon {id} by hand")
        case "roll_back":
            value = json.dumps({"d": id})
            await office.submits(user, "rollback.submit", value, reason="500s on /pay")
        case _:
            await office.submits(user, f"{wish}.submit", json.dumps({"d": id}), reason="broken")


def is_granted(before: Deployment, after: Deployment) -> bool:
    return before.revision != after.revision
