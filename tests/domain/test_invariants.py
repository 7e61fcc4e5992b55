"""Any history at all: several deployments, a faulty world, and promises that always hold."""

import os
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import Phase as HypothesisPhase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.domain.deployment import Deployment, Phase
from bot.domain.events import (
    Approved,
    Cancelled,
    Elapsed,
    Held,
    Observed,
    Promoted,
    Rejected,
    Resumed,
    RollbackAbandoned,
    RollbackRequested,
    Wish,
)
from bot.domain.health import Verdict
from bot.domain.jobs import JobState
from bot.domain.plan import ApprovalStage
from tests.builders import ANA, CHRIS, DANA, DEVO, QUINN, SAM, TESS
from tests.domain.builders import MINUTE, without
from tests.domain.watchman import is_waiting_for_people
from tests.domain.world import READINGS, World, everybody

PEOPLE = (DANA, DEVO, ANA, QUINN, SAM, TESS, CHRIS)
SERVICES = st.sampled_from(("checkout", "search", "invoices"))
WHO = st.sampled_from(PEOPLE)
WHICH = st.integers(0, 5)
LAP = timedelta(seconds=29)
#: Two of a service compete for its slot; of `invoices` nothing serves yet.
FIRST = (
    ("checkout", "normal"),
    ("search", "normal"),
    ("checkout", "hotfix"),
    ("search", "hotfix"),
    ("invoices", "normal"),
)


