"""Each sort of broken answer leads to the clause that it breaks."""

import json
from typing import Any

import pytest

from contract_tests.judge import Judge
from contract_tests.verdicts import NotExercised, Record
from tests.contract_tests.harness import exchange

ACCEPTED = {"taskId": "tsk_1", "status": 0, "creditsUsed": 3}
INVALID = {
    "error": "Invalid request",
    "details": {"formErrors": [], "fieldErrors": {"prompt": ["Prompt is required"]}},
}
SHORT = {"error": "Insufficient credits", "required": 12}
PENDING = {
    "taskId": "tsk_1",
    "type": "image",
    "status": 0,
    "model": "gpt-image-2",
    "prompt": "a paper boat",
    "creditsUsed": 3,
    "creditsRefunded": False,
    "createdAt": "2026-01-01T00:00:00.000Z",
    "updatedAt": "2026-01-01T00:00:00Z",
}
COMPLETED = {**PENDING, "status": 1, "imageUrls": ["https://example.com/a.png"]}
FAILED = {**PENDING, "status": 2, "creditsRefunded": True, "errorCode": "EMPTY_RESULT", "errorMessage": "No image"}

SUBMIT, READ = "generateImage", "getTask"


def _without(body: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key != name}


def _judged(judge: Judge, operation: str | None, status: int | None, body: Any, **more: Any) -> Record:
    record = Record()
    judge.judge(exchange(operation, status, body, **more), record)
    return record


def _broken(record: Record) -> set[str]:
    return {finding.clause for finding in record.findings}


RIGHT = [
    (SUBMIT, 200, ACCEPTED),
    (SUBMIT, 200, {**ACCEPTED, "more": [1]}),
    (SUBMIT, 400, INVALID),
    (SUBMIT, 400, {"error": "Invalid request", "details": {"formErrors": ["x"], "fieldErrors": {}}}),
    (SUBMIT, 401, {"error": "Unauthorized"}),
    (SUBMIT, 402, SHORT),
    (READ, 200, PENDING),
    (READ, 200, COMPLETED),
    (READ, 200, FAILED),
    (READ, 200, {**FAILED, "errorCode": "PROVIDER_TIMEOUT", "errorMessage": ""}),
    (READ, 200, {**FAILED, "creditsRefunded": False}),
    (READ, 200, {**PENDING, "createdAt": "2026-01-01T00:00:00.123456+00:00"}),
    (READ, 401, {"error": "Unauthorized"}),
    (READ, 404, {"error": "Task not found"}),
]


@pytest.mark.parametrize(("operation", "status", "body"), RIGHT)
def test_a_right_answer_breaks_nothing(judge: Judge, operation: str, status: int, body: Any) -> None:
    record = _judged(judge, operation, status, body)
    assert not record.findings
    assert {f"{operation}.statuses", f"{operation}.{status}.content-type", f"{operation}.500"} <= record.held


@pytest.mark.parametrize("field", ["imageUrls", "videoUrl", "errorCode", "errorMessage"])
@pytest.mark.parametrize("snapshot", [PENDING, COMPLETED, FAILED], ids=["pending", "completed", "failed"])
def test_an_optional_field_that_does_not_apply_may_be_null(judge: Judge, snapshot: dict[str, Any], field: str) -> None:
    if field not in snapshot:
        assert not _judged(judge, READ, 200, {**snapshot, field: None}).findings


@pytest.mark.parametrize("snapshot", [PENDING, FAILED], ids=["pending", "failed"])
def test_a_list_of_urls_that_does_not_apply_may_be_empty(judge: Judge, snapshot: dict[str, Any]) -> None:
    assert not _judged(judge, READ, 200, {**snapshot, "imageUrls": []}).findings


