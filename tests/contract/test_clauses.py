"""Every rule of the contract is one clause, with an ID that stays and a sentence that says it."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.check import check_contract
from contract.clause import Clause, Kind
from contract.clauses import derive_clauses
from contract.document import Document, parse_document
from contract.keywords import either, keywords, says, subject_of
from contract.model import Contract
from contract.reader import read_contract

KEYWORDS = {"type", "enum", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "pattern", "format"}
MODELS = {
    "gpt-image-2": "GptImage2Request",
    "nano-banana-2": "NanoBanana2Request",
    "nano-banana-pro": "NanoBananaProRequest",
    "google/nano-banana": "GoogleNanoBananaRequest",
}
SCHEMAS = "/components/schemas"
GENERATE = "/paths/~1api~1ai~1image~1generate/post"
READ = "/paths/~1api~1ai~1tasks~1{id}/get"
RESPONSES = "/components/responses"
LIFECYCLE = f"{SCHEMAS}/TaskSnapshot/x-lifecycle"
PRO = f"{SCHEMAS}/NanoBananaProRequest"


# --- each kind of clause ---


@pytest.mark.parametrize(
    ("id", "kind", "provenance", "pointer", "line", "sentence"),
    [
        (
            "generateImage.model",
            Kind.SELECTOR,
            "page",
            f"{SCHEMAS}/GptImage2Request/properties/model",
            "model:",
            f"`model` is one of {', '.join(MODELS)}; any other value is refused.",
        ),
        (
            "generateImage.nano-banana-pro.prompt.required",
            Kind.REQUIRED,
            "page",
            f"{PRO}/required/1",
            "required: [model, prompt]",
            "For nano-banana-pro, `prompt` is required.",
        ),
        (
            "generateImage.nano-banana-pro.model.required",
            Kind.REQUIRED,
            "assumed",
            f"{PRO}/required/0",
            "required: [model, prompt]",
            "For nano-banana-pro, `model` is required.",
        ),
        (
            "generateImage.nano-banana-pro.prompt.minLength",
            Kind.KEYWORD,
            "docs",
            f"{PRO}/properties/prompt/minLength",
            "minLength: 1",
            "For nano-banana-pro, `prompt` is not empty.",
        ),
        (
            "generateImage.nano-banana-pro.prompt.maxLength",
            Kind.KEYWORD,
            "page",
            f"{PRO}/properties/prompt/maxLength",
            "maxLength: 10000",
            "For nano-banana-pro, `prompt` has at most 10,000 characters.",
        ),
        (
            "generateImage.nano-banana-pro.inputImageUrls.maxItems",
            Kind.KEYWORD,
            "page",
            f"{PRO}/properties/inputImageUrls/maxItems",
            "maxItems: 8",
            "For nano-banana-pro, `inputImageUrls` has at most 8 items.",
        ),
        (
            "generateImage.nano-banana-pro.inputImageUrls.*.format",
            Kind.KEYWORD,
            "assumed",
            f"{SCHEMAS}/InputImageUrl/format",
            "format: uri",
            "For nano-banana-pro, each item of `inputImageUrls` is a valid uri.",
        ),
        (
            "generateImage.nano-banana-pro.resolution.enum",
            Kind.KEYWORD,
            "page",
            f"{PRO}/properties/resolution/enum",
            "enum: [2K, 4K]",
            "For nano-banana-pro, `resolution` is 2K or 4K.",
        ),
        (
            "generateImage.nano-banana-pro.prompt.unit",
            Kind.UNIT,
            "assumed",
            "/x-conventions/character",
            "character: code point",
            "For nano-banana-pro, the length of `prompt` is counted in Unicode code points.",
        ),
        (
            "generateImage.nano-banana-pro.additionalProperties",
            Kind.IGNORED,
            "assumed",
            f"{PRO}/additionalProperties",
            "additionalProperties: true",
            "For nano-banana-pro, a field that the contract does not know is ignored.",
        ),
        (
            "generateImage.nano-banana-pro.providerInput.passthrough",
            Kind.PASSTHROUGH,
            "page",
            f"{SCHEMAS}/ProviderInput",
            "ProviderInput:",
            "For nano-banana-pro, `providerInput` takes any keys and any values.",
        ),
        (
            "generateImage.nano-banana-pro.image-to-image",
            Kind.MODE,
            "page",
            f"{GENERATE}/x-task/modes/present",
            "modes: {field: inputImageUrls",
            "nano-banana-pro accepts image-to-image, with `inputImageUrls`, at the same price.",
        ),
        (
            "generateImage.nano-banana-pro.text-to-image",
            Kind.MODE,
            "page",
            f"{GENERATE}/x-task/modes/absent",
            "modes: {field: inputImageUrls",
            "nano-banana-pro accepts text-to-image, without `inputImageUrls`, at the same price.",
        ),
        (
            "generateImage.nano-banana-pro.inputImageUrls.empty",
            Kind.EMPTY,
            "assumed",
            f"{GENERATE}/x-task/modes/empty",
            "modes: {field: inputImageUrls",
            "For nano-banana-pro, an empty `inputImageUrls` means the same as an absent one.",
        ),
        (
            "conventions.invalidText",
            Kind.TEXT,
            "assumed",
            "/x-conventions/invalidText",
            "invalidText: {status: 400}",
            "Text that is not valid Unicode (a lone surrogate) is refused with 400.",
        ),
        (
            "generateImage.nano-banana-pro.price.4K",
            Kind.PRICE,
            "page",
            f"{PRO}/x-credits/tiers/4K",
            "x-credits: {by: [resolution], tiers: {2K: 12, 4K: 20}}",
            "nano-banana-pro costs 20 credits with `resolution` 4K.",
        ),
        (
            "generateImage.gpt-image-2.price",
            Kind.PRICE,
            "page",
            f"{SCHEMAS}/GptImage2Request/x-credits/flat",
            "x-credits: {flat: 3}",
            "gpt-image-2 costs 3 credits.",
        ),
        (
            "generateImage.nano-banana-pro.resolution.default",
            Kind.DEFAULT,
            "assumed",
            f"{PRO}/properties/resolution/default",
            "default: 2K",
            "nano-banana-pro without `resolution` costs what `resolution` 2K costs.",
        ),
        (
            "generateImage.debit",
            Kind.DEBIT,
            "page",
            f"{GENERATE}/x-task/submits",
            "submits: image",
            "An accepted submission debits its price, once, when it is accepted.",
        ),
        (
            "generateImage.402.free",
            Kind.FREE,
            "page",
            f"{RESPONSES}/InsufficientCredits",
            "InsufficientCredits:",
            "A submission refused with 402 costs nothing.",
        ),
        ("getTask.free", Kind.FREE, "docs", f"{READ}/x-task", "x-task: {reads: id}", "Reading a task costs nothing."),
        (
            "generateImage.402.enough",
            Kind.ENOUGH,
            "page",
            f"{RESPONSES}/InsufficientCredits/x-error/when",
            "x-error: {when: insufficient",
            "A balance equal to the price is enough, one credit less is not.",
        ),
        (
            "generateImage.402.required",
            Kind.STATED_PRICE,
            "page",
            f"{RESPONSES}/InsufficientCredits/x-error/price",
            "x-error: {when: insufficient",
            "`required` is the price of the refused request.",
        ),
        (
            "generateImage.402.concurrent",
            Kind.CONCURRENT,
            "page",
            f"{RESPONSES}/InsufficientCredits/x-error/when",
            "x-error: {when: insufficient",
            "Concurrent submissions never spend more than the balance.",
        ),
        (
            "generateImage.repeat",
            Kind.REPEAT,
            "docs",
            f"{GENERATE}/x-task/idempotent",
            "idempotent: false",
            "Two equal submissions make two tasks and two debits.",
        ),
        (
            "getTask.statuses",
            Kind.STATUSES,
            "docs",
            f"{READ}/responses",
            "responses:",
            "Every answer has one of the documented statuses: 200, 401, 404, 500.",
        ),
        (
            "getTask.404",
            Kind.ERROR,
            "docs",
            f"{RESPONSES}/TaskNotFound/x-error/when",
            "x-error: {when: unknownTask}",
            "A task that does not exist is answered with 404.",
        ),
        (
            "generateImage.500",
            Kind.ERROR,
            "page",
            f"{RESPONSES}/ServerError/x-error/when",
            "x-error: {when: unexpected}",
            "No request, whatever it says, is answered with 500.",
        ),
        (
            "getTask.404.foreign",
            Kind.FOREIGN,
            "docs",
            f"{RESPONSES}/TaskNotFound/x-error/when",
            "x-error: {when: unknownTask}",
            "Another account's task is answered with 404, as if it did not exist.",
        ),
        (
            "generateImage.400.details",
            Kind.DETAILS,
            "page",
            f"{RESPONSES}/InvalidRequest/x-error/details",
            "x-error: {when: invalid",
            "`details` names every field that was wrong.",
        ),
        (
            "getTask.404.content-type",
            Kind.CONTENT_TYPE,
            "docs",
            f"{RESPONSES}/TaskNotFound/content/application~1json",
            "application/json:",
            "The body of a 404 has the content type application/json.",
        ),
        (
            "getTask.404.error.enum",
            Kind.BODY,
            "docs",
            f"{SCHEMAS}/TaskNotFoundError/properties/error/enum",
            "enum: [Task not found]",
            "In a 404, `error` is Task not found.",
        ),
        (
            "getTask.200.FailedTask.errorCode.required",
            Kind.BODY,
            "docs",
            f"{SCHEMAS}/FailedTask/required/5",
            "required: [taskId, type, status, model, prompt, errorCode",
            "In a FailedTask, `errorCode` is required.",
        ),
        (
            "getTask.200.PendingTask.imageUrls.type",
            Kind.BODY,
            "assumed",
            f"{SCHEMAS}/NoImageUrls/type",
            "type: array",
            "In a PendingTask, `imageUrls` is an array or null.",
        ),
        (
            "generateImage.order.400-402",
            Kind.ORDER,
            "assumed",
            f"{RESPONSES}/InsufficientCredits/x-error/order",
            "x-error: {when: insufficient",
            "Where both apply, 400 is answered and not 402.",
        ),
        (
            "getTask.security.sessionCookie",
            Kind.SECURITY,
            "page",
            "/components/securitySchemes/sessionCookie",
            "sessionCookie:",
            "Valid credentials of the scheme sessionCookie are accepted.",
        ),
        (
            "conventions.unknownMethod",
            Kind.CONVENTION,
            "assumed",
            "/x-conventions/unknownMethod",
            "unknownMethod: {status: 405",
            "Another method on a known path is no reason for a 5xx; the contract assumes 405.",
        ),
        (
            "lifecycle.initial",
            Kind.INITIAL,
            "docs",
            f"{LIFECYCLE}/initial",
            "initial: pending",
            "A task is answered as pending (status 0) when it is accepted.",
        ),
        (
            "lifecycle.deadline",
            Kind.DEADLINE,
            "docs",
            f"{LIFECYCLE}/timing/deadlineSeconds",
            "timing: {pollSeconds: 2",
            "A task ends within 180 seconds.",
        ),
        (
            "lifecycle.transitions",
            Kind.TRANSITIONS,
            "docs",
            f"{LIFECYCLE}/states",
            "states:",
            "A task changes its state only along the declared transitions: pending to completed or failed.",
        ),
        (
            "lifecycle.completed.final",
            Kind.FINAL,
            "docs",
            f"{LIFECYCLE}/states/completed",
            "completed: {status: 1",
            "The snapshot of a completed task never changes again.",
        ),
        (
            "lifecycle.unique",
            Kind.UNIQUE,
            "docs",
            f"{LIFECYCLE}/fields/id",
            "id: taskId",
            "No two tasks have the same `taskId`.",
        ),
        (
            "lifecycle.identity",
            Kind.IDENTITY,
            "docs",
            f"{LIFECYCLE}/fields/id",
            "id: taskId",
            "A task is read by the `taskId` of its submission, and shows it.",
        ),
        (
            "lifecycle.type",
            Kind.TYPE,
            "docs",
            f"{LIFECYCLE}/fields/type",
            "type: type",
            "`type` says what the operation that submitted the task makes.",
        ),
        (
            "lifecycle.created",
            Kind.CREATED,
            "docs",
            f"{LIFECYCLE}/fields/created",
            "created: createdAt",
            "`createdAt` never changes.",
        ),
        (
            "lifecycle.updated",
            Kind.UPDATED,
            "docs",
            f"{LIFECYCLE}/fields/updated",
            "updated: updatedAt",
            "`updatedAt` is never before `createdAt`, and never goes back.",
        ),
        (
            "lifecycle.echo.prompt",
            Kind.ECHO,
            "docs",
            f"{LIFECYCLE}/echoes/1",
            "echoes: [model, prompt]",
            "Every snapshot repeats `prompt` of the submission exactly.",
        ),
        (
            "lifecycle.charged",
            Kind.CHARGED,
            "docs",
            f"{LIFECYCLE}/fields/credits",
            "credits: creditsUsed",
            "`creditsUsed` of every snapshot is what the submission was charged.",
        ),
        (
            "lifecycle.failed.refund",
            Kind.REFUND,
            "page",
            f"{LIFECYCLE}/states/failed/refund",
            "failed: {status: 2",
            "A failed task is refunded in full, exactly once, however often it is read.",
        ),
        (
            "lifecycle.failed.refund-flag",
            Kind.REFUND_FLAG,
            "page",
            f"{LIFECYCLE}/states/failed/refund",
            "failed: {status: 2",
            "The refund of a failed task shows as `creditsRefunded`.",
        ),
        (
            "lifecycle.completed.no-refund",
            Kind.NO_REFUND,
            "docs",
            f"{LIFECYCLE}/states/completed",
            "completed: {status: 1",
            "A completed task is never refunded.",
        ),
    ],
)
def test_a_clause_says_its_rule_and_where_it_stands(
    clauses: dict[str, Clause],
    text: str,
    id: str,
    kind: Kind,
    provenance: str,
    pointer: str,
    line: str,
    sentence: str,
) -> None:
    clause = clauses[id]
    assert (clause.kind, clause.provenance.value, clause.pointer) == (kind, provenance, pointer)
    assert clause.sentence == sentence
    assert text.splitlines()[clause.line - 1].strip().startswith(line)


def test_the_contract_has_a_clause_of_every_kind(clauses: dict[str, Clause]) -> None:
    assert {clause.kind for clause in clauses.values()} == set(Kind)


# --- nothing is left out ---


def resolved(contract: Contract, schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = contract.document.at(schema["$ref"][1:]).value
    return schema


def rules_of(contract: Contract, schema: dict[str, Any], field: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every (field, keyword, value) of a schema, found without the code under test."""
    schema = resolved(contract, schema)
    for keyword in KEYWORDS & schema.keys():
        yield field, keyword, schema[keyword]
    below = {f"{field}.{name}".lstrip("."): item for name, item in schema.get("properties", {}).items()}
    for name in schema.get("required", []):
        yield f"{field}.{name}".lstrip("."), "required", name
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            below[f"{field}.*"] = schema[keyword]
    for name, item in below.items():
        yield from rules_of(contract, item, name)


