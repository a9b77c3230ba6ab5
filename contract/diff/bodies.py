"""What carries a value: a body with its content types, a parameter, a header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract.diff.change import Change, Party, Topic
from contract.diff.pair import Pair, Rule, compare_keys, documentation, moved, rule, silent
from contract.diff.schemas import Side, compare_schemas


def compare_carried(pair: Pair, side: Side, rules: Mapping[str, Rule]) -> Iterator[Change]:
    """A parameter or a header: a value that is carried beside a body."""

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
            "deprecated": rule(),
            "required": must_be_given(side),
            "schema": schema,
            "content": content,
            "x-provenance": silent,
            **rules,
        },
    )


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

    for name in pair.steps():
        media = pair.below(name, id=id)

        if media.old and media.new:
            rules = {
                "schema": (bodies or {}).get(name, schema),
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
