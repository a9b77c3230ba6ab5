"""Every body is a JSON value or a message: what JSON leaves open is decided, and nothing else gets through."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.body import parse_body
from mock_server.invalid import InvalidRequest

DEEPEST = 250

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def refusal(raw: bytes) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as refused:
        parse_body(raw)
    return refused.value


@given(value=VALUES, ascii_only=st.booleans())
def test_any_json_value_is_read_as_it_is(value: Any, ascii_only: bool) -> None:
    assert parse_body(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


NEARLY_JSON = st.text('{}[]",:\\ud8dc0123456789eE+-.truefalsn \t\n').map(str.encode)


@given(raw=st.binary() | NEARLY_JSON)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(InvalidRequest):
        json.dumps(parse_body(raw), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "The body is empty"),
        (b" \r\n\t", "The body is empty"),
        (b"{", "The body is not valid JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        (b'{\n"a": 1,\n}', "line 3, column 1"),
        (b"{} {}", "Extra data"),
        (b"{'a': 1}", "The body is not valid JSON"),
        (b'{"a": 01}', "The body is not valid JSON"),
        (b'{"a": .5}', "The body is not valid JSON"),
        (b'{"a": +1}', "The body is not valid JSON"),
        (b'{"a": "\x00"}', "The body is not valid JSON: Invalid control character"),
        (b'{"a": "\\x41"}', "The body is not valid JSON"),
        (b"[NaN]", "NaN is no JSON value"),
        (b"[Infinity]", "Infinity is no JSON value"),
        (b"[-Infinity]", "-Infinity is no JSON value"),
        (b"nan", "The body is not valid JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "BOM"),
        ('{"a": 1}'.encode("utf-16"), "The body is not valid UTF-8"),
        (b'{"a": "\xff"}', "The body is not valid UTF-8 (byte 7)"),
        (b'{"a": "\xc0\x80"}', "The body is not valid UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "The body is not valid UTF-8"),
        (b'{"a": "\xf4\x90\x80\x80"}', "The body is not valid UTF-8"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_json_is_refused_with_a_reason(raw: bytes, message: str) -> None:
    (said,) = refusal(raw).form
    assert message in said


@pytest.mark.parametrize("surrogate", ["\\ud800", "\\udfff", "\\udc00\\ud800", "\\ud83d x \\ude00", "\\uD800"])
def test_a_lone_surrogate_is_refused_wherever_it_stands(surrogate: str) -> None:
    def refused(text: str) -> InvalidRequest:
        return refusal(text.replace("?", surrogate).encode())

    assert "lone surrogate" in refused('"?"').form[0]
    assert "lone surrogate" in refused('["?"]').form[0]
    assert "lone surrogate" in refused('{"?": 1}').form[0]
    assert list(refused('{"a": "?", "b": "x", "c": "x?x"}').fields) == ["a", "c"]
    assert list(refused('{"a": {"b": [0, {"c": "?"}]}}').fields) == ["a"]
    assert list(refused('{"a": {"b": [0, {"?": 1}]}}').fields) == ["a"]


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert parse_body(b'{"a": "\\ud83d\\ude00", "\\ud83d\\ude00": 1}') == {"a": "😀", "😀": 1}
    assert parse_body(b'"\\\\ud800"') == "\\ud800"


@pytest.mark.parametrize(
    "character", ["\0", "\x01", "\x1f", "\x7f", "\x85", "\u2028", "\ufeff", "\ufffe", "\U0010ffff"]
)
def test_control_characters_are_text(character: str) -> None:
    assert parse_body(json.dumps([character]).encode()) == [character]


@pytest.mark.parametrize("sign", ["", "-"])
def test_integers_of_any_length_are_numbers(sign: str) -> None:
    for digits in (1, 400, 3999):
        assert parse_body(f"[{sign}{'9' * digits}]".encode()) == [int(sign + "9" * digits)]
    for digits in (4300, 5000, 100_000):
        (number,) = parse_body(f"[{sign}{'9' * digits}]".encode())
        assert math.isinf(number)
        assert math.copysign(1, number) == (-1 if sign else 1)


@pytest.mark.parametrize("before", [0, 1, 1997, 1998, 1999, 2000, 2001, 3997, 3998, 3999, 4000, 10_000])
def test_an_integer_that_is_too_long_is_found_wherever_it_begins(before: int) -> None:
    (number,) = parse_body(b" " * before + b"[" + b"1" * 4301 + b"]")
    assert math.isinf(number)
    (number,) = parse_body(b" " * before + b"[" + b"1" * 4000 + b"]")
    assert number == int("1" * 4000)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_a_body_nests_up_to_a_depth_and_no_deeper(opening: str, closing: str) -> None:
    pairs = DEEPEST // (opening.count("[") + opening.count("{"))
    assert parse_body((opening * pairs + "1" + closing * pairs).encode())
    for more in (pairs + 1, 2 * pairs, 4 * pairs, 100_000):
        (message,) = refusal((opening * more + "1" + closing * more).encode()).form
        assert message == "The body is nested too deeply"


def test_brackets_that_are_not_closed_are_refused_at_any_depth() -> None:
    for opening in ("[", '{"a":', '"[{'):
        assert refusal(opening.encode() * 100_000).form


def test_brackets_in_text_and_beside_each_other_are_no_nesting() -> None:
    assert parse_body(json.dumps({"a": "[{" * 1000}).encode()) == {"a": "[{" * 1000}
    assert parse_body(json.dumps([[] for _ in range(1000)]).encode()) == [[]] * 1000
