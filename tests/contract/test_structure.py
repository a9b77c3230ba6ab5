"""What is not OpenAPI 3.0, and what is no extension of this project, is refused where it stands."""

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema_rs import Draft4Validator

from contract.document import Document, parse_document
from contract.errors import ContractError
from contract.structure import check_structure, extensions, most_telling, shorten, structure_faults, walk

Refused = Callable[..., ContractError]

MINIMAL: dict[str, Any] = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}}
EXTENSIONS = "x-provenance, x-open-questions, x-task, x-credits, x-lifecycle, x-error, x-conventions"


def fault(data: object) -> ContractError:
    """The fault of a document that has no lines."""
    with pytest.raises(ContractError) as caught:
        check_structure(Document("spec.yaml", data, {}))
    return caught.value


# --- OpenAPI ---


def test_a_minimal_document_is_openapi() -> None:
    check_structure(Document("spec.yaml", MINIMAL, {}))


@pytest.mark.parametrize("data", [None, [], "text", 5, [MINIMAL]])
def test_a_root_that_is_no_mapping_is_refused(data: object) -> None:
    error = fault(data)
    assert (error.pointer, error.problem, error.expected) == ("/openapi", "the OpenAPI version is None", "3.0.x")


@pytest.mark.parametrize("version", ["3.1.0", "2.0", "3", "3.10.0", "", None, 3.0, ["3.0.3"]])
def test_another_version_of_openapi_is_refused(version: object) -> None:
    error = fault({**MINIMAL, "openapi": version})
    assert (error.pointer, error.problem) == ("/openapi", f"the OpenAPI version is {version!r}")
    assert error.expected == "3.0.x"


def test_another_version_is_refused_in_its_line(refused: Refused) -> None:
    refused(
        ("openapi: 3.0.3", "openapi: 3.1.0"),
        at="/openapi",
        line="openapi: 3.1.0",
        says="the OpenAPI version is '3.1.0'",
        expected="3.0.x",
    )


def test_a_document_without_a_version_is_refused(refused: Refused) -> None:
    refused(
        ("openapi: 3.0.3\n", ""),
        at="/openapi",
        line="info:",
        says="the OpenAPI version is None",
        expected="3.0.x",
    )


def test_a_version_that_only_looks_like_3_0_is_refused() -> None:
    error = fault({**MINIMAL, "openapi": "3.0.x"})
    assert (error.pointer, error.problem) == ("/openapi", '"3.0.x" does not match "^3\\.0\\.\\d(-.+)?$"')


def test_a_missing_part_is_refused(refused: Refused) -> None:
    refused(
        ("  title: Image task API\n", ""),
        at="/info",
        line="info:",
        says='"title" is a required property',
        expected='the key "title"',
    )


def test_a_wrong_type_is_refused(refused: Refused) -> None:
    refused(
        ("          maxLength: 10000", "          maxLength: many"),
        at="/components/schemas/NanoBananaProRequest/properties/prompt/maxLength",
        line="maxLength: many",
        says='"many" is not of type "integer"',
        expected="the type integer",
    )


def test_a_yes_is_no_truth_value(refused: Refused) -> None:
    refused(
        (
            "          required: true\n          description: The `taskId`",
            "          required: yes\n          description: The",
        ),
        at="/paths/~1api~1ai~1tasks~1{id}/get/parameters/0/required",
        line="required: yes",
        says='"yes" is not of type "boolean"',
        expected="the type boolean",
    )


def test_an_unknown_key_is_refused_with_those_that_are_known(refused: Refused) -> None:
    refused(
        ("          maxLength: 10000", "          maxLenght: 10000"),
        at="/components/schemas/NanoBananaProRequest/properties/prompt/maxLenght",
        line="maxLenght: 10000",
        says="unknown key 'maxLenght'",
        expected="one of additionalProperties, allOf, anyOf, default, deprecated, description, discriminator, enum, "
        "example, exclusiveMaximum, exclusiveMinimum, externalDocs, format, items, maxItems, maxLength, "
        "maxProperties, maximum, minItems, minLength, minProperties, minimum, multipleOf, not, nullable, oneOf, "
        "pattern, properties, readOnly, required, title, type, uniqueItems, writeOnly, xml",
    )


@pytest.mark.parametrize("status", ["2000", "OK", "0", "600"])
def test_a_status_that_is_none_is_refused(refused: Refused, status: str) -> None:
    refused(
        ('        "404":', f'        "{status}":'),
        at=f"/paths/~1api~1ai~1tasks~1{{id}}/get/responses/{status}",
        line=f'"{status}":',
        says=f"unknown key '{status}'",
        expected="one of default",
    )


