"""The canonical form: what is stored is read back as it was, and the digest binds it."""

from collections.abc import Hashable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from bot.domain import canon
from bot.domain.deployment import Deployment
from bot.domain.effects import Effect, PostUpdate, SetTraffic
from bot.domain.line import At, Bold, Code, Line, Mention, Said, mentions, plain
from bot.domain.plan import HoldRules, RolloutStage, WatchStage, digest
from bot.domain.release import Version, is_same_split
from tests.builders import NOW, a_plan
from tests.domain.builders import (
    MINUTE,
    NEW,
    OLD,
    a_context,
    at_approval,
    at_step,
    held,
    one_way,
    requested,
    rolling_back,
    watching,
    with_stage,
)


def again(d: Deployment) -> object:
    return canon.decoder(Deployment)(canon.encode(d))


def test_every_state_is_read_back_as_it_was() -> None:
    told = (requested(), at_approval(), at_step(1).healthy(), at_step().unhealthy())
    later = (held(at_step()), rolling_back(), watching().healthy(), at_step(version=one_way()))

    for story in told + later:
        assert again(story.d) == story.d


def test_the_form_is_json_and_the_same_every_time() -> None:
    raw = canon.encode(at_step(1).healthy().d)

    assert canon.canonical(raw) == canon.canonical(canon.encode(at_step(1).healthy().d))


def test_unions_are_read_back_by_name() -> None:
    effects: tuple[Effect, ...] = (SetTraffic((("v1", 100),), 7), PostUpdate(NOW, None, "held"))

    raw = canon.encode(effects)

    assert tuple(canon.decoder(Effect)(one) for one in raw) == effects


@pytest.mark.parametrize("hint", [tuple[str, int], tuple[Version, int]])
@pytest.mark.parametrize("parts", [0, 1, 3])
def test_a_pair_is_read_with_both_its_parts_or_not_at_all(hint: Hashable, parts: int) -> None:
    first = canon.encode(NEW) if hint == tuple[Version, int] else "hold"

    assert canon.decoder(hint)([first, 3])[1] == 3
    with pytest.raises(ValueError, match=r"parts|zip"):
        canon.decoder(hint)([first, 3, 4][:parts])


def test_a_moment_is_stored_in_utc() -> None:
    there = datetime(2026, 3, 2, 15, 0, tzinfo=timezone(timedelta(hours=1)))

    assert canon.encode(there) == "2026-03-02T14:00:00+00:00"
    assert canon.decoder(datetime)(canon.encode(there)) == there


def test_a_field_that_an_older_row_does_not_have_takes_its_default() -> None:
    raw = canon.encode(requested().d)
    del raw["is_alarmed"]

    assert canon.decoder(Deployment)(raw) == requested().d


def test_what_is_no_domain_value_is_refused() -> None:
    with pytest.raises(TypeError):
        canon.encode(object())
    with pytest.raises(TypeError):
        canon.decoder(dict[str, int])
    with pytest.raises(ValueError, match="not JSON compliant"):
        canon.canonical(float("nan"))
    with pytest.raises(KeyError):
        canon.decoder(Version | None)({"$": "Nothing"})


def test_an_exact_number_stays_exact() -> None:
    assert canon.decoder(Decimal)(canon.encode(Decimal("0.10"))) == Decimal("0.10")
    assert canon.encode(frozenset({"b", "a"})) == ["a", "b"]


def test_the_digest_binds_build_plan_and_policy_and_nothing_else() -> None:
    plan = a_plan()
    same = digest(NEW, plan, "policy")
    steps = with_stage(plan, RolloutStage, is_rollback_automatic=False)
    watch = with_stage(plan, WatchStage, lasts=MINUTE)
    others = (
        digest(replace(NEW, commit="f" * 40), plan, "policy"),
        digest(replace(NEW, artefact="sha256:other"), plan, "policy"),
        digest(NEW, steps, "policy"),
        digest(NEW, watch, "policy"),
        digest(NEW, replace(plan, hold=HoldRules(MINUTE, MINUTE)), "policy"),
        digest(NEW, plan, "another policy"),
    )

    assert digest(replace(NEW, name="renamed", summary="other words"), plan, "policy") == same
    assert len({same, *others}) == 7


def test_a_build_is_its_commit_and_artefact_not_its_name() -> None:
    assert NEW.is_same_build(replace(NEW, name="other"))
    assert not NEW.is_same_build(OLD)


def test_a_share_of_nothing_does_not_count() -> None:
    assert is_same_split((("a", 100), ("b", 0)), (("a", 100),))
    assert not is_same_split((("a", 99), ("b", 1)), (("a", 100),))
    assert not is_same_split((("a", 100), ("b", 20)), (("a", 100),))


def test_the_ledger_knows_what_serves_and_what_is_proven() -> None:
    ledger = a_context().ledger

    assert ledger.known("v1.8.2") == OLD
    assert ledger.known("v1.8.3") is None
    assert ledger.targets("v1.8.2") == ()


def test_a_sentence_reads_the_same_without_mark_up() -> None:
    line: Line = (Bold("a"), " ", Code("b"), " ", Said("<c>"), " ", Mention("U1"), " ", At(NOW))

    assert plain(line) == "a b <c> @U1 14:00 UTC"
    assert plain(mentions(())) == "nobody yet"
    assert plain(mentions(("U1",))) == "@U1"
    assert plain(mentions(("U1", "U2", "U3"))) == "@U1, @U2 or @U3"
