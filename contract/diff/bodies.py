"""What carries a value: a body with its content types, a parameter, a header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract.diff.change import Change, Party, Topic
from contract.diff.pair import Pair, Rule, caseless, compare_keys, documentation, moved, other, silent, switch
from contract.diff.schemas import Side, compare_schemas
from contract.document import Node


def compare_carried(pair: Pair, side: Side, rules: Mapping[str, Rule], place: str) -> Iterator[Change]:
    """A parameter or a header: a value that is carried beside a body, in `place`."""

    def schema(child: Pair) -> Iterator[Change]:
        yield from compare_schemas(child.named(pair.id), side)

    def content(child: Pair) -> Iterator[Change]:
        yield from compare_content(child, pair.id, side)

    yield from compare_keys(
        pair,
        {
            "description": documentation,
            "example": documentation,
            "examples": documentation,
            "deprecated": switch(),
            "required": must_be_given(side),
            "schema": schema,
            "content": content,
            **{key: _written(key, pair, place) for key in ("style", "explode", "allowReserved", "allowEmptyValue")},
            "x-provenance": silent,
            **rules,
        },
    )


def _written(key: str, around: Pair, place: str) -> Rule:
    """A rule for a keyword that says how the value is written; each has a default, by the place."""

    def meant(node: Node | None) -> object:
        value = node.value if node else {}
        style = value.get("style", "form" if place in ("query", "cookie") else "simple")
        return value.get(key, {"style": style, "explode": style == "form"}.get(key, False))

    def judge(child: Pair) -> Iterator[Change]:
        if meant(around.old) != meant(around.new):
            yield from other(child)

    return judge


def must_be_given(side: Side) -> Rule:
    """A rule for `required: true` beside a value."""

    def judge(child: Pair) -> Iterator[Change]:
        before, after = (value is True for value in (child.before, child.after))
        if before != after:
            words = "it must be given now" if after else "it may be left out now"
            yield child.change(Topic.RULE, words, side.less if after else side.more, before=before, after=after)

    return judge


def compare_content(pair: Pair, id: str, side: Side, bodies: Mapping[str, Rule] | None = None) -> Iterator[Change]:
    """The content types of a body, each with its schema; `bodies` are rules for the schemas of some types."""

    def schema(child: Pair) -> Iterator[Change]:
        yield from compare_schemas(child.named(id), side)

    for name, found in caseless(pair):
        media = found.named(id)

        if media.old and media.new:
            rules = {
                "schema": (bodies or {}).get(name.lower(), schema),
                "example": documentation,
                "examples": documentation,
                "x-provenance": silent,
            }
            yield from compare_keys(media, rules)
        else:
            gone = (Party.CLIENT,)
            breaks = side.more if media.new else gone
            words = f"the content type {name} {moved(media)}"
            values = {"before": media.old and name, "after": media.new and name}
            yield media.named(f"{id}.content-type").change(Topic.RULE, words, breaks, **values)
