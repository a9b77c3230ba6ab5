"""A diff for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contract.diff.change import Diff, Heading
from contract.diff.wording import TITLES, amount_of, lines, priced, summary, tier, values, version
from contract.markup import printable


def text(diff: Diff) -> str:
    """The diff as text: a summary, then the changes under their headings."""
    return "\n".join(map(printable, _lines(diff)))


def _lines(diff: Diff) -> Iterator[str]:
    yield f"{diff.old} → {diff.new}: {summary(diff)}"
    yield version(diff)
    for heading in Heading:
        changes = diff.under(heading)
        if not changes:
            continue
        yield ""
        yield TITLES[heading]
        for change in changes:
            yield from (f"  {clause}" for clause in change.clauses)
            shown = f" ({values(change)})" if values(change) else ""
            whom = f" breaks: {', '.join(change.breaks)};" if change.breaks else ""
            yield f"    {change.what}{shown};{whom} line {lines(change)}"
        if heading is Heading.BILLING:
            yield from _costs(diff)


def _costs(diff: Diff) -> Iterator[str]:
    for title, costs in priced(diff):
        yield f"  {title}, in credits"
        yield from _table([(tier(cost), amount_of(cost.before), amount_of(cost.after)) for cost in costs])


def _table(rows: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    rows = [("", "before", "after"), *rows]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield f"    {row[0]:<{wide[0]}}  {row[1]:>{wide[1]}}  {row[2]:>{wide[2]}}"
