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
    """The value of a node with every `$ref` in it put in place.

    Raises:
        ContractError: if the node contains itself. That it ends soon enough is a matter of the document's form.
    """
    return _inlined(node, frozenset()) if node else None


def _inlined(node: Node, around: frozenset[str]) -> Any:
    node = node.resolved()
    if node.pointer in around:
        raise node.error("this contains itself", "what ends, since it is compared")
    around |= {node.pointer}
    if isinstance(node.value, dict):
        return {key: _inlined(node.child(key), around) for key in node.steps()}
    if isinstance(node.value, list):
        return [_inlined(node.child(key), around) for key in node.steps()]
    return node.value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
