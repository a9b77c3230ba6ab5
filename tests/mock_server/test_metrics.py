"""What a load balancer and Prometheus see."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_server.outer import UNUSABLE
from mock_server.settings import MEMORY
from mock_server.store import Journal, Store
from mock_server.task import Plan
from mock_server.urls import CONSOLE, EVENTS
from tests.mock_server.harness import OTHER, POOR, RICH, SUBMIT, TASKS, Process, account, at, bearer, told, until, valid
from tests.mock_server.test_store import keep, task

SAMPLE = re.compile(r'(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z]+="[^"]*",?)*)\})? (?P<value>[0-9.e+-]+)')


def samples(text: str) -> dict[str, float]:
    """What a scrape says, each sample by its name and labels; every line is a sample or a comment."""
    found = {}
    for line in text.splitlines():
        if not line.startswith(("# HELP ", "# TYPE ")):
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            found[line.rpartition(" ")[0]] = float(sample["value"])
    return found


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", "0", "--no-control")) as process:
        yield process


def test_requests_tasks_and_credits_are_counted(mock: Process) -> None:
    json = {"Content-Type": "application/json"}
    for key, body in [
        (RICH, valid()),
        (RICH, valid()),
        (OTHER, valid(**told("failed"))),
        (POOR, valid(model="nano-banana-pro", resolution="4K")),
        (RICH, b"{}"),
        ("sk_wrong", valid()),
    ]:
        mock.client.post(SUBMIT, content=body, headers={**bearer(key), **json})
    mock.client.get(f"{TASKS}/unknown", headers=bearer(RICH))
    mock.client.get("/nowhere")
    response = mock.client.get("/_mock/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    said = samples(response.text)
    by_status = {
        status: said.get(f'mock_requests_total{{operation="generateImage",status="{status}"}}')
        for status in (200, 400, 401, 402)
    }
    assert by_status == {200: 3, 400: 1, 401: 1, 402: 1}
    assert said['mock_requests_total{operation="getTask",status="404"}'] == 1
    assert said['mock_requests_total{operation="",status="404"}'] == 1
    assert said['mock_request_duration_seconds_count{operation="generateImage"}'] == 6
    buckets = [value for name, value in said.items() if 'bucket{operation="generateImage"' in name]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 6
    assert 0 < said['mock_request_duration_seconds_sum{operation="generateImage"}'] < 60
    tasks = [said[f'mock_tasks{{state="{state}"}}'] for state in ("pending", "completed", "failed")]
    assert tasks == [0, 2, 1]
    assert (said["mock_credits_debited"], said["mock_credits_refunded"]) == (9, 3)


def test_it_is_healthy_whatever_name_it_is_called_by(mock: Process) -> None:
    response = mock.client.get("/_mock/health", headers={"Host": "mock.internal.example"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_is_not_healthy_without_its_database(tmp_path: Path) -> None:
    file = tmp_path / "mock.db"
    with Process(tmp_path, ("--database", f"sqlite:///{file}")) as mock:
        assert mock.client.get("/_mock/health").status_code == 200
        with sqlite3.connect(file) as other:
            other.execute("DROP TABLE settings")
            other.execute("DROP TABLE counts")
        other.close()
        for page in ("health", "metrics"):
            response = mock.client.get(f"/_mock/{page}")
            assert response.status_code == 503, response.text
            assert response.json()["status"] == "unavailable"
            assert response.json()["problem"] == UNUSABLE
        reset = mock.client.post("/_mock/reset")
        assert (reset.status_code, reset.json()["error"]) == (500, UNUSABLE)
        console = mock.client.get(CONSOLE)
        assert (console.status_code, console.text) == (503, UNUSABLE)
        assert mock.client.get(EVENTS).status_code == 200  # and ends at once, so that the browser asks again
        until(lambda: mock.log().count("mock.db cannot be used: no such table: ") >= 4)
        assert "Traceback" not in mock.log()


def test_what_was_refunded_stays_counted_when_its_tasks_are_gone(database: str) -> None:
    store = Store(database, keep=10)
    journal = Journal(store)
    store.add_accounts([account("rich", 10_000)])
    for number in range(600):
        keep(store, task(number, plan=Plan("failed", 20)), now=30)
        store.tidy(at(30))
    totals = journal.totals(at(30))
    assert sum(totals.tasks.values()) < 300
    assert (totals.debited, totals.refunded) == (600 * 3, 600 * 3)
    journal.close()
    store.close()


def test_what_could_not_be_written_is_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(MEMORY)
    journal = Journal(store, most=3)
    for number in range(5):
        journal.add("rich", str(number).__str__)
        journal.count({("requests", str(number % 2)): 1})
    with monkeypatch.context() as broken:
        broken.setattr(Store, "transaction", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            journal.flush()
    for number in (5, 6):
        journal.add("rich", str(number).__str__)
    journal.count({("requests", "1"): 1})
    assert [record for _, record in journal.last(None, 10)] == ["6", "5", "4"]
    assert journal.counts() == {("requests", "0"): 3, ("requests", "1"): 3, ("changes",): 1}
    journal.close()
    store.close()
