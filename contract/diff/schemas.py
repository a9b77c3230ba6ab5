"""Two schemas, keyword by keyword: does the new one admit less, more, or something else?

What is admitted means the opposite for a request and for an answer. A request schema that admits less refuses what was
accepted, which breaks clients; one that admits more has to be served, which concerns implementations. An answer schema
that admits more surprises clients; one that admits less binds implementations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from contract.diff.branches import Branch, astray, branches, matched, name_of_both
from contract.diff.change import Change, Party, Topic
from contract.diff.pair import Pair, documentation, moved, name_of, node_of, other, silent, switch
from contract.diff.values import canonical, inlined, same_value
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
        billed: the fields of the schema whose defaults decide a price.
        decides: whether the schema is such a field.
    """

    less: tuple[Party, ...]
    more: tuple[Party, ...]
    gains: tuple[Party, ...]
    hidden: str
    defaults: bool
    billed: frozenset[str] = frozenset()
    decides: bool = False

    def below(self, field: str | None = None) -> Side:
        """The side of a schema below; only the fields of a profile itself decide its price."""
        return replace(self, billed=frozenset(), decides=field in self.billed)

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
    yield from _bounds(pair, side)
    for key in pair.steps():
        child = pair.below(key)
        if child.same and key not in _ALTERNATIVES:  # what chooses a branch stands beside the branches
            continue
        if key in _SHIFTS:
            yield from _limit(pair, child, side, key)
        else:
            yield from _RULES.get(key, _unknown)(pair, child, side)


def _limit(pair: Pair, child: Pair, side: Side, key: str) -> Iterator[Change]:
    if key == "enum" and child.old and child.new:
        yield from _enum(child, side)
        return
    shift = _SHIFTS[key](*(_said(node, key) for node in (pair.old, pair.new)))
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


# -------------------------------------------------------------------- bounds


def _bounds(pair: Pair, side: Side) -> Iterator[Change]:
    """Each bound with whether it is allowed itself: of whole numbers, `1` and `0, but not itself` are one."""
    whole = all(node.value.get("type") == "integer" for node in (pair.old, pair.new) if node)
    for sign, keys in ((1, ("minimum", "exclusiveMinimum")), (-1, ("maximum", "exclusiveMaximum"))):
        before, after = (_bound(node, sign, *keys, whole=whole) for node in (pair.old, pair.new))
        if before != after:
            child = next(child for child in map(pair.below, keys) if not child.same)
            shift = _lower(before, after)
            words = f"{name_of(child)} {moved(child)}: {shift.value} is allowed"
            yield child.change(Topic.RULE, words, side.breaks(shift))


def _bound(schema: Node | None, sign: int, key: str, exclusive: str, *, whole: bool) -> tuple[float, bool] | None:
    """A bound as what has to be reached, and whether it has to be passed; the higher, the less is allowed."""
    value = schema.value.get(key) if schema else None
    if schema is None or value is None:
        return None
    least, passed = sign * value, schema.value.get(exclusive) is True
    if whole:
        return (math.floor(least) + 1 if passed else math.ceil(least)), False
    return least, passed


# ------------------------------------------------------------------ keywords


def _said(schema: Node | None, key: str) -> Any:
    """The value of a keyword, or None where it says nothing."""
    value = inlined(schema.get(key)) if schema else None
    if schema is None or value is None:
        return None
    match key:
        case "minLength" | "minItems" | "minProperties" if value == 0:
            return None
        case "multipleOf" if value == 1 and schema.value.get("type") == "integer":
            return None
        case "nullable" if "type" not in schema.value or None not in schema.value.get("enum", [None]):
            return None  # it adds null to the type's values, and an enum takes it away again
    return value


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
    if before is None and after is None:
        return Shift.SAME
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
    "maxProperties": _upper,
    "minLength": _lower,
    "minItems": _lower,
    "minProperties": _lower,
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
        field = fields.below(name, id=f"{pair.id}.{name}")
        schemas = [node for node in (field.old, field.new) if node]
        hidden = bool(schemas) and all(node.value.get(side.hidden) is True for node in schemas)
        for change in _field(field, required[0].get(name), required[1].get(name), side.below(name)):
            yield replace(change, breaks=()) if hidden else change  # a field of the other side binds nobody on this


