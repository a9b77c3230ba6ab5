"""What came out for each clause: it held, it was broken, or it was not exercised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any
from unittest import SkipTest

from contract.clause import Clause
from contract.provenance import Provenance


class Outcome(StrEnum):
    """What came out for a clause."""

    HELD = "held"
    BROKEN = "broken"
    WARNED = "warned"
    NOT_EXERCISED = "not exercised"


class NotExercised(SkipTest):
    """A check cannot be made here; the message says why.

    Hypothesis lets a `SkipTest` through, and does not look for the smallest example of it.
    """


@dataclass(frozen=True)
class Finding:
    """A breach of a clause.

    Attributes:
        clause: the clause's ID.
        expected: what the contract says.
        came: what came instead.
        reproduction: a command line that shows it, or the steps that do.
        also: other clauses that are broken in the same way.
        times: how often it was seen.
        test: the name of the test that found it.
    """

    clause: str
    expected: str
    came: str
    reproduction: str
    also: tuple[str, ...] = ()
    times: int = 1
    test: str = ""

    @property
    def seen(self) -> str:
        """How often it was seen, in words."""
        return "once" if self.times == 1 else f"{self.times:,} times"


@dataclass
class Record:
    """What one test found out, clause by clause; plain values, so that it can travel between processes."""

    held: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    unexercised: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON."""
        return {
            "held": sorted(self.held),
            "findings": [asdict(finding) for finding in self.findings],
            "unexercised": self.unexercised,
        }

    def add_json(self, data: Mapping[str, Any]) -> None:
        """Add what another record found out, given as plain JSON."""
        self.held.update(data["held"])
        self.findings += [Finding(**{**item, "also": tuple(item["also"])}) for item in data["findings"]]
        for clause, reason in data["unexercised"].items():
            self.unexercised.setdefault(clause, reason)


@dataclass(frozen=True)
class Verdict:
    """What came out for one clause, and why it was not exercised, if it was not."""

    clause: Clause
    outcome: Outcome
    reason: str = ""


class Verdicts:
    """Weighs what the tests found out."""

    def __init__(self, clauses: Sequence[Clause], *, strict: bool) -> None:
        self.clauses = {clause.id: clause for clause in clauses}
        self._strict = strict

    def fails(self, finding: Finding) -> bool:
        """Whether a finding fails the run, or only warns."""
        return self._strict or self.clauses[finding.clause].provenance is not Provenance.ASSUMED

    def of(self, record: Record, otherwise: str) -> list[Verdict]:
        """The verdict of every clause.

        Args:
            otherwise: why a clause was not exercised that no test gave a reason for.
        """
        broken: dict[str, bool] = {}
        for finding in record.findings:
            broken[finding.clause] = broken.get(finding.clause, False) or self.fails(finding)
        return [self._verdict(clause, record, broken, otherwise) for clause in self.clauses.values()]

    def _verdict(self, clause: Clause, record: Record, broken: Mapping[str, bool], otherwise: str) -> Verdict:
        if clause.id in broken:
            return Verdict(clause, Outcome.BROKEN if broken[clause.id] else Outcome.WARNED)
        if clause.id in record.held:
            return Verdict(clause, Outcome.HELD)
        reason = record.unexercised.get(clause.id, otherwise)
        return Verdict(clause, Outcome.NOT_EXERCISED, reason)

    def causes(self, findings: Iterable[Finding]) -> list[Finding]:
        """Each cause once: findings that differ only in the profile or the value belong together.

        The finding with the shortest reproduction stands for its cause; the other clauses are named in its `also`.
        """
        groups: dict[tuple[Any, ...], list[Finding]] = {}
        for finding in findings:
            groups.setdefault(self._cause(finding), []).append(finding)
        merged = []
        for group in groups.values():
            first = min(group, key=lambda finding: len(finding.reproduction))
            also = dict.fromkeys(f.clause for f in group if f.clause != first.clause)
            merged.append(replace(first, also=tuple(also), times=len(group)))
        return sorted(merged, key=lambda finding: not self.fails(finding))

    def _cause(self, finding: Finding) -> tuple[Any, ...]:
        clause = self.clauses[finding.clause]
        return (clause.kind, clause.operation, clause.status, clause.field, clause.keyword, clause.provenance)
