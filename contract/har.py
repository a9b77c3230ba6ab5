"""Exchanges as HAR 1.2, the format of browsers' developer tools. Whoever calls takes the credentials out first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

Headers = Sequence[tuple[str, str]]
CUT = "_cut"
"""The field of a body of which the file has only the beginning: HAR has none, but lets anybody add fields with `_`."""


def har(creator: str, entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A HAR file of entries."""
    return {"log": {"version": "1.2", "creator": {"name": creator, "version": "1"}, "entries": list(entries)}}


def har_entry(
    *,
    started: float,
    milliseconds: float,
    method: str,
    url: str,
    request_headers: Headers,
    request_text: str | None,
    request_size: int,
    request_cut: bool = False,
    status: int,
    status_text: str = "",
    response_headers: Headers = (),
    response_text: str = "",
    response_size: int = -1,
    response_cut: bool = False,
) -> dict[str, Any]:
    """One exchange.

    Args:
        started: when the request was sent, in seconds since 1970.
        request_text: the body, or None for a request without one.
        status: 0 where no answer came; then `status_text` says why.
        request_size, response_size: of the bodies, in bytes; -1 where nobody knows.
        request_cut, response_cut: whether the text is only the beginning of the body.
    """
    ms = round(milliseconds, 3)
    request: dict[str, Any] = {
        "method": method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(request_headers),
        "queryString": [],
        "headersSize": -1,
        "bodySize": request_size,
    }
    if request_text is not None:
        kind = _value(request_headers, "content-type")
        request["postData"] = {"mimeType": kind, "text": request_text, **({CUT: True} if request_cut else {})}
    return {
        "startedDateTime": datetime.fromtimestamp(started, UTC).isoformat(timespec="milliseconds"),
        "time": ms,
        "request": request,
        "response": {
            "status": status,
            "statusText": status_text,
            "httpVersion": "HTTP/1.1" if status else "",
            "cookies": [],
            "headers": _pairs(response_headers),
            "content": {
                "size": max(response_size, 0),
                "mimeType": _value(response_headers, "content-type"),
                "text": response_text,
                **({CUT: True} if response_cut else {}),
            },
            "redirectURL": _value(response_headers, "location"),
            "headersSize": -1,
            "bodySize": response_size,
        },
        "cache": {},
        "timings": {"send": 0, "wait": ms, "receive": 0},
    }


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _value(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")
