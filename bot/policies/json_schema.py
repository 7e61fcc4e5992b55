"""The JSON Schema of policy files, for editors: completion, explanations, red underlines."""

from typing import Any

from pydantic import BaseModel, TypeAdapter

from bot.policies import profile
from bot.policies.org_schema import OrgFile
from bot.policies.schema import ServiceFile
from bot.policies.values import Key, User

#: A file that extends a profile may leave parts of these out; the loader judges the whole.
_MERGED = (
    "EnvironmentEntry",
    "HealthEntry",
    "HoldEntry",
    "HttpSource",
    "RightsEntry",
    "RollbackEntry",
    "RouterEntry",
    "UpdatesEntry",
    "CheckEntry",
    "JobEntry",
    "KindEntry",
)


def json_schema() -> dict[str, Any]:
    """One schema for `org.yaml`, service files and profiles, told apart by their keys."""
    org, service = _of(OrgFile), _of(ServiceFile)
    definitions = {**org.pop("$defs", {}), **service.pop("$defs", {})}
    for name in _MERGED:
        definitions[name].pop("required", None)
    for name in ("roles", "channels"):
        org["properties"][name]["propertyNames"] = TypeAdapter(Key).json_schema()
    org["properties"]["people"]["propertyNames"] = TypeAdapter(User).json_schema()
    for name in ("environments", "checks", "jobs", "kinds"):
        service["properties"][name]["propertyNames"] = TypeAdapter(Key).json_schema()
    definitions["StageEntry"] |= {"minProperties": 1, "maxProperties": 1}
    service.pop("required", None)
    service["anyOf"] = [{"required": ["service"]}, {"required": ["profile"]}]
    service["properties"]["extends"] = {
        "description": service["properties"]["extends"]["description"],
        "enum": list(profile.names()),
    }
    service["properties"]["profile"] = {
        "type": "string",
        "description": "Only in shipped profiles: the name that `extends` uses.",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pilothouse policies",
        "type": "object",
        "if": {"required": ["people"]},
        "then": {"$ref": "#/$defs/OrgFile"},
        "else": {"$ref": "#/$defs/ServiceFile"},
        "$defs": {**definitions, "OrgFile": org, "ServiceFile": service},
    }


def _of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)
