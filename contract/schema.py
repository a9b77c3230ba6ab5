"""From an OpenAPI 3.0 schema to a JSON Schema (draft 4) that any validator understands."""

from __future__ import annotations

from typing import Any

from contract.document import MAX_DEPTH, Node

_ANNOTATIONS = frozenset({"description", "title", "example", "default", "discriminator", "deprecated", "externalDocs"})


def json_schema(node: Node) -> dict[str, Any]:
    """The schema with every `$ref` put in place, `nullable` spelt out, and what no validator reads left out.

    Raises:
        ContractError: for a schema that contains itself, or nests too deep for a validator.
    """
    schema: dict[str, Any] = _convert(node, ())
    return schema


def _convert(node: Node, around: tuple[str, ...]) -> Any:
    node = node.resolved()
    if node.pointer in around:
        raise node.error("this schema contains itself", "a schema that ends")
    if len(around) > MAX_DEPTH:
        raise node.error(f"this schema is nested more than {MAX_DEPTH} deep", "a schema that is easier to read")
    around = (*around, node.pointer)
    schema: dict[str, Any] = {}
    for key in node.steps():
        if key in _ANNOTATIONS or key.startswith("x-") or key == "nullable":
            continue
        child = node.child(key)
        match key:
            case "properties":
                schema[key] = {name: _convert(item, around) for name, item in child.items()}
            case "items" | "not" | "additionalProperties" if isinstance(child.value, dict):
                schema[key] = _convert(child, around)
            case "oneOf" | "anyOf" | "allOf":
                schema[key] = [_convert(item, around) for item in child.children()]
            case _:
                schema[key] = child.value
    if node.value.get("nullable") is True and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema
