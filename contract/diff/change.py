"""One difference between two contracts, and all of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from contract.diff.values import canonical


class Topic(StrEnum):
    """What a change is about."""

    RULE = "rule"
    BILLING = "billing"
    LIFECYCLE = "lifecycle"
    OTHER = "other"
    PROVENANCE = "provenance"
    DOCUMENTATION = "documentation"


class Party(StrEnum):
    """Whom a change breaks: who kept to the old contract, and does not keep to the new one by doing nothing."""

    CLIENT = "client"
    IMPLEMENTATION = "implementation"
    MONEY = "money"


BOTH = (Party.CLIENT, Party.IMPLEMENTATION)


class Heading(StrEnum):
    """Under what a change is shown."""

    BREAKING = "breaking"
    BILLING = "billing"
    LIFECYCLE = "lifecycle"
    OTHER = "other"
    COMPATIBLE = "compatible"
    PROVENANCE = "provenance"
    DOCUMENTATION = "documentation"


@dataclass(frozen=True)
class Place:
    """Where something stands, or the place around it where it is missing."""

    pointer: str
    line: int


@dataclass(frozen=True)
class Change:
    """One difference in meaning.

    Attributes:
        clauses: the IDs of the clauses it concerns: several, where they share one place in the document.
        topic: what it is about.
        what: the change in a few words.
        before, after: what the contracts say; None where one says nothing.
        breaks: whom it breaks.
        old, new: where it stands in both documents.
    """

    clauses: tuple[str, ...]
    topic: Topic
    what: str
    before: Any
    after: Any
    breaks: tuple[Party, ...]
    old: Place
    new: Place

    @property
    def breaking(self) -> bool:
        """Whether it breaks a client."""
        return Party.CLIENT in self.breaks

    @property
    def headings(self) -> tuple[Heading, ...]:
        """Under what it is shown, once each."""
        own = Heading.COMPATIBLE if self.topic is Topic.RULE else Heading(self.topic)
        if not self.breaking:
            return (own,)
        return (Heading.BREAKING,) if self.topic is Topic.RULE else (Heading.BREAKING, own)

    @property
    def essence(self) -> Hashable:
        """What it has in common with the same change of another clause."""
        return self.topic, self.what, self.breaks, self.old, self.new, canonical([self.before, self.after])

    def to_json(self) -> dict[str, Any]:
        """The change as plain JSON."""
        return {
            "clauses": list(self.clauses),
            "topic": self.topic,
            "headings": list(self.headings),
            "breaks": list(self.breaks),
            "what": self.what,
            "before": self.before,
            "after": self.after,
            "old": {"pointer": self.old.pointer, "line": self.old.line},
            "new": {"pointer": self.new.pointer, "line": self.new.line},
        }


@dataclass(frozen=True)
class Cost:
    """What one kind of request costs before and after, in credits; None where there is no such request.

    Attributes:
        operation, profile: what is asked for.
        tier: the fields that decide the price, with their values; None for a field that is omitted.
    """

    operation: str
    profile: str
    tier: tuple[tuple[str, Any], ...]
    before: int | None
    after: int | None

    def to_json(self) -> dict[str, Any]:
        """The cost as plain JSON."""
        return {
            "operation": self.operation,
            "profile": self.profile,
            "tier": dict(self.tier),
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True)
class Bump:
    """What became of the version.

    Attributes:
        demanded: the step that the changes demand: "major", "minor", "patch" or "none".
        problem: what is wrong with it, if anything is.
    """

    before: str
    after: str
    demanded: str
    problem: str | None
    old: Place
    new: Place

    def to_json(self) -> dict[str, Any]:
        """The bump as plain JSON."""
        lines = {"old": self.old.line, "new": self.new.line}
        return {
            "before": self.before,
            "after": self.after,
            "demanded": self.demanded,
            "problem": self.problem,
            "lines": lines,
        }


@dataclass(frozen=True)
class Diff:
    """All that changed.

    Attributes:
        old, new: the names of the two documents.
        changes: each once, in the order of the documents.
        costs: every price of the profiles whose prices changed.
        bump: what became of the version.
    """

    old: str
    new: str
    changes: tuple[Change, ...]
    costs: tuple[Cost, ...]
    bump: Bump

    @property
    def empty(self) -> bool:
        """Whether nothing changed in meaning, the version included."""
        return not self.changes and self.bump.before == self.bump.after

    def under(self, heading: Heading) -> tuple[Change, ...]:
        """The changes that are shown under a heading."""
        return tuple(change for change in self.changes if heading in change.headings)

    def to_json(self) -> dict[str, Any]:
        """The diff as plain JSON."""
        return {
            "old": self.old,
            "new": self.new,
            "summary": {heading.value: len(self.under(heading)) for heading in Heading},
            "version": self.bump.to_json(),
            "changes": [change.to_json() for change in self.changes],
            "costs": [cost.to_json() for cost in self.costs],
        }


def merged(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes, with those that are one change of several clauses made one."""
    alike: dict[Hashable, list[Change]] = {}
    for change in changes:
        alike.setdefault(change.essence, []).append(change)
    for first, *more in alike.values():
        clauses = dict.fromkeys(clause for change in (first, *more) for clause in change.clauses)
        yield replace(first, clauses=tuple(clauses))
