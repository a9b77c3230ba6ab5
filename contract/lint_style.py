"""What this API's style demands of a contract, beyond what makes it one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from contract.document import Document, Node
from contract.errors import ContractError
from contract.reader import JSON, operation_nodes, parameter_nodes
from contract.structure import walk

Faults = Iterator[ContractError]


def _operations(document: Document) -> Iterator[Node]:
    return (node for _, _, node in operation_nodes(document))


def _responses(document: Document) -> Iterator[tuple[str, Node]]:
    """Every documented response, each once, with a status that it is given under."""
    seen = set()
    for operation in _operations(document):
        for status, response in operation.items("responses"):
            if response.pointer not in seen:
                seen.add(response.pointer)
                yield status, response


def _error_shape(document: Document) -> Faults:
    """Every error has the fields that the answers outside the documented operations have."""
    outside = document.root.get("x-conventions", "unknownPath", "body")
    fields = outside.steps() if outside is not None else []
    for status, response in _responses(document):
        if status.startswith(("1", "2", "3")):
            continue
        schema = response.get("content", JSON, "schema")
        if schema is None:
            yield response.error(f"the error {status} has no JSON body with a schema", f"content, {JSON}, schema")
            continue
        required = schema.get("required")
        for field in fields:
            if required is None or field not in required.value or schema.get("properties", field) is None:
                expected = f"{field!r} among its properties and its required ones"
                yield schema.error(f"the error {status} need not have the field {field!r}", expected)


def _names(document: Document) -> Faults:
    """Operations say what they are called and what they are for."""
    for operation in _operations(document):
        for key in ("operationId", "summary", "description"):
            if not _says(operation, key):
                yield operation.error(f"the operation has no {key}", key)


def _descriptions(document: Document) -> Faults:
    root = document.root
    described: list[Node] = [*root.children("tags"), *root.children("components", "securitySchemes")]
    for operation in _operations(document):
        described += parameter_nodes(operation)
    for _, response in _responses(document):
        described += [response, *response.children("headers"), *response.children("links")]
    for node in described:
        if not _says(node, "description"):
            name = node.get("name")
            yield node.error(f"{name.value if name else node.name!r} is not described", "description")


def _says(node: Node, key: str) -> bool:
    said = node.get(key)
    return said is not None and bool(str(said.value).strip())


def _examples(document: Document) -> Faults:
    """Every body has an example, and every profile one of its own."""
    bodies = [response for _, response in _responses(document)]
    bodies += [body for operation in _operations(document) if (body := operation.get("requestBody"))]
    for body in bodies:
        for media in body.children("content"):
            if not any(_examples_of(media)):
                yield media.error("nothing shows what such a body looks like", "example or examples")
    for operation in _operations(document):
        for media in operation.children("requestBody", "content"):
            selector = media.get("schema", "discriminator", "propertyName")
            shown = [example.value for example in _examples_of(media) if isinstance(example.value, dict)]
            for name, _ in media.items("schema", "discriminator", "mapping") if selector else ():
                if selector and name not in [example.get(selector.value) for example in shown]:
                    yield media.error(f"no example is for {selector.value} {name!r}", "one with it among the examples")


def _examples_of(media: Node) -> Iterator[Node]:
    alone = media.get("example")
    if alone is not None:
        yield alone
    for example in media.children("examples"):
        value = example.get("value")
        if value is not None:
            yield value


def _required(document: Document) -> Faults:
    """What a schema requires is a field of it; a misspelt name would be required for ever, and never met."""
    for schema in walk(document.root):
        properties = schema.get("properties")
        for name in schema.children("required") if properties and schema.get("required") else ():
            if properties and name.value not in properties.steps():
                yield name.error(f"it requires {name.value!r}, which is no property of it", "one of its properties")


def _unused_parts(document: Document) -> Faults:
    """Every component is led to, other than from within."""
    used = Counter(_references(document.data))
    for kind, components in document.root.items("components"):
        for name in components.steps() if kind != "securitySchemes" else ():
            part = components.child(name)
            reference = f"#{part.pointer}"
            if used[reference] == Counter(_references(part.value))[reference]:
                yield part.error(f"nothing uses {name!r}", "a reference to it, or not to have it")


def _unused_names(document: Document) -> Faults:
    """Every security scheme is asked for, every tag stands on an operation; and no tag that is not declared."""
    root = document.root
    asked = [requirement for node in (root, *_operations(document)) for requirement in node.children("security")]
    schemes = {name for requirement in asked for name in requirement.steps()}
    for name, scheme in root.items("components", "securitySchemes"):
        if name not in schemes:
            yield scheme.error(f"nothing asks for {name!r}", "it in a security, or not to have it")
    tags = [tag for operation in _operations(document) for tag in operation.children("tags")]
    declared = {tag.need("name").value: tag for tag in root.children("tags")}
    for name in declared.keys() - {tag.value for tag in tags}:
        yield declared[name].error(f"no operation has the tag {name!r}", "it on an operation, or not to have it")
    for tag in tags:
        if tag.value not in declared:
            yield tag.error(f"the tag {tag.value!r} is not declared", "it among the tags, with a description")


def _references(value: Any) -> Iterator[str]:
    """Every reference below a value, those of a discriminator's mapping included."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key == "$ref" and isinstance(below, str):
                yield below
            elif key == "mapping" and isinstance(below, dict):
                yield from (target for target in below.values() if isinstance(target, str))
            else:
                yield from _references(below)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


STYLE: Final[dict[str, Callable[[Document], Faults]]] = {
    "error-shape": _error_shape,
    "operation-name": _names,
    "description": _descriptions,
    "required": _required,
    "example-missing": _examples,
    "unused": _unused_parts,
    "unused-name": _unused_names,
}
