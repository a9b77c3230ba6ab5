"""What the fields of a form mean: the body of an operation of the control API, whose document says what is right."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import jsonschema_rs

from mock_server.control import ControlError, Json

_LONGEST_MESSAGE: Final = 300


class Forms:
    """Makes bodies of forms."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Read what the operations take.

        Args:
            document: the parsed description of the control API.
        """
        self._schemas: dict[str, Json] = {}
        self._validators: dict[str, jsonschema_rs.Draft4Validator] = {}
        components = document["components"]
        for item in document["paths"].values():
            for operation in item.values():
                if "requestBody" in operation:
                    self._add(operation["operationId"], operation["requestBody"], components)

    def _add(self, operation: str, body: Json, components: Json) -> None:
        schema = body["content"]["application/json"]["schema"]
        if "properties" not in schema:
            return  # a whole state is no form
        named = {name: _resolved(part, components) for name, part in schema["properties"].items()}
        self._schemas[operation] = named
        self._validators[operation] = jsonschema_rs.Draft4Validator({**schema, "properties": named})

    def body(self, operation: str, form: Mapping[str, str]) -> Json:
        """The body that a form makes; an empty field is one that was left out.

        Raises:
            ControlError: if the operation does not take it.
        """
        body = {
            name: _READERS.get(schema["type"], str)(form[name].strip())
            for name, schema in self._schemas[operation].items()
            if form.get(name, "").strip()
        }
        wrong = [
            ": ".join([*map(str, error.instance_path), error.message])
            for error in self._validators[operation].iter_errors(body)
        ]
        if wrong:
            raise ControlError(HTTPStatus.BAD_REQUEST, "; ".join(wrong)[:_LONGEST_MESSAGE])
        return body


def _resolved(schema: Json, components: Json) -> Json:
    reference = schema.get("$ref")
    return components["schemas"][reference.rpartition("/")[2]] if reference else schema


def _integer(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "integer": _integer,
    "number": _number,
    "boolean": lambda text: text == "true",
}
