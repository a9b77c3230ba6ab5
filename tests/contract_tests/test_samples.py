"""What is called valid is valid, and what is called invalid is not: by a validator of another make."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contract.errors import ContractError
from contract.schema import json_schema
from contract_tests import samples
from tests.contract_tests.harness import OtherValidator, schema

WORDS = st.text("abcXYZ019 :/-_.é\U0001f58c", min_size=1, max_size=8)

_SIZES = st.integers(1, 30).flatmap(lambda least: st.tuples(st.just(least), st.integers(least, 60)))


@st.composite
def _strings(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "string"}
    kind = draw(st.sampled_from(["plain", "sizes", "cap", "enum", "pattern", "url"]))
    if kind == "sizes":
        made["minLength"], made["maxLength"] = draw(_SIZES)
    elif kind == "cap":
        made["maxLength"] = draw(st.integers(1, 60))
    elif kind == "enum":
        made["enum"] = draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))
    elif kind == "pattern":
        made |= draw(
            st.sampled_from(
                [
                    {"pattern": "^(auto|[1-9][0-9]*:[1-9][0-9]*)$", "example": "16:9"},
                    {"pattern": "^[0-9]+x[0-9]+$", "example": "10x20"},
                    {"pattern": "^a", "example": "abc"},
                ]
            )
        )
    elif kind == "url":
        made |= {"pattern": "^https?://", "format": "uri"}
    return made


@st.composite
def _numbers(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "integer"}
    kind = draw(st.sampled_from(["plain", "enum", "range", "least", "most"]))
    least = draw(st.integers(-20, 20))
    if kind == "enum":
        made["enum"] = draw(st.lists(st.integers(-9, 9), min_size=1, max_size=4, unique=True))
    if kind in ("range", "least"):
        made["minimum"] = least
    if kind in ("range", "most"):
        made["maximum"] = least + draw(st.integers(0, 20))
    return made


@st.composite
def _arrays(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "array", "items": draw(_strings() | _numbers())}
    least = draw(st.integers(0, 3))
    if draw(st.booleans()):
        made["minItems"] = least
    if draw(st.booleans()):
        made["maxItems"] = least + draw(st.integers(1, 4))
    return made


SCHEMAS: st.SearchStrategy[Mapping[str, Any]] = (
    _strings() | _numbers() | _arrays() | st.sampled_from([{"type": "boolean"}, {"type": "object"}])
)


def _allows(value: Mapping[str, Any], sample: Any) -> bool:
    return bool(OtherValidator(value).is_valid(sample))


def _clear(value: Any) -> bool:
    """Whether only the schema decides, and not a format, of which each validator has its own notion."""
    return "format" not in str(value)


@given(SCHEMAS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_called_valid_is_valid(value: Mapping[str, Any]) -> None:
    node = schema(value)
    plain = json_schema(node)
    for sample in samples.valid(node):
        assert _allows(plain, sample.value), sample


@given(SCHEMAS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_called_invalid_is_not_valid(value: Mapping[str, Any]) -> None:
    assume(_clear(value))
    node = schema(value)
    plain = json_schema(node)
    found = list(samples.invalid(node))
    for sample in found:
        assert not _allows(plain, sample.value), sample
    assert "type" in {sample.keyword for sample in found}


@given(_strings() | _numbers() | _arrays())
def test_a_plain_value_is_valid_or_there_is_none(value: Mapping[str, Any]) -> None:
    node = schema(value)
    try:
        plain = samples.typical(node)
    except ContractError:
        return
    assert _allows(json_schema(node), plain)


def test_a_schema_that_no_plain_value_fits_asks_for_an_example() -> None:
    with pytest.raises(ContractError, match="an example beside the schema"):
        samples.typical(schema({"type": "string", "pattern": "^[0-9]{7}$"}))
    assert samples.typical(schema({"type": "string", "pattern": "^[0-9]{7}$", "example": "1234567"})) == "1234567"


@pytest.mark.parametrize("cap", [1, 2, 7, 100, 5000])
def test_texts_at_the_cap_and_one_over_it_are_counted_in_code_points(cap: int) -> None:
    node = schema({"type": "string", "minLength": 1, "maxLength": cap})
    at = {s.label: s.value for s in samples.valid(node) if s.label.startswith("at-the-cap")}
    over = {s.label: s.value for s in samples.invalid(node) if s.label.startswith("over-the-cap")}
    assert {label: len(value) for label, value in at.items()} == dict.fromkeys(
        ("at-the-cap-ascii", "at-the-cap-multi-byte", "at-the-cap-astral"), cap
    )
    assert {len(value) for label, value in over.items() if label != "over-the-cap-far"} == {cap + 1}
    sizes = {(len(value.encode()) // cap, len(value.encode("utf-16-le")) // cap) for value in at.values()}
    assert sizes == {(1, 2), (2, 2), (4, 4)}


def test_a_text_at_the_cap_in_wide_characters_is_about_the_unit() -> None:
    node = schema({"type": "string", "maxLength": 10})
    keywords = {s.label: s.keyword for s in samples.valid(node)}
    assert keywords["at-the-cap-ascii"] == "maxLength"
    assert keywords["at-the-cap-astral"] == keywords["at-the-cap-multi-byte"] == "unit"


def test_lists_have_as_many_items_as_allowed_and_one_more() -> None:
    node = schema({"type": "array", "minItems": 2, "maxItems": 4, "items": {"type": "string", "enum": ["a", "b"]}})
    valid = {s.label: s.value for s in samples.valid(node)}
    invalid = {s.label: s.value for s in samples.invalid(node)}
    assert (len(valid["minItems"]), len(valid["maxItems"])) == (2, 4)
    assert (len(invalid["one-too-few"]), len(invalid["one-too-many"])) == (1, 5)


def test_numbers_have_their_ends_and_what_lies_beyond() -> None:
    node = schema({"type": "integer", "minimum": -2, "maximum": 5})
    assert {s.label: s.value for s in samples.valid(node)} == {"minimum": -2, "maximum": 5}
    invalid = {s.label: s.value for s in samples.invalid(node)}
    assert (invalid["under-the-minimum"], invalid["over-the-maximum"]) == (-3, 6)


def test_every_listed_value_is_tried_and_near_misses_of_each() -> None:
    node = schema({"type": "string", "enum": ["1K", "2K"]})
    assert [s.value for s in samples.valid(node)] == ["1K", "2K"]
    misses = [s.value for s in samples.invalid(node)]
    assert [miss for miss in ("", "1k", "2k", "1K ", " 2K", "1", "1KK", "2K\n", None, 7) if miss not in misses] == []


def test_no_value_is_tried_twice_as_an_invalid_one() -> None:
    node = schema({"type": "string", "enum": ["a", "A", "aa"]})
    misses = [repr(s.value) for s in samples.invalid(node) if s.keyword == "enum"]
    assert len(misses) == len(set(misses))


def test_a_later_item_is_tried_too() -> None:
    node = schema({"type": "array", "items": {"type": "string", "pattern": "^https?://", "format": "uri"}})
    later = [s for s in samples.invalid(node) if s.label.startswith("later-item")]
    assert later
    assert all(len(sample.value) == 2 and sample.field == "*" for sample in later)


def test_objects_may_hold_anything() -> None:
    assert [s.label for s in samples.valid(schema({"type": "object"}))] == [
        "empty",
        "any-values",
        "any-keys",
        "dangerous-keys",
        "deep",
        "large",
    ]


def test_booleans_are_both_tried() -> None:
    assert [s.value for s in samples.valid(schema({"type": "boolean"}))] == [True, False]
