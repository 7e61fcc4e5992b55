"""What a card says below its summary: the facts of each phase, and the way on when it ended."""

from datetime import datetime, timedelta

from bot.blocks.measured import if_it_fails, with_limits
from bot.blocks.standing import GREEN, RED, YELLOW, back_to, signable, some
from bot.blocks.text import Day, Piece, Pieces, minutes, names_of
from bot.domain.deployment import Deployment, Phase
from bot.domain.gates import CheckResult
from bot.domain.health import Verdict, spoken
from bot.domain.line import At, Bold, Code, Mention, Said, mentions
from bot.domain.plan import ApprovalStage, GateStage, JobStage, RolloutStage, WatchStage
from bot.domain.roles import People
from bot.domain.stopping import way_on

Fact = tuple[str, Pieces]

_MOST_CHECKS = 8
_SIGNS = {Verdict.PASS: GREEN, Verdict.FAIL: RED, Verdict.UNKNOWN: YELLOW}
_RETRY = (Phase.ROLLED_BACK, Phase.REJECTED, Phase.CANCELLED, Phase.EXPIRED, Phase.FAILED)


def facts(d: Deployment, people: People) -> list[Fact]:
    """At most four: a phone shows no more above the buttons."""
    match d.phase:
        case Phase.RUNNING:
            return _running(d, people)
        case Phase.HELD:
            return [*_hold(d), _requested(d), *_rollback_target(d)]
        case Phase.ROLLING_BACK | Phase.ROLLED_BACK | Phase.ROLLBACK_FAILED:
            return _back(d)
    return []


def story(d: Deployment, people: People) -> list[Piece]:
    """A few lines: which checks stand in the way, what ended it, what to do now."""
    match d.phase:
        case Phase.RUNNING if isinstance(d.stage, GateStage):
            return check_lines([c.name for c in d.stage.checks], d.checks, d.stage_since)
        case Phase.HELD if d.is_first and d.is_touched:
            return [Code(d.id), " ", *way_on(d), "."]
        case Phase.WATCHING | Phase.SUCCEEDED:
            return _live(d, people)
        case Phase.ROLLBACK_FAILED:
            return [*d.last.line, "\n", *by_hand(d, people)]
        case Phase.ROLLING_BACK if d.waits_for:
            return ["Not done yet: ", Said(d.waits_for)]
    if d.phase is Phase.ROLLED_BACK and d.rollback is not None:
        return try_again(d)  # what happened stands above and in the facts
    if d.phase in _RETRY:
        return [*d.last.line, "\n", *try_again(d)]
    return [*d.last.line] if d.is_over else []


def try_again(d: Deployment) -> list[Piece]:
    if d.is_touched and d.is_first:
        # It may serve by now, and what serves is not deployed again.
        return ["To go on: ", Code(f"/deploy {d.plan.service} VERSION")]
    command = f"/deploy {d.plan.service} {d.version.name}"
    return ["To try again: ", Code(command)]


def by_hand(d: Deployment, people: People) -> list[Piece]:
    """What a person does when the bot could not bring the old version back."""
    able = [user for role in d.plan.rights.unlock for user in people.holders(role)]
    return [
        Bold("By hand"),
        ": 1. Put all traffic on ",
        Code(back_to(d)),
        ". 2. See that it serves. 3. Then ",
        *mentions(list(dict.fromkeys(able))[:5]),
        " can say ",
        Code(f"/deploy unlock {d.plan.service} reason"),
        f". Until then {d.plan.service} stays locked in {d.plan.environment}.",
    ]


def check_lines(
    wanted: list[str], results: tuple[CheckResult, ...], since: datetime
) -> list[Piece]:
    """What stands in the way first; what passes is counted when there is too much of it."""
    newest = {result.name: result for result in results if result.at >= since}
    lines: list[tuple[int, list[Piece]]] = []
    for name in wanted:
        found = newest.get(name)
        verdict = found.verdict if found else Verdict.UNKNOWN
        fact = (found.fact if found else "") or ("passed" if found else "not looked at yet")
        line: list[Piece] = [f"{_SIGNS[verdict]} ", Said(name[:80]), ": ", Said(fact[:200]), "\n"]
        lines.append((verdict is Verdict.PASS, line))
    lines.sort(key=lambda each: each[0])
    shown = [piece for _, line in lines[:_MOST_CHECKS] for piece in line]
    rest = len(lines) - _MOST_CHECKS
    return [*shown, f"and {rest} more checks"] if rest > 0 else shown


def gates_passed(d: Deployment) -> str:
    """How many checks of the stages behind the cursor passed, which is all of them."""
    behind = [s for s in d.plan.stages[: d.cursor] if isinstance(s, GateStage)]
    count = sum(len(stage.checks) for stage in behind)
    return f"{GREEN} {count} of {count} passed" if count else "none before this step"


def seat_lines(d: Deployment, people: People) -> list[Piece]:
    """Signed places with name and time, open ones with who still can, without notifying them."""
    names = names_of(people)
    able = [names.get(user, user) for user in signable(d, people)]
    pieces: list[Piece] = []
    for seat in d.seats(people)[:8]:
        pieces += ["\n"] if pieces else []
        role = people.title(seat.role)
        if seat.approval is not None:
            signed = seat.approval
            pieces += [f":white_check_mark: {role} ", Mention(signed.by), ", ", At(signed.at)]
        else:
            holders = {names.get(user, user) for user in people.holders(seat.role)}
            who = some([name for name in able if name in holders], 3) or "nobody can sign"
            pieces += [f":hourglass_flowing_sand: {role}: ", Said(who)]
    return pieces


