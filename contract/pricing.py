"""What a request costs: the price of one request profile, read from its `x-credits`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from contract.document import Node

MOST_CREDITS: Final = 10**15
"""The most that a price or a balance may be. Sums of many stay far below what a database holds in 64 bits, and what is
read as a double is still exact."""


@dataclass(frozen=True)
class PriceField:
    """A field of the request that decides the price.

    Attributes:
        name: the field.
        values: every value it may have.
        default: the value that is billed when the field is omitted; None if it may not be omitted.
    """

    name: str
    values: tuple[Any, ...]
    default: Any


@dataclass(frozen=True)
class Price:
    """The price of a profile, in credits: for each combination of the deciding fields' values.

    A flat price has no deciding fields, and one combination: the empty one.
    """

    node: Node
    fields: tuple[PriceField, ...]
    credits: Mapping[tuple[str, ...], int]

    def of(self, request: Mapping[str, Any]) -> int:
        """The credits that a valid request of this profile costs.

        Raises:
            KeyError: for a request that is not valid.
        """
        return self.credits[tuple(value_key(request.get(field.name, field.default)) for field in self.fields)]

    def rows(self) -> Iterator[tuple[dict[str, Any], int, Node]]:
        """Every combination, as the fields to put into a request, its price, and where that stands."""
        for values in product(*(field.values for field in self.fields)):
            keys = tuple(map(value_key, values))
            names = (field.name for field in self.fields)
            node = self.node.need("tiers", *keys) if self.fields else self.node.need("flat")
            yield dict(zip(names, values, strict=True)), self.credits[keys], node

    @property
    def most(self) -> int:
        """The highest price."""
        return max(self.credits.values())


def value_key(value: Any) -> str:
    """The key below `tiers` that stands for a field's value; 1.0 is the same JSON number as 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)


def read_price(profile: Node) -> Price:
    """Read the price of a request profile.

    Raises:
        ContractError: if there is none, or if its tiers and the fields they name do not fit together.
    """
    node = profile.get("x-credits")
    if node is None:
        raise profile.error("this request profile has no price", "x-credits")
    flat = node.get("flat")
    if flat is not None:
        return Price(node, (), {(): _credits(flat)})
    fields = tuple(_read_field(profile, by) for by in node.need("by").children())
    credits: dict[tuple[str, ...], int] = {}
    _read_tiers(node.need("tiers"), fields, (), credits)
    return Price(node, fields, credits)


def _read_field(profile: Node, by: Node) -> PriceField:
    field = profile.get("properties", by.value)
    if field is None:
        raise by.error(f"the profile has no field {by.value!r}", "a property of this schema")
    enum = field.get("enum")
    if enum is None:
        raise field.error("the price depends on this field, but its values are not listed", "enum")
    default = field.get("default")
    if default is None and by.value not in profile.need("required").value:
        raise field.error(
            "the price depends on this field, but not what is billed when it is omitted",
            "a default, or the field among the required ones",
        )
    return PriceField(by.value, tuple(enum.value), default.value if default else None)


def _read_tiers(
    node: Node,
    fields: tuple[PriceField, ...],
    keys: tuple[str, ...],
    credits: dict[tuple[str, ...], int],
) -> None:
    if len(keys) == len(fields):
        credits[keys] = _credits(node)
        return
    field = fields[len(keys)]
    if not isinstance(node.value, dict):
        raise node.error("the price depends on one more field", f"a tier for each {field.name}")
    values = [value_key(value) for value in field.values]
    for key in node.steps():
        if key not in values:
            problem = f"the tier {key!r} is not in the enum of {field.name!r}"
            raise node.child(key).error(problem, _listed(values))
    for key in values:
        if key not in node.steps():
            raise node.error(f"{field.name} {key!r} has no price", f"a tier {key!r}")
        _read_tiers(node.child(key), fields, (*keys, key), credits)


def _credits(node: Node) -> int:
    if type(node.value) is not int or not 1 <= node.value <= MOST_CREDITS:
        raise node.error(f"{node.value!r} is no price", f"a whole number of credits, from 1 to {MOST_CREDITS:,}")
    return node.value


def _listed(values: list[Any]) -> str:
    return "one of " + ", ".join(map(value_key, values))