def test_a_path_without_a_slash_is_refused(refused: Refused) -> None:
    refused(
        ("  /api/ai/tasks/{id}:", "  api/ai/tasks/{id}:"),
        at="/paths/api~1ai~1tasks~1{id}",
        line="  api/ai/tasks/{id}:",
        says="unknown key 'api/ai/tasks/{id}'",
        expected="only the keys that OpenAPI names",
    )


def test_a_pattern_that_is_none_is_refused(refused: Refused) -> None:
    refused(
        ('      pattern: "^https?://[^/?#]"', '      pattern: "("'),
        at="/components/schemas/InputImageUrl/pattern",
        line='pattern: "("',
        says='"(" is not a "regex"',
        expected='format "regex"',
    )


def test_out_of_several_alternatives_the_one_that_was_meant_is_explained(refused: Refused) -> None:
    refused(
        ("      scheme: bearer\n", ""),
        at="/components/securitySchemes/bearerAuth",
        line="    bearerAuth:",
        says='"scheme" is a required property',
        expected='the key "scheme"',
    )


# --- extensions ---


def test_a_misspelt_extension_is_refused_with_a_hint(refused: Refused) -> None:
    refused(
        ("      x-credits: {by: [resolution], tiers: {2K: 12, 4K: 20}}", "      x-credit: {flat: 3}"),
        at="/components/schemas/NanoBananaProRequest/x-credit",
        line="x-credit: {flat: 3}",
        says="unknown extension 'x-credit'",
        expected="x-credits?",
    )


def test_an_unknown_extension_is_refused_with_those_that_are_known(refused: Refused) -> None:
    refused(
        ("  - name: tasks\n", "  - name: tasks\n    x-foo: 1\n"),
        at="/tags/0/x-foo",
        line="x-foo: 1",
        says="unknown extension 'x-foo'",
        expected=f"one of {EXTENSIONS}",
    )


@pytest.mark.parametrize(
    ("edit", "at", "means"),
    [
        (("info:\n", "info:\n  x-credits: {flat: 3}\n"), "/info/x-credits", "what a request of this profile costs"),
        (
            ("      summary: Read a", "      x-lifecycle: {}\n      summary: Read a"),
            "/paths/~1api~1ai~1tasks~1{id}/get/x-lifecycle",
            "the states of a task, and which snapshot field plays which part",
        ),
        (
            ("  /api/ai/tasks/{id}:\n", "  /api/ai/tasks/{id}:\n    x-task: {reads: id}\n"),
            "/paths/~1api~1ai~1tasks~1{id}/x-task",
            "what the operation does with a task",
        ),
        (
            ("    TaskModel:\n", "    TaskModel:\n      x-error: {when: invalid}\n"),
            "/components/schemas/TaskModel/x-error",
            "when the response is given, and which of several errors wins",
        ),
        (
            ("components:\n", "components:\n  x-open-questions: []\n"),
            "/components/x-open-questions",
            "what a reviewer has to decide",
        ),
        (("info:\n", "info:\n  x-conventions: {}\n"), "/info/x-conventions", "what holds for every operation"),
        (
            ("paths:\n", "paths:\n  x-provenance: page\n"),
            "/paths/x-provenance",
            "where the rules at and below this place come from",
        ),
        (
            ('        "404":', '        x-provenance: page\n        "404":'),
            "/paths/~1api~1ai~1tasks~1{id}/get/responses/x-provenance",
            "where the rules at and below this place come from",
        ),
    ],
)
def test_an_extension_in_a_place_where_it_means_nothing_is_refused(
    refused: Refused, edit: tuple[str, str], at: str, means: str
) -> None:
    key = at.rpartition("/")[2]
    refused(edit, at=at, line=key, says=f"{key} means nothing here", expected=f"it where it says {means}")


LIFECYCLE = "/components/schemas/TaskSnapshot/x-lifecycle"
TASK = "/paths/~1api~1ai~1image~1generate/post/x-task"
MARKS = '"page", "docs" or "assumed"'


