"""Reads recordings: HAR files of browsers' developer tools, and of the contract tests."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contract_tests.traffic.messages import Message
from contract_tests.wire import NoAnswer

_CODINGS = ("content-encoding", "transfer-encoding")


class RecordingError(Exception):
    """A file is no recording; the message says where, and what is wrong."""


Recorded = tuple[Message, Message | NoAnswer, float, str]
"""A request, its answer, when that had come, and why the two cannot be checked."""


def read_recording(path: Path, base: str = "") -> tuple[list[Recorded], int]:
    """The exchanges of a HAR file in the order they were answered, and how many were left out.

    Args:
        base: only what was asked for below this URL.

    Raises:
        RecordingError: for a file that is none.
    """
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
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
    for index, entry in enumerate(entries):
        try:
            if _below(str(entry["request"]["url"]), base):
                found.append(_recorded(entry))
        except _FieldError as error:
            raise RecordingError(f"{path}: log.entries[{index}]: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise RecordingError(f"{path}: log.entries[{index}]: {_why(error)}") from error
    return sorted(found, key=lambda recorded: recorded[2]), len(entries) - len(found)


class _FieldError(ValueError):
    """A field is not as it should be."""


def _why(error: Exception) -> str:
    return f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else f"not an entry of a HAR file: {error}"


def _below(url: str, base: str) -> bool:
    if not base:
        return True
    wanted, there = urlsplit(base), urlsplit(url)
    if (wanted.scheme, wanted.netloc.lower()) != (there.scheme, there.netloc.lower()):
        return False
    path = wanted.path.rstrip("/")
    return there.path == path or there.path.startswith(path + "/")


def _recorded(entry: Mapping[str, Any]) -> Recorded:
    asked, told = entry["request"], entry["response"]
    began = datetime.fromisoformat(str(entry["startedDateTime"]))
    if began.tzinfo is None:
        raise _FieldError(f"startedDateTime {entry['startedDateTime']!r} has no zone")
    started = began.timestamp()
    answered = started + max(float(entry.get("time") or 0), 0.0) / 1000
    parts = urlsplit(str(asked["url"]))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    request = Message(list(_headers(asked)), started, method=str(asked["method"]), target=target)
    why = ""
    posted = asked.get("postData")
    if isinstance(posted, dict) and isinstance(posted.get("text"), str):
        request.add(_encoded(posted))
    elif (asked.get("bodySize") or 0) > 0:
        why = "the recording has no body of the request"
    status = int(told.get("status") or 0)
    if not status:
        reason = str(told.get("statusText") or told.get("_error") or "no answer")
        return request, NoAnswer(reason), answered, "no answer was recorded"
    content = told.get("content") or {}
    headers = [(name, value) for name, value in _headers(told) if name.lower() not in _CODINGS]
    answer = Message(headers, answered, status=status)
    text = content.get("text")
    if isinstance(text, str):
        answer.add(_encoded(content))
        cut = text.endswith(" bytes)") and "... (" in text[-40:]
        why = why or ("the recording has only the beginning of a body" if cut else "")
    if not text and (content.get("size") or 0) > 0:
        why = why or "the recording has no body of the answer"
    return request, answer, answered, why


def _headers(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for header in message.get("headers") or []:
        name = str(header["name"])
        if not name.startswith(":"):  # HTTP/2 has such
            yield name, str(header["value"])


def _encoded(content: Mapping[str, Any]) -> bytes:
    text = str(content["text"])
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise _FieldError(f"a body that is no base64: {error}") from error
    return text.encode("utf-8", "surrogatepass")
