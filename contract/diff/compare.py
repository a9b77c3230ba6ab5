"""Compare two contracts: what they mean, not how they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from contract.clause import Clause
from contract.clauses import derive_clauses
from contract.diff.access import credentials, scheme_name
from contract.diff.billing import compare_prices
from contract.diff.change import BOTH, Change, Diff, Party, Place, Topic, merged
from contract.diff.life import compare_lifecycles
from contract.diff.operations import compare_operations
from contract.diff.pair import Pair, Rule, compare_keys, documentation, either_way, moved, node_of, rule, silent
from contract.diff.version import judge_version
from contract.document import covers
from contract.model import Contract
from contract.reader import path_shape


def compare(old: Contract, new: Contract) -> Diff:
    """All that changed from one contract to another. Both have passed `check_contract`."""
    root = Pair.of("", old.document.root, new.document.root)
    clauses = derive_clauses(old), derive_clauses(new)
    priced, costs = compare_prices(old, new, root.below("paths"))
    changes = tuple(
        merged(
            chain(
                _document(root, old, new, clauses),
                compare_operations(old, new, root.below("paths")),
                priced,
                compare_lifecycles(old.lifecycle, new.lifecycle),
                _sources(clauses),
            )
        )
    )
    return Diff(
        old=old.document.file,
        new=new.document.file,
        changes=changes,
        costs=tuple(costs),
        bump=judge_version(root.below("info", "version"), changes),
    )


Clauses = tuple[tuple[Clause, ...], tuple[Clause, ...]]


def _document(root: Pair, old: Contract, new: Contract, clauses: Clauses) -> Iterator[Change]:
    def info(child: Pair) -> Iterator[Change]:
        names = ("title", "description", "contact", "license", "termsOfService")
        rules: Mapping[str, Rule] = {
            **dict.fromkeys(names, documentation),
            "version": silent,
            "x-open-questions": lambda questions: _questions(questions, old, new, clauses),
            "x-provenance": silent,
        }
        yield from compare_keys(child, rules)

    yield from compare_keys(
        root,
        {
            "openapi": documentation,
            "info": info,
            "servers": _servers,
            "tags": documentation,
            "externalDocs": documentation,
            "security": silent,  # operation by operation
            "components": silent,  # where something refers to them
            "paths": _paths,
            "x-conventions": _conventions,
            "x-provenance": silent,
        },
    )
    yield from _schemes(root, old, new)


def _servers(pair: Pair) -> Iterator[Change]:
    before, after = ({n.value["url"]: n for n in side.children()} if side else {} for side in (pair.old, pair.new))
    for url in dict.fromkeys((*before, *after)):
        child = pair.with_nodes("servers", before.get(url), after.get(url))
        if child.old and child.new:
            yield from compare_keys(child, {"description": documentation, "x-provenance": silent})
        else:
            breaks = (Party.IMPLEMENTATION,) if child.new else (Party.CLIENT,)
            words = f"the server {url} {moved(child)}"
            yield child.change(Topic.RULE, words, breaks, before=child.old and url, after=child.new and url)


def _paths(pair: Pair) -> Iterator[Change]:
    """What stands beside the operations of a path."""
    methods = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
    rules: Mapping[str, Rule] = {
        **dict.fromkeys(methods, silent),
        "parameters": silent,
        "summary": documentation,
        "description": documentation,
        "x-provenance": silent,
    }
    before, after = (
        {path_shape(path): node for path, node in side.items()} if side else {} for side in (pair.old, pair.new)
    )
    for path in (path for path in before if path in after):
        child = pair.with_nodes(f"paths.{after[path].name}", before[path], after[path])
        yield from compare_keys(child, rules)


def _conventions(pair: Pair) -> Iterator[Change]:
    for key in pair.steps():
        child = pair.below(key, id=f"conventions.{key}")
        if key != "x-provenance" and not child.same:
            yield from rule(*BOTH)(child)


def _schemes(root: Pair, old: Contract, new: Contract) -> Iterator[Change]:
    """What credentials are, where both contracts have the scheme; who accepts them is each operation's."""
    detail = either_way(gone=BOTH, added=BOTH)
    for name, scheme in old.security_schemes.items():
        two = new.security_schemes.get(scheme_name(name, old, new))
        if two is None:
            continue
        pair = root.with_nodes(f"security.{name}", scheme.node, two.node)
        rules: Mapping[str, Rule] = {
            **dict.fromkeys(("type", "scheme", "in", "name"), detail),
            "description": documentation,
            "bearerFormat": documentation,
            "x-provenance": _marks,
        }
        if credentials(scheme.node) == credentials(two.node):
            rules = {**rules, "scheme": silent, "name": silent}  # in other letters
        yield from compare_keys(pair, rules)


def _marks(pair: Pair) -> Iterator[Change]:
    yield pair.change(Topic.PROVENANCE, "the source of the credentials changed")


def _questions(pair: Pair, old: Contract, new: Contract, clauses: Clauses) -> Iterator[Change]:
    before, after = ({question.id: question for question in contract.questions} for contract in (old, new))
    for id in dict.fromkeys((*before, *after)):
        one, two = before.get(id), after.get(id)
        child = pair.with_nodes(f"question.{id}", node_of(one), node_of(two))
        if one is None or two is None:
            yield child.change(Topic.DOCUMENTATION, f"the open question {moved(child)}")
            continue
        asked = [(q.kind, q.question, q.choice, _about(q.places, c)) for q, c in zip((one, two), clauses, strict=True)]
        if asked[0] != asked[1]:
            yield child.change(Topic.DOCUMENTATION, "the open question changed")


def _about(places: tuple[str, ...], clauses: tuple[Clause, ...]) -> frozenset[str]:
    """What a question is about, wherever that stands: the clauses, or the place itself where there is none."""
    about = set()
    for place in places:
        about |= {c.id for c in clauses if covers(place, c.pointer)} or {place}
    return frozenset(about)


def _sources(clauses: Clauses) -> Iterator[Change]:
    """The clauses of which the source changed."""
    before = {clause.id: clause for clause in clauses[0]}
    for clause in clauses[1]:
        one = before.get(clause.id)
        if one and one.provenance is not clause.provenance:
            yield Change(
                clauses=(clause.id,),
                topic=Topic.PROVENANCE,
                what=f"the source went from {one.provenance} to {clause.provenance}",
                before=one.provenance.value,
                after=clause.provenance.value,
                breaks=(),
                old=Place(one.pointer, one.line),
                new=Place(clause.pointer, clause.line),
            )
