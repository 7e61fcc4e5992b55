"""What can be deployed, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migration:
    """A schema change that comes with a version."""

    name: str
    is_reversible: bool


@dataclass(frozen=True, slots=True)
class Version:
    """A version as its catalogue knew it when it was resolved.

    `commit` and `artefact` are what approvals bind to; the name is only what people type.
    `authors` are Slack user ids, `changes` counts commits since the version before.
    """

    name: str
    commit: str
    artefact: str
    authors: tuple[str, ...] = ()
    summary: str = ""
    changes: int | None = None
    compare_url: str | None = None
    migrations: tuple[Migration, ...] = ()

    def is_same_build(self, other: "Version") -> bool:
        return (self.commit, self.artefact) == (other.commit, other.artefact)


@dataclass(frozen=True, slots=True)
class Target:
    """Whose environment of which service: the key of slot, lock and ledger."""

    team: str
    service: str
    environment: str


#: Percent of traffic per version name, in any order; versions left out get none.
Weights = tuple[tuple[str, int], ...]


def is_same_split(seen: Weights, wanted: Weights) -> bool:
    """Whether both give every version the same share; a share of nothing does not count."""
    return {v: w for v, w in seen if w} == {v: w for v, w in wanted if w}