def _field(field: Pair, old: Node | None, new: Node | None, side: Side) -> Iterator[Change]:
    """One field's changes; `old` and `new` are the names among the required ones."""
    if (field.old or old) is None or (field.new or new) is None:
        there = field.with_nodes(field.id, field.old or old, field.new or new)
        if there.new is None:
            yield there.change(Topic.RULE, "the field is gone", (Party.CLIENT,))
        elif new:
            yield there.change(Topic.RULE, "the field is new, and must be given", side.gains)
        else:
            yield there.change(Topic.RULE, "the field is new, and may be left out", (Party.IMPLEMENTATION,))
        return
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


def _required(node: Node | None) -> dict[str, Node]:
    return {item.value: item for item in node.children("required")} if node else {}


# ----------------------------------------------------------- the other keywords

_WORDS = frozenset({"title", "description", "example", "externalDocs", "x-provenance"})

_Rule = Callable[[Pair, Pair, Side], Iterator[Change]]


def _unknown(_: Pair, child: Pair, __: Side) -> Iterator[Change]:
    yield from other(child)


def _documented(_: Pair, child: Pair, __: Side) -> Iterator[Change]:
    yield from documentation(child)


def _silent(_: Pair, child: Pair, __: Side) -> Iterator[Change]:
    yield from silent(child)


def _deprecated(_: Pair, child: Pair, __: Side) -> Iterator[Change]:
    yield from switch()(child)


def _items(pair: Pair, child: Pair, side: Side) -> Iterator[Change]:
    yield from compare_schemas(child.named(f"{pair.id}.*"), side.below())


def _additional(pair: Pair, child: Pair, side: Side) -> Iterator[Change]:
    before, after = (True if _is_free(value) else value for value in (child.before, child.after))
    if isinstance(before, dict) and isinstance(after, dict):
        yield from compare_schemas(child.named(f"{pair.id}.*"), side.below())
    elif before is after is True:
        if any(isinstance(value, dict) and value for value in (child.before, child.after)):
            yield from documentation(child)
    elif not same_value(before, after):
        shift = Shift.LESS if before is True or after is False else Shift.MORE
        words = f"fields that are not listed: {shift.value} is allowed"
        yield child.change(Topic.RULE, words, side.breaks(shift))


def _is_free(value: Any) -> bool:
    """Whether anything is allowed: nothing is said, or nothing but words."""
    return value is None or value is True or (isinstance(value, dict) and value.keys() <= _WORDS)


def _default(_: Pair, child: Pair, side: Side) -> Iterator[Change]:
    if not side.defaults:
        yield from documentation(child)
    elif side.decides:
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
            below = child.with_nodes(f"{pair.id}.{name_of_both(old, new)}", node_of(old), node_of(new))
            if old and new:
                yield from _names(pair, old, new, side)
                yield from compare_schemas(below, side.below())
            else:
                shift = added if new else gone
                words = f"the branch {name_of_both(old, new)} {moved(below)}"
                yield below.change(
                    Topic.RULE, words, side.breaks(shift), before=old and old.name, after=new and new.name
                )

    return judge


def _names(pair: Pair, old: Branch, new: Branch, side: Side) -> Iterator[Change]:
    """The names by which a branch may be chosen: one less is refused, or does not come any more."""
    if not (old.chosen and new.chosen):
        return
    for name in (*sorted(old.names - new.names), *sorted(new.names - old.names)):
        gone = name in old.names
        child = pair.with_nodes(f"{pair.id}.{name}", old.node, new.node)
        words = f"{name} is {'gone' if gone else 'new'} as a name of {name_of_both(old, new)}"
        values = {"before": name if gone else None, "after": None if gone else name}
        yield child.change(Topic.RULE, words, side.breaks(Shift.LESS if gone else Shift.MORE), **values)


_RULES: Mapping[str, _Rule] = {
    "properties": _silent,  # compared with `required`
    "required": _silent,
    "items": _items,
    "additionalProperties": _additional,
    "default": _default,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _silent),  # compared as bounds
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
