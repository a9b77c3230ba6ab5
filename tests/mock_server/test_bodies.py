"""Over HTTP: whatever a body is and however it arrives, it is read or refused as the contract documents it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from contract.model import Contract
from contract.reader import JSON
from tests.mock_server.harness import (
    ASTRAL,
    GENERATE,
    LIMIT,
    PATIENCE,
    READ,
    RICH,
    SUBMIT,
    TASKS,
    Documented,
    Log,
    Mock,
    bearer,
    profiles,
    request,
    serving,
    told,
    valid,
)

# ---------------------------------------------------------------------- bodies


def written(field: str, text: str) -> bytes:
    """A valid body but for a field, whose value is given as JSON text."""
    return valid(**{field: "?"}).replace(b'"?"', text.encode())


def passing(text: str) -> bytes:
    """A valid body with a value, given as JSON text, in the field that is passed through."""
    return written("providerInput", f'{{"a": {text}}}')


REFUSED: Final = {
    "nothing": b"",
    "a space": b" ",
    "an opening brace": b"{",
    "a closing brace": b"}",
    "a word": b"nonsense",
    "two objects": b"{}{}",
    "a brace too many": valid() + b"}",
    "a brace too few": valid()[:-1],
    "null": b"null",
    "true": b"true",
    "a number": b"0",
    "a string": b'"text"',
    "an empty list": b"[]",
    "an empty object": b"{}",
    "a list of one": b"[" + valid() + b"]",
    "an object in an object": b'{"body":' + valid() + b"}",
    "NaN": passing("NaN"),
    "Infinity": passing("Infinity"),
    "-Infinity": passing("-Infinity"),
    "100,000 lists begun": b"[" * 100_000,
    "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects begun": b'{"a":' * 100_000,
    "100,000 lists passed through": passing("[" * 100_000 + "]" * 100_000),
    "300 lists passed through": passing("[" * 300 + "]" * 300),
    "300 lists for a text": written("prompt", "[" * 300 + "]" * 300),
    "5,000 digits for a text": written("prompt", "9" * 5000),
    "no UTF-8": b"\xff\xfe\x00",
    "UTF-16": valid().decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + valid(),
    "no UTF-8 in a text": valid(prompt="?").replace(b"?", b"\xff"),
    "a surrogate as UTF-8": valid(prompt="?").replace(b"?", b"\xed\xa0\x80"),
    "a lone surrogate": written("prompt", r'"\ud800"'),
    "surrogates in the wrong order": written("prompt", r'"\udc00\ud800"'),
    "a lone surrogate as the model": written("model", r'"\ud800"'),
    "a lone surrogate in an unknown field": written("unknown", r'"\ud800"'),
    "a lone surrogate in a field's name": valid(**{"?": 1}).replace(b"?", rb"\ud800"),
    "a lone surrogate passed through": passing(r'"\ud800"'),
    "a lone surrogate in a name passed through": passing(r'[{"\ud800": 1}]'),
    "a lone surrogate deep inside": passing(r'[0, {"b": ["\udfff"]}]'),
    "a raw NUL": valid(prompt="?").replace(b"?", b"\x00"),
    "a raw line break": valid(prompt="?").replace(b"?", b"\n"),
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in REFUSED.items()])
def test_a_body_that_is_no_valid_json_object_is_refused(mock: Mock, documented: Documented, body: bytes) -> None:
    refused = documented(GENERATE, mock.post(body), 400)
    assert refused["details"]["formErrors"] or refused["details"]["fieldErrors"]


PASSED: Final = {
    "an integer of 400 digits": "1" * 400,
    "an integer of 4,000 digits": "-" + "9" * 4000,
    "an integer of 5,000 digits": "9" * 5000,
    "a number beyond a double": "1e400",
    "a negative number beyond a double": "-1e400",
    "a number next to nothing": "1e-400",
    "248 lists": "[" * 248 + "]" * 248,
    "a NUL": r'"\u0000"',
    "an empty name": '{"": null}',
}


@pytest.mark.parametrize("value", [pytest.param(value, id=name) for name, value in PASSED.items()])
def test_anything_may_be_passed_through(mock: Mock, documented: Documented, value: str) -> None:
    documented(GENERATE, mock.post(passing(value)), 200)


def test_every_broken_field_is_reported_with_its_messages(mock: Mock, documented: Documented) -> None:
    body = {"model": "gpt-image-2", "inputImageUrls": ["a"] * 5, "outputFormat": "gif", "providerInput": {"mock": 1}}
    refused = documented(GENERATE, mock.post(json.dumps(body).encode()), 400)
    found = refused["details"]["fieldErrors"]
    assert set(found) == {"prompt", "inputImageUrls", "outputFormat"}
    assert found["prompt"] == ["Prompt is required"]
    assert "Input image urls must have at most 4 items" in found["inputImageUrls"]


def test_an_unknown_model_lists_the_models(mock: Mock, documented: Documented, contract: Contract) -> None:
    refused = documented(GENERATE, mock.submit(model="dall-e"), 400)
    (message,) = refused["details"]["fieldErrors"]["model"]
    assert all(name in message for name in profiles(contract))


def test_a_malformed_mock_object_is_told_what_is_wrong_with_it(mock: Mock, documented: Documented) -> None:
    refused = documented(GENERATE, mock.submit(**told("lost", afterSeconds=-1)), 400)
    assert set(refused["details"]["fieldErrors"]["providerInput"]) == {
        "mock.afterSeconds: -1 is less than the minimum of 0",
        "mock.outcome must be one of completed, failed",
    }


# --------------------------------------------------------------- content types


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=utf-8",
        "APPLICATION/JSON",
        "application/json;charset=UTF-8",
        "application/json; charset=nonsense",
        "application/json; charset",
        'application/json; charset="',
        "application/json;;;",
    ],
)
def test_json_is_known_however_it_is_spelt(mock: Mock, documented: Documented, content_type: str) -> None:
    documented(GENERATE, mock.post(valid(prompt="é"), **{"Content-Type": content_type}), 200)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/vnd.api+json",
        "application/json, text/plain",
        "application/*",
        "*/*",
        "json",
        "application/",
        "/json",
        "",
        ";;;",
        "; charset=utf-8",
        "é/ü",
    ],
)
def test_another_content_type_is_refused(mock: Mock, documented: Documented, content_type: str) -> None:
    response = mock.client.post(
        SUBMIT,
        content=valid(),
        headers=[(b"Authorization", b"Bearer " + RICH.encode()), (b"Content-Type", content_type.encode("latin-1"))],
    )
    refused = documented(GENERATE, response, 400)
    assert refused["details"]["formErrors"] == ["The content type must be application/json"]


def test_without_a_content_type_a_body_is_read_as_json(mock: Mock, documented: Documented) -> None:
    def post(content: bytes) -> httpx.Response:
        return mock.client.post(SUBMIT, content=content, headers=bearer(RICH))

    assert "content-type" not in post(b"").request.headers
    documented(GENERATE, post(valid()), 200)
    documented(GENERATE, post(b""), 400)
    documented(GENERATE, post(b"nonsense"), 400)


def test_a_compressed_body_is_no_json(mock: Mock, documented: Documented) -> None:
    documented(GENERATE, mock.post(b"\x1f\x8b\x08\x00", **{"Content-Encoding": "gzip"}), 400)


# ------------------------------------------------------------- how bodies arrive


def test_a_body_may_arrive_in_chunks(mock: Mock, documented: Documented) -> None:
    def chunks() -> Iterator[bytes]:
        for byte in valid(prompt=ASTRAL):
            yield bytes([byte])

    headers = {**bearer(RICH), "Content-Type": JSON}
    documented(GENERATE, mock.client.post(SUBMIT, content=chunks(), headers=headers), 200)


CREDENTIALS: Final = (b"Authorization: Bearer " + RICH.encode(), b"Content-Type: application/json")


@pytest.mark.parametrize(
    ("line", "body"),
    [
        (b"Content-Length: 0", b""),
        (b"X-Nothing: 1", b""),
        (b"Transfer-Encoding: chunked", b"0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"zz\r\n"),
        (b"Transfer-Encoding: chunked", b"-1\r\n\r\n"),
        (b"Content-Length: many", b""),
        (b"Content-Length: -1", b""),
        (b"Content-Length: 3, 4", b"abc"),
    ],
    ids=str,
)
def test_a_body_of_no_or_of_a_wrong_length_is_refused(mock: Mock, line: bytes, body: bytes) -> None:
    assert mock.send(b"POST", SUBMIT.encode(), *CREDENTIALS, line, body=body).status == 400
    assert mock.submit().status_code == 200


def test_a_client_may_wait_to_be_told_to_go_on(mock: Mock) -> None:
    body = valid()
    head = (*CREDENTIALS, b"Expect: 100-continue", b"Content-Length: %d" % len(body))
    answer = mock.send(b"POST", SUBMIT.encode(), *head, body=body)
    assert answer.status == 100
    assert answer.body.startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_leaves_in_the_middle_of_a_body_costs_nothing(logged: Mock, log: Log) -> None:
    head = [b"POST " + SUBMIT.encode() + b" HTTP/1.1", b"Host: mock", *CREDENTIALS, b"Content-Length: 1000", b"", b""]
    with socket.create_connection(logged.address, PATIENCE) as connection:
        connection.sendall(b"\r\n".join(head) + valid())
    assert log.next()["status"] == 400
    assert logged.store.entries("rich") == []


def test_a_body_is_read_up_to_the_limit_and_no_further(contract: Contract, documented: Documented) -> None:
    with serving(contract, max_body_bytes=1000) as mock:

        def of(size: int) -> bytes:
            return valid(padding="x" * (size - len(valid(padding=""))))

        assert len(of(1000)) == 1000
        documented(GENERATE, mock.post(of(1000)), 200)
        for body in (of(1001), of(1001)[:-1] + b" ", b" " * 1001, of(100_000)):
            refused = documented(GENERATE, mock.post(body), 400)
            assert refused["details"]["formErrors"] == ["The body is larger than 1000 bytes"]
        pieces = mock.client.post(SUBMIT, content=iter([of(2000)[:999], of(2000)[999:]]), headers=bearer(RICH))
        documented(GENERATE, pieces, 400)
        documented(GENERATE, mock.post(of(1000)), 200)


def test_ten_mebibytes_are_read_and_one_byte_more_is_not(mock: Mock, documented: Documented) -> None:
    body = valid(prompt="?", padding="x" * (LIMIT - len(valid(prompt="?", padding=""))))
    assert len(body) == LIMIT
    documented(GENERATE, mock.post(body), 200)
    documented(GENERATE, mock.post(body + b" "), 400)
    documented(GENERATE, mock.submit(), 200)


# ------------------------------------------------------------------------ text


@pytest.mark.parametrize(
    "prompt",
    [
        "\0",
        "\0\x01\x1f\x7f\x80",
        "\r\n\t",
        "\ufeff\ufffe\uffff",
        "\u202e\u2066",
        "e\u0301",
        ASTRAL,
        "\U0010ffff",
        "\\",
        '"',
    ],
    ids=ascii,
)
def test_any_text_is_echoed_exactly(mock: Mock, documented: Documented, prompt: str) -> None:
    for ascii_only in (True, False):
        content = json.dumps(request(prompt=prompt), ensure_ascii=ascii_only).encode()
        task_id = documented(GENERATE, mock.post(content), 200)["taskId"]
        response = mock.client.get(f"{TASKS}/{task_id}", headers=bearer(RICH))
        assert documented(READ, response, 200)["prompt"] == prompt


def test_an_astral_character_counts_as_one(mock: Mock, documented: Documented, contract: Contract) -> None:
    for name, profile in profiles(contract).items():
        cap = profile.properties["prompt"].value["maxLength"]
        documented(GENERATE, mock.submit(model=name, prompt=ASTRAL * cap), 200)
        refused = documented(GENERATE, mock.submit(model=name, prompt=ASTRAL * cap + "x"), 400)
        assert refused["details"]["fieldErrors"] == {"prompt": [f"Prompt must have at most {cap} characters"]}
