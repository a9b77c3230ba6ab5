"""A place in two documents at once: what the rules of a comparison are given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from contract.diff.change import Change, Party, Place, Topic
from contract.diff.values import inlined, same_value
from contract.document import Node

T = TypeVar("T")


def either(old: T | None, new: T | None) -> T:
    """The side that is there; the new one, if both are."""
    found = old if new is None else new
    if found is None:
        raise ValueError("a pair of nothing")
    return found


@dataclass(frozen=True)
class Pair:
    """The same part of two contracts; `old` or `new` is None where one of them has no such part.

    Attributes:
        id: the ID of the clause.
        old, new: the nodes, `$ref` followed.
        places: where each stands, or the nearest place around it.
    """

    id: str
    old: Node | None
    new: Node | None
    places: tuple[Place, Place]

    @classmethod
    def of(cls, id: str, old: Node, new: Node) -> Pair:
        """A pair of two nodes that exist."""
        return cls(id, old, new, (_place(old), _place(new)))

    def with_nodes(self, id: str, old: Node | None, new: Node | None) -> Pair:
        """A pair below this one."""
        places = (_place(old) if old else self.places[0], _place(new) if new else self.places[1])
        return Pair(id, old, new, places)

    def below(self, *path: str, id: str | None = None) -> Pair:
        """What stands at a path below."""
        old = self.old.get(*path) if self.old else None
        new = self.new.get(*path) if self.new else None
        return self.with_nodes(".".join((self.id, *path)).lstrip(".") if id is None else id, old, new)

    def named(self, id: str) -> Pair:
        """The same under another ID."""
        return Pair(id, self.old, self.new, self.places)

    @property
    def before(self) -> Any:
        """What the old contract says here."""
        return inlined(self.old)

    @property
    def after(self) -> Any:
        """What the new contract says here."""
        return inlined(self.new)

    @property
    def same(self) -> bool:
        """Whether both say the same."""
        return (self.old is None) == (self.new is None) and same_value(self.before, self.after)

    def steps(self) -> list[str]:
        """The keys of both, or the indices."""
        return list(dict.fromkeys(key for node in (self.old, self.new) if node for key in node.steps()))

    def change(self, topic: Topic, what: str, breaks: Collection[Party] = (), **values: Any) -> Change:
        """A change of this part. `values` may give `before` and `after` where they are not the nodes' own."""
        return Change(
            clauses=(self.id,),
            topic=topic,
            what=what,
            before=values.get("before") if values else self.before,
            after=values.get("after") if values else self.after,
            breaks=tuple(party for party in Party if party in breaks),
            old=self.places[0],
            new=self.places[1],
        )


class Noded(Protocol):
    """A part of a contract that knows where it stands."""

    @property
    def node(self) -> Node: ...


def node_of(part: Noded | None) -> Node | None:
    """Where a part stands, if there is one."""
    return part.node if part else None


Rule = Callable[[Pair], Iterator[Change]]


def _place(node: Node) -> Place:
    return Place(node.pointer, node.line)


def compare_keys(pair: Pair, rules: Mapping[str, Rule], fallback: Rule | None = None) -> Iterator[Change]:
    """Compare two objects key by key. A key that no rule knows goes to the fallback, and so is never passed over."""
    for key in pair.steps():
        child, judge = pair.below(key), rules.get(key, fallback or other)
        if judge is not silent and not child.same:  # what is passed over may hold anything, such as a circle
            yield from judge(child)


def other(pair: Pair) -> Iterator[Change]:
    """What no rule knows: in doubt it breaks everybody."""
    yield pair.change(Topic.OTHER, f"{name_of(pair)} {moved(pair)}", (Party.CLIENT, Party.IMPLEMENTATION))


def documentation(pair: Pair) -> Iterator[Change]:
    """What only a reader sees."""
    yield pair.change(Topic.DOCUMENTATION, f"{name_of(pair)} {moved(pair)}")


def silent(_: Pair) -> Iterator[Change]:
    """What is compared elsewhere, or means nothing by itself."""
    yield from ()


def rule(*breaks: Party, topic: Topic = Topic.RULE) -> Rule:
    """A rule for what breaks the same parties however it changes."""

    def judge(pair: Pair) -> Iterator[Change]:
        yield pair.change(topic, f"{name_of(pair)} {moved(pair)}", breaks)

    return judge


def switched(pair: Pair) -> bool:
    """Whether a switch was turned, which is off where it is not given."""
    return bool(pair.before) != bool(pair.after)


def switch(*breaks: Party) -> Rule:
    """A rule for a switch that breaks the same parties whichever way it is turned."""

    def judge(pair: Pair) -> Iterator[Change]:
        if switched(pair):
            yield from rule(*breaks)(pair)

    return judge


def either_way(gone: Collection[Party], added: Collection[Party], topic: Topic = Topic.RULE) -> Rule:
    """A rule for what breaks some when it goes, some when it comes, and all of them when it changes."""

    def judge(pair: Pair) -> Iterator[Change]:
        breaks = {*(gone if pair.old else ()), *(added if pair.new else ())}
        yield pair.change(topic, f"{name_of(pair)} {moved(pair)}", breaks)

    return judge


def caseless(pair: Pair) -> Iterator[tuple[str, Pair]]:
    """What stands below both under names in which capital letters mean nothing."""
    before, after = ({name.lower(): name for name in node.steps()} if node else {} for node in (pair.old, pair.new))
    for key in dict.fromkeys((*before, *after)):
        name = after.get(key) or before[key]
        old = pair.old.get(before[key]) if pair.old and key in before else None
        new = pair.new.get(after[key]) if pair.new and key in after else None
        yield name, pair.with_nodes(f"{pair.id}.{name}", old, new)


def name_of(pair: Pair) -> str:
    """What the part is called in its document."""
    node = pair.new or pair.old
    return node.name if node else pair.id


def moved(pair: Pair) -> str:
    """What happened to the part, in a word."""
    if pair.old is None:
        return "is new"
    return "is gone" if pair.new is None else "changed"
