"""Where a rule comes from.

`x-provenance` may stand on any node. It is a mark, which holds for the node and all below it, or a mapping from paths
below the node to marks, with `*` for the node itself. In a path, an item of a list is named by its value
(`required/prompt`), since its position means nothing. The nearest node that says something about a place decides, and
there the longest path.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from contract.document import Document, Node, unescape

KEY = "x-provenance"


class Provenance(StrEnum):
    """The kind of source a rule has."""

    PAGE = "page"
    DOCS = "docs"
    ASSUMED = "assumed"


def provenance(document: Document, pointer: str) -> Provenance:
    """The mark that holds for a place.

    Raises:
        ContractError: if neither the place nor any node around it carries one.
    """
    for value, path in _around(document, pointer):
        mark = _mark(value, path)
        if mark is not None:
            return Provenance(mark)
    raise document.error(pointer, "no source is given for this rule", f"{KEY} here or on a node above")


def check_provenance(node: Node) -> None:
    """Check that each path of a mapping below `x-provenance` leads to something.

    Raises:
        ContractError: for the first one that does not.
    """
    marks = node.child(KEY)
    if not isinstance(marks.value, dict):
        return
    for path in marks.value:
        if path != "*" and not _exists(node.value, path.split("/")):
            raise marks.child(path).error(f"{path!r} leads nowhere", f"'*' or a path below #{node.pointer}")


def _around(document: Document, pointer: str) -> Iterator[tuple[Any, list[str]]]:
    """Each node from the place up to the root that has marks, with the path from it down to the place."""
    nodes = [document.data]
    names: list[str] = []
    for step in pointer.split("/")[1:]:
        key = unescape(step)
        value = nodes[-1]
        if isinstance(value, list):
            child = value[int(key)]
            names.append(key if isinstance(child, dict | list) else str(child))
        else:
            child = value.get(key) if isinstance(value, dict) else None
            names.append(key)
        nodes.append(child)
    for depth in range(len(nodes) - 1, -1, -1):
        if isinstance(nodes[depth], dict) and KEY in nodes[depth]:
            yield nodes[depth][KEY], names[depth:]


def _mark(marks: Any, path: list[str]) -> str | None:
    if isinstance(marks, str):
        return marks
    for length in range(len(path), 0, -1):
        mark: str | None = marks.get("/".join(path[:length]))
        if mark is not None:
            return mark
    return marks.get("*")  # type: ignore[no-any-return]  # its schema allows nothing but marks


def _exists(value: Any, path: list[str]) -> bool:
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step in map(str, value):
            value = step
        else:
            return False
    return True
