"""What the outputs for people have in common: titles, values, the summary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from contract.diff.change import Change, Cost, Diff, Heading
from contract.pricing import value_key

TITLES = {
    Heading.BREAKING: "Breaks clients",
    Heading.BILLING: "Billing",
    Heading.LIFECYCLE: "Lifecycle",
    Heading.OTHER: "Other, known to no rule",
    Heading.COMPATIBLE: "Compatible",
    Heading.PROVENANCE: "Provenance",
    Heading.DOCUMENTATION: "Documentation only",
}
NOTHING = "\N{EN DASH}"
_LONGEST = 60


def summary(diff: Diff) -> str:
    """The whole diff in a line."""
    if diff.empty:
        return "no change in meaning"
    counts = [f"{len(found)} {heading}" for heading in Heading if (found := diff.under(heading))]
    return ", ".join(counts) or "no change in meaning but the version's"


def version(diff: Diff) -> str:
    """What became of the version, in a sentence."""
    bump = diff.bump
    if bump.problem:
        return f"version: {bump.problem}"
    moved = f"{bump.before} → {bump.after}" if bump.before != bump.after else f"{bump.before}, as before"
    return f"version: {moved}; the changes demand {'no' if bump.demanded == 'none' else f'a {bump.demanded}'} step"


def values(change: Change) -> str:
    """What a change was and is, as far as it is short."""
    if change.before is None and change.after is None:
        return ""
    return f"{shown(change.before)} → {shown(change.after)}"


def shown(value: Any) -> str:
    """A JSON value in little room."""
    if value is None:
        return NOTHING
    text = " ".join((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def lines(change: Change) -> str:
    """Where it stands in both documents."""
    return f"{change.old.line} → {change.new.line}"


def priced(diff: Diff) -> Iterator[tuple[str, list[Cost]]]:
    """The costs of each profile, with the profile's title."""
    for (operation, profile), costs in groupby(diff.costs, lambda cost: (cost.operation, cost.profile)):
        yield f"{operation}, {profile}", list(costs)


def tier(cost: Cost) -> str:
    """What kind of request a cost is for."""
    parts = [f"{name} {'omitted' if value is None else value_key(value)}" for name, value in cost.tier]
    return ", ".join(parts) or "every request"


def amount_of(amount: int | None) -> str:
    """An amount, or that there is none."""
    return NOTHING if amount is None else f"{amount:,}"
