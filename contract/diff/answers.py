"""Two operations' answers: statuses, bodies, headers, links, and which of two errors wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from contract.diff.bodies import compare_carried, compare_content
from contract.diff.change import BOTH, Change, Party, Topic
from contract.diff.matching import asked_at, renamed_parameters
from contract.diff.pair import Pair, Rule, caseless, compare_keys, documentation, either_way, moved, other, rule, silent
from contract.diff.schemas import RESPONSE
from contract.diff.values import same_value
from contract.model import Contract, Operation


def compare_answer(pair: Pair, status: str, old: Contract, new: Contract) -> Iterator[Change]:
    """What is answered with one status."""
    if pair.old is None or pair.new is None:
        values = {"before": pair.old and status, "after": pair.new and status}
        yield pair.change(Topic.RULE, f"the answer {status} {moved(pair)}", (Party.CLIENT,), **values)
        return

    def content(child: Pair) -> Iterator[Change]:
        yield from compare_content(child, pair.id, RESPONSE)

    def headers(child: Pair) -> Iterator[Change]:
        for name, header in caseless(child.named(f"{pair.id}.headers")):
            if header.old and header.new:
                yield from compare_carried(header, RESPONSE, {}, "header")
            else:
                words = f"the header {name} {moved(header)}"
                yield header.change(Topic.RULE, words, (Party.IMPLEMENTATION,) if header.new else (Party.CLIENT,))

    def links(child: Pair) -> Iterator[Change]:
        for name in child.steps():
            yield from _link(child.below(name, id=f"{pair.id}.links.{name}"), old, new)

    yield from compare_keys(
        pair,
        {
            "description": documentation,
            "content": content,
            "headers": headers,
            "links": links,
            "x-error": _error(pair.id),
            "x-provenance": silent,
        },
    )


def _error(id: str) -> Rule:
    def judge(pair: Pair) -> Iterator[Change]:
        if pair.old is None or pair.new is None:
            yield from other(pair.named(id))
            return
        # the ranks themselves mean nothing, only which error wins
        for key in pair.steps():
            child = pair.below(key)
            if key == "when" and not child.same:
                yield from rule(*BOTH)(child.named(id))
            elif key != "order" and not child.same:
                names = child.named(f"{id}.{child.after or child.before}")
                yield from either_way(gone=(Party.CLIENT,), added=(Party.IMPLEMENTATION,))(names)

    return judge


def _link(pair: Pair, old: Contract, new: Contract) -> Iterator[Change]:
    def target(child: Pair) -> Iterator[Change]:
        one, two = old.operations.get(child.before), new.operations.get(child.after)
        if not (one and two and asked_at(one) == asked_at(two)):
            yield child.change(Topic.RULE, f"where the link leads {moved(child)}", BOTH)

    def parameters(child: Pair) -> Iterator[Change]:
        names = _path_names(pair, old, new)
        before = {names.get(name, name): value for name, value in (child.before or {}).items()}
        if not same_value(before, child.after):
            yield child.change(Topic.RULE, "what the link passes on changed", BOTH)

    if pair.old and pair.new:
        rules: Mapping[str, Rule] = {"operationId": target, "parameters": parameters, "description": documentation}
        yield from compare_keys(pair, rules)
    else:
        yield from either_way(gone=(Party.CLIENT,), added=(Party.IMPLEMENTATION,))(pair)


def _path_names(pair: Pair, old: Contract, new: Contract) -> Mapping[str, str]:
    one, two = (
        contract.operations.get(node.value.get("operationId", "")) if node else None
        for node, contract in ((pair.old, old), (pair.new, new))
    )
    return renamed_parameters(one, two) if one and two and asked_at(one) == asked_at(two) else {}


def compare_orders(pair: Pair, one: Operation, two: Operation) -> Iterator[Change]:
    """Which of two errors wins; the numbers themselves mean nothing."""
    before, after = _winners(one), _winners(two)
    for first, second in sorted(before.keys() | after.keys()):
        statuses = {first, second}
        if before.get((first, second)) == after.get((first, second)) or not statuses <= _answered(one) & _answered(two):
            continue  # that an answer is new or gone is a change of its own
        ends = (next(e for e in o.errors.values() if e.status == second).node for o in (one, two))
        child = pair.with_nodes(f"{pair.id}.order.{first}-{second}", *(end.get("x-error") for end in ends))
        values = {"before": before.get((first, second)), "after": after.get((first, second))}
        yield child.change(Topic.RULE, f"which of {first} and {second} wins changed", BOTH, **values)


def _answered(operation: Operation) -> set[int]:
    return {error.status for error in operation.errors.values()}


def _winners(operation: Operation) -> Mapping[tuple[int, int], int]:
    """For each two errors that can apply at once, the status that is answered."""
    ranked = sorted((e.order, e.status) for e in operation.errors.values() if e.order is not None)
    return {(min(a, b), max(a, b)): a for (_, a), (_, b) in combinations(ranked, 2)}
