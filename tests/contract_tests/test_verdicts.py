"""What breaks a clause fails the run or only warns, each cause is told once, and the rest says why it is open."""

import json
from collections.abc import Mapping

import pytest

from contract.clause import Clause
from contract_tests.verdicts import Finding, Outcome, Record, Verdicts

DOCUMENTED = "generateImage.gpt-image-2.prompt.maxLength"
ASSUMED = "generateImage.gpt-image-2.prompt.unit"


def _finding(clause: str, reproduction: str = "curl", *, times: int = 1) -> Finding:
    return Finding(clause, "this", "that", reproduction, times=times)


@pytest.fixture
def verdicts(clauses: Mapping[str, Clause]) -> Verdicts:
    return Verdicts(tuple(clauses.values()), strict=False)


def _outcomes(verdicts: Verdicts, record: Record) -> dict[str, Outcome]:
    return {verdict.clause.id: verdict.outcome for verdict in verdicts.of(record, "no test that was run exercises it")}


def test_a_breach_of_a_documented_clause_fails(verdicts: Verdicts) -> None:
    assert verdicts.fails(_finding(DOCUMENTED))
    assert _outcomes(verdicts, Record(findings=[_finding(DOCUMENTED)]))[DOCUMENTED] is Outcome.BROKEN


def test_a_breach_of_an_assumed_clause_warns(verdicts: Verdicts) -> None:
    assert not verdicts.fails(_finding(ASSUMED))
    assert _outcomes(verdicts, Record(findings=[_finding(ASSUMED)]))[ASSUMED] is Outcome.WARNED


def test_strict_makes_a_warning_a_failure(clauses: Mapping[str, Clause]) -> None:
    strict = Verdicts(tuple(clauses.values()), strict=True)
    assert strict.fails(_finding(ASSUMED))
    assert _outcomes(strict, Record(findings=[_finding(ASSUMED)]))[ASSUMED] is Outcome.BROKEN


def test_a_clause_that_is_broken_once_has_not_held(verdicts: Verdicts) -> None:
    record = Record(held={DOCUMENTED, ASSUMED}, findings=[_finding(DOCUMENTED)])
    outcomes = _outcomes(verdicts, record)
    assert (outcomes[DOCUMENTED], outcomes[ASSUMED]) == (Outcome.BROKEN, Outcome.HELD)


def test_a_clause_that_nobody_looked_at_says_so(verdicts: Verdicts, clauses: Mapping[str, Clause]) -> None:
    record = Record(held={DOCUMENTED}, unexercised={ASSUMED: "no hook", DOCUMENTED: "no hook"})
    found = {verdict.clause.id: verdict for verdict in verdicts.of(record, "no test that was run exercises it")}
    assert list(found) == list(clauses)
    assert found[DOCUMENTED].outcome is Outcome.HELD
    assert found[DOCUMENTED].reason == ""
    assert (found[ASSUMED].outcome, found[ASSUMED].reason) == (Outcome.NOT_EXERCISED, "no hook")
    assert found["lifecycle.initial"].reason == "no test that was run exercises it"


def test_the_same_cause_is_told_once_by_its_shortest_reproduction(verdicts: Verdicts) -> None:
    models = ("gpt-image-2", "nano-banana-2", "nano-banana-pro", "google/nano-banana")
    each = [f"generateImage.{model}.prompt.maxLength" for model in models]
    findings = [_finding(clause, "c" * (9 - number)) for number, clause in enumerate(each) for _ in range(10)]
    (cause,) = verdicts.causes(findings)
    assert (cause.clause, cause.reproduction, cause.times) == (each[-1], "c" * 6, 40)
    assert cause.also == tuple(each[:-1])


def test_different_rules_are_different_causes(verdicts: Verdicts) -> None:
    clauses = (DOCUMENTED, ASSUMED, "generateImage.gpt-image-2.prompt.minLength", "generateImage.402", "getTask.404")
    causes = verdicts.causes(map(_finding, clauses))
    assert {cause.clause for cause in causes} == set(clauses)
    assert all(cause.also == () for cause in causes)


def test_failures_come_before_warnings(verdicts: Verdicts) -> None:
    causes = verdicts.causes([_finding(ASSUMED), _finding(DOCUMENTED)])
    assert [cause.clause for cause in causes] == [DOCUMENTED, ASSUMED]


def test_a_record_travels_as_json() -> None:
    record = Record(
        held={DOCUMENTED},
        findings=[Finding(ASSUMED, "this", "that \ud800", "curl", also=(DOCUMENTED,), times=3)],
        unexercised={"lifecycle.initial": "first"},
    )
    other = Record(unexercised={"lifecycle.initial": "earlier"})
    other.add_json(json.loads(json.dumps(record.to_json())))
    assert (other.held, other.findings) == (record.held, record.findings)
    assert other.unexercised == {"lifecycle.initial": "earlier"}
