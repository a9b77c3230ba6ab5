"""A ledger as a chart: the balance in steps, with a dot for each entry.

The chart is stretched to whatever room it has, so that texts are no part of it. Widths of lines do not stretch, and
a dot is a line without length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mock_server.control import Json

WIDTH: Final = 1000
HEIGHT: Final = 200
_MARGIN: Final = 14


@dataclass(frozen=True)
class Dot:
    """An entry: where it stands, what kind it is, and what it says to who points at it."""

    x: float
    y: float
    kind: str
    title: str


@dataclass(frozen=True)
class Chart:
    """What is drawn.

    Attributes:
        line: the steps, as the data of an SVG path.
        area: the same, closed at the bottom.
        highest, lowest: the balances at the upper and the lower edge.
        description: the chart in words.
    """

    line: str
    area: str
    dots: tuple[Dot, ...]
    highest: int
    lowest: int
    description: str


def ledger_chart(ledger: Json) -> Chart | None:
    """The chart of a ledger, or None for one without entries.

    Args:
        ledger: as the control API shows it.
    """
    entries = ledger["entries"]
    noun = "entry" if len(entries) == 1 else "entries"
    if not entries:
        return None
    first = entries[0]["balance"] - entries[0]["amount"]
    balances = [first, *(entry["balance"] for entry in entries)]
    lowest, highest = min(balances), max(balances)

    def x(number: int) -> float:
        return round(_MARGIN + (WIDTH - 2 * _MARGIN) * number / len(entries), 1)

    def y(balance: int) -> float:
        share = (highest - balance) / (highest - lowest) if highest > lowest else 0.5
        return round(_MARGIN + (HEIGHT - 2 * _MARGIN) * share, 1)

    steps = "".join(f"H{x(number)}V{y(entry['balance'])}" for number, entry in enumerate(entries, 1))
    line = f"M{x(0)} {y(first)}{steps}"
    return Chart(
        line=line,
        area=f"{line}V{HEIGHT}H{x(0)}Z",
        dots=tuple(
            Dot(x(number), y(entry["balance"]), entry["kind"], _said(entry)) for number, entry in enumerate(entries, 1)
        ),
        highest=highest,
        lowest=lowest,
        description=f"From {first:,} to {balances[-1]:,} credits in {len(entries)} {noun}",
    )


def _said(entry: Json) -> str:
    return f"{entry['kind']} {entry['amount']:+,}: {entry['balance']:,} credits"