@pytest.mark.parametrize(
    ("edit", "at", "says", "expected"),
    [
        # x-provenance
        (
            ("  - name: tasks\n", "  - name: tasks\n    x-provenance: rumour\n"),
            "/tags/0/x-provenance",
            f'"rumour" is not one of {MARKS}',
            'one of "page", "docs", "assumed"',
        ),
        (
            ('      x-provenance: {"*": docs, required: assumed}', '      x-provenance: {"*": docs, required: guess}'),
            "/components/schemas/PendingTask/x-provenance/required",
            f'"guess" is not one of {MARKS}',
            'one of "page", "docs", "assumed"',
        ),
        (
            ("x-conventions:\n  x-provenance: assumed\n", "x-conventions:\n  x-provenance: guess\n"),
            "/x-conventions/x-provenance",
            f'"guess" is not one of {MARKS}',
            'one of "page", "docs", "assumed"',
        ),
        (
            ('x-provenance: {"*": docs, states/failed/refund: page}', "x-provenance: {}"),
            f"{LIFECYCLE}/x-provenance",
            f"{{}} is not one of {MARKS}",
            'one of "page", "docs", "assumed"',
        ),
        # x-open-questions
        (
            ("    - id: cookie-name\n", "    - id: Cookie Name\n"),
            "/info/x-open-questions/3/id",
            '"Cookie Name" does not match "^[a-z0-9]+(-[a-z0-9]+)*$"',
            'pattern "^[a-z0-9]+(-[a-z0-9]+)*$"',
        ),
        (
            ("      choice: session\n", "      chioce: session\n"),
            "/info/x-open-questions/3/chioce",
            "unknown key 'chioce'",
            "one of choice, id, kind, question, rules",
        ),
        (
            ("      rules: [/components/schemas/OutputFormat]", "      rules: []"),
            "/info/x-open-questions/9/rules",
            "[] has less than 1 item",
            "minItems 1",
        ),
        (
            ("      rules: [/components/schemas/OutputFormat]", "      rules: [components/schemas/OutputFormat]"),
            "/info/x-open-questions/9/rules/0",
            '"components/schemas/OutputFormat" does not match "^/"',
            'pattern "^/"',
        ),
        # x-task
        (
            ("      x-task: {reads: id}", "      x-task: {reads: 5}"),
            "/paths/~1api~1ai~1tasks~1{id}/get/x-task/reads",
            '5 is not of type "string"',
            "the type string",
        ),
        (
            ("      x-task: {reads: id}", "      x-task: {}"),
            "/paths/~1api~1ai~1tasks~1{id}/get/x-task",
            '"reads" is a required property',
            'the key "reads"',
        ),
        (
            ("        submits: image\n", "        submit: image\n"),
            f"{TASK}/submit",
            "unknown key 'submit'",
            "one of idempotent, modes, passthrough, result, submits",
        ),
        (
            ("        idempotent: false\n", "        idempotent: true\n"),
            f"{TASK}/idempotent",
            "true is not one of false",
            "one of false",
        ),
        (
            ("present: image-to-image, empty: absent}", "present: image-to-image, empty: maybe}"),
            f"{TASK}/modes/empty",
            '"maybe" is not one of "absent" or "present"',
            'one of "absent", "present"',
        ),
        (
            ("result: {field: imageUrls, format", "result: {fields: imageUrls, format"),
            f"{TASK}/result/fields",
            "unknown key 'fields'",
            "one of aspect, field, format, tier",
        ),
        # x-credits
        (
            ("x-credits: {by: [resolution], tiers: {1K: 4,", "x-credits: {by: resolution, tiers: {1K: 4,"),
            "/components/schemas/NanoBanana2Request/x-credits/by",
            '"resolution" is not of type "array"',
            "the type array",
        ),
        (
            ("x-credits: {by: [resolution], tiers: {2K: 12, 4K: 20}}", "x-credits: {flat: 0}"),
            "/components/schemas/NanoBananaProRequest/x-credits/flat",
            "0 is less than the minimum of 1",
            "minimum 1",
        ),
        (
            ("x-credits: {by: [resolution], tiers: {2K: 12, 4K: 20}}", "x-credits: {flat: 1.5}"),
            "/components/schemas/NanoBananaProRequest/x-credits/flat",
            '1.5 is not of type "integer"',
            "the type integer",
        ),
        # x-lifecycle
        (
            ("          credits: creditsUsed\n", "          credit: creditsUsed\n"),
            f"{LIFECYCLE}/fields/credit",
            "unknown key 'credit'",
            "one of created, credits, errorCode, errorMessage, id, refunded, status, type, updated",
        ),
        (
            ("failed: {status: 2, carries: error, refund: full}", "failed: {status: 2, carries: error, refund: half}"),
            f"{LIFECYCLE}/states/failed/refund",
            '"half" is not one of "full"',
            'one of "full"',
        ),
        (
            ("completed: {status: 1, carries: result}", "completed: {status: 1, carries: picture}"),
            f"{LIFECYCLE}/states/completed/carries",
            '"picture" is not one of "result" or "error"',
            'one of "result", "error"',
        ),
        (
            ("timing: {pollSeconds: 2,", "timing: {pollSeconds: 0,"),
            f"{LIFECYCLE}/timing/pollSeconds",
            "0 is less than or equal to the minimum of 0",
            "exclusiveMinimum 0",
        ),
        (
            ("          STORAGE_ERROR: The result could not be stored.", "          STORAGE_ERROR: "),
            f"{LIFECYCLE}/errorCodes/STORAGE_ERROR",
            'null is not of type "string"',
            "the type string",
        ),
        # x-error
        (
            ("x-error: {when: unauthenticated, order: 1}", "x-error: {when: unauthorised, order: 1}"),
            "/components/responses/Unauthorized/x-error/when",
            '"unauthorised" is not one of "unauthenticated", "invalid" or 3 other candidates',
            'one of "unauthenticated", "invalid", "insufficient", "unknownTask", "unexpected"',
        ),
        (
            ("x-error: {when: unauthenticated, order: 1}", "x-error: {when: unauthenticated, order: first}"),
            "/components/responses/Unauthorized/x-error/order",
            '"first" is not of type "integer"',
            "the type integer",
        ),
        # x-conventions
        (
            ("  character: code point\n", "  character: byte\n"),
            "/x-conventions/character",
            '"byte" is not one of "code point"',
            'one of "code point"',
        ),
        (
            ("  invalidText: {status: 400}\n", "  invalidText: {status: 500}\n"),
            "/x-conventions/invalidText/status",
            "500 is greater than the maximum of 499",
            "maximum 499",
        ),
    ],
)
def test_a_malformed_extension_is_refused(
    refused: Refused, edit: tuple[str, str], at: str, says: str, expected: str
) -> None:
    refused(edit, at=at, line=edit[1].strip().splitlines()[-1], says=says, expected=expected)