@pytest.mark.parametrize(
    ("operation", "status", "body", "clause"),
    [
        (SUBMIT, 200, _without(ACCEPTED, "taskId"), "generateImage.200.taskId.required"),
        (SUBMIT, 200, {**ACCEPTED, "taskId": ""}, "generateImage.200.taskId.minLength"),
        (SUBMIT, 200, {**ACCEPTED, "taskId": 7}, "generateImage.200.taskId.type"),
        (SUBMIT, 200, {**ACCEPTED, "status": 1}, "generateImage.200.status.enum"),
        (SUBMIT, 200, {**ACCEPTED, "creditsUsed": "3"}, "generateImage.200.creditsUsed.type"),
        (SUBMIT, 200, {**ACCEPTED, "creditsUsed": -3}, "generateImage.200.creditsUsed.minimum"),
        (SUBMIT, 200, [ACCEPTED], "generateImage.200.type"),
        (SUBMIT, 200, None, "generateImage.200.type"),
        (SUBMIT, 200, b"", "generateImage.200.type"),
        (SUBMIT, 200, b"<html>", "generateImage.200.type"),
        (SUBMIT, 200, b'{"taskId": "\xff"}', "generateImage.200.type"),
        (SUBMIT, 200, b'{"taskId": "a", "status": 0, "creditsUsed": NaN}', "generateImage.200.creditsUsed.type"),
        (
            SUBMIT,
            400,
            b'{"error": "Invalid request", "details": {"formErrors": [], "fieldErrors": {"\\ud800": ["x"]}}}',
            "generateImage.400.type",
        ),
        (SUBMIT, 400, _without(INVALID, "details"), "generateImage.400.details.required"),
        (SUBMIT, 400, {**INVALID, "error": "No"}, "generateImage.400.error.enum"),
        (SUBMIT, 400, {**INVALID, "details": []}, "generateImage.400.details.type"),
        (
            SUBMIT,
            400,
            {**INVALID, "details": {"fieldErrors": {}}},
            "generateImage.400.details.formErrors.required",
        ),
        (
            SUBMIT,
            400,
            {**INVALID, "details": {"formErrors": [7], "fieldErrors": {}}},
            "generateImage.400.details.formErrors.*.type",
        ),
        (
            SUBMIT,
            400,
            {**INVALID, "details": {"formErrors": [], "fieldErrors": {"prompt": "bare"}}},
            "generateImage.400.details.fieldErrors.*.type",
        ),
        (
            SUBMIT,
            400,
            {**INVALID, "details": {"formErrors": [], "fieldErrors": {"prompt": []}}},
            "generateImage.400.details.fieldErrors.*.minItems",
        ),
        (
            SUBMIT,
            400,
            {**INVALID, "details": {"formErrors": [], "fieldErrors": {"a.b": [None]}}},
            "generateImage.400.details.fieldErrors.*.*.type",
        ),
        (SUBMIT, 401, {"message": "Unauthorized"}, "generateImage.401.error.required"),
        (SUBMIT, 402, {"error": "Insufficient credits"}, "generateImage.402.required.required"),
        (SUBMIT, 402, {**SHORT, "required": 12.5}, "generateImage.402.required.type"),
        (SUBMIT, 402, {**SHORT, "required": 0}, "generateImage.402.required.minimum"),
        (SUBMIT, 201, ACCEPTED, "generateImage.statuses"),
        (SUBMIT, 404, {"error": "Task not found"}, "generateImage.statuses"),
        (SUBMIT, 422, INVALID, "generateImage.statuses"),
        (SUBMIT, 500, {"error": "oops"}, "generateImage.500"),
        (SUBMIT, 502, b"<html>", "generateImage.statuses"),
        (SUBMIT, None, None, "generateImage.statuses"),
        (READ, 404, {"error": "Not found"}, "getTask.404.error.enum"),
        (READ, 500, {"error": "oops"}, "getTask.500"),
        (READ, 429, {"error": "slow down"}, "getTask.statuses"),
        (READ, 200, _without(PENDING, "model"), "getTask.200.PendingTask.model.required"),
        (READ, 200, _without(PENDING, "status"), "getTask.200.PendingTask.status.required"),
        (READ, 200, "text", "getTask.200.PendingTask.type"),
        (READ, 200, {**PENDING, "status": 3}, "lifecycle.transitions"),
        (READ, 200, {**PENDING, "status": None}, "lifecycle.transitions"),
        (READ, 200, {**PENDING, "status": [0]}, "lifecycle.transitions"),
        (READ, 200, {**PENDING, "status": "0"}, "getTask.200.PendingTask.status.type"),
        (READ, 200, {**PENDING, "imageUrls": ["https://x/a.png"]}, "getTask.200.PendingTask.imageUrls.maxItems"),
        (READ, 200, {**PENDING, "creditsRefunded": True}, "getTask.200.PendingTask.creditsRefunded.enum"),
        (READ, 200, {**PENDING, "errorCode": "X"}, "getTask.200.PendingTask.errorCode.enum"),
        (READ, 200, {**PENDING, "type": "sound"}, "getTask.200.PendingTask.type.enum"),
        (
            READ,
            200,
            {**PENDING, "createdAt": "2026-01-01T00:00:00+02:00"},
            "getTask.200.PendingTask.createdAt.pattern",
        ),
        (READ, 200, {**PENDING, "createdAt": "yesterdayZ"}, "getTask.200.PendingTask.createdAt.format"),
        (READ, 200, {**PENDING, "createdAt": 1767225600000}, "getTask.200.PendingTask.createdAt.type"),
        (READ, 200, _without(COMPLETED, "imageUrls"), "getTask.200.CompletedImageTask.imageUrls.required"),
        (READ, 200, {**COMPLETED, "imageUrls": []}, "getTask.200.CompletedImageTask.imageUrls.minItems"),
        (READ, 200, {**COMPLETED, "imageUrls": "https://x"}, "getTask.200.CompletedImageTask.imageUrls.type"),
        (READ, 200, {**COMPLETED, "imageUrls": ["/a"]}, "getTask.200.CompletedImageTask.imageUrls.*.format"),
        (READ, 200, {**COMPLETED, "imageUrls": [None]}, "getTask.200.CompletedImageTask.imageUrls.*.type"),
        (READ, 200, _without(FAILED, "errorCode"), "getTask.200.FailedTask.errorCode.required"),
        (READ, 200, {**FAILED, "errorCode": ""}, "getTask.200.FailedTask.errorCode.minLength"),
        (READ, 200, {**FAILED, "errorMessage": None}, "getTask.200.FailedTask.errorMessage.type"),
        (READ, 200, {**FAILED, "imageUrls": ["https://x/a.png"]}, "getTask.200.FailedTask.imageUrls.maxItems"),
    ],
)
def test_a_broken_answer_names_the_clause(
    judge: Judge, operation: str, status: int | None, body: Any, clause: str
) -> None:
    record = _judged(judge, operation, status, body)
    assert clause in _broken(record)
    assert not _broken(record) & record.held
    (finding,) = [finding for finding in record.findings if finding.clause == clause]
    assert finding.expected
    assert finding.came
    assert finding.reproduction == "curl GET /x"


