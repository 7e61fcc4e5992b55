"""manifest.yml is one Slack takes, and asks for no more than the bot needs."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.slack import Manifest, SlackEmulator, demo_workspace
from bot.demo.slack.wire import SlackError
from tests.demo.conftest import APP_TOKEN, BOT_TOKEN, MANIFEST, SIGNING_SECRET, refused

SCHEMA = Path(__file__).parent / "slack-manifest.schema.json"


@pytest.fixture
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(MANIFEST.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_the_manifest_is_valid_against_slacks_own_schema(
    document: dict[str, Any], schema: jsonschema.Draft7Validator
) -> None:
    assert [error.message for error in schema.iter_errors(document)] == []


def _no_name(document: dict[str, Any]) -> None:
    del document["display_information"]["name"]


def _short_story(document: dict[str, Any]) -> None:
    document["display_information"]["long_description"] = "Too short."


def _command_without_description(document: dict[str, Any]) -> None:
    del document["features"]["slash_commands"][0]["description"]


def _word_for_a_flag(document: dict[str, Any]) -> None:
    document["settings"]["socket_mode_enabled"] = "yes"


def _unknown_feature(document: dict[str, Any]) -> None:
    document["features"]["telepathy"] = {}


@pytest.mark.parametrize(
    "spoil",
    [
        _no_name,
        _short_story,
        _command_without_description,
        _word_for_a_flag,
        _unknown_feature,
    ],
)
def test_the_schema_refuses_a_spoilt_manifest(
    document: dict[str, Any],
    schema: jsonschema.Draft7Validator,
    spoil: Callable[[dict[str, Any]], None],
) -> None:
    spoilt = copy.deepcopy(document)
    spoil(spoilt)

    assert not schema.is_valid(spoilt)


def test_the_bot_asks_for_three_scopes_and_three_optional_ones(manifest: Manifest) -> None:
    assert manifest.scopes == {"commands", "chat:write", "app_mentions:read"}
    assert manifest.optional_scopes == {"usergroups:read", "users:read", "channels:read"}


def test_the_bot_hears_mentions_and_nothing_else(manifest: Manifest) -> None:
    assert manifest.events == {"app_mention"}


def test_the_long_description_tells_admins_that_no_conversation_is_read(
    document: dict[str, Any],
) -> None:
    story = document["display_information"]["long_description"]

    assert len(story) >= 175
    assert "reads no conversation" in story


def test_every_command_is_escaped_and_hints_at_its_words(manifest: Manifest) -> None:
    assert list(manifest.commands) == ["/deploy", "/approve", "/rollback"]
    assert all(one.should_escape and one.usage_hint for one in manifest.commands.values())


def test_socket_mode_and_interactivity_are_on_and_tokens_stay(
    manifest: Manifest, document: dict[str, Any]
) -> None:
    assert manifest.has_socket_mode
    assert manifest.is_interactive
    assert document["settings"]["token_rotation_enabled"] is False
    assert "shortcuts" not in document["features"]


async def test_a_method_beyond_the_manifest_names_the_missing_scope(
    client: AsyncWebClient,
) -> None:
    answer = await refused(client.conversations_history(channel="C0DEPLOY"))

    assert answer["error"] == "missing_scope"
    assert answer["needed"] == "channels:history"
    assert "chat:write" in answer["provided"].split(",")


@pytest.mark.parametrize("method", ["users.info", "conversations.info"])
def test_a_declined_optional_scope_is_missing(manifest: Manifest, method: str) -> None:
    manifest.require(method)

    with pytest.raises(SlackError, match="missing_scope"):
        manifest.without_optional().require(method)


async def test_the_granted_scopes_come_back_with_auth_test(client: AsyncWebClient) -> None:
    answer = await client.auth_test()

    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert answer["user_id"] == "U0PILOT"
    assert answer["bot_id"] == "B0PILOT"
    assert "commands" in headers["x-oauth-scopes"].split(",")


async def test_without_socket_mode_in_the_manifest_no_connection_is_opened(
    document: dict[str, Any],
) -> None:
    document["settings"]["socket_mode_enabled"] = False
    slack = SlackEmulator(
        demo_workspace(),
        Manifest.of(document),
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        signing_secret=SIGNING_SECRET,
    )
    await slack.start()
    try:
        client = AsyncWebClient(APP_TOKEN, base_url=slack.api_url)
        answer = await refused(client.apps_connections_open(app_token=APP_TOKEN))
    finally:
        await slack.stop()

    assert answer["error"] == "socket_mode_disabled"
