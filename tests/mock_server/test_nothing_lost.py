"""Whatever happens to replicas under load, every credit is where it belongs afterwards."""

from __future__ import annotations

import asyncio
import os
import random
import re
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.conftest import Server
from tests.mock_server.crowd import Crowd, audit
from tests.mock_server.harness import PATIENCE, Process, run, until
from tests.mock_server.test_workers import children

pytestmark = pytest.mark.whole

SECONDS = 30
KILLS = 100
BUSY_SECONDS = 10
"""How long a request waits for a database, at most."""
LONGEST_TASK = 0.5
"""Seconds; see `Crowd`."""


@dataclass
class Replicas:
    """Two mocks on one database, and accounts that soon run dry.

    Attributes:
        openings, names: of each account, by its key.
    """

    folder: Path
    options: tuple[str, ...]
    stack: ExitStack
    mocks: list[Process]
    openings: Mapping[str, int]
    names: Mapping[str, str]

    @property
    def urls(self) -> list[str]:
        return [mock.url for mock in self.mocks]

    def replace(self, number: int) -> None:
        """Kill one without warning, and start another in its place."""
        self.mocks[number].end(signal.SIGKILL)
        self.mocks[number] = self.stack.enter_context(Process(self.folder, self.options))


@pytest.fixture
def replicas(new_shared_database: Callable[[], str], tmp_path: Path) -> Iterator[Replicas]:
    options = ("--database", new_shared_database(), "--task-seconds", "0.3")
    with ExitStack() as stack:
        mocks = [stack.enter_context(Process(tmp_path, options)) for _ in range(2)]
        made = []
        for number in range(8):
            body = {"name": f"account-{number}", "credits": 100 * (number + 1)}
            made.append(httpx.post(f"{mocks[0].url}/_mock/accounts", json=body).json())
        keys = [account["credentials"]["bearerAuth"] for account in made]
        openings = {key: account["balance"] for key, account in zip(keys, made, strict=True)}
        names = {key: account["name"] for key, account in zip(keys, made, strict=True)}
        yield Replicas(tmp_path, options, stack, mocks, openings, names)


async def all_has_ended() -> None:
    await asyncio.sleep(LONGEST_TASK + 0.2)


def test_a_crowd_at_two_replicas_moves_every_credit_once(replicas: Replicas) -> None:
    crowd = Crowd(replicas.urls, list(replicas.openings))
    crowd.works(lambda: asyncio.sleep(SECONDS))
    asyncio.run(all_has_ended())
    assert crowd.lost == 0
    assert crowd.statuses[500] == 0
    assert crowd.statuses[200] > 500
    assert crowd.statuses[402] > 500
    states = [audit(url, crowd, replicas.openings, replicas.names) for url in replicas.urls]
    assert len(states[0]["tasks"]) == len(states[1]["tasks"]) == len(crowd.accepted)


def test_a_replica_may_be_killed_at_any_moment(replicas: Replicas) -> None:
    mind = random.Random(7)
    crowd = Crowd(replicas.urls, list(replicas.openings), clients=16)

    async def kill() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(mind.random() * 0.3)
            number = mind.randrange(2)
            await asyncio.to_thread(replicas.replace, number)
            crowd.urls[:] = replicas.urls

    crowd.works(kill)
    asyncio.run(all_has_ended())
    assert crowd.lost > 0
    assert crowd.statuses[500] == 0
    assert crowd.statuses[200] > 100
    state = audit(replicas.urls[0], crowd, replicas.openings, replicas.names)
    # a request that was killed may have been accepted, but then nobody was told
    assert len(crowd.accepted) <= len(state["tasks"]) <= len(crowd.accepted) + crowd.lost
    response = httpx.get(f"{replicas.urls[1]}/_mock/health", timeout=PATIENCE)
    assert response.json() == {"status": "ok"}