@pytest.mark.parametrize("model", MODELS)
def test_every_keyword_of_a_request_has_a_clause(contract: Contract, clauses: dict[str, Clause], model: str) -> None:
    branch = contract.document.at(f"{SCHEMAS}/{MODELS[model]}").value
    expected = {
        f"generateImage.{model}.{field}.{keyword}": value
        for field, keyword, value in rules_of(contract, branch)
        if keyword == "required" or field not in {"", "model"}
    }
    found = {
        id: clause.value
        for id, clause in clauses.items()
        if clause.profile == model and clause.kind in {Kind.KEYWORD, Kind.REQUIRED}
    }
    assert found == expected
    assert len(found) >= 15


@pytest.mark.parametrize(
    ("operation", "status", "shapes"),
    [
        ("generateImage", "200", {"": "TaskAccepted"}),
        ("generateImage", "400", {"": "InvalidRequestError"}),
        ("generateImage", "401", {"": "UnauthorizedError"}),
        ("generateImage", "402", {"": "InsufficientCreditsError"}),
        ("getTask", "200", {f".{name}": name for name in ("PendingTask", "CompletedImageTask", "FailedTask")}),
        ("getTask", "401", {"": "UnauthorizedError"}),
        ("getTask", "404", {"": "TaskNotFoundError"}),
    ],
)
def test_every_keyword_of_an_answer_has_a_clause(
    contract: Contract, clauses: dict[str, Clause], operation: str, status: str, shapes: dict[str, str]
) -> None:
    expected = {
        f"{operation}.{status}{shape}{'.' if field else ''}{field}.{keyword}": value
        for shape, name in shapes.items()
        for field, keyword, value in rules_of(contract, contract.document.at(f"{SCHEMAS}/{name}").value)
    }
    found = {
        id: clause.value
        for id, clause in clauses.items()
        if (clause.operation, clause.status, clause.kind) == (operation, status, Kind.BODY)
    }
    assert found == expected


