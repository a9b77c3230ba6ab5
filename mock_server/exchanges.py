"""The last requests and their answers, for whoever wants to know what the mock did, and why.

What a request presents as credentials is taken out of everything that is shown, also where it is repeated in a body.
"""

from __future__ import annotations

import json
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, unquote_plus

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.har import har, har_entry
from contract.model import Contract
from mock_server.outer import NOTES, header
from mock_server.snapshot import timestamp
from mock_server.store import MOST_RECORDS, Journal

SHOWN: Final = "[credentials]"
_SECRET_HEADERS: Final = frozenset(
    {"authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key", "x-control-token"}
)
_SECRET_PARAMETERS: Final = frozenset({"access_token", "api_key", "apikey", "key", "token"})
"""Where no scheme has a secret, but a client may have put one."""
_SHORTEST: Final = 4
"""A secret shorter than this would be found in ordinary words."""

_LONGEST_BODY: Final = 64 * 1024
"""Bytes of a body that are kept."""

_LONGEST_LINE: Final = 4096
_MOST_HEADERS: Final = 100

Headers = Sequence[tuple[bytes, bytes]]


@dataclass
class Content:
    """What a request or an answer consists of.

    Attributes:
        body: the beginning of it.
        size: of the whole body, in bytes.
        cut: whether the body was longer than what is kept of it.
    """

    headers: Headers = ()
    body: bytes = b""
    size: int = 0
    cut: bool = False

    def add(self, chunk: bytes) -> None:
        """Take in another piece of the body."""
        self.size += len(chunk)
        if self.size <= _LONGEST_BODY:
            self.body += chunk
        else:
            self.cut = True
            self.body += chunk[: _LONGEST_BODY - len(self.body)]

    def to_json(self) -> dict[str, Any]:
        """It as plain JSON: each byte is one character."""
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers]
        return {"headers": headers, "body": self.body.decode("latin-1"), "size": self.size, "cut": self.cut}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Content:
        """What was made plain JSON."""
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in said["headers"]]
        return cls(headers, said["body"].encode("latin-1"), said["size"], said["cut"])


@dataclass
class Exchange:
    """A request and its answer.

    Attributes:
        id: counts up; 0 as long as it is not kept.
        at: when it came, by the machine, in microseconds since 1970.
        milliseconds: until the answer was gone.
        url: as the client wrote it.
        status: 0 where no answer was begun.
        did: what the mock noted.
    """

    id: int
    at: int
    method: str
    url: str
    path: str
    asked: Content
    answered: Content = field(default_factory=Content)
    status: int = 0
    milliseconds: float = 0.0
    did: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """It as a text."""
        return json.dumps(
            {
                "at": self.at,
                "method": self.method,
                "url": self.url,
                "path": self.path,
                "asked": self.asked.to_json(),
                "answered": self.answered.to_json(),
                "status": self.status,
                "milliseconds": self.milliseconds,
                "did": self.did,
            }
        )

    @classmethod
    def from_json(cls, id: int, text: str) -> Exchange:
        """What was made a text."""
        said = json.loads(text)
        asked, answered = Content.from_json(said.pop("asked")), Content.from_json(said.pop("answered"))
        return cls(id, asked=asked, answered=answered, **said)


