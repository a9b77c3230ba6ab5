"""From a request and its answer, as they came, to what may be looked at and kept: without credentials."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from contract.model import Contract
from contract_tests.redact import Redactor
from contract_tests.traffic.callers import Callers
from contract_tests.traffic.credentials import Credentials, Headers
from contract_tests.traffic.messages import LONGEST_BODY, Message
from contract_tests.traffic.observer import SOMEBODY, Sighting
from contract_tests.traffic.routes import Routes
from contract_tests.wire import Answer, Exchange, NoAnswer, Request

_CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib wants to be told of each."""
TOO_LONG = "too long"


class Sightings:
    """Makes sightings, and learns credentials on the way."""

    def __init__(self, contract: Contract, redactor: Redactor, url: str = "", *, credentials: bool = True) -> None:
        """Prepare to make them.

        Args:
            url: the URL below which the API is.
            credentials: whether requests still have theirs; recordings are mostly made without.
        """
        self._shown = credentials
        self._origin, path = split_url(url)
        self._routes = Routes(contract, path)
        self._callers = Callers(contract)
        self._credentials = Credentials(contract, redactor)

    def of(self, request: Message, answer: Message | NoAnswer, answered: float, unchecked: str = "") -> Sighting:
        """The sighting of a request and its answer.

        Args:
            answered: when the last of the answer had come, in seconds since 1970.
            unchecked: why it cannot be checked, if that is known already.
        """
        learn = self._credentials.learn
        learn(request.headers, request.target, bytes(request.body))
        target = _origin_form(request.target)
        route = self._routes.find(request.method, target)
        inside = route.operation is not None
        came: Answer | NoAnswer
        if isinstance(answer, NoAnswer):
            came = answer
        else:
            body, why = _decoded(answer)
            learn(answer.headers, "", body)
            unchecked = unchecked or (why if inside else "")
            # what is outside the contract is nobody's business here: its bodies are not kept
            came = Answer(answer.status, self._credentials.headers(answer.headers), body if inside else b"")
            if inside and answer.status == HTTPStatus.NOT_MODIFIED:
                unchecked = unchecked or "the answer is what the client has already"
        if inside and request.unfinished:
            unchecked = unchecked or "the answer came before the request had ended"
        if inside and not request.whole:
            unchecked = unchecked or TOO_LONG
        sent = bytes(request.body) if inside and (request.size or request.method not in ("GET", "HEAD")) else None
        kept = Request(
            request.method,
            self._credentials.text(target),
            self._credentials.headers(request.headers),
            sent,
            route.operation.id if route.operation is not None else None,
        )
        exchange = Exchange(kept, came, request.began, max(answered - request.began, 0.0))
        known = self._shown
        caller = self._callers.caller(route.operation, request.headers, request.target) if known else SOMEBODY
        return Sighting(exchange, route, caller, unchecked, request.origin or self._origin)


def split_url(url: str) -> tuple[str, str]:
    """The scheme and authority of a URL, without credentials, and its path and query."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
    return origin, parts.path + (f"?{parts.query}" if parts.query else "")


def _origin_form(target: str) -> str:
    """A target without a scheme and a server, which clients name to proxies."""
    if target.startswith("/"):
        return target
    try:
        origin, rest = split_url(target)
    except ValueError:
        return target
    return (rest if rest.startswith("/") else f"/{rest}") if origin else target


def _plain(headers: Headers) -> Mapping[str, str]:
    """Headers by name in lower case; of one that is there several times, the last."""
    return {name.lower(): value for name, value in headers}


def _decoded(answer: Message) -> tuple[bytes, str]:
    """The body without its content coding, or why there is none."""
    if not answer.whole:
        return b"", TOO_LONG
    coding = _plain(answer.headers).get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return bytes(answer.body), ""
    if coding not in _CODINGS:
        return b"", f"encoded as {coding!r:.40}"
    decoder = zlib.decompressobj(_CODINGS[coding])
    try:
        body = decoder.decompress(bytes(answer.body), LONGEST_BODY)
    except zlib.error:
        return b"", f"not {coding}, as it says"
    return (b"", TOO_LONG) if decoder.unconsumed_tail else (body, "")
