"""Every error is answered as the contract documents it, with what the request at hand makes of it."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from contract.model import Contract, Operation, When
from contract.reader import JSON, load_contract
from contract.schema import json_schema
from mock_server.answers import Answer, Errors
from mock_server.invalid import InvalidRequest
from tests.mock_server.harness import changed_contract

BROKEN = InvalidRequest("The body is odd", fields={"prompt": ["Prompt is required", "Prompt must be text"]})


@pytest.fixture(scope="module")
def errors(contract: Contract) -> Errors:
    return Errors(contract)


def fits(operation: Operation, when: When, answer: Answer) -> bool:
    """Whether an answer has the status and the schema that are documented for an error."""
    documented = operation.errors[when]
    schema = documented.node.need("content", JSON, "schema")
    return answer.status == documented.status and jsonschema_rs.is_valid(json_schema(schema), dict(answer.body))


def test_every_error_of_every_operation_fits_its_schema(contract: Contract, errors: Errors) -> None:
    for operation, _ in contract.submissions():
        assert fits(operation, When.UNAUTHENTICATED, errors.unauthenticated(operation.id))
        assert fits(operation, When.INVALID, errors.invalid(operation.id, BROKEN))
        assert fits(operation, When.INSUFFICIENT, errors.insufficient(operation.id, 7))
        assert fits(operation, When.UNEXPECTED, errors.unexpected(operation.id))
    for operation, _ in contract.readings():
        assert fits(operation, When.UNAUTHENTICATED, errors.unauthenticated(operation.id))
        assert fits(operation, When.UNKNOWN_TASK, errors.unknown_task(operation.id))
        assert fits(operation, When.UNEXPECTED, errors.unexpected(operation.id))


def test_an_invalid_request_is_told_what_is_wrong(errors: Errors) -> None:
    assert errors.invalid("generateImage", BROKEN) == Answer(
        400,
        {
            "error": "Invalid request",
            "details": {
                "formErrors": ["The body is odd"],
                "fieldErrors": {"prompt": ["Prompt is required", "Prompt must be text"]},
            },
        },
    )


def test_too_few_credits_are_told_the_price(errors: Errors) -> None:
    assert errors.insufficient("generateImage", 12) == Answer(402, {"error": "Insufficient credits", "required": 12})


def test_an_id_that_breaks_a_rule_is_an_unknown_task(errors: Errors) -> None:
    assert errors.invalid("getTask", BROKEN) == Answer(404, {"error": "Task not found"})


def test_an_error_outside_the_operations_has_an_answer_too(errors: Errors) -> None:
    assert errors.unexpected(None) == Answer(500, {"error": "Internal server error"})
    assert errors.unknown_path() == Answer(404, {"error": "Not found"})
    method = errors.unknown_method({"allow": "GET"})
    assert method == Answer(405, {"error": "Method not allowed"}, {"allow": "GET"})


def test_a_contract_need_not_give_price_and_details(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        del document["components"]["responses"]["InvalidRequest"]["x-error"]["details"]
        del document["components"]["responses"]["InsufficientCredits"]["x-error"]["price"]

    contract = load_contract(changed_contract(tmp_path, change))
    (example,) = contract.operations["generateImage"].errors[When.INVALID].node.children("content", JSON, "examples")
    assert Errors(contract).invalid("generateImage", BROKEN).body == example.value["value"]
    assert Errors(contract).insufficient("generateImage", 7).body["required"] == 12
