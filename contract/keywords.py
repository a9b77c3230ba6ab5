"""The keywords of a schema, one by one, and what each says in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract.document import Node
from contract.pricing import value_key


@dataclass(frozen=True)
class Keyword:
    """One keyword of a schema: where it stands, for which field, and what it says."""

    node: Node
    field: str
    keyword: str
    value: Any

    @property
    def suffix(self) -> str:
        return ".".join(part for part in (self.field, self.keyword) if part)


def keywords(schema: Node, field: str = "") -> Iterator[Keyword]:
    """Every keyword of a schema and the schemas below it."""
    schema = schema.resolved()
    for keyword in ("type", *_SENTENCES):
        if keyword == "required":
            continue
        node = schema.get(keyword)
        if node is not None:
            yield Keyword(node, field, keyword, node.value)
    for item in schema.children("required"):
        yield Keyword(item, _below(field, item.value), "required", item.value)
    for name, node in schema.items("properties"):
        yield from keywords(node, _below(field, name))
    for keyword in ("items", "additionalProperties"):
        node = schema.get(keyword)
        if node is not None and isinstance(node.value, dict):
            yield from keywords(node, _below(field, "*"))


def _below(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def says(word: Keyword) -> str:
    """What a keyword says, in words, without a subject."""
    if word.keyword == "type":
        article = "an" if word.value[0] in "aio" else "a"
        schema = word.node.document.at(word.node.pointer.rpartition("/")[0])
        return f"is {article} {word.value}" + (" or null" if schema.value.get("nullable") else "")
    return _SENTENCES[word.keyword](word.value)


_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "required": lambda _: "is required",
    "enum": lambda values: f"is {either(values)}",
    "minLength": lambda n: "is not empty" if n == 1 else f"has at least {n:,} characters",
    "maxLength": lambda n: f"has at most {n:,} characters",
    "minItems": lambda n: f"has at least {_count(n)}",
    "maxItems": lambda n: f"has at most {_count(n)}" if n else "has no items",
    "minimum": lambda n: f"is at least {n:,}",
    "maximum": lambda n: f"is at most {n:,}",
    "pattern": lambda pattern: f"matches {pattern}",
    "format": lambda name: f"is a valid {name}",
}


def either(values: list[Any]) -> str:
    """The values as a list in words, such as "1K, 2K or 4K"."""
    words = list(map(value_key, values))
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _count(items: int) -> str:
    return f"{items} item" if items == 1 else f"{items:,} items"


def subject_of(field: str) -> str:
    """A field, given as a dotted path, as the subject of a sentence."""
    if not field:
        return "the body"
    if field.endswith(".*"):
        return f"each item of `{field.removesuffix('.*')}`"
    return f"`{field}`"
