"""Text on the page has enough contrast, by day and by night."""

import re
from pathlib import Path

import pytest

from bot.demo.page import routes

THEME = Path(routes.__file__).parent / "static" / "css" / "theme.css"

#: (text, what lies behind it)
PAIRS = [
    *(("ink", ground) for ground in ("paper", "wash", "side", "raised", "whisper")),
    *(("ink", ground) for ground in ("accent-wash",)),
    *(("soft", ground) for ground in ("paper", "wash", "side", "raised", "whisper")),
    ("soft", "accent-wash"),
    ("soft", "line"),
    ("accent-ink", "accent"),
    ("accent", "accent-wash"),
    *(("alarm", ground) for ground in ("paper", "side")),
    ("link", "paper"),
    ("link", "raised"),
    ("mention", "mention-wash"),
    ("code", "code-wash"),
    ("white", "green"),
    ("white", "green-hover"),
    ("white", "red"),
    ("white", "red-hover"),
]


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", css)) | {"white": "#ffffff"}


def light_and_dark() -> list[dict[str, str]]:
    day, night = THEME.read_text(encoding="utf-8").split("@media (prefers-color-scheme: dark)", 1)
    return [colours(day), colours(day) | colours(night)]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(scheme: int, text: str, ground: str) -> None:
    palette = light_and_dark()[scheme]

    assert contrast(palette[text], palette[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("edge", ["line-strong", "accent"])
def test_the_edges_of_controls_can_be_seen(scheme: int, edge: str) -> None:
    palette = light_and_dark()[scheme]

    assert contrast(palette[edge], palette["paper"]) >= 3
