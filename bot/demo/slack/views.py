"""The forms a person has open, one above the other, and everybody's home tab."""

from dataclasses import dataclass

from bot.demo.slack.changes import Changes
from bot.demo.slack.elements import with_ids
from bot.demo.slack.wire import Json, SlackError, token

MOST_FORMS_IN_A_STACK = 3


@dataclass
class View:
    id: str
    user: str
    content: Json
    hash: str
    root_id: str
    previous_id: str | None = None

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.content["blocks"]
        return blocks


class Views:
    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[str, View] = {}

    def open(self, user: str, content: Json) -> View:
        """A new form replaces whatever this person had open."""
        self._stacks[user] = []
        return self._add(user, content, None)

    def push(self, user: str, content: Json) -> View:
        stack = self.stack(user)
        if not stack:
            raise SlackError("no_open_view")
        if len(stack) == MOST_FORMS_IN_A_STACK:
            raise SlackError("push_limit_reached")
        return self._add(user, content, stack[-1])

    def update(self, view: View, content: Json, hash_: str | None = None) -> View:
        """Refuses with `hash_conflict` when *hash_* is not that of what is shown."""
        if hash_ is not None and hash_ != view.hash:
            raise SlackError("hash_conflict")
        view.content, view.hash = _prepared(content), token()
        self._changes.touch()
        return view

    def publish(self, user: str, content: Json, hash_: str | None = None) -> View:
        home = self._homes.get(user)
        if home is not None:
            return self.update(home, content, hash_)
        id_ = token("V")
        self._homes[user] = View(id_, user, _prepared(content), token(), id_)
        self._changes.touch()
        return self._homes[user]

    def close(self, view: View) -> None:
        self._stacks[view.user].remove(view)
        self._changes.touch()

    def clear(self, user: str) -> None:
        self._stacks[user] = []
        self._changes.touch()

    def stack(self, user: str) -> list[View]:
        return list(self._stacks.get(user, []))

    def home(self, user: str) -> View | None:
        return self._homes.get(user)

    def find(self, view_id: object, external_id: object = None) -> View:
        """Raises `SlackError("not_found")` when nobody has it open."""
        opened = [view for stack in self._stacks.values() for view in stack]
        for view in [*opened, *self._homes.values()]:
            if view_id is not None and view.id == view_id:
                return view
            if external_id and view.content.get("external_id") == external_id:
                return view
        raise SlackError("not_found")

    def _add(self, user: str, content: Json, below: View | None) -> View:
        id_ = token("V")
        root = below.root_id if below else id_
        previous = below.id if below else None
        view = View(id_, user, _prepared(content), token(), root, previous)
        self._stacks.setdefault(user, []).append(view)
        self._changes.touch()
        return view


def _prepared(content: Json) -> Json:
    return {**content, "blocks": with_ids(content.get("blocks", []))}
