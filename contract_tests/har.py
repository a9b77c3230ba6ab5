"""Exchanges as HAR, without credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contract.har import har as har_of
from contract.har import har_entry
from contract_tests.redact import SHOWN, Redactor
from contract_tests.wire import Answer, Exchange

_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
_LONGEST_TEXT = 12_000


def entry(exchange: Exchange, url: str, redactor: Redactor) -> dict[str, Any]:
    """One exchange as an entry of a HAR file."""
    request, answer = exchange.request, exchange.answer
    came: dict[str, Any] = {"status": 0}
    if isinstance(answer, Answer):
        text, cut = _text(answer.body, redactor)
        came = {
            "status": answer.status,
            "response_headers": _headers(answer.headers, redactor),
            "response_text": text,
            "response_cut": cut,
            "response_size": len(answer.body),
        }
    else:
        came["status_text"] = redactor.text(answer.reason)
    sent, sent_cut = _text(request.body or b"", redactor)
    return har_entry(
        started=exchange.started,
        milliseconds=exchange.seconds * 1000,
        method=request.method,
        url=redactor.text(url + request.path),
        request_headers=_headers(request.headers, redactor),
        request_text=None if request.body is None else sent,
        request_cut=sent_cut,
        request_size=len(request.body or b""),
        **came,
    )


def har(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A HAR file of entries, in the order they were sent."""
    return har_of("contract-tests", sorted(map(dict, entries), key=lambda item: str(item["startedDateTime"])))


def _headers(headers: Mapping[str, str], redactor: Redactor) -> list[tuple[str, str]]:
    return [
        (name, SHOWN if name.lower() in _SECRET_HEADERS else redactor.text(value)) for name, value in headers.items()
    ]


def _text(body: bytes, redactor: Redactor) -> tuple[str, bool]:
    """A body as it may be kept, and whether that is only its beginning."""
    text = redactor.text(body.decode("utf-8", "backslashreplace"))
    return (text, False) if len(text) <= _LONGEST_TEXT else (redactor.cut(text[:_LONGEST_TEXT]), True)
