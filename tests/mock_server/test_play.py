"""Over HTTP: credits, tasks and pictures, as a client sees them."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from contract.model import Contract
from tests.mock_server.harness import (
    EMPTY,
    GENERATE,
    POOR,
    READ,
    RICH,
    SUBMIT,
    TASKS,
    Documented,
    Mock,
    Raw,
    account,
    allow_open_files,
    bearer,
    profiles,
    serving,
    told,
    valid,
)

# ---------------------------------------------------------------------- credits


def test_too_few_credits_are_told_the_price(mock: Mock, documented: Documented, contract: Contract) -> None:
    for key in (POOR, EMPTY):
        for name, profile in profiles(contract).items():
            for fields, price, _ in profile.price.rows():
                refused = documented(GENERATE, mock.submit(key, model=name, **fields), 402)
                assert refused == {"error": "Insufficient credits", "required": price}


def test_a_refused_request_costs_nothing(mock: Mock) -> None:
    mock.store.add_accounts([account("careful", 3)])
    for response in (mock.post(b"{", "careful"), mock.submit("careful", prompt=""), mock.submit("Careful")):
        assert response.status_code in (400, 401)
    assert mock.submit("careful", model="nano-banana-pro").status_code == 402
    assert mock.submit("careful").status_code == 200
    assert mock.submit("careful").status_code == 402


def test_a_task_runs_to_its_end_and_a_failed_one_is_paid_back(mock: Mock, documented: Documented) -> None:
    mock.store.add_accounts([account("watcher", 3)])
    task_id = mock.new("watcher", **told("failed", errorCode="SAFETY", errorMessage="No foxes", afterSeconds=2))
    assert mock.submit("watcher").status_code == 402
    assert mock.read(task_id, "watcher")["status"] == 0
    mock.clock.advance(2)
    response = mock.client.get(f"{TASKS}/{task_id}", headers=bearer("watcher"))
    failed = documented(READ, response, 200)
    assert (failed["status"], failed["errorCode"], failed["errorMessage"]) == (2, "SAFETY", "No foxes")
    assert failed["creditsRefunded"] is True
    task_id = mock.new("watcher")
    mock.clock.advance(5)
    assert mock.read(task_id, "watcher")["status"] == 1
    assert mock.submit("watcher").status_code == 402


async def submit_at_once(mock: Mock, key: str, connections: int) -> list[int]:
    """Submit on many connections, all of them open before the first submission: the statuses."""
    body = valid()
    lines = [f"POST {SUBMIT} HTTP/1.1", "Host: mock", "Connection: close", f"Authorization: Bearer {key}"]
    head = "\r\n".join([*lines, "Content-Type: application/json", f"Content-Length: {len(body)}", "", ""])
    opened = [await asyncio.open_connection(*mock.address) for _ in range(connections)]
    for _, writer in opened:
        writer.write(head.encode() + body)
    answers = await asyncio.gather(*(reader.read() for reader, _ in opened))
    for _, writer in opened:
        writer.close()
        await writer.wait_closed()
    return [int(answer.split()[1]) for answer in answers]


def test_many_connections_never_spend_more_than_there_is(contract: Contract, database: str) -> None:
    allow_open_files(2000)  # both ends of each connection are in this process
    with serving(contract, database=database) as mock:
        mock.store.add_accounts([account("crowd", 100)])
        statuses = asyncio.run(submit_at_once(mock, "crowd", 400))
        assert (statuses.count(200), statuses.count(402), len(statuses)) == (33, 367, 400)
        assert mock.store.balance("crowd", mock.clock) == 1


# --------------------------------------------------------------------- pictures


def picture_url(mock: Mock, **fields: Any) -> str:
    task_id = mock.new(**fields)
    mock.clock.advance(5)
    (url,) = mock.read(task_id)["imageUrls"]
    assert isinstance(url, str)
    return url


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_opens_in_the_format_and_ratio_that_were_asked_for(mock: Mock, kind: str) -> None:
    url = picture_url(mock, aspectRatio="4:5", outputFormat=kind)
    assert url.startswith(mock.url + "/")
    response = httpx.get(url)  # needs no credentials, like the real service's storage
    assert response.status_code == 200
    assert response.headers["content-type"] == f"image/{kind}"
    with Image.open(io.BytesIO(response.content)) as image:
        image.load()
        assert str(image.format).lower() == kind
        assert image.width * 5 == image.height * 4
    head = httpx.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(response.content)


def test_a_picture_has_the_size_of_its_tier(mock: Mock) -> None:
    for tier, side in (("1K", 1024), ("2K", 2048)):
        response = httpx.get(picture_url(mock, model="nano-banana-2", resolution=tier))
        with Image.open(io.BytesIO(response.content)) as image:
            assert image.size == (side, side)


def test_there_is_no_picture_but_that_of_a_completed_task(mock: Mock) -> None:
    url = picture_url(mock)
    pending, failed = mock.new(), mock.new(**told("failed", afterSeconds=0))
    task_id = url.rpartition("/")[2].removesuffix(".png")
    others = [url.replace(task_id, other) for other in (pending, failed, "tsk_" + "0" * 26, "x", "%2F", "%00", "..")]
    others += [url.replace(".png", end) for end in (".jpeg", ".webp", ".PNG", "", ".", ".png/", "%0A", ".png%0A")]
    for other in others:
        response = httpx.get(other)
        assert (response.status_code, response.json()) == (404, {"error": "Not found"}), other
    for method in ("POST", "DELETE", "OPTIONS"):
        assert httpx.request(method, url).status_code == 404


def submitted_raw(mock: Mock, version: bytes, *lines: bytes) -> Raw:
    """The answer to the submission of a task that completes at once, sent with a head of one's own."""
    body = valid(**told("completed", afterSeconds=0))
    lines += (b"Authorization: Bearer " + RICH.encode(), b"Content-Length: %d" % len(body))
    return mock.raw(b"\r\n".join([b"POST " + SUBMIT.encode() + version, *lines, b"", body]))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"mock.test", "http://mock.test"),
        (b"mock.test:8080", "http://mock.test:8080"),
        (b"127.0.0.1:1", "http://127.0.0.1:1"),
        (b"[::1]:8080", "http://[::1]:8080"),
        (b"under_score", "http://under_score"),
        (b"", None),
        (b"a b", None),
        (b"a/b", None),
        (b"user@host", None),
        (b"host:", None),
        (b":80", None),
        (b"host:999999", None),
        (b"[", None),
        (b"[::1", None),
        (b"h\xf6st", None),
        (b'"><script>', None),
    ],
)
def test_pictures_are_where_the_client_reached_the_mock(mock: Mock, host: bytes, expected: str | None) -> None:
    answer = submitted_raw(mock, b" HTTP/1.1", b"Connection: close", b"Host: " + host)
    (url,) = mock.read(answer.json["taskId"])["imageUrls"]
    assert url.startswith(f"{expected or mock.url}/_mock/pictures/tsk_")


def test_without_a_host_pictures_are_where_the_mock_listens(mock: Mock) -> None:
    answer = submitted_raw(mock, b" HTTP/1.0")
    (url,) = mock.read(answer.json["taskId"])["imageUrls"]
    assert httpx.get(url).status_code == 200


def test_pictures_are_where_the_mock_is_told_that_they_are(contract: Contract) -> None:
    with serving(contract, public_url="https://cdn.test/mock/") as mock:
        assert picture_url(mock).startswith("https://cdn.test/mock/_mock/pictures/")
