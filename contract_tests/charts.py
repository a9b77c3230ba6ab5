"""Two charts in SVG: what the run did to the ledger, and how long the tasks lived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 900, 220, 44
Event = Mapping[str, Any]


def ledger_chart(events: Sequence[Event]) -> str:
    """Credits debited less credits refunded, over the time of the run."""
    moves = [event for event in events if event["what"] in ("debit", "refund")]
    if not moves:
        return "<p>No credits were moved.</p>"
    start, end = moves[0]["time"], max(moves[-1]["time"], moves[0]["time"] + 0.001)
    points, spent, gross = [(0.0, 0)], 0, 0
    for move in moves:
        sign = 1 if move["what"] == "debit" else -1
        at = move["time"] - start
        points += [(at, spent), (at, spent + sign * move["credits"])]
        spent += sign * move["credits"]
        gross = max(gross, spent)
    line = " ".join(f"{_x(at, end - start)},{_y(credits, gross)}" for at, credits in points)
    label = f"Net credits debited, up to {gross:,}, over {end - start:.1f} seconds"
    return _svg(
        label,
        _axes(f"{gross:,}", "0", f"{end - start:.1f} s")
        + f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.5"/>',
    )


def lifecycle_chart(events: Sequence[Event]) -> str:
    """A bar for each task that was seen to end: from its acceptance to its end."""
    ends = sorted((event for event in events if "accepted" in event), key=lambda event: float(event["accepted"]))
    if not ends:
        return "<p>No task was seen to end.</p>"
    start = ends[0]["accepted"]
    span = max(max(event["time"] for event in ends) - start, 0.001)
    states = sorted({event["what"] for event in ends})
    height = max(1.0, (HEIGHT - MARGIN) / len(ends))
    bars = "".join(
        f'<rect x="{_x(event["accepted"] - start, span)}" y="{8 + index * (HEIGHT - MARGIN - 8) / len(ends):.2f}" '
        f'width="{max(1.0, (event["time"] - event["accepted"]) / span * (WIDTH - 2 * MARGIN)):.2f}" '
        f'height="{min(height * 0.8, 10):.2f}" class="state{states.index(event["what"])}">'
        f"<title>{escape(str(event['task']))}: {escape(str(event['what']))} after "
        f"{event['time'] - event['accepted']:.2f} s</title></rect>"
        for index, event in enumerate(ends)
    )
    key = "".join(
        f'<text x="{MARGIN + 8 + index * 120}" y="{HEIGHT - 6}" class="state{index}">{escape(str(state))}</text>'
        for index, state in enumerate(states)
    )
    return _svg(
        f"The lives of {len(ends)} tasks, from acceptance to their end", _axes("", "", f"{span:.1f} s") + bars + key
    )


def _x(at: float, span: float) -> str:
    return f"{MARGIN + at / span * (WIDTH - 2 * MARGIN):.2f}"


def _y(value: float, most: float) -> str:
    return f"{HEIGHT - MARGIN - value / max(most, 1) * (HEIGHT - MARGIN - 12):.2f}"


def _axes(top: str, bottom: str, right: str) -> str:
    floor = HEIGHT - MARGIN
    return (
        f'<path d="M{MARGIN} 8V{floor}H{WIDTH - MARGIN}" fill="none" stroke="currentColor" opacity=".4"/>'
        f'<text x="{MARGIN - 6}" y="16" text-anchor="end">{top}</text>'
        f'<text x="{MARGIN - 6}" y="{floor}" text-anchor="end">{bottom}</text>'
        f'<text x="{WIDTH - MARGIN}" y="{floor + 16}" text-anchor="end">{right}</text>'
    )


def _svg(label: str, content: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{content}</svg>'
