"""Who may ask: the credentials that an operation takes, and what credentials are."""

from __future__ import annotations

from collections.abc import Iterator

from contract.diff.change import Change, Party, Topic
from contract.diff.pair import Pair
from contract.diff.values import canonical, inlined
from contract.document import Node
from contract.model import Contract, Operation


def compare_security(pair: Pair, one: Operation, two: Operation, old: Contract, new: Contract) -> Iterator[Change]:
    """The credentials of which one suffices: one more is a choice, one less shuts somebody out."""
    before, after = (list(dict.fromkeys(operation.security)) for operation in (one, two))
    names = {name: scheme_name(name, old, new) for name in before}
    kept = set(names.values()) & set(after)
    for name in before:
        if names[name] not in kept:
            child = _alternative(pair, name, one, two)
            if after:
                words, breaks = f"the credentials {name} are not accepted any more", (Party.CLIENT,)
            else:
                words, breaks = f"no credentials are asked for, {name} is gone", (Party.IMPLEMENTATION,)
            yield child.change(Topic.RULE, words, breaks, before=name, after=None)
    for name in after:
        if name not in kept:
            child = _alternative(pair, name, one, two)
            breaks = (Party.IMPLEMENTATION,) if before else (Party.CLIENT,)
            words = f"the credentials {name} are accepted" if before else f"credentials are asked for: {name}"
            yield child.change(Topic.RULE, words, breaks, before=None, after=name)
    for name in before:
        if names[name] in kept:
            yield from _scopes(_alternative(pair, names[name], one, two, old_name=name), name, one, names[name], two)


def _scopes(pair: Pair, name: str, one: Operation, new_name: str, two: Operation) -> Iterator[Change]:
    """What the credentials have to be good for; an operation may list a scheme several times."""
    before, after = _asked(one, name), _asked(two, new_name)
    refused = any(not any(new <= old for new in after) for old in before)
    let_in = any(not any(old <= new for old in before) for new in after)
    breaks = [*((Party.CLIENT,) if refused else ()), *((Party.IMPLEMENTATION,) if let_in else ())]
    if breaks:
        words = f"the scopes that {new_name} needs changed"
        values = {"before": _listed(before), "after": _listed(after)}
        yield pair.named(f"{pair.id}.scopes").change(Topic.RULE, words, breaks, **values)


def _asked(operation: Operation, name: str) -> list[frozenset[str]]:
    listed = _requirements(operation)
    return [frozenset(item.value[name]) for item in (listed.children() if listed else ()) if name in item.value]


def _listed(choices: list[frozenset[str]]) -> str:
    return " or ".join(", ".join(sorted(scopes)) or "none" for scopes in choices)


def scheme_name(name: str, old: Contract, new: Contract) -> str:
    """What the new contract calls an old scheme: a name that says the same, or the same name."""
    if name in new.security_schemes:
        return name
    node = old.security_schemes[name].node
    for other_name, scheme in new.security_schemes.items():
        if other_name not in old.security_schemes and credentials(node) == credentials(scheme.node):
            return other_name
    return name


def credentials(node: Node) -> str:
    """What credentials are, in a text that is the same for the same ones."""
    value = {key: item for key, item in inlined(node).items() if key not in ("description", "x-provenance")}
    if value.get("in") == "header":
        value["name"] = value["name"].lower()  # of a header, as `x-key` and `X-Key` are one
    if "scheme" in value:
        value["scheme"] = value["scheme"].lower()
    return canonical(value)


def _alternative(pair: Pair, name: str, one: Operation, two: Operation, *, old_name: str | None = None) -> Pair:
    nodes = []
    for operation, called in ((one, old_name or name), (two, name)):
        listed = _requirements(operation)
        items = list(listed.children()) if listed else []
        nodes.append(next((item for item in items if called in item.value), listed))
    return pair.with_nodes(f"{pair.id}.security.{name}", *nodes)


def _requirements(operation: Operation) -> Node | None:
    return operation.node.get("security") or operation.node.document.root.get("security")
