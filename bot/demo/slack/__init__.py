"""A strict Slack on loopback, for the demo, the end-to-end tests and the benchmark."""

from bot.demo.slack.manifest import Manifest
from bot.demo.slack.seen import NotOnScreen, Seen
from bot.demo.slack.server import SlackEmulator
from bot.demo.slack.timing import Timing
from bot.demo.slack.workspace import Channel, Message, Person, Workspace, demo_workspace

__all__ = [
    "Channel",
    "Manifest",
    "Message",
    "NotOnScreen",
    "Person",
    "Seen",
    "SlackEmulator",
    "Timing",
    "Workspace",
    "demo_workspace",
]