def test_every_documented_status_has_a_clause(contract: Contract, clauses: dict[str, Clause]) -> None:
    for operation in contract.operations.values():
        assert clauses[f"{operation.id}.statuses"].value == list(operation.responses)
        for error in operation.errors.values():
            assert clauses[f"{operation.id}.{error.status}"].value == error.when
        for status in operation.responses:
            assert (f"{operation.id}.{status}.content-type" in clauses) is (status != "500")


def test_every_price_has_a_clause(clauses: dict[str, Clause]) -> None:
    prices = {clause.id: clause.value for clause in clauses.values() if clause.kind is Kind.PRICE}
    assert prices == {
        "generateImage.gpt-image-2.price": {"fields": {}, "credits": 3},
        "generateImage.nano-banana-2.price.1K": {"fields": {"resolution": "1K"}, "credits": 4},
        "generateImage.nano-banana-2.price.2K": {"fields": {"resolution": "2K"}, "credits": 6},
        "generateImage.nano-banana-2.price.4K": {"fields": {"resolution": "4K"}, "credits": 8},
        "generateImage.nano-banana-pro.price.2K": {"fields": {"resolution": "2K"}, "credits": 12},
        "generateImage.nano-banana-pro.price.4K": {"fields": {"resolution": "4K"}, "credits": 20},
        "generateImage.google/nano-banana.price": {"fields": {}, "credits": 3},
    }


