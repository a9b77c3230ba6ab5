"""Values that a schema allows, and values that it just does not: made from the schema's own keywords.

Nothing here knows the API. A string with a cap gets texts at the cap and one over it, in several scripts; a list of
values gets each of them, and near misses of each; and so on. Whether a value is allowed is never guessed: a validator
of JSON Schema has the last word on each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from contract.document import Node
from contract.schema import json_schema

ASCII, MULTI_BYTE, ASTRAL = "a", "ü", "\U0001f58c"

TEXTS = {
    "spaces-around": "  a paper boat \t",
    "lines": "a paper boat\r\n\n\ton a pond",
    "markup": "<script>alert('boat')</script> & \"quotes\" \\ %00 {{boat}} ${boat}",
    "scripts": "纸船 سفينة ورقية нож ναῦς बोट",
    "decomposed": "cafe\u0301 A\u030a \u1e9b\u0323",
    "emoji": "\U0001f469\u200d\U0001f3a8 \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1ea\U0001f1fa",
    "invisible": "a\u200bb\ufeffc\u202ed\u00a0e\u2028f",
    "controls": "a\x01b\x1bc\x7fd\x85e",
}
"""Texts that are easily damaged on the way: trimmed, normalised, re-encoded, escaped once too often."""

VOCABULARY = (
    *("default", "none", "original", "square", "landscape", "portrait", "standard", "hd", "high", "low", "0", "1", "*"),
    *("gif", "bmp", "avif", "svg", "jpg", "pdf", "mp4", "image/png"),
    *("2:1", "1:2", "10:16", "5:3", "1024x1024", "8K", "3K", "0.5K", "512", "1080p"),
)
"""Words that APIs of this kind like to take; which of them this one documents is not known here."""

FIELDS: dict[str, Any] = {
    "n": 4,
    "count": 3,
    "size": "1024x1024",
    "quality": "hd",
    "style": "vivid",
    "seed": 7,
    "steps": 50,
    "negativePrompt": "",
    "numImages": 2,
    "webhookUrl": "not a url",
    "callbackUrl": 1,
    "user": None,
    "mode": "edit",
    "__proto__": {"x": 1},
    "constructor": 1,
}
"""Fields that APIs of this kind like to have, with values that would matter."""

_JUNK: dict[str, tuple[Any, ...]] = {
    "string": (None, 7, 1.5, True, ["text"], {"text": "text"}),
    "integer": (None, "7", 1.5, True, [7], {}),
    "number": (None, "7", True, [7], {}),
    "boolean": (None, "true", 1, [], {}),
    "array": (None, "text", "[]", 7, True, {"0": "text"}),
    "object": (None, "text", '{"seed": 1}', 7, True, [["key", "value"]]),
}

_URL_MISSES = (
    "ftp://example.com/a.png",
    "example.com/a.png",
    "/a.png",
    "//example.com/a.png",
    "data:image/png;base64,AAAA",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "not a url",
    "http:/example.com/a.png",
    "https://",
    "httpx://example.com/a.png",
    " https://example.com/a.png",
    "",
)
_URLS = (
    "http://example.com/a.png",
    "https://example.com:8443/a/b.png?width=10&name=%C3%BC#top",
    "https://images.example.org/a/b/c.jpeg",
    "https://example.com/picture",
    "https://EXAMPLE.com/A.PNG",
    "http://203.0.113.7/a.png",
    "https://example.com/" + "a" * 480 + ".png",
)


@dataclass(frozen=True)
class Sample:
    """A value for a field.

    Attributes:
        label: what is special about it, for the name of a test.
        keyword: the keyword of the schema that it is about.
        field: where below the field the fault is: empty, or `*` for an item.
    """

    label: str
    keyword: str
    value: Any
    field: str = ""


@cache
def _validator(node: Node) -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator(json_schema(node), validate_formats=True)


def allows(node: Node, value: Any) -> bool:
    """Whether a schema allows a value."""
    return _validator(node).is_valid(value)


def typical(node: Node) -> Any:
    """A plain value that the schema allows."""
    for candidate in _typical(node):
        if allows(node, candidate):
            return candidate
    raise node.error("no plain value was found that this schema allows", "an example beside the schema")


def _typical(node: Node) -> Iterator[Any]:
    for key in ("default", "example"):
        found = node.get(key)
        if found is not None:
            yield found.value
    yield from (item.value for item in node.children("enum"))
    match _type(node):
        case "string":
            yield "a paper boat on a pond"
            yield from _URLS
            yield "a" * _limit(node, "minLength", 1)
        case "integer" | "number":
            yield _limit(node, "minimum", 1)
            yield _limit(node, "maximum", 1)
        case "array":
            items = node.get("items")
            count = _limit(node, "minItems", 0)
            yield [typical(items)] * count if items and count else []
        case "object":
            yield {}
        case "boolean":
            yield True


def valid(node: Node) -> Iterator[Sample]:
    """Values that the schema allows, each for a reason."""
    for sample in _valid(node):
        if allows(node, sample.value):
            yield sample


def invalid(node: Node) -> Iterator[Sample]:
    """Values that the schema does not allow, each because of one keyword."""
    type_ = _type(node)
    for value in _JUNK[type_]:
        if not allows(node, value):
            text = isinstance(value, str) and value.startswith(("[", "{"))
            yield Sample("type-json-text" if text else f"type-{_kind(value)}", "type", value)
    seen: list[Any] = []
    for sample in _invalid(node, type_):
        if not allows(node, sample.value) and sample.value not in seen:
            seen.append(sample.value)
            yield sample


def _valid(node: Node) -> Iterator[Sample]:
    match _type(node):
        case "string":
            yield from _valid_strings(node)
        case "integer" | "number":
            yield from _valid_numbers(node)
        case "array":
            yield from _valid_arrays(node)
        case "object":
            yield from _valid_objects()
        case "boolean":
            yield from (Sample(str(value).lower(), "type", value) for value in (True, False))


def _valid_numbers(node: Node) -> Iterator[Sample]:
    for item in node.children("enum"):
        yield Sample(f"enum-{item.value}", "enum", item.value)
    for keyword in ("minimum", "maximum"):
        if node.get(keyword):
            yield Sample(keyword, keyword, node.need(keyword).value)


def _valid_arrays(node: Node) -> Iterator[Sample]:
    items = node.need("items")
    good = list(valid(items)) or [Sample("plain", "type", typical(items))]
    for sample in good:
        yield Sample(f"item-{sample.label}", sample.keyword, [sample.value], "*")
    for keyword in ("minItems", "maxItems"):
        if node.get(keyword):
            count = node.need(keyword).value
            yield Sample(keyword, keyword, [good[i % len(good)].value for i in range(count)])
    if allows(node, [good[0].value] * 2):
        yield Sample("the-same-twice", "type", [good[0].value] * 2)


def _valid_strings(node: Node) -> Iterator[Sample]:
    if node.get("enum"):
        for item in node.children("enum"):
            yield Sample(f"enum-{item.value}", "enum", item.value)
        return
    if node.get("pattern"):
        for value in _near_the_pattern(node):
            yield Sample(f"like-{value[:40]}", "pattern", value)
        for index, url in enumerate(_URLS):
            yield Sample(f"url-{index}-{url[:24]}", "format" if index and node.get("format") else "pattern", url)
        return
    smallest = _limit(node, "minLength", 0)
    yield Sample("shortest", "minLength", ASCII * smallest)
    yield Sample("shortest-blank", "minLength", " " * smallest)
    for label, text in TEXTS.items():
        yield Sample(f"text-{label}", "type", text)
    if node.get("maxLength"):
        most = node.need("maxLength").value
        yield Sample("at-the-cap-ascii", "maxLength", ASCII * most)
        yield Sample("at-the-cap-multi-byte", "unit", MULTI_BYTE * most)
        yield Sample("at-the-cap-astral", "unit", ASTRAL * most)


def _valid_objects() -> Iterator[Sample]:
    yield Sample("empty", "type", {})
    yield Sample(
        "any-values", "passthrough", {"a": None, "b": [1, "2", {"c": []}], "d": {"e": {"f": True}}, "g": -1.5e300}
    )
    yield Sample(
        "any-keys", "passthrough", {"": 1, "prompt": "", "model": 7, "a b.c/d": 1, "ключ": "значение", "$ref": "#/x"}
    )
    yield Sample(
        "dangerous-keys", "passthrough", {"__proto__": {"x": 1}, "constructor": 0, "toString": 1, "length": -1}
    )
    deep: Any = "bottom"
    for _ in range(30):
        deep = {"down": [deep]}
    yield Sample("deep", "passthrough", deep)
    yield Sample("large", "passthrough", {"mask": "iVBORw0KGgo" * 6000, "numbers": list(range(900)), "big": 2**64})


def _invalid(node: Node, type_: str) -> Iterator[Sample]:
    if type_ == "string":
        yield from _invalid_strings(node)
    if type_ in ("integer", "number"):
        yield from _invalid_numbers(node)
    if type_ == "array":
        yield from _invalid_arrays(node)


def _invalid_numbers(node: Node) -> Iterator[Sample]:
    for item in node.children("enum"):
        yield Sample(f"near-{item.value}", "enum", item.value + 1)
        yield Sample(f"half-{item.value}", "type", item.value + 0.5)
        yield Sample(f"text-{item.value}", "type", str(item.value))
    if node.get("minimum"):
        yield Sample("under-the-minimum", "minimum", node.need("minimum").value - 1)
    if node.get("maximum"):
        yield Sample("over-the-maximum", "maximum", node.need("maximum").value + 1)


def _invalid_arrays(node: Node) -> Iterator[Sample]:
    items = node.need("items")
    good = typical(items)
    if node.get("maxItems"):
        yield Sample("one-too-many", "maxItems", [good] * (node.need("maxItems").value + 1))
    if node.get("minItems"):
        yield Sample("one-too-few", "minItems", [good] * (node.need("minItems").value - 1))
    yield Sample("item-without-list", "type", good)
    seen = set()
    for sample in invalid(items):
        yield Sample(f"item-{sample.label}", sample.keyword, [sample.value], "*")
        if sample.keyword not in seen:
            seen.add(sample.keyword)
            yield Sample(f"later-item-{sample.label}", sample.keyword, [good, sample.value], "*")
            if node.get("maxItems"):
                most = [good] * (node.need("maxItems").value - 1)
                yield Sample(f"last-item-{sample.label}", sample.keyword, [*most, sample.value], "*")
    yield Sample("item-in-an-object", "type", [{"url": good}], "*")


def _invalid_strings(node: Node) -> Iterator[Sample]:
    keyword = next((k for k in ("enum", "pattern", "format", "minLength") if node.get(k)), "type")
    yield Sample("empty", "minLength" if node.get("minLength") else keyword, "")
    for item in node.children("enum"):
        value = str(item.value)
        for miss in (value.swapcase(), value + " ", " " + value, value[:-1], value + value[-1:], value + "\n"):
            yield Sample(f"near-{miss!r}", "enum", miss)
        yield from (Sample(f"turned-{v}", "enum", v) for v in _turned(value))
        yield from (Sample(f"number-of-{value}", "type", int(digits)) for digits in re.findall("^[0-9]+", value))
    if node.get("enum"):
        yield from (Sample(f"word-{word}", "enum", word) for word in VOCABULARY)
    if node.get("pattern"):
        for value in (*_near_the_pattern(node), *_URL_MISSES):
            yield Sample(f"unlike-{value[:40]!r}", "pattern", value)
    if node.get("maxLength"):
        most = node.need("maxLength").value
        yield Sample("over-the-cap-ascii", "maxLength", ASCII * (most + 1))
        yield Sample("over-the-cap-far", "maxLength", ASCII * (most * 2))
        yield Sample("over-the-cap-space", "maxLength", ASCII * most + " ")
        yield Sample("over-the-cap-multi-byte", "maxLength", MULTI_BYTE * (most + 1))
        yield Sample("over-the-cap-astral", "maxLength", ASTRAL * (most + 1))
        yield Sample("over-the-cap-combining", "unit", ("e\u0301" * most)[: most + 1])


def _turned(value: str) -> Iterator[str]:
    """The parts of a value around a separator, the other way round."""
    for separator in ":x/-_ ":
        if separator in value:
            yield separator.join(reversed(value.split(separator)))


def _near_the_pattern(node: Node) -> Iterator[str]:
    """Strings around the schema's example: some fit the pattern, some do not."""
    example = node.get("example")
    if example is None or not isinstance(example.value, str) or "://" in example.value:
        return
    text = example.value
    yield text
    yield from (text[:index] + text[index + 1 :] for index in range(len(text)))
    yield from (text[: number.start()] + "0" + text[number.end() :] for number in re.finditer("[0-9]+", text))
    yield from (text[: number.start()] + "0" + text[number.start() :] for number in re.finditer("[0-9]+", text))
    for digit in re.finditer("[0-9]", text):  # another script's digit, which many a `\\d` takes for one
        yield text[: digit.start()] + chr(ord(digit[0]) - ord("0") + 0x660) + text[digit.end() :]
    yield from (text + "x", text + "\n", text.replace(":", " : "), "\u0661:\u0661")
    yield from (text[::-1], text + text[-1:], "-" + text, text + ".5", " " + text, text + " ", text + ":1")
    yield from (text.replace(":", separator) for separator in "x/-")
    yield from ("auto", "AUTO", "none", "1:100", "0:1", "1:0", "100:99")


def _type(node: Node) -> str:
    return str(node.need("type").value)


def _limit(node: Node, keyword: str, otherwise: int) -> Any:
    found = node.get(keyword)
    return found.value if found else otherwise


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
