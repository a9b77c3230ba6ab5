"""What it costs: small changes with their verdicts, forwards and backwards."""

from __future__ import annotations

import pytest

from tests.contract.diff.harness import SMALL, difference, edited, verdicts
from tests.contract.diff.rows import BINDS, BREAKS, DEAR, MONEY, PRICE, Row, check, real, small

PRO = "generateImage.nano-banana-pro"
TWO = "generateImage.nano-banana-2"
PRO_TIERS = "{2K: 12, 4K: 20}"

TEXT = SMALL.read_text("utf-8")
EXTRA = "extra: {type: object, additionalProperties: {type: string, maxLength: 9}}"

BILLING = [
    real("a tier is dearer", (PRO_TIERS, "{2K: 13, 4K: 20}"), (f"{PRO}.price.2K", MONEY, MONEY)),
    real(
        "a tier and its price go",
        ("tiers: {1K: 4, 2K: 6, 4K: 8}", "tiers: {1K: 4, 2K: 6}"),
        ("enum: [1K, 2K, 4K]", "enum: [1K, 2K]"),
        (f"{TWO}.resolution.enum", BREAKS, BINDS),
        (f"{TWO}.price.4K", PRICE, PRICE),
    ),
    real("another tier by default", ("default: 1K", "default: 2K"), (f"{TWO}.resolution.default", DEAR, DEAR)),
    small("a flat price", ("{flat: 7}", "{flat: 8}"), ("speak.bass.price", MONEY, MONEY)),
    small("a price by two fields", ("high: 4}", "high: 5}"), ("speak.alto.price.10.high", MONEY, MONEY)),
    small(
        "the fields of a price in another order",
        (
            "{by: [seconds, quality], tiers: {5: {low: 1, high: 2}, 10: {low: 3, high: 4}}}",
            "{by: [quality, seconds], tiers: {low: {5: 1, 10: 3}, high: {5: 2, 10: 4}}}",
        ),
    ),
    small(
        "a flat price that becomes tiers of that price",
        ("{flat: 7}", "{by: [codec], tiers: {mp3: 7}}"),
        ("codec: {type: string, enum: [mp3]}", "codec: {type: string, enum: [mp3], default: mp3}"),
        ("speak.bass.codec.default", DEAR, DEAR),
    ),
    small(
        "a flat price that becomes tiers",
        ("{flat: 7}", "{by: [codec], tiers: {mp3: 9}}"),
        ("required: [model, text]\n", "required: [model, text, codec]\n"),
        ("speak.bass.codec.required", BREAKS, BINDS),
        ("speak.bass.price.mp3", MONEY, MONEY),
    ),
    small(
        "a model and its price go",
        ('alto: "#/components/schemas/Alto", ', ""),
        ('                - $ref: "#/components/schemas/Alto"\n', ""),
        ("speak.model", BREAKS, BINDS),
        *[(f"speak.alto.price.{tier}", PRICE, PRICE) for tier in ("5.low", "5.high", "10.low", "10.high")],
    ),
    small(
        "the default of a field that is called as one that decides the price",
        (EXTRA, "extra: {type: object, properties: {quality: {type: string, default: low}}}"),
        ("speak.alto.extra.quality", BINDS, BREAKS),
        ("speak.alto.extra.additionalProperties", BINDS, BREAKS),
    ),
    small("nothing is paid back", (", refund: full", ""), ("lifecycle.broken.refund", MONEY, MONEY)),
]


@pytest.mark.parametrize("name", ["quality", "other"])
def test_only_the_fields_of_a_profile_itself_decide_its_price(name: str) -> None:
    nested = edited(TEXT, (EXTRA, f"extra: {{type: object, properties: {{{name}: {{type: string, default: low}}}}}}"))
    diff = difference(nested, nested.replace("{type: string, default: low}", "{type: string, default: high}"))
    assert verdicts(diff) == [(f"speak.alto.extra.{name}.default", BREAKS)]


def test_a_field_that_decides_the_price_may_have_a_point_in_its_name() -> None:
    old = TEXT.replace("quality", "sound.quality")
    assert ("speak.alto.sound.quality.default", DEAR) in verdicts(
        difference(old, edited(old, ("default: low", "default: high")))
    )


@pytest.mark.parametrize("row", BILLING, ids=lambda row: row.name)
def test_a_change_has_its_verdict_in_both_directions(row: Row) -> None:
    check(row)
