"""`Prefer` asks for an answer, a delay, a scenario; what cannot be met is refused with a list of what there is."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.model import Contract
from mock_server.prefer import PreferenceError, Preferences, forced_answer, read_preferences
from tests.mock_server.harness import GENERATE, READ, RICH, SCENARIOS, SUBMIT, TASKS, Process, bearer, request

KNOWN = SCENARIOS.known


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Preferences()),
        ("code=402", Preferences(code="402")),
        ("CODE=402", Preferences(code="402")),
        ('code = "402" ; x=y', Preferences(code="402")),
        ("example=failed", Preferences(example="failed")),
        ("code=200, example=failed,delay=1500", Preferences(code="200", example="failed", delay=1.5)),
        ("scenario=slow-provider", Preferences(scenario="slow-provider")),
        ("respond-async, wait=10, code=500", Preferences(code="500")),
        ("return=minimal", Preferences()),
        ("dynamic=true", Preferences()),
    ],
)
def test_the_header_is_read(header: str, expected: Preferences) -> None:
    assert read_preferences(header, KNOWN) == expected


@pytest.mark.parametrize("delay", ["", "soon", "-1", "1.5", "600001", "9" * 400, "\u0661"])
def test_a_delay_that_is_none_is_refused(delay: str) -> None:
    with pytest.raises(PreferenceError, match="no number of milliseconds from 0 to 600,000"):
        read_preferences(f'delay="{delay}"', KNOWN)


def test_of_several_the_first_counts() -> None:
    assert read_preferences("code=402, code=500", KNOWN).code == "402"


def test_a_header_that_is_long_is_refused_at_once() -> None:
    with pytest.raises(PreferenceError, match="more than 500 characters"):
        read_preferences("a" * 100_000 + "!", KNOWN)


def test_a_scenario_that_there_is_not_is_refused_with_a_list() -> None:
    with pytest.raises(PreferenceError, match="there is no scenario 'none'; there are everything-works, slow-provider"):
        read_preferences("scenario=none", KNOWN)


@given(header=st.text(st.characters(max_codepoint=255)))
def test_any_header_is_read_or_refused(header: str) -> None:
    try:
        read_preferences(header, KNOWN)
    except PreferenceError as error:
        assert str(error).startswith("Prefer: ")


def test_every_documented_answer_can_be_asked_for(contract: Contract) -> None:
    for operation in contract.operations.values():
        for status in operation.responses:
            assert forced_answer(operation, Preferences(code=status)).status == int(status)


@pytest.mark.parametrize(
    ("preferences", "message"),
    [
        (Preferences(code="418"), "no answer '418' is documented; there are 200, 401, 404, 500"),
        (Preferences(example="none"), "there are pending (200), completed (200), failed (200), unauthorized (401), "),
        (Preferences(code="404", example="failed"), "no example 'failed' is documented; there are notFound (404)"),
    ],
)
def test_what_is_not_documented_is_refused_with_a_list(
    contract: Contract, preferences: Preferences, message: str
) -> None:
    with pytest.raises(PreferenceError) as refused:
        forced_answer(contract.operations[READ], preferences)
    assert message in str(refused.value)


def test_an_example_chooses_its_status(contract: Contract) -> None:
    answer = forced_answer(contract.operations[READ], Preferences(example="failed"))
    assert (answer.status, answer.body["status"]) == (200, 2)
    assert forced_answer(contract.operations[GENERATE], Preferences(example="insufficient")).status == 402


# ------------------------------------------------------------------ over HTTP


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", "0")) as process:
        yield process


def asked(mock: Process, prefer: str, key: str = RICH) -> httpx.Response:
    return mock.client.post(SUBMIT, json=request(), headers={**bearer(key), "Prefer": prefer})


def test_a_forced_answer_changes_nothing_and_looks_at_nothing(mock: Process) -> None:
    made = mock.client.post("/_mock/accounts", json={"credits": 5}).json()
    for key in (made["credentials"]["bearerAuth"], "nobody"):
        answer = asked(mock, "code=200", key)
        assert (answer.status_code, answer.json()["creditsUsed"]) == (200, 3)
        assert asked(mock, "code=500", key).json() == {"error": "Internal server error"}
    assert mock.client.get(f"/_mock/accounts/{made['name']}").json()["balance"] == 5
    snapshot = mock.client.get(f"{TASKS}/any", headers={"Prefer": "example=completed"})
    assert (snapshot.status_code, snapshot.json()["status"]) == (200, 1)


def test_what_cannot_be_met_is_a_400_that_lists_what_there_is(mock: Process) -> None:
    for prefer in ("code=418", "example=none", "delay=x", "scenario=none"):
        answer = asked(mock, prefer)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("Prefer: ")


def test_forced_answers_may_be_read_by_a_page(mock: Process) -> None:
    headers = {"Prefer": "code=402", "Origin": "http://localhost:3000"}
    answer = mock.client.post(SUBMIT, json=request(), headers=headers)
    assert answer.status_code == 402
    assert "access-control-allow-origin" in answer.headers


def test_a_delay_is_kept_and_others_do_not_wait(mock: Process) -> None:
    started = time.monotonic()
    assert asked(mock, "delay=300").status_code == 200
    assert time.monotonic() - started >= 0.3
    assert asked(mock, "delay=300, code=500").status_code == 500
    assert time.monotonic() - started >= 0.6


def test_a_scenario_may_be_for_one_request(mock: Process) -> None:
    assert asked(mock, "scenario=server-errors").status_code == 500
    assert asked(mock, "scenario=out-of-credits").json() == {"error": "Insufficient credits", "required": 3}
    task = asked(mock, "scenario=provider-down").json()["taskId"]
    assert mock.read(task)["errorCode"] == "PROVIDER_UNAVAILABLE"
    assert asked(mock, "scenario=everything-works").status_code == 200
    assert mock.client.get("/_mock/scenarios").json()["current"] == "everything-works"


def test_other_preferences_are_for_others(mock: Process) -> None:
    assert asked(mock, "respond-async, wait=5").status_code == 200
