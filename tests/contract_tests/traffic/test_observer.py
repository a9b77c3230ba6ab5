"""An answer is held against an earlier one only where one came before the other was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.clauses import derive_clauses
from contract.model import Contract
from contract_tests.judge import Judge
from contract_tests.redact import Redactor
from contract_tests.report import page
from contract_tests.traffic.messages import Message
from contract_tests.traffic.observer import Observer
from contract_tests.traffic.sightings import Sightings
from contract_tests.traffic.watch import Watch
from contract_tests.verdicts import Outcome
from tests.contract_tests.harness import SUBMIT, TASKS
from tests.contract_tests.test_judge import ACCEPTED, COMPLETED, FAILED, INVALID, PENDING, SHORT

KEY = "Bearer sk_live_one"
BODY = {"model": "gpt-image-2", "prompt": "a paper boat"}
UNKNOWN = {"error": "Task not found"}


class Seen:
    """A watch, and what is said to it: times are in seconds."""

    def __init__(self, contract: Contract) -> None:
        self.watch = Watch(contract, "openapi.yaml", "http://x", lambda _: None, strict=True)
        self.sightings = Sightings(contract, self.watch.redactor)

    def says(self, sent: float, answered: float, status: int, told: Any, asked: Any = None, key: str = KEY) -> None:
        headers = [("Authorization", key)] * bool(key)
        request = Message(headers, sent, method="GET" if asked is None else "POST", target=TASKS + "tsk_1")
        if asked is not None:
            request.target = SUBMIT
            request.headers.append(("Content-Type", "application/json"))
            request.add(asked if isinstance(asked, bytes) else json.dumps(asked).encode())
        answer = Message([("content-type", "application/json")], answered, status=status)
        answer.add(json.dumps(told).encode())
        self.watch.take(self.sightings.of(request, answer, answered))

    @property
    def broken(self) -> set[str]:
        return {finding.clause for finding in self.watch.outline().findings}


@pytest.fixture
def seen(contract: Contract) -> Seen:
    return Seen(contract)


def test_a_status_that_goes_back_is_a_finding(seen: Seen) -> None:
    seen.says(1, 2, 200, COMPLETED)
    seen.says(3, 4, 200, PENDING)
    assert seen.broken == {"lifecycle.completed.final", "lifecycle.transitions"}


def test_answers_to_requests_that_overlap_may_come_in_any_order(seen: Seen) -> None:
    seen.says(2, 3, 200, COMPLETED)
    seen.says(1, 4, 200, PENDING)
    assert seen.broken == set()
    seen.says(5, 6, 200, PENDING)
    assert "lifecycle.completed.final" in seen.broken


@given(times=st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), max_size=8), ends=st.floats(0, 10))
def test_a_correct_server_is_never_blamed_however_its_answers_overlap(
    contract: Contract, times: list[tuple[float, float]], ends: float
) -> None:
    """Each answer is what was true at some moment between its request and its arrival."""
    seen = Seen(contract)
    spans = sorted(((min(span), max(span)) for span in times), key=lambda span: span[1])
    for index, (sent, answered) in enumerate(spans):
        moment = sent if index % 2 else answered
        late = {**FAILED, "creditsRefunded": moment > ends + 1}
        seen.says(sent, answered, 200, late if moment > ends else PENDING)
    assert seen.broken == set()


def test_a_task_that_was_accepted_is_found_by_its_caller_and_by_nobody_else_for_sure(seen: Seen) -> None:
    seen.says(1, 2, 200, ACCEPTED, BODY)
    seen.says(1.5, 3, 404, UNKNOWN)
    seen.says(3, 4, 404, UNKNOWN, key="Bearer sk_live_two")
    assert seen.broken == set()
    seen.says(3, 4, 404, UNKNOWN)
    assert seen.broken == {"lifecycle.identity"}


def test_a_task_whose_submission_was_not_seen_has_no_price(seen: Seen) -> None:
    seen.says(1, 2, 200, {**PENDING, "creditsUsed": 77})
    assert seen.broken == set()


def test_a_refund_that_is_late_is_a_finding_and_one_that_comes_shortly_is_none(seen: Seen) -> None:
    owed = {**FAILED, "creditsRefunded": False}
    seen.says(1, 2, 200, owed)
    seen.says(31, 32, 200, owed)
    assert seen.broken == set()
    seen.says(33, 34, 200, owed)
    assert seen.broken == {"lifecycle.failed.refund-flag"}


REQUESTS = [
    (200, {**ACCEPTED, "creditsUsed": 4}, BODY, {"generateImage.gpt-image-2.price"}),
    (400, INVALID, BODY, {"generateImage.gpt-image-2.prompt.maxLength"}),
    (200, ACCEPTED, {**BODY, "prompt": 7}, {"generateImage.gpt-image-2.prompt.type"}),
    (200, ACCEPTED, b"{", {"generateImage.400"}),
    (200, ACCEPTED, b'{"model":"x","model":"gpt-image-2","prompt":"x"}', set()),
    (200, ACCEPTED, b"\xef\xbb\xbf{}", set()),
    (200, ACCEPTED, b'{"model":"gpt-image-2","prompt":"x","n":' + b"9" * 5000 + b"}", set()),
    (402, SHORT, BODY, {"generateImage.402.required"}),
    (402, {**SHORT, "required": 3}, BODY, set()),
    (402, SHORT, {"model": "gpt-image-2"}, {"generateImage.order.400-402"}),
    (401, {"error": "Unauthorized"}, {"model": "gpt-image-2"}, set()),
]


@pytest.mark.parametrize(("status", "told", "asked", "broken"), REQUESTS)
def test_a_submission_is_judged_where_the_contract_can_tell(
    seen: Seen, status: int, told: Any, asked: Any, broken: set[str]
) -> None:
    seen.says(1, 2, status, told, asked)
    assert seen.broken == broken


def test_who_has_no_credentials_is_refused_before_anything_else(seen: Seen) -> None:
    seen.says(1, 2, 200, PENDING, key="")
    seen.says(1, 2, 400, INVALID, {}, key="Basic abc")
    assert seen.broken == {"getTask.401", "generateImage.order.401-400"}


def test_what_was_debited_and_refunded_and_how_long_tasks_lived_is_reported_once(seen: Seen) -> None:
    seen.says(1, 2, 200, ACCEPTED, BODY)
    for second in (3, 4, 5):
        seen.says(second, second + 0.5, 200, {**FAILED, "creditsRefunded": second > 3})
    outline = seen.watch.outline()
    credits = ACCEPTED["creditsUsed"]
    assert outline.events == [
        {"time": 2, "what": "debit", "credits": credits},
        {"time": 3.5, "what": "failed", "task": "tsk_1", "accepted": 2},
        {"time": 4.5, "what": "refund", "credits": credits},
    ]
    assert (outline.spent, outline.refunded) == (credits, credits)
    shown = page(outline)
    assert f"4 requests; {credits} credits debited, {credits} of them refunded.</p>" in shown
    assert "The lives of 1 tasks" in shown
    assert "seed" not in shown.split("</p>")[0]


def test_an_end_whose_beginning_was_not_seen_is_no_event(seen: Seen) -> None:
    seen.says(1, 2, 200, COMPLETED)
    assert seen.watch.outline().events == []


def test_a_request_that_was_answered_before_its_end_is_not_checked(seen: Seen) -> None:
    request = Message([("Content-Type", "application/json")], 1, method="POST", target=SUBMIT, unfinished=True)
    answer = Message([("content-type", "application/json")], 2, status=200)
    answer.add(json.dumps(ACCEPTED).encode())
    seen.watch.take(seen.sightings.of(request, answer, 2))
    assert seen.broken == set()
    assert seen.watch.unchecked == {"the answer came before the request had ended": 1}


def test_the_refund_of_another_task_is_not_counted(seen: Seen) -> None:
    seen.says(1, 2, 200, ACCEPTED, BODY)
    seen.says(3, 4, 200, {**FAILED, "taskId": "tsk_2"})
    outline = seen.watch.outline()
    assert seen.broken == {"lifecycle.identity"}
    assert outline.refunded == 0
    assert [event["what"] for event in outline.events] == ["debit"]


def test_an_answer_about_another_task_is_not_held_against_later_ones(seen: Seen) -> None:
    seen.says(1, 2, 200, {**COMPLETED, "taskId": "tsk_2"})
    seen.says(3, 4, 200, PENDING)
    assert seen.broken == {"lifecycle.identity"}


def test_a_clause_that_is_none_is_a_fault_of_this_tool(contract: Contract) -> None:
    clauses = {clause.id: clause for clause in derive_clauses(contract) if clause.id != "lifecycle.initial"}
    observer = Observer(contract, clauses, Judge(contract, clauses, lambda _: ""))
    request = Message([("Authorization", KEY)], 1, method="POST", target=SUBMIT)
    answer = Message([("content-type", "application/json")], 2, status=200)
    answer.add(json.dumps(ACCEPTED).encode())
    with pytest.raises(KeyError, match=r"lifecycle\.initial"):
        observer.observe(Sightings(contract, Redactor()).of(request, answer, 2))


def test_to_ask_for_an_outline_changes_nothing(seen: Seen) -> None:
    seen.says(1, 2, 200, COMPLETED)
    seen.says(3, 4, 200, PENDING)
    first, second = seen.watch.outline(), seen.watch.outline()
    assert (first.findings, first.verdicts) == (second.findings, second.verdicts)
    assert first.counts()[Outcome.BROKEN] == 2


def test_a_finding_shows_what_was_asked_and_each_member_of_the_answer(contract: Contract) -> None:
    seen = Seen(contract)
    lines: list[str] = []
    seen.watch = Watch(contract, "openapi.yaml", "http://x", lines.append)
    seen.sightings = Sightings(contract, seen.watch.redactor)
    seen.says(1, 2, 200, {**PENDING, "prompt": "p" * 3000, "creditsUsed": -7})
    (line,) = lines
    assert line.startswith("BROKEN getTask.200.PendingTask.creditsUsed.minimum: GET /api/ai/tasks/tsk_1: expected ")
    assert '"prompt": "' + "p" * 40 + '..."' in line
    assert '"creditsUsed": -7' in line
    assert "  once getTask.200.PendingTask.creditsUsed.minimum" in seen.watch.summary()
    assert "<dt>seen</dt><dd>once</dd>" in page(seen.watch.outline())


def test_a_finding_shows_nothing_that_a_terminal_would_obey(contract: Contract) -> None:
    seen = Seen(contract)
    lines: list[str] = []
    seen.watch = Watch(contract, "openapi.yaml", "http://x", lines.append)
    seen.sightings = Sightings(contract, seen.watch.redactor)
    seen.says(1, 2, 200, {**PENDING, "status": "\x1b[2J\x9b\ud800"})
    seen.says(1, 2, 200, "\x1b[2J")
    assert len(lines) > 1
    assert all(line.isprintable() for line in lines)


def test_a_finding_that_is_cut_says_where_the_whole_is(contract: Contract) -> None:
    seen = Seen(contract)
    lines: list[str] = []
    seen.watch = Watch(contract, "openapi.yaml", "http://x", lines.append)
    seen.sightings = Sightings(contract, seen.watch.redactor)
    seen.says(1, 2, 200, ["x"] * 300)
    assert lines[0].endswith("... (more with --report)")
    assert seen.watch.outline().findings[0].came == "200 " + json.dumps(["x"] * 300)
