"""Two schemas, keyword by keyword: does the new one admit less, more, or something else?

What is admitted means the opposite for a request and for an answer. A request schema that admits less refuses what was
accepted, which breaks clients; one that admits more has to be served, which concerns implementations. An answer schema
that admits more surprises clients; one that admits less binds implementations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from contract.diff.branches import Branch, astray, branches, matched
from contract.diff.change import Change, Party, Topic
from contract.diff.pair import Pair, documentation, moved, node_of, other, silent
from contract.diff.values import canonical, same_value
from contract.document import Node


class Shift(Enum):
    """What a schema admits now, compared with before."""

    LESS = "less"
    MORE = "more"
    ELSE = "something else"
    SAME = "the same"


@dataclass(frozen=True)
class Side:
    """Who says what the schema is about, and whom a shift breaks.

    Attributes:
        less: whom it breaks that less is admitted.
        more: whom it breaks that more is admitted.
        gains: whom it breaks that a field comes which must be there.
        hidden: the keyword that keeps a field off this side.
        defaults: whether a default means something on this side.
        billed: the fields whose defaults decide a price.
    """

    less: tuple[Party, ...]
    more: tuple[Party, ...]
    gains: tuple[Party, ...]
    hidden: str
    defaults: bool
    billed: frozenset[str] = frozenset()

    def breaks(self, shift: Shift) -> tuple[Party, ...]:
        """Whom a shift breaks."""
        parties = {Shift.LESS: self.less, Shift.MORE: self.more, Shift.SAME: ()}
        return parties.get(shift, (*self.less, *self.more))


REQUEST = Side(
    less=(Party.CLIENT,), more=(Party.IMPLEMENTATION,), gains=(Party.CLIENT,), hidden="readOnly", defaults=True
)
RESPONSE = Side(
    less=(Party.IMPLEMENTATION,),
    more=(Party.CLIENT,),
    gains=(Party.IMPLEMENTATION,),
    hidden="writeOnly",
    defaults=False,
)


def compare_schemas(pair: Pair, side: Side) -> Iterator[Change]:
    """Every difference in meaning between two schemas, and the schemas below them."""
    if pair.same:
        return
    if pair.old is None or pair.new is None:
        shift = Shift.LESS if pair.old is None else Shift.MORE
        yield pair.change(Topic.RULE, f"a schema {moved(pair)}", side.breaks(shift))
        return
    yield from _properties(pair, side)
    for key in pair.steps():
        child = pair.below(key)
        if child.same and key not in _ALTERNATIVES:  # what chooses a branch stands beside the branches
            continue
        if key in _SHIFTS:
            yield from _limit(child, side, key)
        else:
            yield from _RULES.get(key, _unknown)(pair, child, side)


def _limit(child: Pair, side: Side, key: str) -> Iterator[Change]:
    if key == "enum" and child.old and child.new:
        yield from _enum(child, side)
        return
    shift = _SHIFTS[key](child.before, child.after)
    if shift is not Shift.SAME:
        yield child.change(Topic.RULE, f"{key} {moved(child)}: {shift.value} is allowed", side.breaks(shift))


def _enum(child: Pair, side: Side) -> Iterator[Change]:
    before, after = ({canonical(value): value for value in values} for values in (child.before, child.after))
    for key in (key for key in before if key not in after):
        words = f"the value {key} is gone"
        yield child.change(Topic.RULE, words, side.breaks(Shift.LESS), before=before[key], after=None)
    for key in (key for key in after if key not in before):
        words = f"the value {key} is new"
        yield child.change(Topic.RULE, words, side.breaks(Shift.MORE), before=None, after=after[key])


# ------------------------------------------------------------------ keywords


def _upper(before: Any, after: Any) -> Shift:
    if before is None or after is None:
        return _form(before, after)
    return Shift.LESS if after < before else Shift.MORE


def _lower(before: Any, after: Any) -> Shift:
    if before is None or after is None:
        return _form(before, after)
    return Shift.LESS if after > before else Shift.MORE


def _form(before: Any, after: Any) -> Shift:
    """A keyword of which two values cannot be compared, such as a pattern."""
    if before is None or after is None:
        return Shift.LESS if before is None else Shift.MORE
    return Shift.ELSE


def _type(before: Any, after: Any) -> Shift:
    known = {("integer", "number"): Shift.MORE, ("number", "integer"): Shift.LESS}
    return known.get((before, after)) or _form(before, after)


def _restricts(before: Any, after: Any) -> Shift:
    """A switch that is off where it is not given, and admits less where it is on."""
    if bool(before) == bool(after):
        return Shift.SAME
    return Shift.LESS if after else Shift.MORE


def _nullable(before: Any, after: Any) -> Shift:
    return _restricts(after, before)


_SHIFTS: Mapping[str, Callable[[Any, Any], Shift]] = {
    "type": _type,
    "enum": _form,
    "nullable": _nullable,
    "maxLength": _upper,
    "maxItems": _upper,
    "maximum": _upper,
    "maxProperties": _upper,
    "minLength": _lower,
    "minItems": _lower,
    "minimum": _lower,
    "minProperties": _lower,
    "exclusiveMaximum": _restricts,
    "exclusiveMinimum": _restricts,
    "uniqueItems": _restricts,
    "pattern": _form,
    "format": _form,
    "multipleOf": _form,
    "not": _form,
}


# -------------------------------------------------------------------- fields


def _properties(pair: Pair, side: Side) -> Iterator[Change]:
    required = (_required(pair.old), _required(pair.new))
    fields = pair.below("properties")
    for name in dict.fromkeys((*fields.steps(), *required[0], *required[1])):
        old, new = (nodes.get(name) for nodes in required)
        field = fields.below(name, id=f"{pair.id}.{name}")
        if (field.old or old) is None or (field.new or new) is None:
            yield from _field(field.with_nodes(field.id, field.old or old, field.new or new), side, new is not None)
            continue
        if (old is None) != (new is None):
            shift = Shift.LESS if new else Shift.MORE
            asked = field.with_nodes(f"{field.id}.required", old, new)
            words = "the field must be given now" if new else "the field may be left out now"
            yield asked.change(Topic.RULE, words, side.breaks(shift), before=old is not None, after=new is not None)
        if field.old and field.new:
            yield from compare_schemas(field, side)
        elif field.old or field.new:
            shift = Shift.LESS if field.new else Shift.MORE
            yield field.change(Topic.RULE, f"the field's schema {moved(field)}", side.breaks(shift))


def _field(field: Pair, side: Side, required: bool) -> Iterator[Change]:  # noqa: FBT001 - what the new schema says
    if field.new is None:
        yield field.change(Topic.RULE, "the field is gone", (Party.CLIENT,))
    elif required:
        yield field.change(Topic.RULE, "the field is new, and must be given", side.gains)
    else:
        yield field.change(Topic.RULE, "the field is new, and may be left out", (Party.IMPLEMENTATION,))


def _required(node: Node | None) -> dict[str, Node]:
    return {item.value: item for item in node.children("required")} if node else {}


# ----------------------------------------------------------- the other keywords

_Rule = Callable[[Pair, Pair, Side], Iterator[Change]]


def _unknown(_: Pair, child: Pair, __: Side) -> Iterator[Change]:
    yield from other(child)


def _documented(_: Pair, child: Pair, __: Side) -> Iterator[Change]:
    yield from documentation(child)


def _silent(_: Pair, child: Pair, __: Side) -> Iterator[Change]:
    yield from silent(child)


def _deprecated(_: Pair, child: Pair, __: Side) -> Iterator[Change]:
    if bool(child.before) != bool(child.after):
        yield child.change(Topic.RULE, "deprecated " + moved(child))


def _items(pair: Pair, child: Pair, side: Side) -> Iterator[Change]:
    yield from compare_schemas(child.named(f"{pair.id}.*"), side)


def _additional(pair: Pair, child: Pair, side: Side) -> Iterator[Change]:
    before, after = (True if value is None or value == {} else value for value in (child.before, child.after))
    if isinstance(before, dict) and isinstance(after, dict):
        yield from compare_schemas(child.named(f"{pair.id}.*"), side)
    elif not same_value(before, after):
        shift = Shift.LESS if before is True or after is False else Shift.MORE
        words = f"fields that are not listed: {shift.value} is allowed"
        yield child.change(Topic.RULE, words, side.breaks(shift))


def _default(pair: Pair, child: Pair, side: Side) -> Iterator[Change]:
    if not side.defaults:
        yield from documentation(child)
    elif pair.id.rpartition(".")[2] in side.billed:
        yield child.change(Topic.BILLING, f"the default {moved(child)}", (Party.CLIENT, Party.MONEY))
    else:
        yield child.change(Topic.RULE, f"the default {moved(child)}", (Party.CLIENT,))


def _hides(key: str) -> _Rule:
    def judge(_: Pair, child: Pair, side: Side) -> Iterator[Change]:
        shift = _restricts(child.before, child.after)
        if shift is not Shift.SAME:
            breaks = side.breaks(Shift.ELSE) if side.hidden == key else ()
            yield child.change(Topic.RULE, f"{key} {moved(child)}", breaks)

    return judge


def _discriminator(pair: Pair, child: Pair, side: Side) -> Iterator[Change]:
    """The names of a mapping are compared with the branches; what is left is the field, and whether there is one."""
    field, mapping = child.below("propertyName"), child.below("mapping")
    if not field.same:
        yield field.change(Topic.RULE, "what chooses the branch " + moved(field), side.breaks(Shift.ELSE))
    elif _astray(pair.old) != _astray(pair.new):
        yield from other(mapping)


def _astray(schema: Node | None) -> dict[str, str]:
    return astray(schema) if schema else {}


_ALTERNATIVES = ("oneOf", "anyOf", "allOf")


def _alternatives(key: str) -> _Rule:
    """Branches of which one has to fit, or, for `allOf`, every one."""
    added, gone = (Shift.LESS, Shift.MORE) if key == "allOf" else (Shift.MORE, Shift.LESS)

    def judge(pair: Pair, child: Pair, side: Side) -> Iterator[Change]:
        if child.old is None or child.new is None:  # one demand more or less, however many branches it has
            shift = Shift.LESS if child.new else Shift.MORE
            yield child.change(Topic.RULE, f"{key} {moved(child)}: {shift.value} is allowed", side.breaks(shift))
            return
        for old, new in matched(branches(pair.old, key), branches(pair.new, key)):
            branch: Branch = new or old  # type: ignore[assignment]  # one of them is there
            below = child.with_nodes(f"{pair.id}.{branch.name}", node_of(old), node_of(new))
            if old and new:
                yield from compare_schemas(below, side)
            else:
                shift = added if new else gone
                words = f"the branch {branch.name} {moved(below)}"
                yield below.change(
                    Topic.RULE, words, side.breaks(shift), before=old and old.name, after=new and new.name
                )

    return judge


_RULES: Mapping[str, _Rule] = {
    "properties": _silent,  # compared with `required`
    "required": _silent,
    "items": _items,
    "additionalProperties": _additional,
    "default": _default,
    "readOnly": _hides("readOnly"),
    "writeOnly": _hides("writeOnly"),
    "discriminator": _discriminator,
    **{key: _alternatives(key) for key in _ALTERNATIVES},
    "deprecated": _deprecated,
    "title": _documented,
    "description": _documented,
    "example": _documented,
    "externalDocs": _documented,
    "x-provenance": _silent,  # compared clause by clause
    "x-credits": _silent,  # compared price by price
    "x-lifecycle": _silent,  # compared state by state
}


def billed(side: Side, fields: frozenset[str]) -> Side:
    """The side with fields whose defaults decide a price."""
    return replace(side, billed=fields)
