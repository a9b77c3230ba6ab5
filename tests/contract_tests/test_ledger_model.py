"""The ledger as a model: sequences on the correct target add up, on a faulty one they do not."""

import re
from collections.abc import Mapping

import pytest

from contract.clause import Clause
from contract.model import Contract
from contract_tests.ledger_model import play
from contract_tests.settings import Settings
from contract_tests.target import LOSSES, TargetLostError
from contract_tests.verdicts import NotExercised, Record
from tests.contract_tests.harness import PATIENCE, Counted, Inner, Wrapped, a_bench
from tests.targets import wire
from tests.targets.server import Target


def _play(
    target: Target, contract: Contract, clauses: Mapping[str, Clause], *without: str, games: int = 5, seed: int = 0
) -> Record:
    operation, _ = next(contract.submissions())
    settings = Settings(target.url, key="sk_test_rich", deadline=PATIENCE, seed=seed)
    with a_bench(target, contract, clauses, *without, settings=settings) as bench:
        play(bench, operation, games=games, steps=12, stake=14)
        return bench.record


@pytest.mark.parametrize("without", [(), ("balance", "failing_request")])
def test_the_correct_target_adds_up(
    contract: Contract, clauses: Mapping[str, Clause], target: Counted, without: tuple[str, ...]
) -> None:
    record = _play(target, contract, clauses, *without)
    assert record.findings == []
    assert "generateImage.debit" in record.held


@pytest.mark.parametrize(
    ("fault", "clause"),
    [
        ("charge-on-400", r"generateImage\.(400\.free|debit)"),
        pytest.param("debit-twice", r"generateImage\.(debit|402\.enough)", marks=pytest.mark.whole),
        ("refund-missing", r"lifecycle\.failed\.refund"),
        pytest.param(
            "refund-on-every-read",
            r"lifecycle\.failed\.refund|generateImage\.debit|getTask\.free",
            marks=pytest.mark.whole,
        ),
    ],
)
def test_a_fault_of_the_ledger_is_found_and_shown_in_few_steps(
    contract: Contract, clauses: Mapping[str, Clause], fault: str, clause: str
) -> None:
    with Target(fault, task_seconds=0.03) as target:
        record = _play(target, contract, clauses, games=20)
    found = [finding for finding in record.findings if "an account with" in finding.reproduction]
    assert len(found) == 1
    assert re.fullmatch(clause, found[0].clause)
    steps = re.findall(
        r"(?m)^(?:[0-9]+\. )?(?:an account|an? (?:failing |invalid )?submission|a read|wait)", found[0].reproduction
    )
    assert 2 <= len(steps) <= 6
    assert "credits" in found[0].expected


@pytest.mark.whole
def test_without_a_balance_hook_the_answers_to_submissions_tell(
    contract: Contract, clauses: Mapping[str, Clause]
) -> None:
    with Target("debit-missing", task_seconds=0.03) as target:
        record = _play(target, contract, clauses, "balance", games=20)
    assert "generateImage.402.enough" in {finding.clause for finding in record.findings}


def test_without_accounts_there_is_no_game(contract: Contract, clauses: Mapping[str, Clause], target: Counted) -> None:
    with pytest.raises(NotExercised, match="no hook new_account"):
        _play(target, contract, clauses, "new_account")


def test_the_same_seed_plays_the_same_games(contract: Contract, clauses: Mapping[str, Clause]) -> None:
    played = []
    for seed in (3, 3, 4):
        with Counted() as target:
            _play(target, contract, clauses, "failing_request", games=2, seed=seed)
            played.append([request.body for request in target.requests if request.method == "POST"])
    assert played[0] == played[1] != played[2]


def test_where_waiting_takes_long_it_is_left_out(
    contract: Contract, clauses: Mapping[str, Clause], target: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which rules there are depends on how long waiting took, which Hypothesis does not like."""
    monkeypatch.setattr("contract_tests.ledger_model._SLOW_SECONDS", 0.0)
    assert _play(target, contract, clauses, games=12).findings == []


def test_who_does_not_answer_any_more_is_not_asked_for_the_smallest_example(
    contract: Contract, clauses: Mapping[str, Clause]
) -> None:
    asked = 0

    def dies(request: wire.Request, inner: Inner) -> wire.Reply:
        nonlocal asked
        if not request.path.startswith("/api/"):
            return inner(request)
        asked += 1
        if asked > 20:
            raise ConnectionAbortedError
        return inner(request)

    with Wrapped(dies) as target, pytest.raises(TargetLostError):
        _play(target, contract, clauses)
    assert asked <= 20 + 2 * LOSSES  # a connection that was open before may be tried once more
