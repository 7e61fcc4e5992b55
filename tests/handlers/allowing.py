"""Limits of few, where a test says only what it is about."""

from bot.ports import Limits


def allowing(
    commands: int,
    clicks: int,
    channel: int,
    *,
    lookups: int = 1000,
    click_refusals: int = 12,
    mention_refusals: int = 1,
) -> Limits:
    return Limits(commands, clicks, channel, lookups, click_refusals, mention_refusals)
