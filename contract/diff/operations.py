"""Two operations: what may be asked, how, by whom, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from contract.diff.access import compare_security
from contract.diff.answers import compare_answer, compare_orders
from contract.diff.bodies import compare_carried, compare_content, must_be_given
from contract.diff.branches import branches, matched
from contract.diff.change import BOTH, Change, Party, Topic
from contract.diff.matching import operation_pairs, renamed_parameters
from contract.diff.pair import (
    Pair,
    Rule,
    compare_keys,
    documentation,
    either,
    either_way,
    moved,
    node_of,
    rule,
    silent,
    switch,
)
from contract.diff.schemas import REQUEST, compare_schemas
from contract.document import Node
from contract.model import Contract, Operation, Submission
from contract.reader import JSON, parameter_nodes


def compare_operations(old: Contract, new: Contract, paths: Pair) -> Iterator[Change]:
    """Every difference between the operations."""
    for one, two in operation_pairs(old, new):
        operation = either(one, two)
        pair = paths.with_nodes(operation.id, node_of(one), node_of(two))
        if one and two:
            yield from _operation(pair, one, two, old, new)
        else:
            named = f"{operation.method} {operation.path}"
            breaks = (Party.IMPLEMENTATION,) if two else (Party.CLIENT,)
            words = f"the operation {named} {moved(pair)}"
            yield pair.change(Topic.RULE, words, breaks, before=one and named, after=two and named)


def _operation(pair: Pair, one: Operation, two: Operation, old: Contract, new: Contract) -> Iterator[Change]:
    renamed = renamed_parameters(one, two)

    def task(child: Pair) -> Iterator[Change]:
        yield from _task(child, pair.id, renamed)

    def body(child: Pair) -> Iterator[Change]:
        yield from _request_body(child, pair.id, one, two)

    def answers(child: Pair) -> Iterator[Change]:
        for status in child.steps():
            yield from compare_answer(child.below(status, id=f"{pair.id}.{status}"), status, old, new)

    yield from compare_keys(
        pair,
        {
            "operationId": rule(),
            "tags": documentation,
            "summary": documentation,
            "description": documentation,
            "externalDocs": documentation,
            "deprecated": switch(),
            "parameters": silent,  # with those of the path
            "requestBody": body,
            "responses": answers,
            "security": silent,  # with what holds for every operation
            "x-task": task,
            "x-provenance": silent,
        },
    )
    yield from _parameters(pair, one, two)
    yield from compare_security(pair, one, two, old, new)
    yield from compare_orders(pair, one, two)


# ---------------------------------------------------------------- what is asked


def _parameters(pair: Pair, one: Operation, two: Operation) -> Iterator[Change]:
    renamed = renamed_parameters(one, two)
    before = {(place, renamed.get(name, name) if place == "path" else name): n for place, name, n in _declared(one)}
    after = {(place, name): n for place, name, n in _declared(two)}
    for place, name in dict.fromkeys((*before, *after)):
        old, new = before.get((place, name)), after.get((place, name))
        child = pair.with_nodes(f"{pair.id}.{name}", old, new)
        if old and new:
            yield from compare_carried(child, REQUEST, {"name": rule(), "in": silent}, place)
        else:
            must = new is not None and new.value.get("required") is True
            breaks = (Party.CLIENT,) if must or new is None else (Party.IMPLEMENTATION,)
            words = f"the {place} parameter {name} {moved(child)}" + (", and must be given" if must else "")
            yield child.change(Topic.RULE, words, breaks)


def _declared(operation: Operation) -> Iterator[tuple[str, str, Node]]:
    for node in parameter_nodes(operation.node):
        name = node.value["name"]
        yield node.value["in"], name.lower() if node.value["in"] == "header" else name, node


def _request_body(pair: Pair, id: str, one: Operation, two: Operation) -> Iterator[Change]:
    if pair.old is None or pair.new is None:
        must = pair.new is not None and pair.new.value.get("required") is True
        breaks = (Party.CLIENT,) if must or pair.new is None else (Party.IMPLEMENTATION,)
        yield pair.change(Topic.RULE, f"the body {moved(pair)}", breaks)
        return

    def content(child: Pair) -> Iterator[Change]:
        if isinstance(one.task, Submission) and isinstance(two.task, Submission):
            yield from compare_content(child, id, REQUEST, {JSON: _profiles(id, one.task, two.task)})
        else:
            yield from compare_content(child, id, REQUEST)

    yield from compare_keys(
        pair,
        {
            "description": documentation,
            "required": must_be_given(REQUEST),
            "content": content,
            "x-provenance": silent,
        },
    )


def _profiles(id: str, one: Submission, two: Submission) -> Rule:
    """The rules of a submission's body: one branch for each profile, of which some fields decide the price."""

    def compare(body: Pair) -> Iterator[Change]:
        pair = body.named(id)
        for old, new in matched(branches(pair.old, "oneOf"), branches(pair.new, "oneOf")):
            branch = new or old
            name = branch.name if branch else ""
            below = pair.with_nodes(f"{pair.id}.{name}", node_of(old), node_of(new))
            if old and new:
                fields = {f.name for task in (one, two) for f in task.profiles[name].price.fields}
                yield from compare_schemas(below, replace(REQUEST, billed=frozenset(fields)))
                continue
            breaks = REQUEST.more if new else REQUEST.less
            words = f"{name} {moved(below)}"
            values = {"before": old and name, "after": new and name}
            yield below.named(f"{pair.id}.{two.selector}").change(Topic.RULE, words, breaks, **values)
        rest = dict.fromkeys(("oneOf", "x-provenance"), silent)
        yield from _schema_rest(pair, rest)

    return compare


def _schema_rest(pair: Pair, rules: Mapping[str, Rule]) -> Iterator[Change]:
    def discriminator(child: Pair) -> Iterator[Change]:
        field = child.below("propertyName")
        if not field.same:
            yield field.change(Topic.RULE, "the field that chooses the profile changed", BOTH)

    documented = dict.fromkeys(("title", "description", "example", "externalDocs"), documentation)
    yield from compare_keys(pair, {**documented, "discriminator": discriminator, **rules})


# ------------------------------------------------------------------ what it is


def _task(pair: Pair, id: str, renamed: Mapping[str, str]) -> Iterator[Change]:
    def reads(child: Pair) -> Iterator[Change]:
        if renamed.get(child.before) != child.after:
            yield from rule(*BOTH)(child)

    def parts(child: Pair) -> Iterator[Change]:
        yield from _parts(child, {})

    def modes(child: Pair) -> Iterator[Change]:
        yield from _parts(child, dict.fromkeys(("absent", "present"), documentation))

    if pair.old is None or pair.new is None:
        yield from rule(*BOTH)(pair)
        return
    yield from compare_keys(
        pair.named(f"{id}.x-task"),
        {
            "submits": rule(*BOTH),
            "reads": reads,
            "modes": modes,
            "result": parts,
            "passthrough": either_way(gone=(Party.CLIENT,), added=(Party.IMPLEMENTATION,)),
        },
    )


def _parts(pair: Pair, rules: Mapping[str, Rule]) -> Iterator[Change]:
    if pair.old and pair.new:
        yield from compare_keys(pair, rules, rule(*BOTH))
    else:
        yield from either_way(gone=(Party.CLIENT,), added=(Party.IMPLEMENTATION,))(pair)
