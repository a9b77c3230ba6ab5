"""What only the whole check finds: parameters, examples, sources of rules, open questions."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.check import check_contract, examples
from contract.document import Document, parse_document, unescape
from contract.errors import ContractError
from contract.model import Contract
from contract.structure import check_example

Refused = Callable[..., ContractError]

GENERATE = "/paths/~1api~1ai~1image~1generate/post"
READ = "/paths/~1api~1ai~1tasks~1{id}/get"


# --- OpenAPI beyond its meta-schema ---


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        - name: id\n", "        - name: task\n"),
        ("          in: path\n          required: true", "          in: query"),
    ],
)
def test_a_path_parameter_that_is_not_declared_is_refused(refused: Refused, old: str, new: str) -> None:
    refused(
        (old, new),
        at=READ,
        line="    get:",
        says="the path parameter 'id' is not declared",
        expected="a parameter with in: path",
    )


def test_a_path_parameter_may_be_declared_for_the_whole_path(edited: Callable[..., Path], text: str) -> None:
    start = text.index("      parameters:\n        - name: id\n")
    parameters = text[start : text.index("      responses:\n", start)]
    moved = "".join(f"{line[2:]}\n" for line in parameters.splitlines())
    check_contract(edited((parameters, ""), ("  /api/ai/tasks/{id}:\n", f"  /api/ai/tasks/{{id}}:\n{moved}")))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("  - name: tasks\n", "  - name: tasks\n  - name: tasks\n"), "Duplicate tag name 'tasks'"),
        (
            (
                "        - name: id\n",
                "        - {name: id, in: path, required: true, schema: {}}\n        - name: id\n",
            ),
            "Duplicate parameter 'id'",
        ),
    ],
)
def test_what_the_meta_schema_cannot_say_is_checked(refused: Refused, edit: tuple[str, str], says: str) -> None:
    refused(edit, at="", line="openapi: 3.0.3", says=says, expected="valid OpenAPI 3.0")


def test_references_that_multiply_are_refused(refused: Refused) -> None:
    levels = "".join(
        f"    B{i}: {{type: object, properties: {{a: {{$ref: '#/components/schemas/B{i + 1}'}}, "
        f"b: {{$ref: '#/components/schemas/B{i + 1}'}}}}}}\n"
        for i in range(30)
    )
    refused(
        ("    TaskPrompt:\n", f"{levels}    B30: {{type: string}}\n    TaskPrompt:\n"),
        at="/components/schemas/B16/properties",
        line="    B16:",
        says="more than 50,000 nodes, once every $ref is put in place",
        expected="references that do not multiply",
    )


def test_a_chain_of_references_that_is_too_long_is_refused(refused: Refused) -> None:
    links = "".join(
        f"    C{i}: {{type: array, items: {{$ref: '#/components/schemas/C{i + 1}'}}}}\n" for i in range(500)
    )
    refused(
        ("    TaskPrompt:\n", f"{links}    C500: {{type: string}}\n    TaskPrompt:\n"),
        at="/components/schemas/C298",
        line="    C298:",
        says="nested more than 300 deep, once every $ref is put in place",
        expected="a shorter chain",
    )


def test_paths_that_differ_in_the_name_of_a_parameter_are_refused(refused: Refused) -> None:
    again = """  /api/ai/tasks/{other}:
    delete:
      operationId: stop
      parameters: [{name: other, in: path, required: true, schema: {type: string}}]
      responses: {"204": {description: Gone.}}
