"""A diff for a comment on a pull request: the summary first, details folded."""

from __future__ import annotations

from collections.abc import Iterator

from contract.diff.change import Change, Diff, Heading
from contract.diff.wording import TITLES, amount_of, lines, priced, shown, summary, tier, version
from contract.markup import code, plain

_FOLDED = (Heading.COMPATIBLE, Heading.PROVENANCE, Heading.DOCUMENTATION)


def markdown(diff: Diff) -> str:
    """The diff as Markdown that GitHub shows."""
    return "\n".join(_lines(diff))


def _lines(diff: Diff) -> Iterator[str]:
    yield f"**Contract: {summary(diff)}**"
    yield ""
    yield f"{code(diff.old)} → {code(diff.new)}. {'⚠️ ' if diff.bump.problem else ''}{plain(version(diff))}."
    for heading in Heading:
        changes = diff.under(heading)
        if not changes:
            continue
        title = f"{TITLES[heading]} ({len(changes)})"
        folded = heading in _FOLDED
        yield ""
        yield f"<details><summary>{title}</summary>" if folded else f"### {title}"
        yield ""
        yield "| clause | change | before | after | breaks | line |"
        yield "| --- | --- | --- | --- | --- | --- |"
        yield from map(_row, changes)
        if heading is Heading.BILLING:
            yield from _costs(diff)
        if folded:
            yield ""
            yield "</details>"


def _row(change: Change) -> str:
    cells = (
        "<br>".join(map(code, change.clauses)),
        plain(change.what),
        _value(change.before),
        _value(change.after),
        ", ".join(change.breaks),
        lines(change),
    )
    return f"| {' | '.join(cells)} |"


def _costs(diff: Diff) -> Iterator[str]:
    for title, costs in priced(diff):
        yield ""
        yield f"Credits of {code(title)}:"
        yield ""
        yield "| request | before | after |"
        yield "| --- | ---: | ---: |"
        for cost in costs:
            amounts = amount_of(cost.before), amount_of(cost.after)
            after = amounts[1] if cost.before == cost.after else f"**{amounts[1]}**"
            yield f"| {plain(tier(cost))} | {amounts[0]} | {after} |"


def _value(value: object) -> str:
    return shown(value) if value is None else code(shown(value))