def test_an_order_stands_between_every_two_competing_errors(clauses: dict[str, Clause]) -> None:
    orders = {clause.id: clause.value for clause in clauses.values() if clause.kind is Kind.ORDER}
    assert orders == {
        "generateImage.order.401-400": ["unauthenticated", "invalid"],
        "generateImage.order.401-402": ["unauthenticated", "insufficient"],
        "generateImage.order.400-402": ["invalid", "insufficient"],
    }


def test_only_a_refused_submission_is_free_and_a_server_error_is_not(clauses: dict[str, Clause]) -> None:
    free = [clause.id for clause in clauses.values() if clause.kind is Kind.FREE]
    assert sorted(free) == [
        "generateImage.400.free",
        "generateImage.401.free",
        "generateImage.402.free",
        "getTask.free",
    ]


# --- IDs, places, JSON ---


def test_every_id_is_unique(contract: Contract) -> None:
    counts = Counter(clause.id for clause in derive_clauses(contract))
    assert set(counts.values()) == {1}


def test_every_clause_names_its_line(contract: Contract, clauses: dict[str, Clause]) -> None:
    for clause in clauses.values():
        node = contract.document.at(clause.pointer)
        assert clause.line == node.line == contract.document.lines[clause.pointer]


def shuffled(value: Any, order: random.Random) -> Any:
    """The value with the keys of every mapping in another order."""
    if isinstance(value, list):
        return [shuffled(item, order) for item in value]
    if isinstance(value, dict):
        keys = order.sample(list(value), len(value))
        return {key: shuffled(value[key], order) for key in keys}
    return value


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_the_order_of_keys_changes_no_clause(contract: Contract, clauses: dict[str, Clause], seed: int) -> None:
    data = shuffled(contract.document.data, random.Random(seed))
    found = derive_clauses(read_contract(Document("spec.yaml", data, contract.document.lines)))
    assert len(found) == len(clauses)
    for clause in found:
        known = clauses[clause.id]
        assert (clause.kind, clause.provenance, clause.line) == (known.kind, known.provenance, known.line)
        assert clause.pointer == known.pointer


