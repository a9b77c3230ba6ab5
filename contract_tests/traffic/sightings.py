"""From a request and its answer, as they came, to what may be looked at and kept: without credentials."""

from __future__ import annotations

import zlib
from http import HTTPStatus

from contract.model import Contract
from contract_tests.redact import Redactor
from contract_tests.traffic.callers import Callers, plain
from contract_tests.traffic.messages import LONGEST_BODY, Message
from contract_tests.traffic.observer import SOMEBODY, Sighting
from contract_tests.traffic.routes import Routes
from contract_tests.wire import Answer, Exchange, NoAnswer, Request

_CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib wants to be told of each."""
TOO_LONG = "too long"


class Sightings:
    """Makes sightings, and learns credentials on the way."""

    def __init__(self, contract: Contract, redactor: Redactor, base: str = "", *, credentials: bool = True) -> None:
        """Prepare to make them.

        Args:
            base: the path below which the API is.
            credentials: whether requests still have theirs; recordings are mostly made without.
        """
        self._credentials = credentials
        self._routes = Routes(contract, base)
        self._callers = Callers(contract, redactor)

    def of(self, request: Message, answer: Message | NoAnswer, answered: float, unchecked: str = "") -> Sighting:
        """The sighting of a request and its answer.

        Args:
            answered: when the last of the answer had come, in seconds since 1970.
            unchecked: why it cannot be checked, if that is known already.
        """
        self._callers.learn(request.headers, request.target)
        route = self._routes.find(request.method, request.target)
        inside = route.operation is not None
        came: Answer | NoAnswer
        if isinstance(answer, NoAnswer):
            came = answer
        else:
            self._callers.learn(answer.headers)
            body, why = _decoded(answer)
            unchecked = unchecked or (why if inside else "")
            # what is outside the contract may hand out credentials: its bodies are not kept
            came = Answer(answer.status, self._callers.headers(answer.headers), body if inside else b"")
            if inside and answer.status == HTTPStatus.NOT_MODIFIED:
                unchecked = unchecked or "the answer is what the client has already"
        if inside and request.unfinished:
            unchecked = unchecked or "the answer came before the request had ended"
        if inside and not request.whole:
            unchecked = unchecked or TOO_LONG
        sent = bytes(request.body) if inside and (request.size or request.method not in ("GET", "HEAD")) else None
        kept = Request(
            request.method,
            self._callers.target(request.target),
            self._callers.headers(request.headers),
            sent,
            route.operation.id if route.operation is not None else None,
        )
        exchange = Exchange(kept, came, request.began, max(answered - request.began, 0.0))
        known = self._credentials
        caller = self._callers.caller(route.operation, request.headers, request.target) if known else SOMEBODY
        return Sighting(exchange, route, caller, unchecked)


def _decoded(answer: Message) -> tuple[bytes, str]:
    """The body without its content coding, or why there is none."""
    if not answer.whole:
        return b"", TOO_LONG
    coding = plain(answer.headers).get("content-encoding", "identity").strip().lower()
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