"""
    refused(
        ("components:\n", f"{again}components:\n"),
        at="/paths/~1api~1ai~1tasks~1{other}",
        line="  /api/ai/tasks/{other}:",
        says="/api/ai/tasks/{other} is /api/ai/tasks/{id} with another name of a parameter",
        expected="one path, with the operations of both",
    )


def test_a_schema_that_contains_itself_is_refused(refused: Refused) -> None:
    refused(
        (
            "    TaskPrompt:\n      type: string\n",
            "    TaskPrompt:\n      type: array\n      items: {$ref: '#/components/schemas/TaskPrompt'}\n",
        ),
        at="/components/schemas/TaskPrompt",
        line="    TaskPrompt:",
        says="this schema contains itself",
        expected="a schema that ends",
    )


# --- examples ---


@pytest.mark.parametrize(
    ("edit", "at", "line", "says", "schema"),
    [
        (
            ("                  prompt: Make it snow\n", '                  prompt: ""\n'),
            f"{GENERATE}/requestBody/content/application~1json/examples/googleNanoBananaEdit/value/prompt",
            'prompt: ""',
            '"" is shorter than 1 character',
            "/components/schemas/GenerateImageRequest",
        ),
        (
            ('                  aspectRatio: "4:5"\n', '                  aspectRatio: "4:6"\n'),
            f"{GENERATE}/requestBody/content/application~1json/examples/gptImage2Generation/value/aspectRatio",
            'aspectRatio: "4:6"',
            '"4:6" is not one of "auto", "1:1" or 9 other candidates',
            "/components/schemas/GenerateImageRequest",
        ),
        (
            (
                '                  inputImageUrls: ["https://example.com/uploads/street.png"]\n',
                "                  inputImageUrls: [street.png]\n",
            ),
            f"{GENERATE}/requestBody/content/application~1json/examples/googleNanoBananaEdit/value/inputImageUrls/0",
            "inputImageUrls: [street.png]",
            '"street.png" does not match "^https?://[^/?#]"',
            "/components/schemas/GenerateImageRequest",
        ),
        (
            ("                    errorCode: EMPTY_RESULT\n", '                    errorCode: ""\n'),
            f"{READ}/responses/200/content/application~1json/examples/failed/value/errorCode",
            'errorCode: ""',
            '"" is shorter than 1 character',
            "/components/schemas/TaskSnapshot",
        ),
        (
            ("                    errorCode: EMPTY_RESULT\n", ""),
            f"{READ}/responses/200/content/application~1json/examples/failed/value",
            "value:",
            '"errorCode" is a required property',
            "/components/schemas/TaskSnapshot",
        ),
        (
            (
                "              value: {error: Insufficient credits, required: 12}\n",
                "              value: {error: Too poor, required: 12}\n",
            ),
            "/components/responses/InsufficientCredits/content/application~1json/examples/insufficient/value/error",
            "value: {error: Too poor",
            '"Too poor" is not one of "Insufficient credits"',
            "/components/schemas/InsufficientCreditsError",
        ),
        (
            ("          example: tsk_01K7E9V4TQ2M8N5R3W6Y1Z0ABC\n", "          example: 7\n"),
            f"{READ}/parameters/0/example",
            "example: 7",
            '7 is not of type "string"',
            f"{READ}/parameters/0/schema",
        ),
        (
            ('      example: "16:9"\n', "      example: wide\n"),
            "/components/schemas/FreeAspectRatio/example",
            "example: wide",
            '"wide" does not match "^(auto|[1-9][0-9]*:[1-9][0-9]*)$"',
            "/components/schemas/FreeAspectRatio",
        ),
        (
            ("      enum: [png, jpeg, webp]\n", "      enum: [png, jpeg, webp]\n      default: gif\n"),
            "/components/schemas/OutputFormat/default",
            "default: gif",
            '"gif" is not one of "png", "jpeg" or "webp"',
            "/components/schemas/OutputFormat",
        ),
    ],
)
def test_an_example_or_default_that_does_not_fit_is_refused(
    refused: Refused, edit: tuple[str, str], at: str, line: str, says: str, schema: str
) -> None:
    refused(edit, at=at, line=line, says=f"it does not fit its schema: {says}", expected=f"what #{schema} says")


def test_the_format_of_an_example_is_checked(contract: Contract) -> None:
    schema = contract.document.at("/components/schemas/CreatedAt")
    example = Document("spec.yaml", {"example": "the second of MarchZ"}, {}).at("/example")
    with pytest.raises(ContractError) as caught:
        check_example(schema, example)
    assert "date-time" in caught.value.problem


def test_examples_are_found_wherever_openapi_allows_them() -> None:
    text = """\
components:
  schemas:
    A: {type: string, example: a}
    B: {oneOf: [{type: string}], example: c}
    C: {properties: {example: {type: integer}, other: {type: integer, example: 1}}}
  parameters:
    P: {name: p, in: query, schema: {type: string}, example: e}
    Q: {name: q, in: query, schema: {type: string}, examples: {one: {value: f}, two: {$ref: "#/components/examples/X"}}}
  examples:
    X: {value: g}
