"""Two lifecycles: states by what a snapshot shows, transitions, endings, timing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contract.diff.change import BOTH, Change, Party, Topic
from contract.diff.pair import (
    Pair,
    Rule,
    compare_keys,
    documentation,
    either,
    either_way,
    moved,
    node_of,
    other,
    rule,
    silent,
)
from contract.diff.values import canonical
from contract.model import Lifecycle, State


def compare_lifecycles(old: Lifecycle, new: Lifecycle) -> Iterator[Change]:
    """Every difference in how a task lives."""
    pair = Pair.of("lifecycle", old.node, new.node)

    def states(child: Pair) -> Iterator[Change]:
        yield from _states(child, old, new)

    def initial(child: Pair) -> Iterator[Change]:
        if canonical(old.initial.status) != canonical(new.initial.status):
            values = {"before": old.initial.status, "after": new.initial.status}
            yield child.change(Topic.LIFECYCLE, "the status of a new task changed", BOTH, **values)

    rules: Mapping[str, Rule] = {
        "fields": _each(rule(*BOTH, topic=Topic.LIFECYCLE)),
        "echoes": _echoes,
        "initial": initial,
        "states": states,
        "timing": _timing,
        "errorCodes": _error_codes,
        "x-provenance": silent,
    }
    yield from compare_keys(pair, rules)


def _each(judge: Rule) -> Rule:
    def compare(pair: Pair) -> Iterator[Change]:
        yield from compare_keys(pair, {}, judge)

    return compare


def _echoes(pair: Pair) -> Iterator[Change]:
    before, after = (
        {node.value: node for node in around.children()} if around else {} for around in (pair.old, pair.new)
    )
    judge = either_way(gone=(Party.CLIENT,), added=(Party.IMPLEMENTATION,), topic=Topic.LIFECYCLE)
    for field in dict.fromkeys((*before, *after)):
        if not (field in before and field in after):
            child = pair.with_nodes(f"lifecycle.echo.{field}", before.get(field), after.get(field))
            for change in judge(child):
                yield child.change(Topic.LIFECYCLE, f"the echo of {field} {moved(child)}", change.breaks)


def _timing(pair: Pair) -> Iterator[Change]:
    for key in pair.steps():
        child = pair.below(key, id=f"lifecycle.{key.removesuffix('Seconds')}")
        if not child.same:
            longer = child.after > child.before
            breaks = (Party.CLIENT,) if longer else (Party.IMPLEMENTATION,)
            words = f"{key} is {'longer' if longer else 'shorter'}"
            yield child.change(Topic.LIFECYCLE, words, breaks)


def _error_codes(pair: Pair) -> Iterator[Change]:
    """Any code may come, so that one more or less in the list breaks nobody."""
    for code in pair.steps():
        child = pair.below(code, id=f"lifecycle.errorCodes.{code}")
        if child.same:
            continue
        if child.old and child.new:
            yield from documentation(child)
        else:
            yield child.change(Topic.LIFECYCLE, f"the error code {code} {moved(child)}")


def _states(pair: Pair, old: Lifecycle, new: Lifecycle) -> Iterator[Change]:
    before, after = ({canonical(state.status): state for state in life.states.values()} for life in (old, new))
    for status in dict.fromkeys((*before, *after)):
        one, two = before.get(status), after.get(status)
        state = either(one, two)
        child = pair.with_nodes(f"lifecycle.{state.name}", node_of(one), node_of(two))
        if one and two:
            yield from _state(child, one, two, old, new)
        else:
            breaks = (Party.CLIENT,) if two else (Party.IMPLEMENTATION,)
            words = f"the state {state.name} (status {status}) {moved(child)}"
            yield child.change(Topic.LIFECYCLE, words, breaks)


def _state(pair: Pair, one: State, two: State, old: Lifecycle, new: Lifecycle) -> Iterator[Change]:
    if one.name != two.name:
        words = "the name of the state changed"
        yield pair.change(Topic.DOCUMENTATION, words, before=one.name, after=two.name)
    if one.terminal != two.terminal:
        words = "the state ends a task now" if two.terminal else "the state does not end a task any more"
        ends = pair.named(f"{pair.id}.final")
        yield ends.change(Topic.LIFECYCLE, words, BOTH, before=one.terminal, after=two.terminal)
    elif not one.terminal:
        yield from _transitions(pair, one, two, old, new)

    def refund(child: Pair) -> Iterator[Change]:
        yield child.change(Topic.BILLING, f"the refund {moved(child)}", (Party.MONEY,))

    def carries(child: Pair) -> Iterator[Change]:
        if child.old and child.new:
            yield child.change(Topic.LIFECYCLE, "what the ending carries changed", BOTH)

    yield from compare_keys(pair, {"status": silent, "next": silent, "refund": refund, "carries": carries}, other)


def _transitions(pair: Pair, one: State, two: State, old: Lifecycle, new: Lifecycle) -> Iterator[Change]:
    before, after = (
        {canonical(life.states[name].status): name for name in state.next} for state, life in ((one, old), (two, new))
    )
    child = pair.below("next", id="lifecycle.transitions")
    for status in dict.fromkeys((*before, *after)):
        if (status in before) != (status in after):
            name: Any = after.get(status) or before.get(status)
            breaks = (Party.CLIENT,) if status in after else (Party.IMPLEMENTATION,)
            words = f"the transition from {two.name} to {name} is {'new' if status in after else 'gone'}"
            values = {"before": before.get(status), "after": after.get(status)}
            yield child.change(Topic.LIFECYCLE, words, breaks, **values)