def test_another_line_above_changes_no_clause_but_its_line(
    edited: Callable[..., Path], clauses: dict[str, Clause]
) -> None:
    _, found = check_contract(edited(("openapi: 3.0.3\n", "# a comment\n\nopenapi: 3.0.3\n")))
    assert {c.id: (c.sentence, c.line - 2) for c in found} == {c.id: (c.sentence, c.line) for c in clauses.values()}


def test_a_changed_limit_changes_its_clause_and_not_its_id(
    edited: Callable[..., Path], clauses: dict[str, Clause]
) -> None:
    _, found = check_contract(edited(("maxLength: 10000", "maxLength: 9999")))
    assert [clause.id for clause in found] == list(clauses)
    changed = {clause.id: clause.value for clause in found if clause.sentence != clauses[clause.id].sentence}
    assert changed == {"generateImage.nano-banana-pro.prompt.maxLength": 9999}


def test_a_clause_is_json_without_nulls(clauses: dict[str, Clause]) -> None:
    for clause in clauses.values():
        found = clause.to_json()
        assert None not in found.values()
        assert json.loads(json.dumps(found)) == found
        assert {"id", "kind", "sentence", "pointer", "line", "provenance"} <= found.keys()


def test_a_clause_says_of_itself_in_json_what_it_is_about(clauses: dict[str, Clause]) -> None:
    found = clauses["generateImage.nano-banana-pro.prompt.maxLength"].to_json()
    assert found == {
        "id": "generateImage.nano-banana-pro.prompt.maxLength",
        "kind": "keyword",
        "sentence": "For nano-banana-pro, `prompt` has at most 10,000 characters.",
        "pointer": "/components/schemas/NanoBananaProRequest/properties/prompt/maxLength",
        "line": found["line"],
        "provenance": "page",
        "operation": "generateImage",
        "profile": "nano-banana-pro",
        "field": "prompt",
        "keyword": "maxLength",
        "value": 10000,
    }


