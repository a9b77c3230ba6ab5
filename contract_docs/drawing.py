"""Drawings as SVG within a page: they take their colours from the page, light or dark."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from contract.model import Lifecycle, State, Submission

_BOX, _HIGH, _GAP, _ROW = 270, 64, 100, 96
_BAR, _SCALE, _STEP, _NUMBER = 16, 350, 44, 50
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>'
)


def lifecycle_drawing(lifecycle: Lifecycle) -> str:
    """The states from left to right, by how far they are from the first; arrows are the transitions."""
    places = _places(lifecycle)
    columns = max(x for x, _ in places.values()) + 1
    rows = max(y for _, y in places.values()) + 1
    parts = [_TIP]
    for state in lifecycle.states.values():
        parts += [_arrow(places[state.name], places[follower]) for follower in state.next]
    for state in lifecycle.states.values():
        parts += _state(state, lifecycle, *places[state.name])
    ways = "; ".join(f"{state.name} to {' or '.join(state.next)}" for state in lifecycle.states.values() if state.next)
    return _svg(columns * (_BOX + _GAP) - _GAP + 4, rows * _ROW, f"The states of a task: {ways}.", parts)


def _places(lifecycle: Lifecycle) -> dict[str, tuple[int, int]]:
    filled: dict[int, int] = {}
    places = {}
    for state in lifecycle.states.values():
        column = len(lifecycle.path_to(state.name)) - 1
        places[state.name] = (column, filled.get(column, 0))
        filled[column] = filled.get(column, 0) + 1
    return places


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    if start == end:
        x, y = start[0] * (_BOX + _GAP) + _BOX // 2, start[1] * _ROW + _HIGH + 8
        return f'<path class="way" marker-end="url(#tip)" d="M{x - 20} {y}c0 24 40 24 40 0"/>'
    x1, y1 = start[0] * (_BOX + _GAP) + _BOX + 2, start[1] * _ROW + _HIGH // 2 + 8
    x2, y2 = end[0] * (_BOX + _GAP) - 2, end[1] * _ROW + _HIGH // 2 + 8
    bend = (x1 + x2) // 2
    return f'<path class="way" marker-end="url(#tip)" d="M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"/>'


def _state(state: State, lifecycle: Lifecycle, column: int, row: int) -> Iterator[str]:
    x, y = column * (_BOX + _GAP) + 2, row * _ROW + 8
    kind = "end" if state.terminal else "open"
    facts = [f"{lifecycle.fields.status} {state.status}"]
    facts += [f"carries {state.carries}"] if state.carries else []
    facts += ["refunded"] if state.refund else []
    yield f'<rect class="{kind}" x="{x}" y="{y}" width="{_BOX - 4}" height="{_HIGH}" rx="8"/>'
    yield f'<text class="name" x="{x + 14}" y="{y + 26}">{html.escape(state.name)}</text>'
    yield f'<text class="fact" x="{x + 14}" y="{y + 48}">{html.escape(", ".join(facts))}</text>'


def credits_chart(submission: Submission) -> str:
    """One bar for each model and tier, as long as its price; no wider than a phone."""
    bars = [
        (", ".join((name, *map(str, fields.values()))), credits)
        for name, profile in submission.profiles.items()
        for fields, credits, _ in profile.price.rows()
    ]
    most = max(credits for _, credits in bars) or 1
    parts = list(_bars(bars, most))
    spoken = "; ".join(f"{label}: {credits}" for label, credits in bars)
    return _svg(_SCALE + _NUMBER, len(bars) * _STEP + 4, f"Credits by model and tier. {spoken}.", parts)


def _bars(bars: Sequence[tuple[str, int]], most: int) -> Iterator[str]:
    for index, (label, credits) in enumerate(bars):
        y = index * _STEP + 22
        wide = round(_SCALE * credits / most, 1)
        yield f'<text class="fact" x="0" y="{y - 6}">{html.escape(label)}</text>'
        yield f'<rect class="bar" x="0" y="{y}" width="{wide}" height="{_BAR}" rx="2"/>'
        yield f'<text class="number" x="{wide + 8}" y="{y + 13}">{credits}</text>'


def _svg(width: int, height: int, says: str, parts: Sequence[str]) -> str:
    wide = " wide" if width > _SCALE + _NUMBER else ""  # on a phone it is moved to and fro, else nobody could read it
    said = html.escape(says)
    drawn = "".join(parts)
    return (
        f'<div class="drawing{wide}"><svg role="img" aria-label="{said}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><title>{said}</title>{drawn}</svg></div>\n'
    )
