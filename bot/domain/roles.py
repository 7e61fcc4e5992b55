"""Who may do what: people, their roles, and the rights a policy gives to roles."""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: A right given to this role is everybody's who is listed and active.
ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Person:
    """A listed human; `accounts` are further Slack ids of the same human."""

    id: str
    name: str
    roles: frozenset[str] = frozenset()
    is_active: bool = True
    accounts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class People:
    """Everybody the organisation's policy lists, as it stands now. Unknown means no."""

    by_id: Mapping[str, Person] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    def find(self, user: str) -> Person | None:
        if user in self.by_id:
            return self.by_id[user]
        return next((p for p in self.by_id.values() if user in p.accounts), None)

    def has_role(self, user: str, role: str) -> bool:
        person = self.find(user)
        if person is None or not person.is_active:
            return False
        return role == ANYONE or role in person.roles

    def has_any(self, user: str, roles: tuple[str, ...]) -> bool:
        return any(self.has_role(user, role) for role in roles)

    def roles_of(self, user: str) -> tuple[str, ...]:
        person = self.find(user)
        return tuple(sorted(person.roles)) if person and person.is_active else ()

    def holders(self, role: str) -> tuple[str, ...]:
        """Ids of the active people with *role*, in a stable order."""
        return tuple(sorted(i for i in self.by_id if self.has_role(i, role)))

    def is_same_human(self, one: str, other: str) -> bool:
        if one == other:
            return True
        a, b = self.find(one), self.find(other)
        return a is not None and a is b

    def title(self, role: str) -> str:
        """The role as people read it: `Deployment Lead` for `deployment_lead`."""
        return self.titles.get(role, role.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Rights:
    """Which roles may wish for what; `approve` lives in the approval stage's slots."""

    request: tuple[str, ...]
    hold: tuple[str, ...]
    promote: tuple[str, ...]
    cancel: tuple[str, ...]
    reject: tuple[str, ...]
    roll_back: tuple[str, ...]
    abandon: tuple[str, ...]
    unlock: tuple[str, ...]
