"""Holds a tree against its schema and says in plain words, with places, what does not fit."""

import json
import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, TypeGuard, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.policies.findings import Finding, suggest
from bot.policies.yaml_source import Node

M = TypeVar("M", bound=BaseModel)
Location = tuple[int | str, ...]

#: What tokens look like; none of them may stand in a file that everybody reads.
_SECRET = re.compile(
    r"xox[a-z]-|xapp-|gh[a-z]_[A-Za-z0-9]{20}|github_pat_|glpat-|AKIA[0-9A-Z]{16}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[A-Za-z0-9_-]{10,}\.|\bsk-[A-Za-z0-9_-]{20}"
    r"|://[^/@\s]*:[^/@\s]+@|[?&](api_?key|token|secret|password|access_token)=[^&{]"
    r"|\bBearer [A-Za-z0-9._~+/-]{12}|hooks\.slack\.com/services/",
    re.IGNORECASE,
)
_PLAIN_WORDS = {
    "string_type": ("this must be text", "put it in quotes"),
    "int_type": ("this must be a whole number", "write a number without quotes, like 1"),
    "int_from_float": ("this must be a whole number", "write a number like 1"),
    "bool_type": ("this must be true or false", "write true or false, without quotes"),
    "tuple_type": ("this must be a list", "write [one, two] or lines that begin with `- `"),
    "list_type": ("this must be a list", "write [one, two] or lines that begin with `- `"),
    "dict_type": ("this must be a mapping", "write `key: value` lines below it"),
    "model_type": ("this must be a mapping", "write `key: value` lines below it"),
}


def fit(root: Node, model: type[M]) -> tuple[M | None, list[Finding]]:
    """*root* as *model*, or None and everything that does not fit."""
    try:
        # By way of JSON: strict validation then knows lists and words, and converts nothing.
        return model.model_validate_json(json.dumps(root.plain())), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        # A list with a wrong item is called too short as well; one mistake is told once.
        told = [d for d in details if d["type"] != "too_short" or _is_empty(root, d)]
        return None, [_finding(root, detail, model) for detail in told]


def secrets(root: Node) -> Iterator[Finding]:
    """Every value that looks like a password or token; it is not repeated."""
    for name, node in root.children():
        if _SECRET.search(name) or _SECRET.search(node.text() or ""):
            path = "" if _SECRET.search(name) else ".".join(node.path)
            yield Finding(
                node.file,
                node.line,
                node.column,
                path,
                "this looks like a secret",
                "revoke it, and put it into the bot's environment instead",
            )
        yield from secrets(node)


def _finding(root: Node, detail: ErrorDetails, model: type[BaseModel]) -> Finding:
    location = detail["loc"]
    is_key = detail["type"] == "extra_forbidden" or "[key]" in location
    steps = tuple(str(step) for step in location if step != "[key]")
    node = _nearest(root, steps)
    problem, fix = _words(detail, location, model)
    if any(_SECRET.search(step) for step in steps):
        return node.finding("this key looks like a secret", "revoke it, and take it out")
    found = node.finding(problem, fix, is_key=is_key)
    return Finding(found.file, found.line, found.column, ".".join(steps), problem, fix)


def _is_empty(root: Node, detail: ErrorDetails) -> bool:
    node = _nearest(root, tuple(str(step) for step in detail["loc"]))
    return not node.value


def _nearest(root: Node, steps: tuple[str, ...]) -> Node:
    node = root
    for step in steps:
        child = node.get(step)
        if child is None:
            break
        node = child
    return node


def _words(detail: ErrorDetails, location: Location, model: type[BaseModel]) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    last = str(location[-1]) if location else ""
    match kind:
        case "policy":
            return str(context["problem"]), str(context["fix"])
        case "missing":
            return f"`{last}` is missing", _add(model, location)
        case "extra_forbidden":
            known = _fields(model, location[:-1])
            return f"`{last}` is no known key here", suggest(last, known) + _or_leave(known)
        case "literal_error":
            return "this is not one of the choices", f"write {context['expected']}"
        case "too_short":
            return "this is empty", "write at least one"
        case "too_long" | "string_too_long":
            return "this is too long", f"write at most {context['max_length']}"
        case "greater_than_equal":
            return "this is too small", f"write at least {context['ge']}"
        case "less_than_equal":
            return "this is too large", f"write at most {context['le']}"
    return _PLAIN_WORDS.get(kind, (detail["msg"], "see `pilothouse policy schema`"))


def _or_leave(known: frozenset[str]) -> str:
    return " or leave it out" if known else ", leave it out"


def _add(model: type[BaseModel], location: Location) -> str:
    above = _model_at(model, location[:-1])
    name = str(location[-1])
    if above is not None:
        for field, about in above.model_fields.items():
            if (about.alias or field) == name and about.description:
                return f"add `{name}:` ({about.description.rstrip('.')})"
    return f"add `{name}:`"


def _fields(model: type[BaseModel], location: Location) -> frozenset[str]:
    above = _model_at(model, location)
    if above is None:
        return frozenset()
    return frozenset(about.alias or name for name, about in above.model_fields.items())


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model that describes the mapping at *location*."""
    current: Any = model
    for step in location:
        if _is_model(current):
            fields = {about.alias or name: about for name, about in current.model_fields.items()}
            annotation = fields[str(step)].annotation if step in fields else None
            # `X | None` stands for X; a list or mapping still has a step to go.
            current = _inner(annotation) if get_origin(annotation) is UnionType else annotation
        else:
            current = _inner(current)
    return current if _is_model(current) else None


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _inner(annotation: Any) -> Any:
    """The model among what a list, mapping or union is made of."""
    if _is_model(annotation):
        return annotation
    models = (_inner(argument) for argument in get_args(annotation))
    return next((found for found in models if found is not None), None)