class Exchanges:
    """Keeps the last exchanges, and shows them without credentials."""

    def __init__(self, contract: Contract, journal: Journal) -> None:
        self._secret_headers = set(_SECRET_HEADERS)
        self._secret_parameters = set(_SECRET_PARAMETERS)
        self.hide_credentials_of(contract)
        self.journal = journal

    def hide_credentials_of(self, contract: Contract) -> None:
        """Leave out what are credentials by this contract, beside those of the ones before."""
        schemes = contract.security_schemes.values()
        self._secret_headers |= {str(s.parameter).lower() for s in schemes if s.location == "header"}
        self._secret_parameters |= {str(s.parameter).lower() for s in schemes if s.location == "query"}

    def begin(self, scope: Scope) -> Exchange:
        """The record of a request that has come in; it is kept once it is `done`."""
        host = header(scope, b"host") or ""
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1") + query
        url = f"{scope['scheme']}://{host}{path}"
        asked = Content(_short(scope["headers"], self._secret_headers))
        at = time.time_ns() // 1000
        return Exchange(0, at, scope["method"], url[:_LONGEST_LINE], path[:_LONGEST_LINE], asked)

    def done(self, exchange: Exchange) -> None:
        """Keep an exchange."""
        self.journal.add(exchange.did.get("account"), lambda: self._cleaned(exchange).to_json())

    def clear(self, account: str | None = None) -> None:
        """Forget the exchanges, or those of one account."""
        self.journal.clear(account)

    def find(self, id: int) -> Exchange | None:
        """The exchange with this ID, if it is still kept."""
        found = self.journal.find(id)
        return None if found is None else self._read(id, found)

    def last(self, account: str | None = None, limit: int = MOST_RECORDS) -> list[Exchange]:
        """The last exchanges, newest first; of one account, if one is named."""
        return [self._read(id, record) for id, record in self.journal.last(account, limit)]

    def _read(self, id: int, record: str) -> Exchange:
        """A record, without what has become a credential since it was written."""
        return self._cleaned(Exchange.from_json(id, record))

    def shown(self, exchange: Exchange) -> dict[str, Any]:
        """An exchange that was kept, as plain JSON."""
        return {
            "id": exchange.id,
            "at": timestamp(exchange.at),
            "milliseconds": round(exchange.milliseconds, 1),
            "request": {
                "method": exchange.method,
                "path": exchange.path,
                "headers": dict(_headers(exchange.asked)),
                "body": _text(exchange.asked),
            },
            "response": {
                "status": exchange.status,
                "headers": dict(_headers(exchange.answered)),
                "body": _text(exchange.answered),
            },
            "did": exchange.did,
        }

    def _cleaned(self, exchange: Exchange) -> Exchange:
        """It without credentials: what is written down is no place for them."""
        clean = self._cleaner(exchange)
        return replace(
            exchange,
            url=clean(exchange.url),
            path=clean(exchange.path),
            asked=self._cleaned_content(exchange.asked, clean),
            answered=self._cleaned_content(exchange.answered, clean),
            did={name: clean(value) if isinstance(value, str) else value for name, value in exchange.did.items()},
        )

    def _cleaned_content(self, content: Content, clean: Cleaner) -> Content:
        headers = [
            (name.encode("latin-1"), (SHOWN if name in self._secret_headers else clean(value)).encode("latin-1"))
            for name, value in _headers(content)
        ]
        body = clean(content.body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return Content(headers, body, content.size, content.cut)

    def har(self, account: str | None = None) -> dict[str, Any]:
        """The last exchanges as a HAR file, oldest first, without credentials."""
        return har("mock-server", map(self._entry, reversed(self.last(account))))

    def _entry(self, exchange: Exchange) -> dict[str, Any]:
        return har_entry(
            started=exchange.at / 1_000_000,
            milliseconds=exchange.milliseconds,
            method=exchange.method,
            url=exchange.url,
            request_headers=list(_headers(exchange.asked)),
            request_text=_text(exchange.asked) if exchange.asked.size else None,
            request_size=exchange.asked.size,
            request_cut=exchange.asked.cut,
            status=exchange.status,
            response_headers=list(_headers(exchange.answered)),
            response_text=_text(exchange.answered),
            response_size=exchange.answered.size,
            response_cut=exchange.answered.cut,
        )

    def _cleaner(self, exchange: Exchange) -> Cleaner:
        return Cleaner(set(self._secrets(exchange)))

    def _secrets(self, exchange: Exchange) -> Iterator[str]:
        """What the request presents as credentials, whether they are good or not."""
        for raw, value in exchange.asked.headers:
            name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
            if name == "cookie":
                yield from cookie_parser(text).values()
            elif name in self._secret_headers:
                yield from (text, text.partition(" ")[2].strip())
            elif name == "referer":
                yield from self._in_query(text)
        yield from self._in_query(exchange.path)

    def _in_query(self, url: str) -> Iterator[str]:
        for pair in url.partition("?")[2].split("&"):
            name, _, text = pair.partition("=")
            if unquote_plus(name).lower() in self._secret_parameters:
                yield from (text, unquote_plus(text))


class Cleaner:
    """Takes secrets out of texts."""

    def __init__(self, secrets: set[str]) -> None:
        bare = {form for secret in secrets for form in (secret, secret.strip('"'))}
        # as it came, as UTF-8, and as it stands in a URL
        utf8 = {secret.encode("latin-1", "replace").decode("utf-8", "replace") for secret in bare}
        forms = {form for secret in bare | utf8 for form in (secret, quote(secret, safe=""))}
        self._secrets = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, SHOWN)
        return text


class Recorder:
    """Records what passes through it; inside the request log, whose notes it keeps."""

    def __init__(self, app: ASGIApp, exchanges: Exchanges) -> None:
        self._app = app
        self._exchanges = exchanges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self._exchanges.begin(scope)
        started = time.perf_counter()

        read: list[Message] = []

        async def receiving() -> Message:
            if read:
                return read.pop(0)
            message = await receive()
            if message["type"] == "http.request":
                exchange.asked.add(message.get("body", b""))
            return message

        if _is_short(scope):
            read = await _body(receiving)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                exchange.answered.headers = _short(message.get("headers", ()))
            elif message["type"] == "http.response.body":
                exchange.answered.add(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        finally:
            exchange.milliseconds = (time.perf_counter() - started) * 1000
            exchange.did = scope["extensions"].get(NOTES, {})
            self._exchanges.done(exchange)


def _is_short(scope: Scope) -> bool:
    """Whether a request has a body that is not long: it is to be seen also where nobody reads it, as after a 401."""
    length = header(scope, b"content-length")
    return length is not None and length.isdigit() and 0 < int(length) <= _LONGEST_BODY


async def _body(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


def _short(headers: Headers, whole: Container[str] = ()) -> Headers:
    """The headers, but for what is longer than anybody would read.

    Args:
        whole: the names of those that are kept however long and many they are: what is in them is looked for elsewhere.
    """
    if len(headers) <= _MOST_HEADERS and all(len(name) + len(value) <= _LONGEST_LINE for name, value in headers):
        return headers
    kept = []
    for number, (name, value) in enumerate(headers):
        if name.decode("latin-1").lower() in whole:
            kept.append((name, value))
        elif number < _MOST_HEADERS:
            kept.append((name[:_LONGEST_LINE], value[:_LONGEST_LINE]))
    return kept


def _headers(content: Content) -> Iterator[tuple[str, str]]:
    for name, value in content.headers:
        yield name.decode("latin-1").lower(), value.decode("latin-1")


def _text(content: Content) -> str:
    text = content.body.decode("utf-8", "backslashreplace")
    return f"{text}... ({content.size:,} bytes)" if content.cut else text
