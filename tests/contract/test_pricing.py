"""A price is found for every combination of tiers, and tiers that do not fit are refused."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.document import Document, parse_document
from contract.errors import ContractError
from contract.model import Contract
from contract.pricing import Price, read_price, value_key

Refused = Callable[..., ContractError]

TWO_FIELDS = """\
required: [quality]
properties:
  quality: {enum: [draft, fine]}
  count: {enum: [1, 2], default: 1}
x-credits:
  by: [quality, count]
  tiers:
    draft: {1: 2, 2: 4}
    fine: {1: 5, 2: 9}
"""


def price_of(text: str) -> Price:
    return read_price(parse_document(text.encode(), "spec.yaml").root)


def fault(text: str) -> ContractError:
    with pytest.raises(ContractError) as caught:
        price_of(text)
    return caught.value


# --- prices ---


def test_a_flat_price_has_one_combination() -> None:
    price = price_of("x-credits: {flat: 3}")
    assert (price.fields, price.most) == ((), 3)
    assert price.of({}) == price.of({"resolution": "4K"}) == 3
    assert [(fields, credits, node.pointer) for fields, credits, node in price.rows()] == [({}, 3, "/x-credits/flat")]


def test_two_fields_decide_together() -> None:
    price = price_of(TWO_FIELDS)
    assert [price.of({"quality": quality, "count": count}) for quality in ("draft", "fine") for count in (1, 2)] == [
        2,
        4,
        5,
        9,
    ]
    assert price.most == 9


def test_an_omitted_field_is_billed_at_its_default() -> None:
    assert price_of(TWO_FIELDS).of({"quality": "fine"}) == 5


def test_a_number_costs_the_same_however_json_writes_it() -> None:
    assert price_of(TWO_FIELDS).of({"quality": "fine", "count": 2.0}) == 9


@pytest.mark.parametrize("request_", [{}, {"quality": "best"}, {"quality": "fine", "count": 3}])
def test_a_request_that_is_not_valid_has_no_price(request_: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        price_of(TWO_FIELDS).of(request_)


def test_each_row_says_where_its_price_stands() -> None:
    rows = list(price_of(TWO_FIELDS).rows())
    assert [(fields, credits) for fields, credits, _ in rows] == [
        ({"quality": "draft", "count": 1}, 2),
        ({"quality": "draft", "count": 2}, 4),
        ({"quality": "fine", "count": 1}, 5),
        ({"quality": "fine", "count": 2}, 9),
    ]
    assert (rows[3][2].pointer, rows[3][2].line) == ("/x-credits/tiers/fine/2", 9)


@pytest.mark.parametrize(
    ("value", "key"),
    [("1K", "1K"), (1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "true"), (False, "false"), (None, "null"), ("", "")],
)
def test_a_value_stands_below_tiers_as_json_writes_it(value: object, key: str) -> None:
    assert value_key(value) == key


class Table(NamedTuple):
    """A generated price: the values of each field, which of them have a default, and the price list."""

    values: dict[str, list[Any]]
    defaults: dict[str, Any]
    credits: dict[tuple[Any, ...], int]

    @property
    def document(self) -> Document:
        fields = {name: {"enum": values} for name, values in self.values.items()}
        for name, default in self.defaults.items():
            fields[name]["default"] = default
        data = {
            "properties": fields,
            "required": [name for name in self.values if name not in self.defaults],
            "x-credits": {"by": list(self.values), "tiers": self._tiers(())},
        }
        return parse_document(json.dumps(data).encode(), "spec.json")

    def _tiers(self, values: tuple[Any, ...]) -> Any:
        if len(values) == len(self.values):
            return self.credits[values]
        field = list(self.values.values())[len(values)]
        return {value_key(value): self._tiers((*values, value)) for value in field}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    words = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=4)
    kinds = (words, st.integers(), st.booleans(), st.floats(0.5, 9.5).filter(lambda x: x % 1 != 0))
    values = draw(
        st.dictionaries(
            words, st.sampled_from(kinds).flatmap(lambda kind: st.lists(kind, min_size=1, max_size=3, unique=True)),
            min_size=1,
            max_size=3,
        )
    )  # fmt: skip
    defaults = {name: draw(st.sampled_from(items)) for name, items in values.items() if draw(st.booleans())}
    credits = {row: draw(st.integers(1, 10**6)) for row in product(*values.values())}
    return Table(values, defaults, credits)


@settings(max_examples=50)
@given(tables())
def test_every_combination_costs_what_the_table_says(table: Table) -> None:
    price = read_price(table.document.root)
    names = list(table.values)
    for row, credits in table.credits.items():
        request = dict(zip(names, row, strict=True))
        assert price.of(request) == credits
        omitted = {name: value for name, value in request.items() if table.defaults.get(name) != value}
        assert price.of(omitted) == credits
    assert {tuple(fields.values()): credits for fields, credits, _ in price.rows()} == table.credits
    assert all(node.value == credits for _, credits, node in price.rows())
    assert price.most == max(table.credits.values())


@pytest.mark.parametrize("written", ["0", "1000000000000001", "1.5", "null"])
def test_a_flat_price_is_a_whole_number_that_can_be_held(written: str) -> None:
    with pytest.raises(ContractError, match="is no price; expected a whole number of credits, from 1 to"):
        price_of(f"x-credits: {{flat: {written}}}")
    assert price_of("x-credits: {flat: 1000000000000000}").most == 10**15


def test_the_contracts_dearest_request_costs_20(contract: Contract) -> None:
    ((_, submission),) = contract.submissions()
    assert max(profile.price.most for profile in submission.profiles.values()) == 20


# --- what does not fit ---


@pytest.mark.parametrize(
    ("old", "new", "pointer", "line", "problem", "expected"),
    [
        (
            "    fine: {",
            "    fin: {",
            "/x-credits/tiers/fin",
            9,
            "the tier 'fin' is not in the enum of 'quality'",
            "one of draft, fine",
        ),
        (
            "    draft: {1: 2, 2: 4}\n",
            "    draft: {1: 2, 2: 4, 3: 6}\n",
            "/x-credits/tiers/draft/3",
            8,
            "the tier '3' is not in the enum of 'count'",
            "one of 1, 2",
        ),
        (
            "    draft: {1: 2, 2: 4}\n",
            "",
            "/x-credits/tiers",
            7,
            "quality 'draft' has no price",
            "a tier 'draft'",
        ),
        ("{1: 5, 2: 9}", "{1: 5}", "/x-credits/tiers/fine", 9, "count '2' has no price", "a tier '2'"),
        (
            "{1: 5, 2: 9}",
            "5",
            "/x-credits/tiers/fine",
            9,
            "the price depends on one more field",
            "a tier for each count",
        ),
        (
            "{1: 5, 2: 9}",
            "{1: 5, 2: {a: 1}}",
            "/x-credits/tiers/fine/2",
            9,
            "{'a': 1} is no price",
            "a whole number of credits, from 1 to 1,000,000,000,000,000",
        ),
        *(
            (
                "{1: 5, 2: 9}",
                f"{{1: 5, 2: {written}}}",
                "/x-credits/tiers/fine/2",
                9,
                f"{value!r} is no price",
                "a whole number of credits, from 1 to 1,000,000,000,000,000",
            )
            for written, value in (
                ("0", 0),
                ("-3", -3),
                ("1000000000000001", 10**15 + 1),
                ("1.5", 1.5),
                ("true", True),
                ("", None),
                ("'9'", "9"),
            )
        ),
        (
            "  by: [quality, count]",
            "  by: [quality, number]",
            "/x-credits/by/1",
            6,
            "the profile has no field 'number'",
            "a property of this schema",
        ),
        (
            "{enum: [draft, fine]}",
            "{type: string}",
            "/properties/quality",
            3,
            "the price depends on this field, but its values are not listed",
            "enum",
        ),
        (
            "required: [quality]",
            "required: [count]",
            "/properties/quality",
            3,
            "the price depends on this field, but not what is billed when it is omitted",
            "a default, or the field among the required ones",
        ),
        ("required: [quality]\n", "", "", 1, "'required' is missing", "a node 'required' here"),
        (
            "x-credits:",
            "x-other:",
            "",
            1,
            "this request profile has no price",
            "x-credits",
        ),
    ],
)
def test_a_price_that_does_not_fit_its_fields_is_refused(
    old: str, new: str, pointer: str, line: int, problem: str, expected: str
) -> None:
    assert TWO_FIELDS.count(old) == 1
    error = fault(TWO_FIELDS.replace(old, new))
    assert (error.pointer, error.line, error.problem, error.expected) == (pointer, line, problem, expected)


# --- in the contract ---

PRO = "      x-credits: {by: [resolution], tiers: {2K: 12, 4K: 20}}\n"


def test_a_tier_outside_the_enum_is_refused(refused: Refused) -> None:
    refused(
        (PRO, "      x-credits: {by: [resolution], tiers: {2K: 12, 4K: 20, 8K: 40}}\n"),
        at="/components/schemas/NanoBananaProRequest/x-credits/tiers/8K",
        line="8K: 40",
        says="the tier '8K' is not in the enum of 'resolution'",
        expected="one of 2K, 4K",
    )


def test_an_enum_value_without_a_tier_is_refused(refused: Refused) -> None:
    refused(
        ("          enum: [2K, 4K]\n", "          enum: [2K, 4K, 8K]\n"),
        at="/components/schemas/NanoBananaProRequest/x-credits/tiers",
        line="x-credits: {by: [resolution], tiers: {2K: 12, 4K: 20}}",
        says="resolution '8K' has no price",
        expected="a tier '8K'",
    )


def test_a_price_field_without_an_enum_is_refused(refused: Refused) -> None:
    refused(
        ("          enum: [2K, 4K]\n", ""),
        at="/components/schemas/NanoBananaProRequest/properties/resolution",
        line="        resolution:",
        says="the price depends on this field, but its values are not listed",
        expected="enum",
    )


def test_a_price_field_that_may_be_omitted_needs_a_default(refused: Refused) -> None:
    refused(
        ("          default: 2K\n", ""),
        at="/components/schemas/NanoBananaProRequest/properties/resolution",
        line="        resolution:",
        says="the price depends on this field, but not what is billed when it is omitted",
        expected="a default, or the field among the required ones",
    )


def test_a_profile_without_a_price_is_refused(refused: Refused) -> None:
    refused(
        (PRO, ""),
        at="/components/schemas/NanoBananaProRequest",
        line="    NanoBananaProRequest:",
        says="this request profile has no price",
        expected="x-credits",
    )
