"""Reads recordings: HAR files of browsers' developer tools, and of the contract tests."""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from contract.har import CUT
from contract_tests.traffic.messages import Message
from contract_tests.traffic.sightings import split_url
from contract_tests.wire import NoAnswer

_LONGEST_INTEGER = 300
"""Digits that a float still holds."""
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_LONGEST_MS = 1e10
_LARGEST_STATUS = 999
_UNANSWERED = (-1, 0)
"""What stands for the status of no answer; Playwright writes the former if it ends while a request waits for one."""
_CODINGS = ("content-encoding", "transfer-encoding")


class RecordingError(Exception):
    """A file is no recording; the message says where, and what is wrong."""


class Recorded(NamedTuple):
    """An exchange of a recording.

    Attributes:
        place: where it stands in the file.
        answered: when the answer had come, in seconds since 1970.
        unchecked: why it cannot be checked, or empty.
    """

    place: str
    request: Message
    answer: Message | NoAnswer
    answered: float
    unchecked: str


class Recording(NamedTuple):
    """What a file holds.

    Attributes:
        exchanges: those that are wanted, in the order they were answered.
        servers: all that were asked, and how often each was.
    """

    exchanges: list[Recorded]
    servers: Counter[str]


def read_recording(path: Path, base: str = "") -> Recording:
    """The exchanges of a HAR file.

    Args:
        base: only what was asked for below this URL.

    Raises:
        RecordingError: for a file that is none.
    """
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"), parse_int=_integer)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise RecordingError(f"{path}:{error.lineno}: no JSON, and so no HAR file: {error.msg}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path}: no HAR file: {error}") from error
    log = data.get("log") if isinstance(data, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise RecordingError(f"{path}: no HAR file: it has no list at log.entries")
    found: list[Recorded] = []
    servers: Counter[str] = Counter()
    for index, entry in enumerate(entries):
        place = f"log.entries[{index}]"
        try:
            url = str(entry["request"]["url"])
            servers[split_url(url)[0] or f"{url.partition(':')[0]}:"] += 1
            if _below(url, base):
                found.append(_recorded(place, url, entry))
        except _FieldError as error:
            raise RecordingError(f"{path}: {place}: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise RecordingError(f"{path}: {place}: {_why(error)}") from error
    return Recording(sorted(found, key=lambda recorded: recorded.answered), servers)


def _integer(digits: str) -> int | float:
    """A number that is too long for Python is too large for any field: which one, its reader says."""
    return int(digits) if len(digits) <= _LONGEST_INTEGER else math.copysign(math.inf, -1 if digits[0] == "-" else 1)


class _FieldError(ValueError):
    """A field is not as it should be."""


def _why(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else f"not an entry of a HAR file: {error}"


def _below(url: str, base: str) -> bool:
    if not base:
        return True
    (wanted, path), (there, target) = split_url(base), split_url(url)
    below = target.partition("?")[0]
    return wanted.lower() == there.lower() and (below == path or below.startswith(f"{path}/"))


def _recorded(place: str, url: str, entry: Mapping[str, Any]) -> Recorded:
    asked, told = entry["request"], entry["response"]
    started = _started(str(entry["startedDateTime"]))
    answered = started + max(_number("time", entry.get("time") or 0, -1, _LONGEST_MS), 0.0) / 1000
    origin, target = split_url(url)
    target = target if target.startswith("/") else f"/{target}"
    request = Message(list(_headers(asked)), started, method=str(asked["method"]), target=target, origin=origin)
    posted = asked.get("postData")
    sent, why = _body("request", posted if isinstance(posted, dict) else {}, asked.get("bodySize"))
    request.add(sent)
    status = int(_number("status", told.get("status") or 0, min(_UNANSWERED), _LARGEST_STATUS))
    if status in _UNANSWERED:
        reason = str(told.get("statusText") or told.get("_error") or "no answer")
        return Recorded(place, request, NoAnswer(reason), answered, "no answer was recorded")
    content = told.get("content") or {}
    headers = [(name, value) for name, value in _headers(told) if name.lower() not in _CODINGS]
    answer = Message(headers, answered, status=status)
    came, why_not = _body("answer", content, content.get("size"))
    answer.add(came)
    return Recorded(place, request, answer, answered, why or why_not)


def _started(text: str) -> float:
    began = datetime.fromisoformat(text)
    if began.tzinfo is None:
        raise _FieldError(f"startedDateTime {text!r} has no zone")
    started = began.timestamp()
    if not 0 <= started < _LATEST:
        raise _FieldError(f"startedDateTime {text!r} is before 1970, or after 9998")
    return started


def _number(name: str, value: Any, least: float, most: float) -> float:
    number = float(value)
    if not least <= number <= most:
        raise _FieldError(f"{name} {number:g} is out of range")
    return number


def _body(of: str, content: Mapping[str, Any], size: Any) -> tuple[bytes, str]:
    """A body, and why it is not the whole one, if it is not."""
    text = content.get("text")
    if not isinstance(text, str) or not text:
        return b"", f"the recording has no body of the {of}" if (size or 0) > 0 else ""
    cut = f"the recording has only the beginning of the body of the {of}"
    return _encoded(text, content.get("encoding")), cut if content.get(CUT) is True else ""


def _headers(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for header in message.get("headers") or []:
        name = str(header["name"])
        if not name.startswith(":"):  # HTTP/2 has such
            yield name, str(header["value"])


def _encoded(text: str, encoding: Any) -> bytes:
    if encoding == "base64":
        try:
            return base64.b64decode(text, validate=True)
        except ValueError as error:
            raise _FieldError(f"a body that is no base64: {error}") from error
    return text.encode("utf-8", "surrogatepass")
