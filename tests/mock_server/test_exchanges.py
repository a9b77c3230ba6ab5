"""The last exchanges are kept, not all of them and not all of each, and shown without what opens an account."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from contract.model import Contract
from contract.reader import load_contract
from mock_server.exchanges import SHOWN, Exchanges, Recorder
from mock_server.outer import RequestLog
from mock_server.settings import MEMORY
from mock_server.store import Journal, Store
from mock_server.store.journal import interval_after
from tests.mock_server.harness import changed_contract

Headers = list[tuple[bytes, bytes]]


def recorded(
    exchanges: Exchanges,
    *,
    headers: Headers | None = None,
    body: bytes = b"",
    query: bytes = b"",
    answer: bytes = b"{}",
    reads: bool = True,
) -> dict[str, Any]:
    """What is shown of one exchange with an application that reads the body, or does not."""

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        if reads:
            assert (await receive())["body"] == body
        await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"session=s3cret!")]})
        await send({"type": "http.response.body", "body": answer})

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_message: Message) -> None:
        pass

    given = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode()), *(headers or [])]
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/x",
        "raw_path": b"/x",
        "query_string": query,
        "headers": given,
    }
    asyncio.run(RequestLog(Recorder(app, exchanges), print)(scope, receive, send))
    return exchanges.shown(exchanges.last(limit=1)[0])


@pytest.fixture
def exchanges(contract: Contract) -> Exchanges:
    return Exchanges(contract, Journal(Store(MEMORY), most=3))


@pytest.mark.parametrize(("took", "pause"), [(0, 0.25), (0.01, 0.25), (0.025, 0.5), (0.05, 1), (10, 1)])
def test_the_longer_writing_takes_the_less_often_it_is_done(took: float, pause: float) -> None:
    assert interval_after(took) == pause


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", b"Bearer s3cret!")],
        [(b"authorization", b"s3cret!")],
        [(b"authorization", b"Basic s3cret!")],
        [(b"cookie", b"theme=dark; session=s3cret!")],
        [(b"cookie", b'session="s3cret!"')],
        [(b"proxy-authorization", b"Bearer s3cret!")],
    ],
)
def test_what_opens_an_account_is_not_shown_wherever_it_stands(exchanges: Exchanges, headers: Headers) -> None:
    told = b'{"prompt": "my key is s3cret!"}'
    shown = recorded(exchanges, headers=[*headers, (b"x-told", b"s3cret!")], body=told, answer=told, query=b"k=s3cret!")
    assert "s3cret!" not in str(shown)
    assert "s3cret!" not in str(exchanges.har())
    assert SHOWN in shown["request"]["body"]


def test_a_secret_in_the_query_is_not_shown_where_the_contract_has_it_there(tmp_path: Path) -> None:
    def by_query(document: dict[str, Any]) -> None:
        document["components"]["securitySchemes"]["sessionCookie"] |= {"in": "query", "name": "key"}

    exchanges = Exchanges(load_contract(changed_contract(tmp_path, by_query)), Journal(Store(MEMORY)))
    assert "s3cret!" not in str(recorded(exchanges, query=b"key=s3cret!", body=b"s3cret!"))


def test_a_body_that_nobody_reads_is_shown_too(exchanges: Exchanges) -> None:
    assert recorded(exchanges, body=b'{"prompt": "x"}', reads=False)["request"]["body"] == '{"prompt": "x"}'


def test_only_the_beginning_of_a_long_body_is_kept(exchanges: Exchanges) -> None:
    shown = recorded(exchanges, body=b"a" * 1_000_000, answer=b"\xff" * 70_000)
    assert shown["request"]["body"] == "a" * 65_536 + "... (1,000,000 bytes)"
    assert shown["response"]["body"].endswith("... (70,000 bytes)")
    assert len(exchanges.last()[0].asked.body) == 65_536


def test_only_the_last_are_kept(exchanges: Exchanges) -> None:
    for number in range(5):
        recorded(exchanges, body=str(number).encode())
    assert [e.asked.body for e in exchanges.last()] == [b"4", b"3", b"2"]
    assert exchanges.find(exchanges.last()[0].id) == exchanges.last()[0]
    before = exchanges.journal.marker()
    exchanges.clear()
    assert exchanges.last() == []
    assert exchanges.journal.marker() != before


def test_an_exchange_is_an_entry_of_a_har_file(exchanges: Exchanges) -> None:
    recorded(exchanges, body=b"{}", headers=[(b"content-type", b"application/json")])
    (entry,) = exchanges.har()["log"]["entries"]
    assert entry["request"]["url"] == "http://localhost/x"
    assert entry["request"]["postData"] == {"mimeType": "application/json", "text": "{}"}
    assert (entry["response"]["status"], entry["response"]["content"]["size"]) == (200, 2)


def test_no_credentials_are_written_down(contract: Contract, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/mock.db")
    exchanges = Exchanges(contract, Journal(store))
    recorded(exchanges, headers=[(b"authorization", b"Bearer s3cret!")], body=b'{"prompt": "s3cret!"}')
    exchanges.journal.close()
    store.close()
    assert b"s3cret!" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
