"""Approvals: who signed exactly this, and which role slots those signatures fill."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.roles import People


@dataclass(frozen=True, slots=True)
class RoleSlot:
    """A place that *needed* distinct people with *role* must sign."""

    role: str
    needed: int = 1


@dataclass(frozen=True, slots=True)
class Approval:
    """One signature, good only for *digest* and for the approval stage at *stage* of the plan."""

    by: str
    at: datetime
    digest: str
    note: str = ""
    stage: int = 0


@dataclass(frozen=True, slots=True)
class Seat:
    """One place of a role slot, and whose signature fills it, if any."""

    role: str
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class Parties:
    """People whose signature cannot count: who asked, and who wrote the change."""

    requester: str
    authors: tuple[str, ...]
    is_self_allowed: bool = False

    def bars(self, user: str, people: People) -> str | None:
        """Why *user* is barred: `requester`, `author`, or None."""
        if self.is_self_allowed:
            return None
        if people.is_same_human(user, self.requester):
            return "requester"
        if any(people.is_same_human(user, author) for author in self.authors):
            return "author"
        return None


def seats(
    slots: tuple[RoleSlot, ...],
    approvals: tuple[Approval, ...],
    digest: str,
    parties: Parties,
    people: People,
) -> tuple[Seat, ...]:
    """Fill as many places as the signatures that count *now* can fill, one person one place.

    A signature counts while its signer is active, holds the role, is no party to the change,
    and signed this digest. People with several roles are moved so that nobody blocks another.
    """
    places = [slot.role for slot in slots for _ in range(slot.needed)]
    valid = _one_each(approvals, digest, parties, people)
    filled: dict[int, int] = {}
    for signer in range(len(valid)):
        _place(signer, valid, places, people, filled, set())
    return tuple(
        Seat(role, valid[filled[i]] if i in filled else None) for i, role in enumerate(places)
    )


def open_roles(taken: tuple[Seat, ...]) -> tuple[str, ...]:
    """Roles that still miss a signature, in the policy's order, each once."""
    return tuple(dict.fromkeys(seat.role for seat in taken if seat.approval is None))


def _one_each(
    approvals: tuple[Approval, ...], digest: str, parties: Parties, people: People
) -> list[Approval]:
    valid: list[Approval] = []
    for approval in approvals:
        is_known = any(people.is_same_human(approval.by, other.by) for other in valid)
        if is_known or approval.digest != digest or parties.bars(approval.by, people):
            continue
        valid.append(approval)
    return valid


def _place(
    signer: int,
    valid: list[Approval],
    places: list[str],
    people: People,
    filled: dict[int, int],
    tried: set[int],
) -> bool:
    # Kuhn's augmenting path: a place already taken is given up when its signer fits elsewhere;
    # free places come first, so that nobody is moved without need.
    fits = [i for i, role in enumerate(places) if people.has_role(valid[signer].by, role)]
    for place in sorted(fits, key=filled.__contains__):
        if place in tried:
            continue
        tried.add(place)
        if place not in filled or _place(filled[place], valid, places, people, filled, tried):
            filled[place] = signer
            return True
    return False