@pytest.mark.parametrize(
    ("snippet", "at", "line", "key"),
    [
        ("      choice: session\n", "/info/x-open-questions/3", "- id: cookie-name", "choice"),
        ("        echoes: [model, prompt]\n", LIFECYCLE, "x-lifecycle:", "echoes"),
        ("  otherMediaType: {status: 400}\n", "/x-conventions", "x-conventions:", "otherMediaType"),
        ("        idempotent: false\n", TASK, "x-task:", "idempotent"),
    ],
)
def test_an_extension_without_a_part_is_refused(refused: Refused, snippet: str, at: str, line: str, key: str) -> None:
    refused((snippet, ""), at=at, line=line, says=f'"{key}" is a required property', expected=f'the key "{key}"')


def test_every_extension_has_a_place_a_purpose_and_a_schema() -> None:
    assert ", ".join(extensions()) == EXTENSIONS
    for extension in extensions().values():
        assert extension.purpose


@pytest.mark.parametrize("key", ["example", "default", "enum"])
def test_an_extension_in_the_data_of_users_is_theirs(key: str) -> None:
    value: object = {"x-mine": 1}
    schema = {"type": "object", key: [value] if key == "enum" else value}
    check_structure(Document("spec.yaml", MINIMAL | {"components": {"schemas": {"Any": schema}}}, {}))


def test_a_field_may_have_the_name_of_an_extension_or_of_a_keyword() -> None:
    fields = {name: {"type": "string"} for name in ("x-credits", "x-other", "default", "enum", "properties")}
    schema = {"type": "object", "properties": fields}
    check_structure(Document("spec.yaml", MINIMAL | {"components": {"schemas": {"Any": schema}}}, {}))


