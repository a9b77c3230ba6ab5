"""A lifecycle that does not fit itself or the snapshot's schema is refused; one that fits can be walked."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.document import Document, parse_document
from contract.errors import ContractError
from contract.lifecycle import read_lifecycle
from contract.model import Carries, Contract, Lifecycle

Refused = Callable[..., ContractError]

LIFECYCLE = "/components/schemas/TaskSnapshot/x-lifecycle"
PENDING = "          pending: {status: 0, next: [completed, failed]}\n"
COMPLETED = "          completed: {status: 1, carries: result}\n"
FAILED = "          failed: {status: 2, carries: error, refund: full}\n"

LONGER = """\
x-lifecycle:
  fields: {id: id, type: kind, status: state, credits: paid, refunded: back, created: made, updated: changed,
    errorCode: code, errorMessage: message}
  echoes: [model]
  initial: queued
  states:
    queued: {status: waiting, next: [running, dropped]}
    running: {status: working, next: [queued, done]}
    done: {status: ready, carries: result}
    dropped: {status: lost, carries: error}
  timing: {pollSeconds: 0.5, recheckSeconds: 1, deadlineSeconds: 60}
  errorCodes: {LOST: It was lost.}
properties: {id: {}, kind: {}, state: {enum: [waiting, working, ready, lost]}, paid: {}, back: {}, made: {},
  changed: {}, code: {}, message: {}, model: {}}