def test_only_the_broken_clause_is_named(judge: Judge) -> None:
    record = _judged(judge, READ, 200, _without(COMPLETED, "imageUrls"))
    assert _broken(record) == {"getTask.200.CompletedImageTask.imageUrls.required"}


def test_a_clause_is_named_once_for_an_answer(judge: Judge) -> None:
    record = _judged(judge, READ, 200, {**COMPLETED, "imageUrls": ["/a", "/b", "/c"]})
    assert len(record.findings) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=utf-8", "application/problem+json", ""])
def test_the_content_type_is_held_to(judge: Judge, content_type: str) -> None:
    record = _judged(judge, SUBMIT, 200, ACCEPTED, content_type=content_type)
    assert _broken(record) == {"generateImage.200.content-type"}


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_parameters_of_the_content_type_are_fine(judge: Judge, content_type: str) -> None:
    assert not _judged(judge, SUBMIT, 200, ACCEPTED, content_type=content_type).findings


@pytest.mark.parametrize("status", [429, 503])
def test_a_gateway_that_turns_away_is_no_finding(judge: Judge, status: int) -> None:
    with pytest.raises(NotExercised, match="a gateway"):
        _judged(judge, SUBMIT, status, b"", headers={"retry-after": "1"})


def test_what_is_no_documented_operation_is_not_judged(judge: Judge) -> None:
    assert _judged(judge, None, 418, b"") == Record()


@pytest.mark.parametrize(
    "oddity",
    ["9" * 400, "1e400", "[" * 700 + "]" * 700, '"\\ud800"', '{"\\udfff": 1}', "NaN", "-Infinity", '"\\u0000"'],
)
@pytest.mark.parametrize("name", ["creditsUsed", "prompt", "imageUrls", "status", "more"])
def test_no_oddity_makes_the_judge_stumble(judge: Judge, name: str, oddity: str) -> None:
    body = json.dumps({**COMPLETED, name: "ODDITY"}).replace('"ODDITY"', oddity).encode()
    record = _judged(judge, READ, 200, body)
    assert all(json.dumps(finding.expected).isascii() for finding in record.findings)