def _running(d: Deployment, people: People) -> list[Fact]:
    stage = d.stage
    match stage:
        case ApprovalStage():
            return [
                ("Gates", (gates_passed(d),)),
                ("Approvals", seat_lines(d, people)),
                _requested(d),
                ("Expires", (Day(d.stage_since + stage.expires_after),)),
            ]
        case RolloutStage() if d.is_touched and not d.needs_entry:
            return [
                ("Step since", (At(d.step_since),)),
                ("Next", _next(d, stage)),
                *_approved(d, people),
                ("If it fails", if_it_fails(d, back_to(d))),
            ]
        case JobStage() if not d.needs_entry:
            limit = f"at most {spoken(stage.time_limit)}"
            return [("Time", (limit,)), _requested(d), *_approved(d, people)]
    return [_requested(d), *_approved(d, people), *_rollback_target(d)]


def _next(d: Deployment, stage: RolloutStage) -> list[Piece]:
    bake = stage.steps[d.step].bake
    following = f"{d.next_weight} %" if d.next_weight is not None else _after(d)
    if d.passing_since is not None:
        return [f"{following} at ", At(d.passing_since + bake), " if healthy"]
    return [f"{following} after {spoken(bake)} healthy"]


def _after(d: Deployment) -> str:
    rest = d.plan.stages[d.cursor + 1 :]
    return rest[0].name if rest else "done"


def _requested(d: Deployment) -> Fact:
    return ("Requested by", (Mention(d.requested_by), ", ", At(d.requested_at)))


def _rollback_target(d: Deployment) -> list[Fact]:
    if d.is_first:
        return [("Rollback target", ("none",))]
    return [("Rollback target", (Code(d.stable.name),))] if d.stable is not None else []


def _approved(d: Deployment, people: People) -> list[Fact]:
    signed = [(s.role, s.approval.by) for s in d.seats(people) if s.approval is not None]
    pieces: list[Piece] = []
    for role, user in signed[:5]:
        pieces += ["\n"] if pieces else []
        pieces += [Mention(user), f" ({people.title(role)})"]
    return [("Approved by", pieces)] if pieces else []


def _hold(d: Deployment) -> list[Fact]:
    hold = d.hold
    if hold is None:
        return []
    who: Piece = Mention(hold.by) if hold.by else "itself"
    why: list[Fact] = [("Why", (Said(hold.reason),))] if hold.reason else []
    held = "Ended by" if d.taken_back else "Held by"
    return [(held, (who, ", since ", At(hold.since))), *why]


def _back(d: Deployment) -> list[Fact]:
    run = d.rollback
    if run is None:
        return []
    who: list[Piece] = ["Asked by ", Mention(run.by)] if run.by else ["Automatic"]
    found: list[Fact] = [("Why", (*who, ": ", Said(run.reason)))]
    if d.finished_at is not None:
        took = spoken(d.finished_at - run.since)
        until = "seen to serve" if d.phase is Phase.ROLLED_BACK else "given up"
        found.append(("Took", (f"{took}, {until} ", At(d.finished_at))))
    else:
        back = "seen to be back" if run.is_traffic_back else "not seen to be back yet"
        found.append(("Since", (At(run.since),)))
        found.append((f"Traffic on {run.target.name}", (back,)))
    if run.evidence is not None and run.evidence.findings:
        found.append(("Health then", (Said(with_limits(run.evidence.findings)),)))
    return found


def _live(d: Deployment, people: People) -> list[Piece]:
    pieces: list[Piece] = []
    if d.live_at is not None and d.started_at is not None:
        pieces.append(f"{minutes(d.live_at - d.started_at)} to full traffic")
    if d.phase is Phase.SUCCEEDED and d.health is not None and d.health.findings:
        pieces += [" · ", Said(with_limits(d.health.findings))]
    signed = [seat.approval.by for seat in d.seats(people) if seat.approval is not None]
    if signed:
        pieces += [" · approved by " if pieces else "Approved by ", *_all(signed)]
    pieces += ["\n"] if pieces else []
    return [*pieces, *(_watch(d) if d.phase is Phase.WATCHING else d.last.line)]


def _all(users: list[str]) -> list[Piece]:
    pieces: list[Piece] = []
    for user in users[:5]:
        pieces += [", "] if pieces else []
        pieces.append(Mention(user))
    return pieces


def _watch(d: Deployment) -> list[Piece]:
    stage = d.stage
    lasts = stage.lasts if isinstance(stage, WatchStage) else timedelta()
    proof = ", proven" if d.is_proven else ", not proven yet"
    left = minutes(lasts - d.watched)
    is_good = d.health is not None and d.health.verdict is Verdict.PASS
    if d.counted_at is None and is_good and not d.waits_for:
        return [f"Watched for {left} from the next look on", proof]
    if d.counted_at is None:
        why = d.waits_for or "health is not known to be good"
        return [f"The watch is paused with {left} to go: ", Said(why), proof]
    end = d.counted_at + (lasts - d.watched)
    # The clock's beats are seconds apart; a card shows minutes.
    return ["Watching until ", Day(end.replace(second=0, microsecond=0)), proof]
