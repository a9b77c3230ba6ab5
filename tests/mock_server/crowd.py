"""A crowd of clients that submit, poll and fail tasks at replicas of one mock, and an audit of what is left."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.mock_server.harness import PATIENCE, SUBMIT, TASKS, request, told

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


class Crowd:
    """Clients, each on connections of its own.

    Attributes:
        urls: the replicas; may change while the crowd is at work.
        keys: the accounts' keys.
        accepted: the key of every task that a client was told of.
        statuses: how often each status came.
        lost: requests without an answer, or with half of one.
        slowest: seconds that an answer took.
        broken: what no client should have seen.
    """

    def __init__(self, urls: list[str], keys: list[str], clients: int = 64, seed: int = 1) -> None:
        self.urls = urls
        self.keys = keys
        self.accepted: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()
        self.lost = 0
        self.slowest = 0.0
        self.broken: list[str] = []
        self._clients = [random.Random(f"{seed}-{number}") for number in range(clients)]
        self._over = asyncio.Event()
        self._ended: dict[str, Any] = {}

    def works(self, beside: Callable[[], Awaitable[None]]) -> None:
        """Let the crowd work until something else has been done beside it."""
        asyncio.run(self._work(beside))

    async def _work(self, beside: Callable[[], Awaitable[None]]) -> None:
        clients = [asyncio.create_task(self._client(mind)) for mind in self._clients]
        try:
            await beside()
        finally:
            self._over.set()
            await asyncio.gather(*clients)

    async def _client(self, mind: random.Random) -> None:
        connections: dict[str, tuple[Reader, Writer]] = {}
        own: list[str] = []
        while not self._over.is_set():
            url = mind.choice(self.urls)
            key = mind.choice(self.keys)
            try:
                if url not in connections:
                    address = urlsplit(url)
                    connections[url] = await asyncio.open_connection(address.hostname, address.port)
                await asyncio.wait_for(self._act(mind, connections[url], key, own), PATIENCE)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                self.lost += 1
                if url in connections:
                    connections.pop(url)[1].close()
                await asyncio.sleep(0.02)
        for _, writer in connections.values():
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _act(self, mind: random.Random, connection: tuple[Reader, Writer], key: str, own: list[str]) -> None:
        choice = mind.random()
        if choice < 0.6 or not own:
            fate: dict[str, Any] = mind.choice([{}, told("failed", afterSeconds=mind.random() / 2), told("completed")])
            status, body = await self._ask(connection, "POST", SUBMIT, key, request(**fate))
            if status == 200:
                self.accepted[body["taskId"]] = key
                own.append(body["taskId"])
            elif status not in (402, 500):
                self.broken.append(f"a submission was answered {status}: {body}")
            return
        task = mind.choice(own)
        if choice < 0.9:
            status, body = await self._ask(connection, "GET", f"{TASKS}/{task}", self.accepted[task])
            if status == 200 and body["status"] != 0 and self._ended.setdefault(task, body) != body:
                self.broken.append(f"what had ended has changed: {self._ended[task]} became {body}")
            elif status not in (200, 500):
                self.broken.append(f"a task that was accepted was answered {status}: {body}")
            return
        status, body = await self._ask(connection, "POST", f"/_mock/tasks/{task}/fail", key, {})
        if status not in (200, 409, 500):
            self.broken.append(f"a task that was failed by hand was answered {status}: {body}")

    async def _ask(
        self, connection: tuple[Reader, Writer], method: str, path: str, key: str, body: Any = None
    ) -> tuple[int, Any]:
        reader, writer = connection
        content = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}"]
        if body is not None:
            head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        started = time.monotonic()
        writer.write("\r\n".join([*head, "", ""]).encode() + content)
        await writer.drain()
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(answer.partition("content-length: ")[2].partition("\r\n")[0])
        text = await reader.readexactly(length)
        self.slowest = max(self.slowest, time.monotonic() - started)
        status = int(answer.split(" ")[1])
        self.statuses[status] += 1
        return status, json.loads(text)


def audit(url: str, crowd: Crowd, openings: Mapping[str, int], names: Mapping[str, str]) -> dict[str, Any]:
    """Make sure that every credit is where it belongs; gives the state.

    Args:
        openings: the opening balance of each account, by its key.
        names: the account's name, by its key.
    """
    state: dict[str, Any] = httpx.get(f"{url}/_mock/state", timeout=PATIENCE).json()
    assert crowd.broken == []
    tasks = {task["id"]: task for task in state["tasks"]}
    entries: dict[str, list[tuple[str, int]]] = {task: [] for task in tasks}
    for entry in state["entries"]:
        entries[entry["task"]].append((entry["kind"], entry["amount"]))
    for task, key in crowd.accepted.items():
        assert tasks[task]["account"] == names[key]
    for name, task in tasks.items():
        debit, refund = ("debit", -task["credits"]), ("refund", task["credits"])
        assert sorted(entries[name]) == ([debit, refund] if task["outcome"] == "failed" else [debit])
    for key, opening in openings.items():
        account = httpx.get(f"{url}/_mock/accounts/{names[key]}", timeout=PATIENCE).json()
        mine = [task for task in tasks.values() if task["account"] == names[key]]
        assert account["balance"] == opening - sum(task["credits"] for task in mine if task["outcome"] != "failed")
        assert account["balance"] >= 0
    return state