@pytest.mark.parametrize("name", ["default", "example", "properties"])
def test_an_extension_below_a_field_with_the_name_of_a_keyword_is_checked(name: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string", "x-other": 1}}}
    error = fault(MINIMAL | {"components": {"schemas": {"Any": schema}}})
    assert error.pointer == f"/components/schemas/Any/properties/{name}/x-other"


def test_an_extension_of_a_default_response_is_checked() -> None:
    operation = {"responses": {"default": {"description": "d", "x-eror": {}}}}
    error = fault(MINIMAL | {"paths": {"/a": {"get": operation}}})
    assert (error.pointer, error.expected) == ("/paths/~1a/get/responses/default/x-eror", "x-error?")


# --- defaults ---


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "string", "default": 5}, '5 is not of type "string"'),
        ({"enum": ["a", "b"], "default": "c"}, '"c" is not one of "a" or "b"'),
        ({"allOf": [{"type": "string"}], "default": 5}, '5 is not of type "string"'),
        ({"type": "object", "properties": {"a": {"type": "integer", "maximum": 3, "default": 4}}}, "4 is greater"),
    ],
)
def test_a_default_that_does_not_fit_is_refused(schema: dict[str, Any], problem: str) -> None:
    error = fault(MINIMAL | {"components": {"schemas": {"Any": schema}}})
    assert error.pointer.endswith("/default")
    assert f"it does not fit its schema: {problem}" in error.problem


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "nullable": True, "default": None},
        {"type": "object", "properties": {"default": {"type": "integer"}, "type": {"type": "string"}}},
        {"default": 5},
        {"type": "object", "properties": {"default": {"type": "object", "default": {}}}},
    ],
)
def test_a_default_that_fits_is_not(schema: dict[str, Any]) -> None:
    check_structure(Document("spec.yaml", MINIMAL | {"components": {"schemas": {"Any": schema}}}, {}))


def test_defaults_are_looked_at_once_every_schema_is_one() -> None:
    schemas = {"Any": {"type": "string", "default": 5}, "None": {"properties": 5, "type": "object", "default": {}}}
    found = [
        error.pointer for error in structure_faults(Document("f", MINIMAL | {"components": {"schemas": schemas}}, {}))
    ]
    assert found == ["/components/schemas/None/properties"]


# --- references ---


def reference_to(target: str) -> tuple[str, str]:
    """An edit that makes one field of one model a reference to another place."""
    before = (
        "          maxItems: 8\n          description: The pictures to edit. Omitted or empty means text-to-image.\n"
    )
    return f'{before}          items: {{$ref: "#/components/schemas/InputImageUrl"}}\n', (
        f'{before}          items: {{$ref: "{target}"}}\n'
    )


@pytest.mark.parametrize(
    ("target", "says", "expected"),
    [
        (
            "#/components/schemas/Nothing",
            "#/components/schemas/Nothing does not exist: there is no 'Nothing' in #/components/schemas",
            "a place in this document",
        ),
        ("other.yaml#/AspectRatio", "$ref 'other.yaml#/AspectRatio' leaves this document", "#/..."),
        ("https://example.com/a.yaml", "$ref 'https://example.com/a.yaml' leaves this document", "#/..."),
        ("#", "$ref '#' leaves this document", "#/..."),
        ("#/info/title", "$ref leads to no object", "a reference to what belongs here"),
        ("#/tags", "$ref leads to no object", "a reference to what belongs here"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_refused(
    refused: Refused, target: str, says: str, expected: str
) -> None:
    refused(
        reference_to(target),
        at="/components/schemas/NanoBananaProRequest/properties/inputImageUrls/items/$ref",
        line=f'items: {{$ref: "{target}"}}',
        says=says,
        expected=expected,
    )


def test_references_in_a_circle_are_refused(refused: Refused) -> None:
    refused(
        ("    TaskModel:\n", "    Here: {$ref: '#/components/schemas/There'}\n    TaskModel:\n"),
        ("    TaskPrompt:\n", "    There: {$ref: '#/components/schemas/Here'}\n    TaskPrompt:\n"),
        at="/components/schemas/Here",
        line="    Here:",
        says="$ref leads back to itself",
        expected="a reference that ends somewhere",
    )


# --- helpers ---


def test_walk_gives_the_nodes_with_keywords_from_the_top_down() -> None:
    text = b"info: {x-a: {b: 1}}\nproperties: {default: {enum: [{}]}, p: {example: {q: {}}}}\nlist: [{}, 1]\n"
    pointers = [node.pointer for node in walk(parse_document(text, "spec.yaml").root)]
    assert pointers == ["", "/info", "/properties/default", "/properties/p", "/list", "/list/0"]


def test_an_alternative_that_could_only_be_a_reference_explains_nothing() -> None:
    (error,) = Draft4Validator({"oneOf": [{"required": ["$ref"]}]}).iter_errors({})
    assert most_telling(error) is error


def test_a_long_message_is_cut_in_the_middle() -> None:
    assert shorten("short") == "short"
    cut = shorten("a" * 100 + "b" * 100)
    assert cut == "a" * 80 + " ... " + "b" * 80