def test_a_rule_that_is_off_has_no_clause(edited: Callable[..., Path]) -> None:
    path = edited(
        ("x-error: {when: insufficient, order: 3, price: required}", "x-error: {when: insufficient, order: 3}"),
        ("x-error: {when: invalid, order: 2, details: details}", "x-error: {when: invalid, order: 2}"),
        ("failed: {status: 2, carries: error, refund: full}", "failed: {status: 2, carries: error}"),
        ('x-provenance: {"*": docs, states/failed/refund: page}', "x-provenance: docs"),
    )
    _, found = check_contract(path)
    kinds = Counter(clause.kind for clause in found)
    missing = (Kind.STATED_PRICE, Kind.DETAILS, Kind.REFUND, Kind.REFUND_FLAG)
    assert [kinds[kind] for kind in missing] == [0, 0, 0, 0]
    assert kinds[Kind.NO_REFUND] == 2


# --- words ---


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ("{type: string}", "is a string"),
        ("{type: integer}", "is an integer"),
        ("{type: object}", "is an object"),
        ("{type: array, nullable: true}", "is an array or null"),
        ("{type: number, nullable: false}", "is a number"),
        ("{enum: [1K]}", "is 1K"),
        ("{enum: [1K, 2K, 4K]}", "is 1K, 2K or 4K"),
        ("{enum: [null, 1, true]}", "is null, 1 or true"),
        ("{minLength: 1}", "is not empty"),
        ("{minLength: 2}", "has at least 2 characters"),
        ("{maxLength: 20000}", "has at most 20,000 characters"),
        ("{minItems: 1}", "has at least 1 item"),
        ("{minItems: 2}", "has at least 2 items"),
        ("{maxItems: 0}", "has no items"),
        ("{maxItems: 1400}", "has at most 1,400 items"),
        ("{minimum: 0}", "is at least 0"),
        ("{maximum: 1000}", "is at most 1,000"),
        ("{pattern: ^a$}", "matches ^a$"),
        ("{format: uri}", "is a valid uri"),
        ("{required: [a]}", "is required"),
    ],
)
def test_a_keyword_is_said_in_words(schema: str, sentence: str) -> None:
    words = list(keywords(parse_document(f"schema: {schema}".encode(), "spec.yaml").root.need("schema")))
    assert [says(word) for word in words] == [sentence]


def test_keywords_are_found_below_properties_items_and_other_fields() -> None:
    text = b"""\
type: object
required: [a]
properties:
  a: {type: array, items: {type: object, properties: {b: {type: string}}}}
additionalProperties: {minimum: 1}
"""
    words = [(word.field, word.keyword, word.suffix) for word in keywords(parse_document(text, "spec.yaml").root)]
    assert words == [
        ("", "type", "type"),
        ("a", "required", "a.required"),
        ("a", "type", "a.type"),
        ("a.*", "type", "a.*.type"),
        ("a.*.b", "type", "a.*.b.type"),
        ("*", "minimum", "*.minimum"),
    ]


@pytest.mark.parametrize(
    ("field", "subject"), [("", "the body"), ("a.b", "`a.b`"), ("a.*", "each item of `a`"), ("a.*.b", "`a.*.b`")]
)
def test_a_field_is_the_subject_of_a_sentence(field: str, subject: str) -> None:
    assert subject_of(field) == subject


@pytest.mark.parametrize(
    ("values", "words"), [(["a"], "a"), (["a", "b"], "a or b"), (["a", 1, None], "a, 1 or null"), ([1.0], "1")]
)
def test_a_list_is_said_in_words(values: list[Any], words: str) -> None:
    assert either(values) == words
