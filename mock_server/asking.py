"""How a mock is asked, and what it says as values: what the handles of `mock_server.client` are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

Json = dict[str, Any]

TIMEOUT: Final = 30.0
_PAGE: Final = 500
_IDLE: Final = 2.0
"""Seconds after which a connection is not used again: the mock closes its end some seconds later."""


class MockServerError(Exception):
    """What was asked of the mock cannot be done, or the mock does not answer.

    Attributes:
        status: that of the answer; None if there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True)
class Entry:
    """A line of a ledger.

    Attributes:
        kind: `debit`, `refund` or `top-up`.
        amount: negative for a debit.
        balance: the one after it.
        task: the ID of the task; None for a top-up.
    """

    kind: str
    amount: int
    balance: int
    at: datetime
    task: str | None


@dataclass(frozen=True)
class Ledger:
    """What moved an account's credits."""

    opening: int
    balance: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, without credentials.

    Attributes:
        at: by the machine's clock.
        status: 0 where no answer was begun.
        did: what the mock noted: the operation, the account, the task, what was debited, why it was refused.
    """

    id: int
    at: datetime
    milliseconds: float
    method: str
    path: str
    request_headers: Mapping[str, str]
    request_body: str
    status: int
    response_headers: Mapping[str, str]
    response_body: str
    did: Mapping[str, Any]


class Asking:
    """The control API: its paths, its answers, its errors."""

    def __init__(self, url: str, token: str | None, timeout: float) -> None:
        self._http = httpx.Client(
            base_url=f"{url}/_mock",
            headers={} if token is None else {"X-Control-Token": token},
            timeout=timeout,
            limits=httpx.Limits(keepalive_expiry=_IDLE),
            trust_env=False,  # a proxy would not find this machine
        )

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, *, json: Json | None = None, **parameters: str | int | None) -> Any:
        """Make a request; gives what the answer says.

        Raises:
            MockServerError: if it cannot be carried out.
        """
        answer = self._send(method, path, json=json, params={k: v for k, v in parameters.items() if v is not None})
        if not answer.is_success:
            raise MockServerError(_message(answer), answer.status_code)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            message = f"no mock server answers at {self._http.base_url}: {answer.text[:200]!r} is no JSON"
            raise MockServerError(message, answer.status_code) from error

    def pages(self, path: str, key: str, account: str | None = None) -> Iterator[Json]:
        """The items of all pages of a list."""
        after: str | None = None
        while True:
            page = self.ask("GET", path, account=account, after=after, limit=_PAGE)
            yield from page[key]
            after = page["next"]
            if after is None:
                return

    def opens(self, secret: str) -> str | None:
        """The name of the account that a bearer key opens."""
        answer = self._send("GET", "/account", headers=bearer(secret))
        return str(answer.json()["name"]) if answer.status_code == HTTPStatus.OK else None

    def switch(self, account: str | None, scenario: str | None) -> None:
        """Switch the scenario of an account, or of all."""
        self.ask("PUT", "/scenario", json={} if scenario is None else {"name": scenario}, account=account)

    def exchanges(self, account: str | None, limit: int) -> list[Exchange]:
        """The last exchanges of an account, or of all."""
        return [_exchange(e) for e in self.ask("GET", "/exchanges", account=account, limit=limit)["exchanges"]]

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise MockServerError(f"{self._http.base_url} does not answer: {reason}") from error
        except ValueError as error:  # such as a NaN, or half of a character
            raise MockServerError(f"this cannot be sent as JSON: {error}") from error


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.url} answers {answer.status_code}, and says nothing that a mock would say"


def _exchange(shown: Json) -> Exchange:
    asked, answered = shown["request"], shown["response"]
    return Exchange(
        id=shown["id"],
        at=moment(shown["at"]),
        milliseconds=shown["milliseconds"],
        method=asked["method"],
        path=asked["path"],
        request_headers=asked["headers"],
        request_body=asked["body"],
        status=answered["status"],
        response_headers=answered["headers"],
        response_body=answered["body"],
        did=shown["did"],
    )


def bearer(key: str) -> dict[str, str]:
    """The headers that present a key."""
    return {"Authorization": f"Bearer {key}"}


def moment(text: str) -> datetime:
    """The moment that a mock has written."""
    return datetime.fromisoformat(text)