"""
    pairs = [(schema.pointer, example.value) for schema, example in examples(parse_document(text.encode(), "f"))]
    assert pairs == [
        ("/components/schemas/A", "a"),
        ("/components/schemas/B", "c"),
        ("/components/schemas/C/properties/other", 1),
        ("/components/parameters/P/schema", "e"),
        ("/components/parameters/Q/schema", "f"),
        ("/components/parameters/Q/schema", "g"),
    ]


def test_a_reference_to_what_is_no_schema_is_refused(refused: Refused) -> None:
    snippet = '        updatedAt: {$ref: "#/components/schemas/UpdatedAt"}\n\n    CompletedImageTask'
    refused(
        (snippet, snippet.replace("/schemas/UpdatedAt", "/securitySchemes/bearerAuth")),
        at="/components/schemas/TaskSnapshot",
        line="    TaskSnapshot:",
        says="this is no schema: \"http\" is not valid under any of the schemas listed in the 'anyOf' keyword",
        expected="a schema",
    )


# --- open questions ---


def test_an_assumed_rule_that_nobody_asks_about_is_refused(refused: Refused) -> None:
    refused(
        (
            "      description: The prompt of the submission, whole and unchanged.\n      x-provenance: docs\n",
            "      description: The prompt of the submission, whole and unchanged.\n      x-provenance: assumed\n",
        ),
        at="/components/schemas/TaskPrompt/type",
        line="      type: string",
        says="this rule is assumed, but no open question asks about it",
        expected="it, or a node above, among the rules of an item of x-open-questions",
    )


def test_an_assumed_item_of_a_list_needs_a_question_of_its_own(refused: Refused) -> None:
    refused(
        ("        - /components/schemas/NanoBananaProRequest/required/model\n", ""),
        at="/components/schemas/NanoBananaProRequest/required/0",
        line="required: [model, prompt]",
        says="this rule is assumed, but no open question asks about it",
        expected="it, or a node above, among the rules of an item of x-open-questions",
    )


def test_a_question_about_a_rule_that_is_not_assumed_is_refused(refused: Refused) -> None:
    refused(
        (
            "      rules: [/components/schemas/OutputFormat]",
            "      rules: [/components/schemas/OutputFormat, /components/schemas/ProviderInput]",
        ),
        at="/info/x-open-questions/9/rules",
        line="      rules: [/components/schemas/OutputFormat, ",
        says="no assumed rule stands at #/components/schemas/ProviderInput",
        expected="the place of a rule marked as assumed",
    )


def test_a_contradiction_may_be_about_any_rule(edited: Callable[..., Path]) -> None:
    check_contract(edited(("[/components/schemas/GptImage2Request/x-credits]", "[/components/schemas/ProviderInput]")))


def test_a_rule_named_by_the_value_of_an_item_is_found(edited: Callable[..., Path]) -> None:
    old = "        - /components/schemas/GptImage2Request/required/model\n"
    check_contract(edited((old, old.replace("model", "0"))))


# --- whatever stands in a document, it is checked or refused ---


def changed(data: Any, pointer: str, change: Callable[[Any, Any], None]) -> Any:
    """A copy of the data with something done to one container and its key."""
    data = json.loads(json.dumps(data))
    node = data
    *way, last = (unescape(step) for step in pointer.split("/")[1:])
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node[step]
    change(node, int(last) if isinstance(node, list) else last)
    return data


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_a_document_with_parts_in_the_wrong_place_is_checked_or_refused(
    contract: Contract, tmp_path: Path, data: st.DataObject
) -> None:
    document = contract.document
    pointers = st.sampled_from([pointer for pointer in document.lines if pointer])
    values = pointers.map(lambda pointer: document.at(pointer).value)
    references = pointers.map(lambda pointer: {"$ref": f"#{pointer}"})
    others = st.sampled_from([None, "", "x", 0, -1, 1.5, True, [], [None], {}, {"x": 1}, {"$ref": "#"}])
    value = data.draw(values | references | others)
    path = tmp_path / "mutant.json"
    path.write_text(json.dumps(changed(document.data, data.draw(pointers), lambda n, key: n.__setitem__(key, value))))
    with contextlib.suppress(ContractError):
        check_contract(path)
