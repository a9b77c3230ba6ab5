"""Exchanges as HAR 1.2, the format of browsers' developer tools, without credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from contract_tests.redact import SHOWN, Redactor
from contract_tests.wire import Answer, Exchange, NoAnswer

_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
_LONGEST_TEXT = 12_000


def entry(exchange: Exchange, url: str, redactor: Redactor) -> dict[str, Any]:
    """One exchange as an entry of a HAR file."""
    request, answer = exchange.request, exchange.answer
    ms = round(exchange.seconds * 1000, 3)
    started = datetime.fromtimestamp(exchange.started, UTC).isoformat(timespec="milliseconds")
    shown: dict[str, Any] = {
        "startedDateTime": started,
        "time": ms,
        "request": {
            "method": request.method,
            "url": redactor.text(url + request.path),
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(request.headers, redactor),
            "queryString": [],
            "headersSize": -1,
            "bodySize": len(request.body or b""),
        },
        "response": _response(answer, redactor) if isinstance(answer, Answer) else _no_response(answer, redactor),
        "cache": {},
        "timings": {"send": 0, "wait": ms, "receive": 0},
    }
    if request.body is not None:
        media = request.headers.get("Content-Type", "")
        shown["request"]["postData"] = {"mimeType": media, "text": _text(request.body, redactor)}
    return shown


def har(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A HAR file of entries, in the order they were sent."""
    ordered = sorted(entries, key=lambda item: str(item["startedDateTime"]))
    return {"log": {"version": "1.2", "creator": {"name": "contract-tests", "version": "1"}, "entries": ordered}}


def _response(answer: Answer, redactor: Redactor) -> dict[str, Any]:
    return {
        "status": answer.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(answer.headers, redactor),
        "content": {
            "size": len(answer.body),
            "mimeType": answer.headers.get("content-type", ""),
            "text": _text(answer.body, redactor),
        },
        "redirectURL": redactor.text(answer.headers.get("location", "")),
        "headersSize": -1,
        "bodySize": len(answer.body),
    }


def _no_response(answer: NoAnswer, redactor: Redactor) -> dict[str, Any]:
    return {
        "status": 0,
        "statusText": redactor.text(answer.reason),
        "httpVersion": "",
        "cookies": [],
        "headers": [],
        "content": {"size": 0, "mimeType": ""},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _headers(headers: Mapping[str, str], redactor: Redactor) -> list[dict[str, str]]:
    return [
        {"name": name, "value": SHOWN if name.lower() in _SECRET_HEADERS else redactor.text(value)}
        for name, value in headers.items()
    ]


def _text(body: bytes, redactor: Redactor) -> str:
    text = redactor.text(body.decode("utf-8", "backslashreplace"))
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}... ({len(body):,} bytes)"
