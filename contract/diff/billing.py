"""Two price lists: what each kind of request costs before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contract.diff.change import Change, Cost, Party, Topic
from contract.diff.matching import operation_pairs
from contract.diff.pair import Pair, either, node_of
from contract.document import Node
from contract.model import Contract, Operation, RequestProfile, Submission
from contract.pricing import Price, value_key


def compare_prices(old: Contract, new: Contract, paths: Pair) -> tuple[list[Change], list[Cost]]:
    """Every price that changed, and all costs of the profiles in which one did."""
    changes: list[Change] = []
    costs: list[Cost] = []
    for one, two in operation_pairs(old, new):
        operation = either(one, two)
        before, after = _profiles(one), _profiles(two)
        for name in dict.fromkeys((*before, *after)):
            prices = [found.price if found else None for found in (before.get(name), after.get(name))]
            pair = paths.with_nodes(f"{operation.id}.{name}", *(node_of(price) for price in prices))
            listed = list(_costs(operation.id, name, prices[0], prices[1]))
            if any(cost.before != cost.after for cost in listed) or _defaults(prices[0]) != _defaults(prices[1]):
                costs += listed
                free = one is not None and not before
                changes += _changes(pair, listed, prices, free=free)
    return changes, costs


def _profiles(operation: Operation | None) -> Mapping[str, RequestProfile]:
    return operation.task.profiles if operation and isinstance(operation.task, Submission) else {}


def _defaults(price: Price | None) -> dict[str, str]:
    return {field.name: value_key(field.default) for field in price.fields} if price else {}


def _costs(operation: str, profile: str, old: Price | None, new: Price | None) -> Iterator[Cost]:
    """The rows of both price lists: every value of every field that decides in one of them, and its omission."""
    seen = set()
    for tier in (*_tiers(old), *_tiers(new)):
        wide = {name: tier.get(name) for price in (old, new) if price for name in (f.name for f in price.fields)}
        key = tuple((name, value_key(value)) for name, value in wide.items())
        if key not in seen:
            seen.add(key)
            before, after = (_credits(price, wide) for price in (old, new))
            if before is not None or after is not None:
                yield Cost(operation, profile, tuple(wide.items()), before, after)


def _tiers(price: Price | None) -> Iterator[Mapping[str, Any]]:
    if price:
        yield from (fields for fields, _, _ in price.rows())
        if any(field.default is not None for field in price.fields):
            yield {field.name: None if field.default is not None else field.values[0] for field in price.fields}


def _credits(price: Price | None, tier: Mapping[str, Any]) -> int | None:
    if price is None:
        return None
    try:
        return price.of({name: value for name, value in tier.items() if value is not None})
    except KeyError:
        return None


def _changes(pair: Pair, costs: list[Cost], prices: list[Price | None], *, free: bool) -> Iterator[Change]:
    """What changed, tier by tier. `free`: the operation was there already, and cost nothing."""
    for cost in costs:
        if cost.before == cost.after or any(value is None for _, value in cost.tier):
            continue  # a default is a change of its own
        tier = "".join(f".{value_key(value)}" for _, value in cost.tier if value is not None)
        old, new = (_node(price, cost) if price else None for price in prices)
        child = pair.with_nodes(f"{pair.id}.price{tier}", old, new)
        if free:
            words = "credits are used where none were"
        elif cost.before is None or cost.after is None:
            words = f"the price is {'new' if cost.before is None else 'gone'}"
        else:
            words = "dearer: the price went up" if cost.after > cost.before else "cheaper: the price went down"
        breaks = (Party.MONEY,) if free or None not in (cost.before, cost.after) else ()
        yield child.change(Topic.BILLING, words, breaks, before=cost.before, after=cost.after)


def _node(price: Price, cost: Cost) -> Node:
    tier = dict(cost.tier)
    for fields, _, node in price.rows():
        if all(tier.get(name) == value for name, value in fields.items()):
            return node
    return price.node
