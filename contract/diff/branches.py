"""The branches of a `oneOf`, `anyOf` or `allOf`, and which of two schemas' branches are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contract.diff.values import inlined, same_value
from contract.document import Node


@dataclass(frozen=True)
class Branch:
    """One branch: its node, its names, and whether the contract's users choose it by them."""

    names: frozenset[str]
    chosen: bool
    node: Node

    @property
    def name(self) -> str:
        return ", ".join(sorted(self.names))


def branches(schema: Node | None, key: str) -> list[Branch]:
    """The branches below a key, named by the discriminator, by their component, or by their position.

    A discriminator knows a branch that it does not map by the name of its component.
    """
    if schema is None:
        return []
    names: dict[str, list[str]] = {}
    for name, target in _mapping(schema):
        names.setdefault(target, []).append(name)
    found = []
    for node in schema.children(key):
        chosen = schema.get("discriminator") is not None
        found.append(Branch(frozenset(names.get(node.pointer, [node.name])), chosen, node))
    return found


def name_of_both(old: Branch | None, new: Branch | None) -> str:
    """What to call a branch that one contract has, or both; by the names that it keeps, if there are any."""
    if old and new and old.names & new.names:
        return ", ".join(sorted(old.names & new.names))
    branch = new or old
    return branch.name if branch else ""


def astray(schema: Node) -> dict[str, str]:
    """The names of a discriminator that lead to none of the schema's branches, each with where it leads."""
    known = {node.pointer for key in ("oneOf", "anyOf") for node in schema.children(key)}
    return {name: target for name, target in _mapping(schema) if target not in known}


def _mapping(schema: Node) -> Iterator[tuple[str, str]]:
    """The names of a discriminator, each with the pointer that its reference, or its name of a schema, stands for."""
    for name, node in schema.items("discriminator", "mapping"):
        yield name, node.value[1:] if node.value.startswith("#") else f"/components/schemas/{node.value}"


def matched(old: Sequence[Branch], new: Sequence[Branch]) -> Iterator[tuple[Branch | None, Branch | None]]:
    """Pair the branches.

    Those that a discriminator chooses go by its names alone, by all of them or else by any. Others mean the same under
    any name: first those that say the same, then those of one name, then one that is left on each side.
    """
    left_old, left_new = list(old), list(new)
    pairs: list[tuple[Branch, Branch]] = []
    for same in (_chosen, _shared, _equal, _named):
        for one in tuple(left_old):
            found = next((two for two in left_new if same(one, two)), None)
            if found:
                pairs.append((one, found))
                left_old.remove(one)
                left_new.remove(found)
    if len(left_old) == len(left_new) == 1 and not (left_old[0].chosen or left_new[0].chosen):
        pairs.append((left_old.pop(), left_new.pop()))
    yield from pairs
    yield from ((one, None) for one in left_old)
    yield from ((None, two) for two in left_new)


def _chosen(one: Branch, two: Branch) -> bool:
    return one.chosen and two.chosen and one.names == two.names


def _shared(one: Branch, two: Branch) -> bool:
    return one.chosen and two.chosen and not one.names.isdisjoint(two.names)


def _equal(one: Branch, two: Branch) -> bool:
    return not (one.chosen and two.chosen) and same_value(inlined(one.node), inlined(two.node))


def _named(one: Branch, two: Branch) -> bool:
    return not (one.chosen and two.chosen) and one.name == two.name
