"""A snapshot is what the contract says it is, at every moment of a task, and time only ever moves it on."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.model import Contract
from contract.reader import load_contract
from contract.schema import json_schema
from mock_server.snapshot import answer, snapshot, state_at, timestamp
from mock_server.task import MICROSECONDS, Plan, Task
from tests.mock_server.harness import add_a_state, changed_contract

BEGIN = 1_767_225_600 * MICROSECONDS
URLS = ["http://mock/picture.png"]
SPANS = st.integers(0, 20) | st.integers(0, 10**12)


class Played:
    """The tasks of a contract, over time."""

    def __init__(self, contract: Contract) -> None:
        self.lifecycle = contract.lifecycle
        self.submission = next(contract.submissions())[1]
        self._schemas = {
            status: jsonschema_rs.Draft4Validator(json_schema(shape.node), validate_formats=True)
            for shape in contract.lifecycle.shapes
            for status in shape.statuses
        }

    def at(self, one: Task, now: int) -> dict[str, Any]:
        """The snapshot of a task at a moment, which always has the documented shape."""
        shown = snapshot(self.lifecycle, self.submission, one, lambda: URLS, now)
        assert not list(self._schemas[shown["status"]].iter_errors(shown))
        return shown


@pytest.fixture(scope="module")
def own(contract: Contract) -> Played:
    return Played(contract)


@pytest.fixture(scope="module", params=["two steps", "three steps"])
def played(request: pytest.FixtureRequest, own: Played, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The project's contract, and one in which a task passes through one more state."""
    if request.param == "two steps":
        return own
    folder: Path = tmp_path_factory.mktemp("contract")
    return Played(load_contract(changed_contract(folder, add_a_state)))


def task(outcome: str, span: int, **changed: Any) -> Task:
    error = ("X", "it broke") if outcome == "failed" else (None, None)
    values: dict[str, Any] = {
        "id": "tsk_0",
        "account": "rich",
        "operation": "generateImage",
        "request": {"model": "gpt-image-2", "prompt": "a red fox"},
        "credits": 3,
        "created_at": BEGIN,
        "base_url": "http://mock",
        "plan": Plan(outcome, BEGIN + span, *error),
    }
    return Task(**{**values, **changed})


OUTCOMES = st.sampled_from(["completed", "failed"])


@given(outcome=OUTCOMES, span=SPANS, late=st.integers(-5, 2 * 10**12))
def test_every_snapshot_has_the_documented_shape_of_a_state_on_the_way(
    played: Played, outcome: str, span: int, late: int
) -> None:
    shown = played.at(task(outcome, span), BEGIN + late)
    assert shown["status"] in [state.status for state in played.lifecycle.path_to(outcome)]


@given(outcome=OUTCOMES, span=SPANS, moments=st.lists(st.integers(-5, 30) | st.integers(0, 2 * 10**12), min_size=2))
def test_status_and_times_never_go_back(played: Played, outcome: str, span: int, moments: list[int]) -> None:
    one = task(outcome, span)
    way = [state.status for state in played.lifecycle.path_to(outcome)]
    seen = [played.at(one, BEGIN + moment) for moment in sorted(moments)]
    reached = [way.index(shown["status"]) for shown in seen]
    assert reached == sorted(reached)
    updates = [shown["updatedAt"] for shown in seen]
    assert updates == sorted(updates)
    assert all(shown["createdAt"] <= shown["updatedAt"] for shown in seen)


@given(outcome=OUTCOMES, span=SPANS, late=st.integers(0, 10**15))
def test_a_terminal_snapshot_never_changes(played: Played, outcome: str, span: int, late: int) -> None:
    one = task(outcome, span)
    first = played.at(one, one.plan.ends_at)
    assert first["status"] == played.lifecycle.states[outcome].status
    assert played.at(one, one.plan.ends_at + late) == first


@given(outcome=OUTCOMES, span=SPANS, late=st.integers(0, 10**12))
def test_a_task_has_been_in_its_state_since_no_later_than_now(
    played: Played, outcome: str, span: int, late: int
) -> None:
    one = task(outcome, span)
    state, since = state_at(played.lifecycle, one, BEGIN + late)
    assert BEGIN <= since <= BEGIN + late
    assert state_at(played.lifecycle, one, since)[0] is state
    assert state.terminal == (late >= span)


@pytest.mark.parametrize("outcome", ["completed", "failed"])
def test_the_states_on_the_way_share_the_time_equally(played: Played, outcome: str) -> None:
    one = task(outcome, 12 * MICROSECONDS)
    way = played.lifecycle.path_to(outcome)
    steps = len(way) - 1
    for number, expected in enumerate(way):
        begins = BEGIN + 12 * MICROSECONDS * number // steps
        assert state_at(played.lifecycle, one, begins) == (expected, begins)
        if number:
            assert state_at(played.lifecycle, one, begins - 1)[0] is way[number - 1]


def test_a_pending_task_shows_no_result_and_no_error(own: Played) -> None:
    for outcome in ("completed", "failed"):
        assert own.at(task(outcome, 100), BEGIN + 99) == {
            "taskId": "tsk_0",
            "type": "image",
            "status": 0,
            "model": "gpt-image-2",
            "prompt": "a red fox",
            "creditsUsed": 3,
            "creditsRefunded": False,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "updatedAt": "2026-01-01T00:00:00.000Z",
        }


def test_a_completed_task_shows_its_pictures(own: Played) -> None:
    shown = own.at(task("completed", 1_234_567), BEGIN + 10**9)
    assert shown["status"] == 1
    assert shown["imageUrls"] == URLS
    assert shown["creditsRefunded"] is False
    assert shown["updatedAt"] == "2026-01-01T00:00:01.234Z"
    assert not {"errorCode", "errorMessage"} & set(shown)


def test_a_failed_task_shows_its_error_and_its_refund(own: Played) -> None:
    shown = own.at(task("failed", 0), BEGIN)
    assert shown["status"] == 2
    assert (shown["errorCode"], shown["errorMessage"]) == ("X", "it broke")
    assert (shown["creditsUsed"], shown["creditsRefunded"]) == (3, True)
    assert "imageUrls" not in shown


@given(prompt=st.text(min_size=1))
def test_model_and_prompt_are_echoed_as_they_were(own: Played, prompt: str) -> None:
    shown = own.at(task("failed", 5, request={"model": "gpt-image-2", "prompt": prompt, "n": 1}), BEGIN)
    assert shown["prompt"] == prompt
    assert "n" not in shown


def test_a_clock_set_back_leaves_a_task_where_it_began(played: Played) -> None:
    one = task("completed", 100)
    assert played.at(one, BEGIN - 10**9) == played.at(one, BEGIN)


def test_the_answer_is_the_documented_part_of_the_first_snapshot(own: Played) -> None:
    first = own.at(task("completed", 5), BEGIN)
    accepted = answer(own.submission, first)
    assert accepted == {"taskId": "tsk_0", "status": 0, "creditsUsed": 3}
    assert jsonschema_rs.is_valid(json_schema(own.submission.answer), accepted)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (999, "1970-01-01T00:00:00.000Z"),
        (1000, "1970-01-01T00:00:00.001Z"),
        (951_782_400 * MICROSECONDS - 1, "2000-02-28T23:59:59.999Z"),
        (4_102_444_800 * MICROSECONDS, "2100-01-01T00:00:00.000Z"),
    ],
)
def test_a_moment_is_written_in_utc_to_the_millisecond(moment: int, text: str) -> None:
    assert timestamp(moment) == text
