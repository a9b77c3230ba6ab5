"""Two contracts that differ in a few snippets, and what is said of the difference in a few words."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from contract.check import check_document
from contract.diff.change import Change, Diff
from contract.diff.compare import compare
from contract.document import parse_document
from contract.model import Contract
from contract.resources import default_contract

REAL = default_contract()
SMALL = Path(__file__).with_name("small.yaml")

Edit = tuple[str, str]


def edited(text: str, *edits: Edit) -> str:
    """A text with some snippets replaced, each of which occurs exactly once."""
    for old, new in edits:
        assert text.count(old) == 1, f"occurs {text.count(old)} times: {old}"
        text = text.replace(old, new)
    return text


@cache
def contract(text: str, name: str = "a.yaml") -> Contract:
    """The contract that a text is."""
    return check_document(parse_document(text.encode(), name))[0]


def difference(old: str, new: str) -> Diff:
    """What changed from one text to another."""
    return compare(contract(old, "old.yaml"), contract(new, "new.yaml"))


def said(change: Change) -> tuple[str, str]:
    """The first clause of a change, and its verdict: the headings, then whom it breaks."""
    return change.clauses[0], " ".join(("+".join(change.headings), *change.breaks))


def verdicts(diff: Diff) -> list[tuple[str, str]]:
    """The verdicts on all changes, in no order."""
    return sorted(map(said, diff.changes))
