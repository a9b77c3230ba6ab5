"""From the bytes of a request body to a JSON value that the rest of the mock can trust.

What RFC 8259 leaves open is decided here: the text is UTF-8; NaN and Infinity, which Python would read, are not JSON;
text that is not valid Unicode (a lone surrogate) is refused, since nothing could store or echo it.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import Any, Final, Never

from mock_server.invalid import InvalidRequest

_LONGEST_INTEGER: Final = 4000
"""Digits up to which Python converts integers (its own limit is 4,300); a longer one is read as a float."""

_TOO_DEEP: Final = "The body is nested too deeply"
_DEEPEST: Final = 250
"""How deep a body may nest. Validation follows a value 255 levels down; Python reads a little under 1,000."""


def parse_body(raw: bytes) -> Any:
    """Read a body as JSON.

    Raises:
        InvalidRequest: if there is none, or it is not valid JSON, or not valid text.
    """
    if not raw.strip():
        raise InvalidRequest("The body is empty; a JSON object is expected")
    if raw.startswith(BOM_UTF8):
        raise InvalidRequest("The body is not valid JSON: it begins with a byte order mark (BOM)")
    try:
        body = _decoder(raw).decode(raw.decode())
    except UnicodeDecodeError as error:
        problem = f"The body is not valid UTF-8 (byte {error.start})"
        raise InvalidRequest(problem) from error
    except json.JSONDecodeError as error:
        problem = f"The body is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise InvalidRequest(problem) from error
    except RecursionError as error:
        raise InvalidRequest(_TOO_DEEP) from error
    if raw.count(b"[") + raw.count(b"{") > _DEEPEST and _is_deeper(body, _DEEPEST):
        raise InvalidRequest(_TOO_DEEP)
    if b"\\" in raw and b"\\u" in raw:  # only an escape can smuggle in a lone surrogate; one byte is found sooner
        _refuse_surrogates(body)
    return body


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _refuse_constant(name: str) -> Never:
    raise InvalidRequest(f"The body is not valid JSON: {name} is no JSON value")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_PATIENT: Final = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_integer)
"""Looks at each integer, which takes three times as long."""
_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")


def _decoder(raw: bytes) -> json.JSONDecoder:
    """The decoder for a body: the patient one if there may be an integer in it that is too long.

    Such an integer covers two neighbours among the bytes that are half its length apart, so the others need no look.
    """
    return _PATIENT if b"00" in raw[:: _LONGEST_INTEGER // 2].translate(_ZEROS) else _DECODER


def _is_deeper(body: Any, limit: int) -> bool:
    """Whether lists and objects stand in each other more than `limit` deep."""
    level = [body]
    for _ in range(limit):
        level = [
            item
            for value in level
            if isinstance(value, list | dict)
            for item in (value.values() if isinstance(value, dict) else value)
        ]
    return any(isinstance(value, list | dict) for value in level)


def _refuse_surrogates(body: Any) -> None:
    if not isinstance(body, dict):
        if not _is_text(body):
            raise InvalidRequest("The body holds text that is not valid Unicode (a lone surrogate)")
        return
    if not all(map(_is_text, body)):
        raise InvalidRequest("A field's name is not valid Unicode (a lone surrogate)")
    fields = [name for name, value in body.items() if not _is_text(value)]
    if fields:
        message = "Text must be valid Unicode, without lone surrogates"
        raise InvalidRequest(fields={name: [message] for name in fields})


def _is_text(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
