"""Signatures: who counts, for what, and how people with several roles are matched."""

import itertools
from dataclasses import replace

import pytest

from bot.domain.approvals import Approval, Parties, RoleSlot, Seat, open_roles, seats
from bot.domain.roles import People, Person
from tests.builders import NOW

SLOTS = (RoleSlot("lead"), RoleSlot("qa"))
NOBODY = Parties("requester", ("author",))


def org(**roles: str) -> People:
    """`org(ana="lead qa")`: Ana holds both roles."""
    return People({u: Person(u, u, frozenset(r.split())) for u, r in roles.items()})


def signed(*users: str, digest: str = "d") -> tuple[Approval, ...]:
    return tuple(Approval(user, NOW, digest) for user in users)


def taken(
    people: People,
    approvals: tuple[Approval, ...],
    slots: tuple[RoleSlot, ...] = SLOTS,
    parties: Parties = NOBODY,
) -> tuple[Seat, ...]:
    return seats(slots, approvals, "d", parties, people)


def signers(places: tuple[Seat, ...]) -> list[str | None]:
    return [seat.approval.by if seat.approval else None for seat in places]


def test_each_role_is_signed_by_its_own_person() -> None:
    places = taken(org(ana="lead", quinn="qa"), signed("quinn", "ana"))

    assert signers(places) == ["ana", "quinn"]
    assert open_roles(places) == ()


def test_one_person_with_both_roles_fills_only_one_place() -> None:
    places = taken(org(ana="lead qa"), signed("ana", "ana"))

    assert signers(places) == ["ana", None]
    assert open_roles(places) == ("qa",)


@pytest.mark.parametrize("order", list(itertools.permutations(("both", "lead"))))
def test_a_person_with_two_roles_gives_way_to_one_who_fits_nowhere_else(
    order: tuple[str, ...],
) -> None:
    places = taken(org(both="lead qa", lead="lead"), signed(*order))

    assert signers(places) == ["lead", "both"]


@pytest.mark.parametrize("order", list(itertools.permutations(("ab", "bc", "a"))))
def test_a_chain_of_people_with_two_roles_each_is_moved_until_all_fit(
    order: tuple[str, ...],
) -> None:
    slots = (RoleSlot("a"), RoleSlot("b"), RoleSlot("c"))

    places = taken(org(ab="a b", bc="b c", a="a"), signed(*order), slots)

    assert signers(places) == ["a", "ab", "bc"]


def test_a_role_that_needs_two_takes_two_distinct_people() -> None:
    slots = (RoleSlot("lead", needed=2),)

    assert signers(taken(org(a="lead", b="lead"), signed("a"), slots)) == ["a", None]
    assert signers(taken(org(a="lead", b="lead"), signed("a", "b"), slots)) == ["a", "b"]


def test_two_accounts_of_one_human_count_once() -> None:
    ana = Person("ana", "Ana", frozenset({"lead", "qa"}), accounts=frozenset({"ana2"}))

    assert signers(taken(People({"ana": ana}), signed("ana", "ana2"))) == ["ana", None]


@pytest.mark.parametrize("barred", ["requester", "author"])
def test_neither_requester_nor_author_counts(barred: str) -> None:
    assert signers(taken(org(**{barred: "lead qa"}), signed(barred))) == [None, None]


def test_the_requesters_second_account_does_not_count_either() -> None:
    person = Person("requester", "R", frozenset({"lead"}), accounts=frozenset({"other"}))

    assert signers(taken(People({"requester": person}), signed("other"))) == [None, None]


def test_a_policy_may_allow_signing_ones_own() -> None:
    parties = replace(NOBODY, is_self_allowed=True)

    assert signers(taken(org(requester="lead"), signed("requester"), parties=parties)) == [
        "requester",
        None,
    ]


def test_a_signature_for_another_digest_counts_for_nothing() -> None:
    assert signers(taken(org(ana="lead"), signed("ana", digest="other"))) == [None, None]


def test_a_signature_ends_with_the_role_or_the_account() -> None:
    people = org(ana="lead")
    gone = replace(people.by_id["ana"], is_active=False)

    assert signers(taken(People({"ana": gone}), signed("ana"))) == [None, None]
    assert signers(taken(org(ana="developer"), signed("ana"))) == [None, None]
    assert signers(taken(org(), signed("ana"))) == [None, None]


def test_nobody_is_moved_without_need() -> None:
    places = taken(org(first="lead qa", second="lead qa"), signed("first", "second"))

    assert signers(places) == ["first", "second"]