class Deploying(RuleBasedStateMachine):
    """Each rule is one thing that may happen; what must hold is asked after each."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def some(self, which: int) -> Deployment:
        known = self.world.unfinished() or list(self.world.deployments.values())
        return known[which % len(known)]

    def one_of_all(self, which: int) -> Deployment:
        known = list(self.world.deployments.values())
        return known[which % len(known)]

    @rule(service=SERVICES, kind=st.sampled_from(("normal", "hotfix")), by=WHO)
    def request(self, service: str, kind: str, by: str) -> None:
        self.world.request(service, kind, by)

    @rule(which=WHICH, by=WHO)
    def approve(self, which: int, by: str) -> None:
        self.world.tell(self.some(which).id, Approved(by))

    @rule(which=WHICH, wish=st.sampled_from((Held, Resumed, Promoted)), by=WHO)
    def wish(self, which: int, wish: type[Held | Resumed | Promoted], by: str) -> None:
        self.world.tell(self.some(which).id, wish(by))

    @rule(which=WHICH, wish=st.sampled_from((Rejected, Cancelled, RollbackRequested)), by=WHO)
    def wish_to_end(
        self, which: int, wish: type[Rejected | Cancelled | RollbackRequested], by: str
    ) -> None:
        d = self.some(which)
        if d.is_touched:  # the others would nearly all end here
            self.world.tell(d.id, wish(by, "it is slow"))

    @rule(which=WHICH, by=st.sampled_from((DANA, ANA, CHRIS)))
    def abandon(self, which: int, by: str) -> None:
        every = self.world.unfinished()
        back = [d for d in every if d.phase is Phase.ROLLING_BACK or d.taken_back] or every
        if back:
            self.world.tell(back[which % len(back)].id, RollbackAbandoned(by, "by hand"))

    @rule(
        wish=st.sampled_from((Held, Resumed, Promoted)),
        seconds=st.sampled_from((1, 5, 20)),
        is_hurried=st.booleans(),
    )
    def somebody_steps_in_while_the_bot_looks(
        self, wish: type[Held | Resumed | Promoted], seconds: int, is_hurried: bool
    ) -> None:
        """What was seen meanwhile may be from before or after; what is measured is newest."""
        for d in [d for d in self.world.unfinished() if d.fence]:
            if wish is Resumed:
                self.world.tell(d.id, Held(ANA))
            began_at = self.world.now
            self.world.now += timedelta(seconds=seconds)
            self.world.tell(d.id, wish(ANA))
            self.world.now += timedelta(seconds=seconds)
            self.world.tell(d.id, self.world.look(d, began_at))
            if is_hurried:
                self.world.tell(d.id, Promoted(ANA))

    @rule(which=WHICH, by=WHO)
    def roll_back_afterwards(self, which: int, by: str) -> None:
        d = self.one_of_all(which)
        if d.phase in (Phase.SUCCEEDED, Phase.SUPERSEDED):
            self.world.roll_back_afterwards(d, RollbackRequested(by, "it is slow"))

    @rule(which=WHICH, wish=st.sampled_from((Approved(ANA), Promoted(ANA), Cancelled(DANA))))
    def wish_for_what_may_be_over(self, which: int, wish: Wish) -> None:
        self.world.tell(self.one_of_all(which).id, wish)

    @rule(which=WHICH)
    def look(self, which: int) -> None:
        d = self.some(which)
        self.world.tell(d.id, self.world.look(d))

    @rule(which=WHICH)
    def look_and_be_late(self, which: int) -> None:
        d = self.some(which)
        self.world.late.append((d.id, self.world.look(d)))

    @precondition(lambda self: self.world.late)
    @rule(which=WHICH, is_repeated=st.booleans())
    def a_late_look_arrives(self, which: int, is_repeated: bool) -> None:
        index = which % len(self.world.late)
        id, seen = self.world.late[index]
        if not is_repeated:
            del self.world.late[index]
        self.world.tell(id, seen)

    @rule(which=WHICH, is_refused=st.booleans())
    def see_nothing(self, which: int, is_refused: bool) -> None:
        refusal = "no such service" if is_refused else None
        self.world.tell(self.some(which).id, Observed(self.world.now, refusal=refusal))

    @rule(which=WHICH)
    def elapse(self, which: int) -> None:
        self.world.tell(self.one_of_all(which).id, Elapsed())

    @rule(seconds=st.sampled_from((1, 5, 20, 29, 61, 130, 301, 601, 3601, 90000, -45)))
    def time_jumps(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)

    @rule(service=SERVICES, health=st.sampled_from(sorted(READINGS)))
    def health_turns(self, service: str, health: str) -> None:
        self.world.places[service].health = health

    @rule(service=SERVICES, verdict=st.sampled_from(Verdict))
    def checks_turn(self, service: str, verdict: Verdict) -> None:
        self.world.places[service].checks = verdict

    @rule(service=SERVICES, which=WHICH, how=st.sampled_from(("once", "twice", "never")))
    def traffic_arrives(self, service: str, which: int, how: str) -> None:
        place = self.world.places[service]
        if not place.on_its_way:
            return
        index = which % len(place.on_its_way)
        if how == "never" and place.on_its_way[index] is place.newest:
            return  # what is wanted last is sent until the router answers
        if how != "never":
            self.world.deliver(place, place.on_its_way[index])
        if how != "twice":
            del place.on_its_way[index]

    @rule(which=WHICH, state=st.sampled_from(JobState))
    def a_job_ends(self, which: int, state: JobState) -> None:
        if self.world.jobs:
            keys = sorted(self.world.jobs)
            self.world.jobs[keys[which % len(keys)]] = state

    @rule(gone=st.lists(WHO, max_size=2))
    def roles_are_revoked(self, gone: list[str]) -> None:
        self.world.people = without(everybody(), *gone)

    @rule(which=WHICH)
    def a_tag_is_moved(self, which: int) -> None:
        self.world.moved.symmetric_difference_update({self.some(which).id})

    @rule(service=SERVICES)
    def somebody_unlocks(self, service: str) -> None:
        place = self.world.places[service]
        place.context = replace(place.context, lock=None)

    @rule(which=WHICH, laps=st.integers(1, 12), lap=st.sampled_from((LAP, 5 * MINUTE)))
    def all_is_well_for_a_while(self, which: int, laps: int, lap: timedelta) -> None:
        self.goes_well(self.some(which).id, laps, lap)

    @rule(
        which=WHICH,
        laps=st.integers(1, 4),
        lap=st.sampled_from((LAP, 2 * MINUTE, 5 * MINUTE)),
        health=st.sampled_from(sorted(READINGS)),
        is_traffic_moving=st.booleans(),
    )
    def only_health_is_what_it_is(
        self, which: int, laps: int, lap: timedelta, health: str, is_traffic_moving: bool
    ) -> None:
        d = self.some(which)
        for _ in range(laps):
            self.world.lap(self.world.deployments[d.id], lap, health, is_traffic_moving)
            self.world.check()

    @initialize(
        laps=st.lists(st.integers(0, 14), min_size=len(FIRST), max_size=len(FIRST)),
        by=st.sampled_from((DANA, ANA, TESS)),
    )
    def they_have_come_so_far(self, laps: list[int], by: str) -> None:
        for (service, kind), done in zip(FIRST, laps, strict=True):
            known = set(self.world.deployments)
            self.world.request(service, kind, by)
            for id in set(self.world.deployments) - known:
                self.goes_well(id, done, 5 * MINUTE)

    @rule(laps=st.integers(0, 2))
    def a_first_is_given_up_when_it_was_asked_for(self, laps: int) -> None:
        """Which is one moment of many, and what is under way then must not come later."""
        self.world.request("invoices", "normal", DANA)
        for d in [d for d in self.world.unfinished() if d.plan.service == "invoices"]:
            for _ in range(12):
                if self.world.deployments[d.id].weight:
                    break
                self.goes_well(d.id, 1, LAP)
            self.goes_well(d.id, laps, LAP)
            self.world.tell(d.id, Cancelled(DANA, "it is slow"))

    @rule(which=WHICH)
    def people_help(self, which: int) -> None:
        self.people_do_their_part(self.some(which).id)

    def goes_well(self, id: str, laps: int, lap: timedelta) -> None:
        for _ in range(laps):
            self.people_do_their_part(id)
            self.world.good_lap(self.world.deployments[id], lap)
            self.world.check()

    def people_do_their_part(self, id: str) -> None:
        if self.world.deployments[id].phase is Phase.HELD:
            self.world.tell(id, Resumed(DANA))
        for by in (ANA, QUINN, TESS):
            if isinstance(self.world.deployments[id].stage, ApprovalStage):
                self.world.tell(id, Approved(by))

    @invariant()
    def every_promise_holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        """After the faults stop, whatever does not wait for people comes to its end."""
        self.world.people = everybody()
        for _ in range(45):
            for d in self.world.unfinished():
                self.world.good_lap(self.world.deployments[d.id], 5 * MINUTE)
            self.world.check()
        ending = [d.id for d in self.world.unfinished() if d.taken_back]
        assert not ending, "whatever is being ended comes to its end"
        queue = [d for d in self.world.unfinished() if not is_waiting_for_people(d)]
        for d in queue:
            holder = self.world.place(d).context.slot.holder
            assert holder is not None, f"{d.id} stands still: {d.phase} {d.waits_for}"
            at = self.world.deployments[holder]
            assert is_waiting_for_people(at), f"{at.id} stands still: {at.phase} {at.waits_for}"


is_big = os.environ.get("PILOTHOUSE_HYPOTHESIS") == "big"
#: Whoever only wants to know whether it goes red does not wait for the shortest history.
is_quick = os.environ.get("PILOTHOUSE_HYPOTHESIS") == "quick"

TestDeploying = Deploying.TestCase
TestDeploying.settings = settings(
    max_examples=2000 if is_big else 100,
    phases=(HypothesisPhase.generate,) if is_quick else tuple(HypothesisPhase),
    report_multiple_bugs=not is_quick,
    stateful_step_count=50 if is_big else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
