"""When two JSON values are the same: 1 and 1.0 are, 1 and true are not."""

from __future__ import annotations

import json
from typing import Any

from contract.document import Node


def canonical(value: Any) -> str:
    """A text that is the same for the same JSON values, and for no others."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def same_value(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same."""
    return canonical(one) == canonical(other)


def inlined(node: Node | None) -> Any:
    """The value of a node with every `$ref` in it put in place."""
    if node is None:
        return None
    node = node.resolved()
    if isinstance(node.value, dict):
        return {key: inlined(node.child(key)) for key in node.steps()}
    if isinstance(node.value, list):
        return [inlined(node.child(key)) for key in node.steps()]
    return node.value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
