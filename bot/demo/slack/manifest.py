"""What the app asked for at installation; everything else is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ruamel.yaml import YAML

from bot.demo.slack.wire import Json, SlackError

#: The scope each method needs; methods that are not named need a valid token only.
NEEDED_SCOPE = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "conversations.info": "channels:read",
    "users.info": "users:read",
}


@dataclass(frozen=True)
class SlashCommand:
    command: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True)
class Manifest:
    name: str
    bot_name: str
    commands: Mapping[str, SlashCommand]
    scopes: frozenset[str]
    optional_scopes: frozenset[str]
    events: frozenset[str]
    is_interactive: bool
    has_socket_mode: bool

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        return cls.of(YAML(typ="safe").load(path.read_text(encoding="utf-8")))

    @classmethod
    def of(cls, document: Json) -> "Manifest":
        """Take a decoded manifest that is valid against Slack's schema."""
        features = document.get("features", {})
        settings = document.get("settings", {})
        scopes = document.get("oauth_config", {}).get("scopes", {})
        subscriptions = settings.get("event_subscriptions", {})
        return cls(
            name=document["display_information"]["name"],
            bot_name=features.get("bot_user", {}).get("display_name", ""),
            commands={
                entry["command"]: _slash_command(entry)
                for entry in features.get("slash_commands", [])
            },
            scopes=frozenset(scopes.get("bot", [])),
            optional_scopes=frozenset(scopes.get("bot_optional", [])),
            events=frozenset(subscriptions.get("bot_events", [])),
            is_interactive=settings.get("interactivity", {}).get("is_enabled", False),
            has_socket_mode=settings.get("socket_mode_enabled", False),
        )

    @property
    def granted(self) -> frozenset[str]:
        return self.scopes | self.optional_scopes

    def without_optional(self) -> "Manifest":
        """An installation where the admin declined what is not required."""
        return replace(self, optional_scopes=frozenset())

    def granting(self, *scopes: str) -> "Manifest":
        return replace(self, scopes=self.scopes | set(scopes))

    def require(self, method: str) -> None:
        """Raises `SlackError("missing_scope")` with what is needed and what there is."""
        needed = NEEDED_SCOPE.get(method)
        if needed is not None and needed not in self.granted:
            provided = ",".join(sorted(self.granted))
            raise SlackError("missing_scope", needed=needed, provided=provided)


def _slash_command(entry: Json) -> SlashCommand:
    return SlashCommand(
        entry["command"],
        entry.get("description", ""),
        entry.get("usage_hint", ""),
        entry.get("should_escape", False),
    )
