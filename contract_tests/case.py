"""One request that the contract suggests, what must come of it, and how it is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from contract.model import Operation


@dataclass(frozen=True)
class Case:
    """A submission, and what must come of it.

    Attributes:
        name: unique and readable, for the name of a test.
        operation: the ID of the submitting operation.
        profile: the profile that the request is for, or None if it is for none.
        body: the request body: JSON, or bytes that are sent as they are.
        accepted: whether it must be accepted, or refused as invalid.
        clause: the clause that is broken if it is not.
        wrong: the fields that the refusal must name.
        price: what it costs if it is accepted.
        ascii: whether characters beyond ASCII are sent as escapes.
    """

    name: str
    operation: str
    profile: str | None
    body: Any
    accepted: bool
    clause: str
    wrong: frozenset[str] = frozenset()
    price: int = 0
    ascii: bool = False

    def encoded(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return escaped(self.body) if self.ascii else encode(self.body)


@dataclass(frozen=True)
class Priced:
    """The requests for each price of one profile."""

    id: str
    operation: Operation
    cases: tuple[Case, ...]


def pairwise(sizes: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """Rows of choices, one out of each range, that cover each pair of choices at least once: greedily, few of them."""
    left = {((i, a), (j, b)) for i, j in combinations(range(len(sizes)), 2) for a in sizes[i] for b in sizes[j]}
    while left:
        row = dict(min(left))
        for i, choices in enumerate(sizes):
            if i not in row:
                new = {a: sum(tuple(sorted(((i, a), other))) in left for other in row.items()) for a in choices}
                row[i] = max(choices, key=lambda a: new[a])
        left -= set(combinations(sorted(row.items()), 2))
        yield tuple(row[i] for i in range(len(sizes)))


def escaped(body: Any) -> bytes:
    """JSON in ASCII: characters beyond it as escapes, those beyond U+FFFF as pairs of them."""
    return json.dumps(body).encode()


def encode(body: Any) -> bytes:
    """JSON in UTF-8, with every character as itself."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
