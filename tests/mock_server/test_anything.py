"""Whatever comes over HTTP, nothing but a documented answer goes back."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mock_server.harness import (
    EMPTY,
    GENERATE,
    RICH,
    SUBMIT,
    TASKS,
    Documented,
    Mock,
    valid,
)

# ---------------------------------------------------------------------- anything

CHARACTERS = st.characters(exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.just("mock"), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["model", "prompt", "inputImageUrls", "aspectRatio", "resolution", "outputFormat", "providerInput"]
BODIES = (
    st.binary(max_size=100)
    | st.text('{}[]",:\\ud80123456789eE+-.truefalsn ').map(str.encode)
    | VALUES.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(FIELDS), VALUES).map(lambda fields: valid(**fields))
    | st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=3)).map(
        lambda change: valid()[: change[0]] + change[1] + valid()[change[0] + len(change[1]) :]
    )
)


@settings(max_examples=200)
@given(body=BODIES, key=st.sampled_from([RICH, EMPTY]))
def test_any_bytes_are_answered_as_documented(mock: Mock, documented: Documented, body: bytes, key: str) -> None:
    documented(GENERATE, mock.post(body, key), 200, 400, 402)


NAMES = [b"Authorization", b"Cookie", b"Content-Type", b"Origin", b"Accept", b"X-Forwarded-Host"]
LINE = st.lists(st.sampled_from([*range(0x20, 0x7F), *range(0x80, 0x100)])).map(bytes).map(bytes.strip)


@given(headers=st.dictionaries(st.sampled_from(NAMES), LINE))
def test_any_headers_are_answered_as_documented(
    mock: Mock, documented: Documented, headers: dict[bytes, bytes]
) -> None:
    documented(GENERATE, mock.client.post(SUBMIT, content=valid(), headers=list(headers.items())), 200, 400, 401)


@given(
    path=st.lists(
        st.sampled_from([*"/%.?#;{}:@&=+~ax0", "%2F", "%0A", "%00", "%ff", "..", SUBMIT, TASKS, "/_mock/pictures"])
    )
)
def test_any_path_is_answered_without_a_fault(mock: Mock, path: list[str]) -> None:
    answer = mock.send(b"GET", ("/" + "".join(path)).encode())
    assert answer.status in (400, 404, 405)
    assert answer.status == 400 or answer.json["error"]


@given(segment=TEXT.filter(lambda text: "/" not in text))
def test_any_segment_is_an_unknown_task(mock: Mock, segment: str) -> None:
    target = f"{TASKS}/{quote(segment, safe='')}"
    answer = mock.send(b"GET", target.encode())
    assert answer.status == 404
    assert answer.json == {"error": "Task not found" if segment else "Not found"}
