"""An OpenAPI schema becomes a JSON Schema that says the same."""

from typing import Any

import jsonschema_rs
import pytest

from contract.document import MAX_DEPTH, Document
from contract.errors import ContractError
from contract.model import Contract
from contract.schema import json_schema


def converted(schema: Any, **others: Any) -> dict[str, Any]:
    data = {"schema": schema, "components": {"schemas": others}}
    return json_schema(Document("spec.yaml", data, {}).root.need("schema"))


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def test_plain_keywords_stay_as_they_are() -> None:
    schema = {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^a", "format": "uri", "enum": ["a"]}
    assert converted(schema) == schema


def test_what_no_validator_reads_is_left_out() -> None:
    schema = {
        "type": "string",
        "description": "d",
        "title": "t",
        "example": "e",
        "default": "f",
        "discriminator": {"propertyName": "p"},
        "deprecated": True,
        "externalDocs": {"url": "u"},
        "x-provenance": "page",
    }
    assert converted(schema) == {"type": "string"}


def test_a_field_may_be_called_like_a_keyword() -> None:
    names = ("description", "example", "default", "nullable", "x-mine", "properties", "items")
    schema = {"type": "object", "properties": {name: {"type": "string", "title": "t"} for name in names}}
    assert converted(schema) == {"type": "object", "properties": {name: {"type": "string"} for name in names}}


def test_references_are_put_in_place_everywhere() -> None:
    word = {"type": "string"}
    schema = {
        "properties": {"a": ref("Word")},
        "items": ref("Word"),
        "additionalProperties": ref("Word"),
        "not": ref("Word"),
        "oneOf": [ref("Word"), {"type": "integer"}],
        "anyOf": [ref("Word")],
        "allOf": [ref("Alias")],
    }
    assert converted(schema, Word={**word, "description": "d"}, Alias=ref("Word")) == {
        "properties": {"a": word},
        "items": word,
        "additionalProperties": word,
        "not": word,
        "oneOf": [word, {"type": "integer"}],
        "anyOf": [word],
        "allOf": [word],
    }


@pytest.mark.parametrize("value", [True, False])
def test_additional_properties_may_be_a_truth_value(*, value: bool) -> None:
    assert converted({"additionalProperties": value}) == {"additionalProperties": value}


def test_a_nullable_schema_allows_null() -> None:
    schema = converted({"type": "string", "nullable": True, "enum": ["a", None]})
    assert schema == {"type": ["string", "null"], "enum": ["a", None]}
    validator = jsonschema_rs.Draft4Validator(schema)
    assert [validator.is_valid(value) for value in ("a", None, "b")] == [True, True, False]


@pytest.mark.parametrize("schema", [{"type": "string", "nullable": False}, {"nullable": True, "enum": ["a"]}])
def test_nullable_means_nothing_without_a_type_or_when_false(schema: dict[str, Any]) -> None:
    assert converted(schema) == {key: value for key, value in schema.items() if key != "nullable"}


def test_a_schema_may_be_used_twice() -> None:
    pair = {"properties": {"a": ref("Word"), "b": ref("Word")}}
    assert converted(pair, Word={"type": "string"})["properties"] == {"a": {"type": "string"}, "b": {"type": "string"}}


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"properties": {"a": ref("A")}}},
        {"A": {"items": ref("B")}, "B": {"allOf": [ref("A")]}},
        {"A": {"additionalProperties": ref("A")}},
        {"A": {"oneOf": [{"type": "string"}, {"not": ref("A")}]}},
    ],
    ids=["properties", "over-another", "additionalProperties", "oneOf"],
)
def test_a_schema_that_contains_itself_is_refused(schemas: dict[str, Any]) -> None:
    with pytest.raises(ContractError) as caught:
        converted(ref("A"), **schemas)
    assert (caught.value.pointer, caught.value.problem) == ("/components/schemas/A", "this schema contains itself")
    assert caught.value.expected == "a schema that ends"


def test_a_schema_that_nests_too_deep_is_refused() -> None:
    schemas = {f"S{n}": {"items": ref(f"S{n + 1}")} for n in range(MAX_DEPTH)} | {f"S{MAX_DEPTH}": {"type": "string"}}
    jsonschema_rs.Draft4Validator(converted(ref("S0"), **schemas))
    with pytest.raises(ContractError) as caught:
        converted({"items": ref("S0")}, **schemas)
    assert caught.value.problem == "this schema is nested more than 100 deep"


def test_every_schema_of_the_contract_is_a_json_schema(contract: Contract) -> None:
    schemas = list(contract.document.root.children("components", "schemas"))
    assert len(schemas) > 20
    for node in schemas:
        schema = json_schema(node)
        jsonschema_rs.Draft4Validator(schema)
        assert "$ref" not in str(schema)
