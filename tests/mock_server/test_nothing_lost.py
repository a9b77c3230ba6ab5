"""Whatever happens to replicas under load, every credit is where it belongs afterwards."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.mock_server.crowd import Crowd, audit
from tests.mock_server.harness import PATIENCE, Process

pytestmark = pytest.mark.whole

SECONDS = 30
KILLS = 100
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
    assert crowd.statuses[200] > 100
    state = audit(replicas.urls[0], crowd, replicas.openings, replicas.names)
    # a request that was killed may have been accepted, but then nobody was told
    assert len(crowd.accepted) <= len(state["tasks"]) <= len(crowd.accepted) + crowd.lost
    response = httpx.get(f"{replicas.urls[1]}/_mock/health", timeout=PATIENCE)
    assert response.json() == {"status": "ok"}