"""


@pytest.fixture
def longer() -> Lifecycle:
    """A lifecycle with words for statuses, with a state more, a way back, and a snapshot of one shape."""
    return read_lifecycle(parse_document(LONGER.encode(), "spec.yaml").root)


# --- walking ---


def test_a_lifecycle_may_have_other_states_than_the_contracts(longer: Lifecycle) -> None:
    assert [state.name for state in longer.terminal] == ["done", "dropped"]
    assert (longer.initial.name, longer.initial.terminal) == ("queued", False)
    assert not any(state.refund for state in longer.states.values())
    assert (longer.timing.poll, longer.timing.recheck, longer.timing.deadline) == (0.5, 1, 60)
    assert longer.error_codes == {"LOST": "It was lost."}


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("queued", ["queued"]),
        ("running", ["queued", "running"]),
        ("done", ["queued", "running", "done"]),
        ("dropped", ["queued", "dropped"]),
    ],
)
def test_the_shortest_way_to_a_state_is_found(longer: Lifecycle, name: str, way: list[str]) -> None:
    assert [state.name for state in longer.path_to(name)] == way


def test_there_is_no_way_to_a_state_that_does_not_exist(longer: Lifecycle) -> None:
    with pytest.raises(KeyError):
        longer.path_to("nowhere")


def test_each_ending_carries_something_else(longer: Lifecycle) -> None:
    assert longer.ending(Carries.RESULT).name == "done"
    assert longer.ending(Carries.ERROR).name == "dropped"


@pytest.mark.parametrize(
    ("status", "name"), [(0, "pending"), (1, "completed"), (2, "failed"), (3, None), ("0", None), (None, None)]
)
def test_a_state_is_found_by_its_status(contract: Contract, status: object, name: str | None) -> None:
    state = contract.lifecycle.of_status(status)
    assert (state and state.name) == name


@pytest.mark.parametrize("status", [False, True, 0.0, 1.0])
def test_a_status_of_another_type_is_no_status(contract: Contract, status: object) -> None:
    assert contract.lifecycle.of_status(status) is None


def test_a_snapshot_may_have_one_shape_for_all_states_and_types(longer: Lifecycle) -> None:
    (shape,) = longer.shapes
    assert (shape.statuses, shape.types) == (("waiting", "working", "ready", "lost"), None)
    assert shape.fits("ready", "image")
    assert not shape.fits("gone", "image")


def test_a_shape_fits_a_status_and_a_type(contract: Contract) -> None:
    fits = {
        shape.name: [(status, type) for status in (0, 1, 2) for type in ("image", "video") if shape.fits(status, type)]
        for shape in contract.lifecycle.shapes
    }
    assert fits == {
        "PendingTask": [(0, "image"), (0, "video")],
        "CompletedImageTask": [(1, "image")],
        "FailedTask": [(2, "image"), (2, "video")],
    }


# --- what does not fit ---


def test_a_snapshot_without_a_lifecycle_is_refused() -> None:
    with pytest.raises(ContractError) as caught:
        read_lifecycle(Document("spec.yaml", {"properties": {}}, {}).root)
    assert (caught.value.problem, caught.value.expected) == ("the snapshot has no lifecycle", "x-lifecycle")


def test_an_unknown_initial_state_is_refused(refused: Refused) -> None:
    refused(
        ("        initial: pending\n", "        initial: waiting\n"),
        at=f"{LIFECYCLE}/initial",
        line="initial: waiting",
        says="there is no state 'waiting'",
        expected="one of pending, completed, failed",
    )


def test_an_unknown_next_state_is_refused(refused: Refused) -> None:
    refused(
        (PENDING, "          pending: {status: 0, next: [completed, broken]}\n"),
        at=f"{LIFECYCLE}/states/pending/next/1",
        line="next: [completed, broken]",
        says="there is no state 'broken'",
        expected="one of pending, completed, failed",
    )


def test_a_state_that_no_transition_reaches_is_refused(refused: Refused) -> None:
    refused(
        (PENDING, "          pending: {status: 0, next: [completed]}\n"),
        at=f"{LIFECYCLE}/states/failed",
        line="failed: {status: 2",
        says="no transition leads to 'failed'",
        expected="it in the `next` of another state",
    )


def test_two_states_with_a_result_are_refused(refused: Refused) -> None:
    refused(
        (FAILED, "          failed: {status: 2, carries: result}\n"),
        at=f"{LIFECYCLE}/states",
        line="        states:",
        says="not exactly one terminal state carries the result",
        expected="one `carries: result`",
    )


def test_a_lifecycle_without_a_failure_is_refused(refused: Refused) -> None:
    refused(
        (PENDING, "          pending: {status: 0, next: [started]}\n"),
        (FAILED, "          started: {status: 2, next: [completed]}\n"),
        at=f"{LIFECYCLE}/states",
        line="        states:",
        says="not exactly one terminal state carries the error",
        expected="one `carries: error`",
    )


def test_a_refund_of_a_completed_task_is_refused(refused: Refused) -> None:
    refused(
        (COMPLETED, "          completed: {status: 1, carries: result, refund: full}\n"),
        at=f"{LIFECYCLE}/states/completed",
        line="completed: {status: 1",
        says="only a state that carries an error can refund",
        expected="no `refund`",
    )


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        (PENDING, "          pending: {status: 0}\n", "pending"),
        (PENDING, "          pending: {status: 0, next: [completed, failed], carries: error}\n", "pending"),
        (COMPLETED, "          completed: {status: 1, carries: result, next: [failed]}\n", "completed"),
        (FAILED, "          failed: {status: 2}\n", "failed"),
    ],
)
def test_a_state_that_neither_ends_nor_goes_on_is_refused(refused: Refused, old: str, new: str, name: str) -> None:
    refused(
        (old, new),
        at=f"{LIFECYCLE}/states/{name}",
        line=new.strip(),
        says="a state either ends the task and carries something, or is followed by others",
        expected="`carries` or `next`",
    )


def test_two_states_with_one_status_are_refused(refused: Refused) -> None:
    refused(
        (
            PENDING,
            PENDING.replace("completed, failed", "queued") + "          queued: {status: 0, next: [completed]}\n",
        ),
        at=f"{LIFECYCLE}/states/queued/status",
        line="queued: {status: 0",
        says="another state has this status",
        expected="a status of its own",
    )


def test_a_status_that_the_schema_does_not_know_is_refused(refused: Refused) -> None:
    refused(
        (FAILED, FAILED.replace("status: 2", "status: 3")),
        at=f"{LIFECYCLE}/states/failed/status",
        line="failed: {status: 3",
        says="the schema knows no status 3",
        expected="one of 0, 1, 2",
    )


def test_a_status_of_the_schema_without_a_state_is_refused(refused: Refused) -> None:
    refused(
        (
            "          enum: [2]\n          description: Failed.\n",
            "          enum: [2, 3]\n          description: Failed.\n",
        ),
        at="/components/schemas/FailedTask/properties/status/enum",
        line="enum: [2, 3]",
        says="no state has the status 3",
        expected="one of 0, 1, 2",
    )


def test_a_status_that_only_looks_the_same_is_refused(refused: Refused) -> None:
    refused(
        (FAILED, FAILED.replace("status: 2", 'status: "2"')),
        at="/components/schemas/FailedTask/properties/status/enum",
        line="enum: [2]",
        says="no state has the status 2",
        expected="one of 0, 1, 2",
    )


def test_a_shape_without_statuses_is_refused(refused: Refused) -> None:
    refused(
        ("          enum: [2]\n          description: Failed.\n", "          description: Failed.\n"),
        at="/components/schemas/FailedTask/properties/status",
        line="        status:",
        says="'enum' is missing",
        expected="a node 'enum' here",
    )


FIELDS = {
    "id": "taskId",
    "type": "type",
    "status": "status",
    "credits": "creditsUsed",
    "refunded": "creditsRefunded",
    "created": "createdAt",
    "updated": "updatedAt",
}


@pytest.mark.parametrize("part", [part for part in FIELDS if part != "status"])
def test_a_field_that_the_snapshot_lacks_is_refused(refused: Refused, part: str) -> None:
    refused(
        (f"          {part}: {FIELDS[part]}\n", f"          {part}: somethingElse\n"),
        at="/components/schemas/PendingTask/properties",
        line="      properties:",
        says="'somethingElse' is missing",
        expected="a node 'somethingElse' here",
    )


@pytest.mark.parametrize(("part", "field"), [("errorCode", "errorCode"), ("errorMessage", "errorMessage")])
def test_an_error_field_that_a_failed_task_lacks_is_refused(refused: Refused, part: str, field: str) -> None:
    refused(
        (f"          {part}: {field}\n", f"          {part}: somethingElse\n"),
        at="/components/schemas/FailedTask/properties",
        line="      properties:",
        says="'somethingElse' is missing",
        expected="a node 'somethingElse' here",
    )


def test_an_echo_that_the_snapshot_lacks_is_refused(refused: Refused) -> None:
    refused(
        ("        echoes: [model, prompt]\n", "        echoes: [model, wish]\n"),
        at="/components/schemas/PendingTask/properties",
        line="      properties:",
        says="'wish' is missing",
        expected="a node 'wish' here",
    )


def test_a_lifecycle_of_states_with_structured_statuses_can_be_compared() -> None:
    data: dict[str, Any] = parse_document(LONGER.encode(), "spec.yaml").data
    data["x-lifecycle"]["states"]["queued"]["status"] = {"code": 0}
    data["properties"]["state"]["enum"][0] = {"code": 0}
    lifecycle = read_lifecycle(Document("spec.yaml", data, {}).root)
    found = lifecycle.of_status({"code": 0})
    assert found is not None
    assert found.name == "queued"
