"""All that a report says, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from contract.clause import Clause
from contract_tests.verdicts import Finding, Outcome, Verdict


@dataclass(frozen=True)
class Outline:
    """What came out of a run.

    Attributes:
        file: the contract's file.
        started: in seconds since 1970.
        findings: each cause once, failures first; `fails` says of each whether it fails the run.
        seed: what the run's requests were made from; None if they were somebody else's.
        spent, refunded, full_cost: in credits; what a full run costs is None if there is no such thing.
        waited: seconds that the target asked to be given.
        lost: why the run was ended early, or empty.
        crashes: tests that could not be carried out, and why: faults of this tool, or of a hook.
        events: debits, refunds and ends of tasks, in the order they were seen.
    """

    target: str
    contract: str
    file: str
    started: float
    seconds: float
    seed: int | None
    strict: bool
    verdicts: Sequence[Verdict]
    findings: Sequence[Finding]
    fails: Sequence[bool]
    spent: int
    refunded: int
    full_cost: int | None
    requests: int
    waited: float
    lost: str
    crashes: Sequence[str]
    events: Sequence[Mapping[str, Any]]

    def clause(self, id: str) -> Clause:
        """The clause with this ID."""
        return next(verdict.clause for verdict in self.verdicts if verdict.clause.id == id)

    def counts(self) -> Mapping[Outcome, int]:
        """How many clauses came out in which way."""
        return Counter(verdict.outcome for verdict in self.verdicts)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        plain = {name: value for name, value in vars(self).items() if name not in ("verdicts", "findings", "fails")}
        return {
            **plain,
            "counts": {outcome.value: self.counts()[outcome] for outcome in Outcome},
            "findings": [
                {**asdict(finding), "severity": "failure" if fails else "warning"}
                for finding, fails in zip(self.findings, self.fails, strict=True)
            ],
            "clauses": [
                {**v.clause.to_json(), "outcome": v.outcome.value, **({"reason": v.reason} if v.reason else {})}
                for v in self.verdicts
            ],
        }
