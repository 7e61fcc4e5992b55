"""The lifecycle as a picture, drawn from the table of moves itself."""

from bot.domain.deployment import MOVES, OVER, Phase


def lifecycle() -> str:
    """A Mermaid `stateDiagram-v2`, the same text every time; ends with a line break."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.RUNNING}"]
    order = list(Phase)
    for phase in order:
        onward = sorted(MOVES[phase], key=order.index)
        lines += [f"    {phase} --> {to}" for to in onward]
        if phase in OVER:
            lines.append(f"    {phase} --> [*]")
    return "\n".join(lines) + "\n"
