"""A YAML document that remembers where everything stands, and a cursor to walk it.

`load_document` gives plain JSON values, as YAML 1.2 has them: `on` is a string and not a truth value, a date is a
string, and `4:5` is no number. Beside them it keeps the line of every node, so that a fault found anywhere can say
where it is. A `Node` is a place in the document; walking from it follows `$ref` by itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import yaml

from contract.errors import ContractError

MAX_DEPTH = 100
"""How deep a document may nest. A hand-written one stays far below; an alias that contains itself does not."""


MAX_NODES = 200_000
"""How many nodes a document may have. Aliases that repeat aliases are soon above it, and above any memory."""

DATA_KEYS: Final = frozenset({"example", "default", "enum", "value"})
"""Keys below which stands data of the API's users, not of the contract; an `x-` key there is theirs."""

NAME_MAPS: Final = frozenset(
    {
        "examples",
        "headers",
        "links",
        "mapping",
        "parameters",
        "properties",
        "requestBodies",
        "schemas",
        "securitySchemes",
        "variables",
    }
)
"""Keys below which the keys are names that the author chose, not keywords."""

_TAG: Final = "tag:yaml.org,2002:"


class Role(Enum):
    """What the keys of a place are: only among keywords is a `$ref` a reference."""

    KEYWORDS = "keywords"
    NAMES = "names"
    DATA = "data"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C parser has no stubs
    """A loader whose plain scalars mean what YAML 1.2 says, which is what every other OpenAPI tool reads."""

    yaml_implicit_resolvers: Final[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


def _resolver(tag: str, pattern: str, first: Iterable[str]) -> None:
    for character in first:
        entry = (f"{_TAG}{tag}", re.compile(pattern))
        _Loader.yaml_implicit_resolvers.setdefault(character, []).append(entry)


_resolver("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_resolver("null", r"^(?:~|null|Null|NULL|)$", ("", "~", "n", "N"))
_resolver("int", r"^[-+]?[0-9]+$", "-+0123456789")
_resolver("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    "str": str,
    "int": int,
    "float": _number,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "null": lambda _: None,
}


def escape(key: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(step: str) -> str:
    """The key that a step of a JSON pointer stands for (RFC 6901)."""
    return step.replace("~1", "/").replace("~0", "~")


def covers(place: str, pointer: str) -> bool:
    """Whether a pointer is a place, or leads below it."""
    return pointer == place or pointer.startswith(place + "/")


@dataclass(frozen=True, eq=False)
class Document:
    """A document's values and places.

    Attributes:
        file: its name, as the user gave it.
        data: the parsed values: dict, list, str, int, float, bool, None. Never changed after loading.
        lines: for each JSON pointer, the line of the key or item, counted from 1.
    """

    file: str
    data: Any
    lines: Mapping[str, int]

    @property
    def root(self) -> Node:
        """The cursor at the top of the document."""
        return Node(self, "", self.data)

    def line(self, pointer: str) -> int:
        """The line of the place, or of the nearest place around it that exists."""
        while pointer not in self.lines and pointer:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)

    def error(self, pointer: str, problem: str, expected: str = "") -> ContractError:
        """A fault at the place, to be raised."""
        line = self.line(pointer)
        return ContractError(file=self.file, pointer=pointer, line=line, problem=problem, expected=expected)

    def at(self, pointer: str, *, origin: str | None = None) -> Node:
        """The cursor at a pointer.

        Args:
            pointer: a JSON pointer into the document.
            origin: the place that names this pointer, for the message.

        Raises:
            ContractError: if there is nothing at the pointer.
        """
        node = self.root
        for step in pointer.split("/")[1:]:
            key = unescape(step)
            child = node.child(key) if key in node.steps() else None
            if child is None:
                raise self.error(
                    pointer if origin is None else origin,
                    f"#{pointer} does not exist: there is no {key!r} in #{node.pointer}",
                    "a place in this document",
                )
            node = child
        return node


@dataclass(frozen=True, eq=False)
class Node:
    """A place in a document: its pointer, the value that stands there, and what the keys of that are."""

    document: Document
    pointer: str
    value: Any
    role: Role = Role.KEYWORDS

    @property
    def line(self) -> int:
        """The line of the place, counted from 1."""
        return self.document.line(self.pointer)

    @property
    def name(self) -> str:
        """The key under which the node stands."""
        return unescape(self.pointer.rpartition("/")[2])

    def error(self, problem: str, expected: str = "") -> ContractError:
        """A fault at this place, to be raised."""
        return self.document.error(self.pointer, problem, expected)

    def steps(self) -> list[str]:
        """The keys of a mapping, the indices of a list, nothing for anything else."""
        if isinstance(self.value, dict):
            return list(self.value)
        if isinstance(self.value, list):
            return [str(index) for index in range(len(self.value))]
        return []

    def child(self, key: str) -> Node:
        """The node below, exactly where it stands: a `$ref` is not followed."""
        value = self.value[int(key)] if isinstance(self.value, list) else self.value[key]
        return Node(self.document, f"{self.pointer}/{escape(key)}", value, self._role(key, value))

    def branches(self) -> Iterator[Node]:
        """The children that are mappings or lists themselves."""
        if isinstance(self.value, dict):
            yield from (self.child(key) for key, value in self.value.items() if isinstance(value, dict | list))
        elif isinstance(self.value, list):
            yield from (self.child(str(i)) for i, value in enumerate(self.value) if isinstance(value, dict | list))

    def _role(self, key: str, value: Any) -> Role:
        if self.role is not Role.KEYWORDS:
            return Role.DATA if self.role is Role.DATA else Role.KEYWORDS
        if key.startswith("x-") or (key in DATA_KEYS and self.name != "responses"):
            return Role.DATA  # of responses, `default` is a name
        return Role.NAMES if key in NAME_MAPS and isinstance(value, dict) else Role.KEYWORDS

    @property
    def refers(self) -> bool:
        """Whether a reference stands here, in place of what is meant."""
        return self.role is Role.KEYWORDS and isinstance(self.value, dict) and "$ref" in self.value

    def resolved(self) -> Node:
        """The node itself, or the one its `$ref` leads to.

        Raises:
            ContractError: for a `$ref` that leads nowhere, in a circle or out of the document.
        """
        node, seen = self, {self.pointer}
        while node.refers:
            target = node.value["$ref"]
            if not isinstance(target, str) or not target.startswith("#/"):
                raise node.child("$ref").error(f"$ref {target!r} leaves this document", "#/...")
            node = node.document.at(target[1:], origin=f"{node.pointer}/$ref")
            if node.pointer in seen:
                raise node.error("$ref leads back to itself", "a reference that ends somewhere")
            seen.add(node.pointer)
        return node

    def get(self, *path: str) -> Node | None:
        """The node at the end of the path, `$ref` followed on the way, or None if there is none."""
        node = self.resolved()
        for key in path:
            if key not in node.steps():
                return None
            node = node.child(key).resolved()
        return node

    def need(self, *path: str) -> Node:
        """Like `get`, but the node must be there.

        Raises:
            ContractError: if it is not.
        """
        node = self.resolved()
        for key in path:
            if key not in node.steps():
                raise node.error(f"{key!r} is missing", f"a node {key!r} here")
            node = node.child(key).resolved()
        return node

    def items(self, *path: str) -> Iterator[tuple[str, Node]]:
        """Each key or index below the path with its node, `$ref` followed; none if nothing is there."""
        node = self.get(*path)
        if node is not None:
            for key in node.steps():
                yield key, node.child(key).resolved()

    def children(self, *path: str) -> Iterator[Node]:
        """The nodes below the path, `$ref` followed; none if nothing is there."""
        return (child for _, child in self.items(*path))


def load_document(path: Path) -> Document:
    """Read a YAML (or JSON) file.

    Raises:
        ContractError: if the file cannot be read, is not YAML, or holds what JSON cannot: a key twice, a key that is
            no scalar, a tag of another type, an infinite number.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ContractError(
            file=str(path), pointer="", line=1, problem=problem, expected="a readable YAML file"
        ) from error
    return parse_document(text, str(path))


def parse_document(text: bytes, file: str) -> Document:
    """Parse a YAML (or JSON) text; see `load_document`."""
    try:
        _check_depth(text, file)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise _broken(file, line, problem) from error
    except yaml.reader.ReaderError as error:
        raise _broken(file, text.count(b"\n", 0, error.position) + 1, error.reason) from error
    except UnicodeDecodeError as error:
        raise _broken(file, 1, " ".join(str(error).split())) from error
    if root is None:
        raise _broken(file, 1, "the file is empty")
    lines: dict[str, int] = {}
    return Document(file, _Builder(file, lines).build(root, "", root.start_mark.line + 1, 0), lines)


def _check_depth(text: bytes, file: str) -> None:
    """Refuse a text that nests too deep before it is composed: the C parser does that on its own stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            mark = event.start_mark
            raise _too_deep(file, "", mark.line + 1 if mark else 1)


def _too_deep(file: str, pointer: str, line: int) -> ContractError:
    problem = f"nested more than {MAX_DEPTH} deep"
    return ContractError(file=file, pointer=pointer, line=line, problem=problem, expected="a finite tree")


def _broken(file: str, line: int, problem: str) -> ContractError:
    return ContractError(
        file=file,
        pointer="",
        line=line,
        problem=f"not valid YAML: {problem}",
        expected="a YAML document",
    )


@dataclass(frozen=True)
class _Builder:
    """Turns YAML nodes into JSON values and notes where each one stands."""

    file: str
    lines: dict[str, int]

    def build(self, node: yaml.Node, pointer: str, line: int, depth: int) -> Any:
        self.lines[pointer] = line
        if depth > MAX_DEPTH:
            raise _too_deep(self.file, pointer, node.start_mark.line + 1)
        if len(self.lines) > MAX_NODES:
            raise self._error(node, pointer, f"more than {MAX_NODES:,} nodes", "aliases that do not multiply")
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, pointer, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [
                self.build(item, f"{pointer}/{index}", item.start_mark.line + 1, depth + 1)
                for index, item in enumerate(node.value)
            ]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, pointer)
        raise self._foreign(node, pointer)

    def _mapping(self, node: yaml.MappingNode, pointer: str, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, pointer, "a key that is no scalar", "a string as the key")
            name = str(key.value)
            place = f"{pointer}/{escape(name)}"
            if name in result:
                first = self.lines[place]
                raise self._error(key, place, f"{name!r} stands here again (first in line {first})")
            result[name] = self.build(value, place, key.start_mark.line + 1, depth + 1)
        return result

    def _scalar(self, node: yaml.ScalarNode, pointer: str) -> Any:
        kind = node.tag.removeprefix(_TAG)
        if kind not in _SCALARS:
            raise self._foreign(node, pointer)
        try:
            return _SCALARS[kind](node.value)
        except (KeyError, ValueError):
            problem = f"{node.value[:40]!r} is no {kind}"
            raise self._error(node, pointer, problem, "a value that JSON can hold") from None

    def _foreign(self, node: yaml.Node, pointer: str) -> ContractError:
        return self._error(node, pointer, f"the YAML tag {node.tag}", "a plain JSON value")

    def _error(self, node: yaml.Node, pointer: str, problem: str, expected: str = "") -> ContractError:
        line = node.start_mark.line + 1
        return ContractError(file=self.file, pointer=pointer, line=line, problem=problem, expected=expected)
