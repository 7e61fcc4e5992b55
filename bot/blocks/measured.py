"""Numbers beside their limits, and how far the plan has come."""

from datetime import datetime

from bot.blocks.standing import GREEN, RED, YELLOW, counted, fires_at, is_stale
from bot.blocks.text import Piece
from bot.domain.deployment import Deployment, Phase
from bot.domain.health import Finding, Health, HealthRules, Rule, Verdict, spoken
from bot.domain.line import At, Bold, Code, Line, Said
from bot.domain.plan import RolloutStage

_GLYPHS = 10
_MOST_LINES = 8


def steps(d: Deployment) -> list[Piece]:
    """The bar, the stage by number and name, and the names of all stages."""
    count = len(d.plan.stages)
    pieces: list[Piece] = [
        Code(bar(d.cursor + 1, count)),
        " ",
        Bold(f"Step {d.cursor + 1} of {count}: {d.stage.name}"),
    ]
    if isinstance(d.stage, RolloutStage) and not d.taken_back:
        pieces += [" · Traffic: ", *_weights(d, d.stage), " %"]
    pieces.append("\n")
    first = max(0, d.cursor - 3)
    shown = d.plan.stages[first : first + 8]
    pieces += ["… › "] if first else []
    for index, stage in enumerate(shown, start=first):
        pieces += [" › "] if index > first else []
        pieces += _stage(stage.name, index - d.cursor)
    rest = count - first - len(shown)
    return [*pieces, f" › {rest} more"] if rest else pieces


def bar(done: int, count: int) -> str:
    """At most ten glyphs: a phone shows no more beside the words."""
    glyphs = min(count, _GLYPHS)
    full = max(1, done * glyphs // count)
    return "▰" * full + "▱" * (glyphs - full)


def health_lines(d: Deployment, now: datetime) -> list[Piece]:
    """One line per trigger while traffic is on the new version; empty otherwise."""
    rules = getattr(d.stage, "health", None)
    looks = d.phase in (Phase.RUNNING, Phase.HELD, Phase.WATCHING) and d.is_touched
    if not looks or d.health is None or not isinstance(rules, HealthRules):
        return []
    if is_stale(d.health, rules, now):
        return _old(d.health)
    if not d.health.findings:
        return _unmeasured(d.health, rules)
    lines: list[Piece] = []
    for finding in d.health.findings[:_MOST_LINES]:
        lines += [*_finding(finding), "\n"]
    lines += _rest(len(d.health.findings) - _MOST_LINES)
    firing = fires_at(d.health, rules)
    if firing is not None:
        fires = ", fires at " if now < firing[1] else ", fired at "
        lines += [f"{RED} Over the limit since ", At(firing[0].since), fires, At(firing[1])]
    elif d.health.verdict is Verdict.UNKNOWN:
        lines += [f"{YELLOW} Not known to be healthy: ", Said(d.health.why)]
    else:
        lines.append(f"Measured on {counted(d.health.requests, 'request')}")
    return lines


def number(value: float | None, unit: str) -> str:
    if value is None:
        return "unknown"
    return f"{value:.4g} {unit}".rstrip()


def with_limits(findings: tuple[Finding, ...], most: int = 3) -> str:
    """`error rate 6.2 %, limit 5 % · p95 208 ms, limit 500 ms`."""
    shown = [
        f"{each.label} {number(each.value, each.unit)}, limit {each.limit} {each.unit}".rstrip()
        for each in findings[:most]
    ]
    return " · ".join(shown) or "n/a"


def sentence(label: str) -> str:
    """*label* as a line begins with it; `p95` is a name and stays as it is."""
    return label if label[1:2].isdigit() else label[:1].upper() + label[1:]


def limit_of(rule: Rule | Finding) -> str:
    lasting = f" for {spoken(rule.lasting)}" if rule.lasting else ""
    return f"{rule.limit} {rule.unit}".rstrip() + lasting


def if_it_fails(d: Deployment, back_to: str) -> Line:
    """What a fired trigger leads to, by policy and by the migrations of this version."""
    stage = d.stage
    rules = getattr(stage, "health", None)
    first = rules.rules[0] if isinstance(rules, HealthRules) and rules.rules else None
    at = f" at {first.names()} > {limit_of(first)}" if first is not None else ""
    if d.is_first:
        return (f"Held and people called{at}; there is nothing to roll back to",)
    one_way = [migration.name for migration in d.version.migrations if not migration.is_reversible]
    if one_way:
        return ("Held and people called, because ", Code(one_way[0]), " is one-way")
    if not getattr(stage, "is_rollback_automatic", False):
        return (f"People are called{at}, they decide",)
    return ("Auto rollback to ", Said(back_to), at)


def _stage(name: str, offset: int) -> list[Piece]:
    if offset == 0:
        return [Bold(name)]
    return [Said(name[:40]), " ✓"] if offset < 0 else [Said(name[:40])]


def _weights(d: Deployment, stage: RolloutStage) -> list[Piece]:
    pieces: list[Piece] = []
    for index, step in enumerate(stage.steps[:_GLYPHS]):
        pieces += [" · "] if index else []
        if index == d.step and d.is_touched:
            pieces.append(Bold(f"{step.weight} now"))
        else:
            is_done = d.is_touched and index < d.step
            pieces.append(f"{step.weight} ✓" if is_done else f"{step.weight}")
    return pieces


def _finding(finding: Finding) -> list[Piece]:
    name = sentence(finding.label)
    sign = RED if finding.is_breached else GREEN
    if finding.value is None:
        return [f"{YELLOW} ", Said(name), " ", Bold("unknown"), f", limit {limit_of(finding)}"]
    value = Bold(number(finding.value, finding.unit))
    return [f"{sign} ", Said(name), " ", value, f", limit {limit_of(finding)}"]


def _unmeasured(health: Health, rules: HealthRules) -> list[Piece]:
    lines: list[Piece] = [f"{YELLOW} ", Bold("Health unknown"), ": ", Said(health.why), "\n"]
    for rule in rules.rules[:_MOST_LINES]:
        lines += [Said(sentence(rule.names())), " unknown, limit ", limit_of(rule), "\n"]
    return lines + _rest(len(rules.rules) - _MOST_LINES)


def _old(health: Health) -> list[Piece]:
    return [
        f"{YELLOW} ",
        Bold("Health unknown"),
        ": not looked at since ",
        At(health.at),
        ". Nothing moves forward on old numbers.",
    ]


def _rest(count: int) -> list[Piece]:
    return [f"and {count} more\n"] if count > 0 else []
