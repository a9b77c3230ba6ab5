"""The drawings show what the contract says: each price as a bar of its length, each transition as an arrow."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from contract.model import Contract
from contract.reader import load_contract
from contract.resources import default_contract
from contract_docs.drawing import credits_chart, lifecycle_drawing


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract(default_contract())


def drawn(text: str, element: str, kind: str = "") -> Iterator[ET.Element]:
    return (part for part in ET.fromstring(text).iter(element) if kind in ("", part.get("class")))  # noqa: S314 - our own


def test_every_price_is_a_bar_as_long_as_it_is_high(contract: Contract) -> None:
    _, submission = next(contract.submissions())
    prices = [credits for p in submission.profiles.values() for _, credits, _ in p.price.rows()]
    chart = credits_chart(submission)
    assert [int(number.text or "") for number in drawn(chart, "text", "number")] == prices
    lengths = [float(bar.get("width", "")) for bar in drawn(chart, "rect", "bar")]
    longest = max(lengths)
    assert lengths == pytest.approx([longest * price / max(prices) for price in prices], abs=0.1)


def test_every_state_is_a_box_and_every_transition_an_arrow_from_one_to_the_other(contract: Contract) -> None:
    life = contract.lifecycle
    drawing = lifecycle_drawing(life)
    names = [name.text for name in drawn(drawing, "text", "name")]
    assert names == list(life.states)
    assert len(list(drawn(drawing, "rect", "end"))) == sum(state.terminal for state in life.states.values())
    boxes = {
        name: [float(box.get(side, "")) for side in ("x", "y", "width", "height")]
        for name, box in zip(names, drawn(drawing, "rect"), strict=True)
    }
    ways = [re.findall(r"[0-9]+", arrow.get("d", "")) for arrow in drawn(drawing, "path", "way")]
    transitions = [(state.name, follower) for state in life.states.values() for follower in state.next]
    for (start, end), way in zip(transitions, ways, strict=True):
        (x1, y1, width, height), (x2, y2, _, _) = boxes[start], boxes[end]
        leaves, comes = [*map(float, way[:2])], [*map(float, way[-2:])]
        assert leaves == pytest.approx([x1 + width, y1 + height / 2], abs=5)
        assert comes == pytest.approx([x2, y2 + height / 2], abs=5)


def test_what_a_drawing_shows_it_says_too(contract: Contract) -> None:
    _, submission = next(contract.submissions())
    for drawing in (credits_chart(submission), lifecycle_drawing(contract.lifecycle)):
        (svg,) = drawn(drawing, "svg")
        said = svg.get("aria-label", "")
        names = submission.profiles if "Credits" in said else contract.lifecycle.states
        assert all(name in said for name in names)
