"""What a table of small changes is made of, and what each of its rows must hold.

A verdict is the headings of a change and whom it breaks. A change that is there in one direction only has no verdict in
the other. Behind each ID stands the first of the clauses that share the place.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.contract.diff.harness import REAL, SMALL, Edit, difference, edited, verdicts

NONE = ""
BREAKS = "breaking client"
BINDS = "compatible implementation"
BOTH = "breaking client implementation"
EASY = "compatible"
MONEY = "billing money"
PRICE = "billing"
DEAR = "breaking+billing client money"
LIFE = "lifecycle"
LIFE_BREAKS = "breaking+lifecycle client"
LIFE_BINDS = "lifecycle implementation"
LIFE_BOTH = "breaking+lifecycle client implementation"
OTHER = "breaking+other client implementation"
SOURCE = "provenance"
WORDS = "documentation"


class Verdict(NamedTuple):
    id: str
    forwards: str
    backwards: str


class Row(NamedTuple):
    name: str
    file: Path
    edits: tuple[Edit, ...]
    verdicts: tuple[Verdict, ...]


def real(name: str, *parts: Edit | tuple[str, str, str]) -> Row:
    return row(name, REAL, parts)


def small(name: str, *parts: Edit | tuple[str, str, str]) -> Row:
    return row(name, SMALL, parts)


def row(name: str, file: Path, parts: tuple[Edit | tuple[str, str, str], ...]) -> Row:
    """Two texts are an edit, three are a verdict."""
    edits = tuple(part for part in parts if len(part) == 2)
    return Row(name, file, edits, tuple(Verdict(*part) for part in parts if len(part) == 3))


def check(row: Row) -> None:
    """The verdicts on a change are those of its row, in both directions."""
    old = row.file.read_text("utf-8")
    new = edited(old, *row.edits)
    assert old != new
    assert verdicts(difference(old, new)) == sorted((v.id, v.forwards) for v in row.verdicts if v.forwards)
    assert verdicts(difference(new, old)) == sorted((v.id, v.backwards) for v in row.verdicts if v.backwards)
