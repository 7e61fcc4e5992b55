"""Whoever looks over the core's shoulder: the invariants, worked out a second time, simply."""

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain import canon
from bot.domain.decide import due_at
from bot.domain.deployment import MOVES, Decision, Deployment, Phase
from bot.domain.effects import LockEnvironment, Page, Proves, Serves, SetTraffic, StartJob, Wanted
from bot.domain.events import Cancelled, Event, Observed, Promoted, Requested
from bot.domain.gates import CheckResult
from bot.domain.health import Verdict
from bot.domain.offer import offered
from bot.domain.plan import ApprovalStage, GateStage, RolloutStage, WatchStage, digest
from bot.domain.refusal import Refused
from bot.domain.release import Version, Weights, is_same_split
from bot.domain.slots import Context
from tests.builders import POLICY_DIGEST
from tests.domain.builders import TICK, refusal_of

MAX_AGE, ERROR_LIMIT, MINIMUM = timedelta(seconds=30), 5.0, 50
CHANGING = (Phase.RUNNING, Phase.HELD, Phase.ROLLING_BACK)
LONGEST = timedelta(hours=24)


class Watchman:
    """Keeps clocks of its own, so that no rule is checked with the code it is about."""

    def __init__(self) -> None:
        self._good_since: dict[str, datetime] = {}
        self._good_at: dict[str, datetime] = {}
        self._watched: dict[str, timedelta] = defaultdict(timedelta)
        self._fences: dict[str, int] = defaultdict(int)
        self._seen_last: dict[str, Weights] = {}
        self._allowed: dict[tuple[str, str], int] = {}
        self._jobs: dict[str, tuple[str, int]] = {}

    def refused(self, event: Event, refused: Refused) -> None:
        assert not isinstance(event, Observed), "what is seen is never refused"
        refusal_of(refused)

    def decided(
        self, d: Deployment, event: Event, context: Context, decision: Decision, now: datetime
    ) -> None:
        after = decision.state
        assert after.phase is d.phase or after.phase in MOVES[d.phase]
        if d.is_over:
            assert after == d, "what is over stays as it is"
        self._keep_clocks(d, event, now)
        self._keep_sight(d, after, event)
        self._steps(d, after, event, now)
        self._gates(d, after, event)
        self._door(d, after, event, context)
        self._ends(d, after, event, decision.wanted)
        self._ledger(d, decision.wanted)
        self._no_way_back(d, after, event, decision.wanted)
        meaning = [_promises(x) for x in (d, after)]
        assert (meaning[0] == meaning[1]) == (d.offer == after.offer)
        if after.phase is not Phase.RUNNING or after.step_since != d.step_since:
            self._good_since.pop(d.id, None)
        if after.phase is not d.phase:
            self._good_at.pop(d.id, None)

    def saved(
        self, before: Deployment | None, d: Deployment, event: Event | Requested, wanted: Wanted
    ) -> None:
        assert canon.decoder(Deployment)(canon.encode(d)) == d
        asked = [e for e in wanted.effects if isinstance(e, SetTraffic)]
        assert len(asked) <= 1
        for split in asked:
            assert d.fence, "traffic is only moved by whoever holds the slot"
            assert split.fence >= self._fences[d.plan.service], "fences never fall"
            self._fences[d.plan.service] = split.fence
            share = dict(split.weights).get(d.version.name, 0)
            key = (d.plan.service, d.version.name)
            self._allowed[key] = max(self._allowed.get(key, 0), share)
        for job in (e for e in wanted.effects if isinstance(e, StartJob)):
            assert self._jobs.setdefault(job.key, (d.id, job.stage)) == (d.id, job.stage)
        if before is None:
            assert isinstance(event, Requested) or d.phase is Phase.ROLLING_BACK

    def environment(
        self, here: Sequence[Deployment], context: Context, weights: Weights, now: datetime
    ) -> None:
        holders = [d for d in here if d.fence]
        assert [d.id for d in holders] == ([context.slot.holder] if context.slot.holder else [])
        for d in here:
            is_changing = d.is_touched and d.phase in CHANGING
            assert bool(d.fence) == is_changing, "the slot is held while it changes, no longer"
            due = due_at(d, now, TICK)
            assert (due is None) == d.is_over
            assert due is None or now <= due <= max(now, d.phase_since) + LONGEST
            share = dict(weights).get(d.version.name, 0)
            is_taken_back = d.phase is Phase.CANCELLED and d.taken_back
            assert not (is_taken_back and share), "what was taken back never comes again"
            assert share <= self._allowed.get((d.plan.service, d.version.name), 0) or (
                context.ledger.serving == d.version
            )

    def at_the_router(self, here: Sequence[Deployment], context: Context, weights: Weights) -> None:
        """Once it knows the last word: what is on its way from before moves nothing."""
        for d in here:
            if d.phase is Phase.ROLLED_BACK and context.ledger.serving != d.version:
                share = dict(weights).get(d.version.name, 0)
                assert share == 0, "nothing brings a version back that was rolled back"

    def _keep_clocks(self, d: Deployment, event: Event, now: datetime) -> None:
        since = d.step_since if d.phase is Phase.RUNNING else d.phase_since
        if not isinstance(event, Observed) or event.at < since:
            return
        if d.phase is Phase.RUNNING and isinstance(d.stage, RolloutStage) and d.fence:
            if self._is_good(d, event, since, now):
                self._good_since.setdefault(d.id, now)
                self._good_at[d.id] = now
            else:
                self._good_since.pop(d.id, None)
        if d.phase is Phase.WATCHING:
            last = self._good_at.pop(d.id, None)
            if self._is_good(d, event, since, now):
                self._good_at[d.id] = now
                if last is not None:
                    self._watched[d.id] += min(now - last, MAX_AGE)

    def _keep_sight(self, d: Deployment, after: Deployment, event: Event) -> None:
        if not isinstance(event, Observed) or event.weights is None:
            return
        is_entering = after.is_touched and not d.is_touched
        if is_entering or (isinstance(d.stage, RolloutStage) and event.at >= d.step_since):
            self._seen_last[d.id] = event.weights

    def _is_good(self, d: Deployment, seen: Observed, since: datetime, now: datetime) -> bool:
        reading = seen.reading
        if reading is None or seen.weights is None or reading.version != d.version.name:
            return False
        if not is_same_split(seen.weights, d.wanted_weights) or reading.at <= since:
            return False
        value = dict(reading.values).get("error_rate", math.nan)
        is_fresh = abs(now - reading.at) <= MAX_AGE
        return is_fresh and reading.requests >= MINIMUM and 0 <= value <= ERROR_LIMIT

    def _steps(self, d: Deployment, after: Deployment, event: Event, now: datetime) -> None:
        stage = d.stage
        if not isinstance(stage, RolloutStage) or not d.fence or d.phase is not Phase.RUNNING:
            return
        is_left = after.cursor > d.cursor
        if after.step == d.step and not is_left:
            if isinstance(event, Observed) and after.health != d.health:
                is_failing = after.health and after.health.verdict is Verdict.FAIL
                assert not is_failing or after.phase is not Phase.RUNNING, "a trigger turns round"
            return
        assert is_left or after.step == d.step + 1, "steps are never skipped"
        since = self._good_since.get(d.id)
        assert since is not None, "no step is left that is not seen to be good"
        if isinstance(event, Promoted):
            assert now - self._good_at[d.id] <= MAX_AGE
            return
        assert isinstance(event, Observed)
        assert now - since >= stage.steps[d.step].bake

    def _gates(self, d: Deployment, after: Deployment, event: Event) -> None:
        if isinstance(d.stage, GateStage) and after.cursor > d.cursor:
            assert isinstance(event, Observed)
            assert event.at >= d.stage_since
            assert passed(event.checks, [check.name for check in d.stage.checks])

    def _door(self, d: Deployment, after: Deployment, event: Event, context: Context) -> None:
        if d.fence or not after.fence or after.phase is Phase.ROLLING_BACK:
            return
        assert isinstance(event, Observed)
        assert context.lock is None
        assert context.slot.holder is None
        assert event.resolved is not None
        assert event.resolved.is_same_build(d.version)
        behind = d.plan.stages[: d.cursor]
        gates = [c.name for stage in behind if isinstance(stage, GateStage) for c in stage.checks]
        assert passed(event.checks, gates)
        assert all(is_signed(d, s, context) for s in behind if isinstance(s, ApprovalStage))
        assert (context.ledger.serving is None) == after.is_first
        if after.is_first:
            assert event.weights is not None
            assert all(v == d.version.name for v, share in event.weights if share)

    def _ends(self, d: Deployment, after: Deployment, event: Event, wanted: Wanted) -> None:
        if not after.is_over:
            return
        assert not any(isinstance(e, SetTraffic | StartJob) for e in wanted.effects)
        if after.phase in (Phase.REJECTED, Phase.CANCELLED, Phase.EXPIRED, Phase.FAILED):
            is_left = after.is_touched and not d.is_over
            is_wished = isinstance(event, Cancelled) or d.taken_back
            assert not is_left or (after.is_first and is_wished)
            if is_left and after.taken_back:
                assert isinstance(event, Observed), "it is over when it was seen"
                assert event.weights == ()
        if after.phase is Phase.ROLLED_BACK and d.phase is not Phase.ROLLED_BACK:
            assert d.rollback is not None
            assert isinstance(event, Observed)
            assert event.at >= d.rollback.since
            assert event.weights == ((d.rollback.target.name, 100),)
            assert passed(event.checks, [check.name for check in d.plan.rollback.verify])
        if after.phase is Phase.ROLLBACK_FAILED and d.phase is not Phase.ROLLBACK_FAILED:
            assert any(isinstance(effect, Page) for effect in wanted.effects)
            assert any(isinstance(record, LockEnvironment) for record in wanted.records)

    def _no_way_back(self, d: Deployment, after: Deployment, event: Event, wanted: Wanted) -> None:
        """Of a first deployment: nothing else is ever wanted, and no way back is offered."""
        if not d.is_first:
            return
        assert after.phase is not Phase.ROLLING_BACK
        assert "roll_back" not in offered(after)
        splits = [e.weights for e in wanted.effects if isinstance(e, SetTraffic)]
        wished = () if after.taken_back else ((d.version.name, 100),)
        assert all(split == wished for split in splits)
        way_out = "resume" if after.taken_back else "cancel"
        is_stuck = after.phase in (Phase.RUNNING, Phase.HELD) and way_out not in offered(after)
        assert not is_stuck, "a person can always end it"
        self._ended_first(d, after, event, wanted)

    def _ended_first(self, d: Deployment, after: Deployment, event: Event, wanted: Wanted) -> None:
        """What was asked for and never seen is no more than being ended, until it is taken back."""
        if not isinstance(event, Cancelled) or not d.is_touched or d.is_over:
            return
        is_live = self._seen_last.get(d.id) == ((d.version.name, 100),)
        is_asked = isinstance(d.stage, RolloutStage)
        serves = any(isinstance(record, Serves) for record in wanted.records)
        assert serves == (is_asked and is_live)
        is_locked = any(isinstance(record, LockEnvironment) for record in wanted.records)
        assert after.is_over == (not is_asked or is_live or is_locked)

    def _ledger(self, d: Deployment, wanted: Wanted) -> None:
        stage = d.plan.stages[-1]
        assert isinstance(stage, WatchStage)
        for record in wanted.records:
            if isinstance(record, Proves):
                assert self._watched[d.id] >= stage.proven_after
            if isinstance(record, Serves):
                target: Version | None = d.rollback.target if d.rollback else d.version
                assert target is not None
                assert record.version == target.name