def test_a_server_of_databases_may_stop_and_come_back(postgres: Server, tmp_path: Path) -> None:
    options = ("--database", postgres.new_database(), "--task-seconds", "0.3")
    with Process(tmp_path, options) as mock:
        account = httpx.post(f"{mock.url}/_mock/accounts", json={"name": "purse", "credits": 100_000}).json()
        key = account["credentials"]["bearerAuth"]
        crowd = Crowd([mock.url], [key], clients=16)

        async def counts(status: int, more: int) -> None:
            wanted = crowd.statuses[status] + more
            give_up = time.monotonic() + PATIENCE
            while crowd.statuses[status] < wanted:
                assert time.monotonic() < give_up
                await asyncio.sleep(0.05)

        async def stop_and_start() -> None:
            for _ in range(3):
                await asyncio.sleep(1)
                await asyncio.to_thread(postgres.stop)
                try:
                    await counts(500, 5)  # it is missed, and that is said
                    health = await asyncio.to_thread(httpx.get, f"{mock.url}/_mock/health", timeout=PATIENCE)
                    assert health.status_code == 503
                finally:
                    await asyncio.to_thread(postgres.start)
                await counts(200, 50)  # nobody has to help the mock

        crowd.works(stop_and_start)
        asyncio.run(all_has_ended())
        assert crowd.lost == 0
        assert crowd.slowest < 2 * BUSY_SECONDS
        audit(mock.url, crowd, {key: 100_000}, {key: "purse"})


def test_a_full_disk_is_an_error_and_moves_no_credit(tmp_path: Path) -> None:
    database = tmp_path / "database"
    database.mkdir()
    with Process(tmp_path, ("--database", f"sqlite:///{database}/mock.db", "--task-seconds", "0")) as mock:
        account = httpx.post(f"{mock.url}/_mock/accounts", json={"name": "purse", "credits": 100_000}).json()
        key = account["credentials"]["bearerAuth"]
        first = mock.new(key)
        # no file may grow any more, as on a disk that is full
        largest = max(file.stat().st_size for file in database.iterdir())
        resource.prlimit(mock.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        accepted = 1
        while (response := mock.submit(key)).status_code == 200:
            accepted += 1
        assert response.status_code == 500, response.text
        assert mock.read(first, key)["status"] == 1
        resource.prlimit(mock.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for _ in range(3):
            mock.new(key)
            accepted += 1
        crowd = Crowd([mock.url], [key])
        state = audit(mock.url, crowd, {key: 100_000}, {key: "purse"})
        assert len(state["tasks"]) == accepted


def test_a_file_that_is_deleted_is_an_error_and_no_worker_begins_anew(tmp_path: Path) -> None:
    database = tmp_path / "database"
    database.mkdir()
    with Process(tmp_path, ("--database", f"sqlite:///{database}/mock.db", "--workers", "2")) as mock:
        mock.new()
        for file in database.iterdir():
            file.unlink()
        until(lambda: mock.client.get("/_mock/health").status_code == 503)
        refused = mock.submit()
        assert (refused.status_code, refused.json()) == (500, {"error": "Internal server error"})
        os.kill(min(children(mock.pid)), signal.SIGKILL)
        until(lambda: "cannot be used: its tables are gone" in mock.log())
        assert httpx.get(f"{mock.url}/_mock/health", timeout=PATIENCE).status_code == 503


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.95])
def test_a_damaged_file_is_refused(tmp_path: Path, place: float) -> None:
    file = tmp_path / "mock.db"
    options = ("--database", f"sqlite:///{file}", "--task-seconds", "0")
    with Process(tmp_path, options) as mock:
        for _ in range(200):
            mock.new()
    content = bytearray(file.read_bytes())
    middle = int(len(content) * place) // 4096 * 4096
    content[middle : middle + 4096] = random.Random(1).randbytes(4096)
    file.write_bytes(content)
    refused = run("--port", "0", *options)
    assert refused.returncode == 1
    assert re.fullmatch(
        r"mock-server: the database sqlite:///\S+ cannot be used: .*(damaged|malformed|not a database).*\n",
        refused.stderr,
    )
