"""What becomes of a task is decided once, by its client or by a chance that can be repeated."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.model import Contract, Lifecycle
from contract.reader import load_contract
from mock_server.invalid import InvalidRequest
from mock_server.plan import LONGEST_SECONDS, Chance, Directive, Planner
from mock_server.task import MICROSECONDS, Plan
from tests.mock_server.harness import changed_contract, request

NOW = 1_767_225_600 * MICROSECONDS
NOTHING = Directive()
WithChance = Callable[[float, float, int], Planner]
FIELD = "providerInput"


@pytest.fixture(scope="module")
def lifecycle(contract: Contract) -> Lifecycle:
    return contract.lifecycle


@pytest.fixture(scope="module")
def with_chance(lifecycle: Lifecycle) -> WithChance:
    return lambda *chance: Planner(lifecycle, Chance(*chance))


@pytest.fixture(scope="module")
def planner(with_chance: WithChance) -> Planner:
    return with_chance(5, 0, 0)


def plans(planner: Planner, account: str = "rich", count: int = 200) -> list[Plan]:
    return [planner.plan(NOTHING, account, ordinal, NOW) for ordinal in range(1, count + 1)]


def messages(planner: Planner, said: Any) -> list[str]:
    with pytest.raises(InvalidRequest) as refused:
        planner.directive(request(**{FIELD: {"mock": said}}), FIELD)
    assert refused.value.form == ()
    assert list(refused.value.fields) == [FIELD]
    return list(refused.value.fields[FIELD])


# -------------------------------------------------------------------- chance


def test_with_no_failure_rate_every_task_completes(planner: Planner) -> None:
    assert set(plans(planner)) == {Plan("completed", NOW + 5 * MICROSECONDS)}


def test_with_a_failure_rate_of_one_every_task_fails_with_a_documented_code(
    with_chance: WithChance, lifecycle: Lifecycle
) -> None:
    made = plans(with_chance(5, 1, 0))
    assert {plan.outcome for plan in made} == {"failed"}
    assert {plan.error_code for plan in made} == set(lifecycle.error_codes)
    assert all(plan.error_message == lifecycle.error_codes[str(plan.error_code)] for plan in made)


@given(seed=st.integers(), rate=st.floats(0, 1), account=st.text(), ordinal=st.integers(1))
def test_the_same_seed_account_and_ordinal_have_the_same_plan(
    with_chance: WithChance, seed: int, rate: float, account: str, ordinal: int
) -> None:
    one, other = (with_chance(5, rate, seed).plan(NOTHING, account, ordinal, NOW) for _ in range(2))
    assert one == other


@given(seed=st.integers(), account=st.text(), ordinal=st.integers(1), rates=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_what_fails_at_a_low_rate_fails_at_a_higher_one(
    with_chance: WithChance, seed: int, account: str, ordinal: int, rates: tuple[float, float]
) -> None:
    low, high = (with_chance(5, rate, seed).plan(NOTHING, account, ordinal, NOW) for rate in sorted(rates))
    assert (low.outcome, high.outcome) != ("failed", "completed")


def test_the_rate_is_the_share_of_tasks_that_fail(with_chance: WithChance) -> None:
    for rate in (0.1, 0.5, 0.9):
        failed = sum(plan.outcome == "failed" for plan in plans(with_chance(5, rate, 1), count=5000))
        assert failed / 5000 == pytest.approx(rate, abs=0.03)


def test_seeds_and_accounts_have_outcomes_of_their_own(with_chance: WithChance) -> None:
    def pattern(seed: int, account: str) -> tuple[str, ...]:
        return tuple(plan.outcome for plan in plans(with_chance(5, 0.5, seed), account))

    cases = [(0, "rich"), (1, "rich"), (0, "other"), (1, "other"), (0, "rich1"), (11, "")]
    assert len({pattern(*case) for case in cases}) == len(cases)


# ----------------------------------------------------------------- directives


@pytest.mark.parametrize(
    "options",
    [{}, {FIELD: {}}, {FIELD: {"Mock": 1}}, {FIELD: {"seed": {"mock": 1}}}, {"mock": {"outcome": "failed"}}],
    ids=str,
)
def test_a_request_need_not_say_anything(planner: Planner, options: dict[str, Any]) -> None:
    assert planner.directive(request(**options), FIELD) == NOTHING


def test_without_a_passthrough_there_is_no_place_to_say_anything(planner: Planner) -> None:
    assert planner.directive(request(**{FIELD: {"mock": "nonsense"}}), None) == NOTHING


@pytest.mark.parametrize("said", [{}, {"afterSeconds": 0}, {"afterSeconds": 2.5}, {"outcome": "completed"}], ids=str)
def test_a_request_may_say_a_part(planner: Planner, said: dict[str, Any]) -> None:
    directive = planner.directive(request(**{FIELD: {"mock": said}}), FIELD)
    assert directive == Directive(outcome=said.get("outcome"), after_seconds=said.get("afterSeconds"))


def test_what_the_client_says_becomes_the_plan(with_chance: WithChance) -> None:
    said = {"outcome": "failed", "errorCode": "SAFETY", "errorMessage": "no \0 foxes", "afterSeconds": 0.5}
    for rate in (0.0, 1.0):
        planner = with_chance(5, rate, 0)
        directive = planner.directive(request(**{FIELD: {"mock": said}}), FIELD)
        plan = planner.plan(directive, "rich", 1, NOW)
        assert plan == Plan("failed", NOW + MICROSECONDS // 2, "SAFETY", "no \0 foxes")
        completed = planner.plan(Directive(outcome="completed"), "rich", 1, NOW)
        assert completed == Plan("completed", NOW + 5 * MICROSECONDS)


def test_a_failure_has_a_code_and_a_message_even_if_the_client_gives_none(
    planner: Planner, lifecycle: Lifecycle
) -> None:
    by_chance = planner.plan(Directive(outcome="failed"), "rich", 1, NOW)
    assert by_chance.error_message == lifecycle.error_codes[str(by_chance.error_code)]
    known = planner.plan(Directive(outcome="failed", error_code="STORAGE_ERROR"), "rich", 1, NOW)
    assert known.error_message == lifecycle.error_codes["STORAGE_ERROR"]
    unknown = planner.plan(Directive(outcome="failed", error_code="X1"), "rich", 1, NOW)
    assert unknown.error_message == "The provider failed with X1."
    silent = planner.plan(Directive(outcome="failed", error_message=""), "rich", 1, NOW)
    assert silent.error_message == ""


@given(seconds=st.floats(0, LONGEST_SECONDS))
def test_a_task_never_ends_before_it_begins(planner: Planner, seconds: float) -> None:
    plan = planner.plan(Directive(after_seconds=seconds), "rich", 1, NOW)
    assert 0 <= plan.ends_at - NOW <= LONGEST_SECONDS * MICROSECONDS


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("failed", 'mock: "failed" is not of type "object"'),
        (None, 'mock: null is not of type "object"'),
        ([], 'mock: [] is not of type "object"'),
        ({"outcome": "pending"}, "mock.outcome must be one of completed, failed"),
        ({"outcome": "Failed"}, "mock.outcome must be one of completed, failed"),
        ({"outcome": None}, "mock.outcome must be one of completed, failed"),
        ({"outcome": 2}, "mock.outcome must be one of completed, failed"),
        ({"after": 1}, "mock has no key 'after': outcome, errorCode, errorMessage, afterSeconds"),
        ({"afterSeconds": "1"}, 'mock.afterSeconds: "1" is not of type "number"'),
        ({"afterSeconds": True}, 'mock.afterSeconds: true is not of type "number"'),
        ({"afterSeconds": -1}, "mock.afterSeconds: -1 is less than the minimum of 0"),
        ({"afterSeconds": LONGEST_SECONDS + 1}, "mock.afterSeconds: 604801 is greater than the maximum of 604800"),
        ({"afterSeconds": 1e308}, "mock.afterSeconds: 1e+308 is greater than the maximum of 604800"),
        ({"afterSeconds": float("inf")}, "mock.afterSeconds: null is not of type"),
        ({"outcome": "failed", "errorCode": ""}, 'mock.errorCode: "" is shorter than 1 character'),
        ({"outcome": "failed", "errorCode": "x" * 201}, "is longer than 200 characters"),
        ({"outcome": "failed", "errorCode": 7}, 'mock.errorCode: 7 is not of type "string"'),
        ({"outcome": "failed", "errorMessage": "x" * 2001}, "is longer than 2000 characters"),
        ({"errorCode": "X"}, "mock.errorCode needs mock.outcome to be failed"),
        ({"outcome": "completed", "errorMessage": "X"}, "mock.errorMessage needs mock.outcome to be failed"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_malformed_mock_object_is_refused_with_what_is_wrong(planner: Planner, said: Any, message: str) -> None:
    (told,) = messages(planner, said)
    assert message in told


def test_everything_that_is_wrong_with_a_mock_object_is_told(planner: Planner) -> None:
    assert len(messages(planner, {"outcome": "lost", "afterSeconds": "soon", "errorCode": 1, "x": 1})) == 4
    assert len(messages(planner, {"errorCode": "X", "errorMessage": "Y"})) == 2


@given(
    said=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["outcome", "errorCode"]), inner),
    )
)
def test_any_mock_object_is_understood_or_refused(planner: Planner, said: Any) -> None:
    with suppress(InvalidRequest):
        directive = planner.directive(request(**{FIELD: {"mock": said}}), FIELD)
        assert planner.plan(directive, "rich", 1, NOW).outcome in ("completed", "failed")


def test_the_outcomes_are_the_terminal_states_of_the_contract(tmp_path: Path) -> None:
    def rename(document: dict[str, Any]) -> None:
        lifecycle = document["components"]["schemas"]["TaskSnapshot"]["x-lifecycle"]
        states = lifecycle["states"]
        lifecycle["states"] = {
            "queued": {"status": 0, "next": ["done", "broken"]},
            "done": states["completed"],
            "broken": states["failed"],
        }
        lifecycle["initial"] = "queued"

    planner = Planner(load_contract(changed_contract(tmp_path, rename)).lifecycle, Chance(5, 0, 0))
    directive = planner.directive(request(**{FIELD: {"mock": {"outcome": "broken", "errorCode": "X"}}}), FIELD)
    assert planner.plan(directive, "rich", 1, NOW).outcome == "broken"
    assert planner.plan(NOTHING, "rich", 1, NOW).outcome == "done"
    assert messages(planner, {"outcome": "failed"}) == ["mock.outcome must be one of done, broken"]