def passed(results: tuple[CheckResult, ...], names: list[str]) -> bool:
    verdicts = {result.name: result.verdict for result in results}
    return all(verdicts.get(name) is Verdict.PASS for name in names)


def is_signed(d: Deployment, stage: ApprovalStage, context: Context) -> bool:
    """Tried in every order: distinct, active, entitled people, each for exactly this."""
    assert d.digest == digest(d.version, d.plan, POLICY_DIGEST)
    parties = {d.requested_by, *d.version.authors}
    signers = {a.by for a in d.approvals if a.digest == d.digest} - parties
    holds = {id: p.roles if p.is_active else frozenset() for id, p in context.people.by_id.items()}
    roles = [slot.role for slot in stage.slots for _ in range(slot.needed)]
    return any(
        all(role in holds[user] for user, role in zip(order, roles, strict=True))
        for order in itertools.permutations(sorted(signers), len(roles))
    )


def is_waiting_for_people(d: Deployment) -> bool:
    """Where a deployment may stand still without anybody being to blame."""
    return d.phase is Phase.HELD or isinstance(d.stage, ApprovalStage)


def _promises(d: Deployment) -> list[tuple[object, ...]]:
    """Each button, and what it would do that another state's button of that name would not."""
    live = {name: share for name, share in d.weights or () if share}
    leaves_all = not isinstance(d.stage, RolloutStage) or live == {d.version.name: 100}
    differs: dict[str, object] = {
        "approve": d.cursor,
        "promote": d.next_weight,
        "resume": bool(d.taken_back),
        "cancel": d.is_touched and (leaves_all, d.is_behind),
    }
    return [(action, differs.get(action)) for action in offered(d)]
