"""What a mock costs that holds much: answers beside those of an empty one, pages of the control API and the console.

    make growth                               a SQLite file of 1,000,000 tasks and 10,000 accounts beside an empty one
    make growth ARGS="--memory 1000000"       how much memory so many submissions leave behind, without a database

The tasks are written into the file as the store would have written them, one in seven with a refund that has come due;
a tenth of them belong to the account that asks.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
from bench import AUTHORIZATION, BIN, BODY, SUBMIT, WARM_UP_SECONDS, Contender, Server, running

from contract.reader import load_contract
from contract.resources import default_contract
from mock_server.accounts import Account
from mock_server.ids import new_task_id
from mock_server.ledger import entries_of
from mock_server.store import Store, tables
from mock_server.task import Plan, Task

ASKING = "rich"
CREDITS = 10**12
PRICE = 3
FAILS = 7
BATCH = 20_000
PAGES = {
    "control: accounts": "/_mock/accounts?limit=100",
    "control: accounts, from the middle": "/_mock/accounts?limit=100&after=account-05000",
    "control: tasks": "/_mock/tasks?limit=100",
    "control: tasks of an account": f"/_mock/tasks?limit=100&account={ASKING}",
    "control: an account": f"/_mock/accounts/{ASKING}",
    "control: its ledger": f"/_mock/accounts/{ASKING}/ledger?limit=100",
    "console": "/_mock/console",
    "console, an account": f"/_mock/console?account={ASKING}",
    "metrics": "/_mock/metrics",
    "health": "/_mock/health",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--memory", type=int, help="submissions to a mock in memory")
    arguments = parser.parse_args()
    if arguments.memory:
        watch_memory(arguments.memory)
        return
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        full = Path(folder) / "full.db"
        fill(f"sqlite:///{full}", arguments.tasks, arguments.accounts)
        size = full.stat().st_size / 2**20
        print(f"{arguments.tasks:,} tasks of {arguments.accounts:,} accounts: {size:,.0f} MiB", file=sys.stderr)
        print(f"written in {time.monotonic() - began:.0f} s", file=sys.stderr)
        compare([_on("empty", Path(folder) / "empty.db"), _on("full", full)], arguments.rounds, arguments.seconds)


def _on(name: str, file: Path) -> Contender:
    options = ["--credits", str(CREDITS), "--task-seconds", "0", "--database", f"sqlite:///{file}"]
    return Contender(name, lambda port, _: [BIN / "mock-server", "--port", str(port), *options])


# --------------------------------------------------------------------- filling


def fill(url: str, tasks: int, accounts: int) -> None:
    """Write tasks and accounts into a new database."""
    names = [ASKING, *(f"account-{number:05}" for number in range(accounts - 1))]
    store = Store(url)
    try:
        store.add_accounts([Account(name, CREDITS, {"bearerAuth": f"sk_test_{name}"}) for name in names])
        debited = dict.fromkeys(names, 0)
        made = _tasks(names, tasks, debited)
        while batch := [task for _, task in zip(range(BATCH), made, strict=False)]:
            _write(store, batch)
        with store.transaction() as connection:
            spend = "UPDATE accounts SET balance = balance - :by, submissions = :by / :price WHERE name = :name"
            connection.run_all(spend, ({"name": name, "by": by, "price": PRICE} for name, by in debited.items()))
    finally:
        store.close()


def _tasks(names: Sequence[str], count: int, debited: dict[str, int]) -> Iterator[Task]:
    start = time.time_ns() // 1000 - count * 1000
    request = {"model": "gpt-image-2", "prompt": "a red fox in the first snow of the year", "aspectRatio": "16:9"}
    for number in range(count):
        now = start + number * 1000
        name = ASKING if number % 10 == 0 else names[number % len(names)]
        plan = Plan("completed", now) if number % FAILS else Plan("failed", now, "GENERATION_FAILED", "it failed")
        debited[name] += PRICE
        yield Task(new_task_id(now), name, "generateImage", request, PRICE, now, "http://127.0.0.1", plan)


def _write(store: Store, batch: Sequence[Task]) -> None:
    lifecycle = load_contract(default_contract()).lifecycle
    entries = [tables.entry_row(entry) for task in batch for entry in entries_of(task, lifecycle)]
    with store.transaction() as connection:
        connection.run_all(tables.TASKS.insertion, map(tables.task_row, batch))
        connection.run_all(tables.ENTRIES.insertion, entries)


# ------------------------------------------------------------------- comparing


def compare(contenders: Sequence[Contender], rounds: int, seconds: int) -> None:
    """Ask both in turn, and print what they took."""
    took: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds):
        for contender in contenders:
            with running(contender) as server:
                _note(took, "start", contender.name, server.start_seconds * 1000)
                server.ask("submissions", 16, WARM_UP_SECONDS)
                for kind in ("submissions", "reads"):
                    said = server.ask(kind, 16, seconds)
                    _note(took, f"{kind}, p50", contender.name, said["p50"] / 1000)
                    _note(took, f"{kind}, p99", contender.name, said["p99"] / 1000)
                for page, milliseconds in _pages(server):
                    _note(took, page, contender.name, milliseconds)
        print(f"round {number + 1} of {rounds} is over", file=sys.stderr)
    first, second = (contender.name for contender in contenders)
    print(f"Medians of {rounds} rounds, in milliseconds.\n\n| | {first} | {second} | |\n|---|---:|---:|---:|")
    for what, measured in took.items():
        before, after = (statistics.median(measured[name]) for name in (first, second))
        print(f"| {what} | {before:.1f} | {after:.1f} | {after / before:.2f} x |")


def _note(took: dict[str, dict[str, list[float]]], what: str, name: str, milliseconds: float) -> None:
    took.setdefault(what, {}).setdefault(name, []).append(milliseconds)


def _pages(server: Server) -> Iterator[tuple[str, float]]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        for what, path in PAGES.items():
            times = []
            for _ in range(5):
                began = time.perf_counter()
                answer = client.get(path)
                times.append((time.perf_counter() - began) * 1000)
                if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:
                    sys.exit(f"{path}: {answer.status_code} {answer.text[:200]}")
            yield what, statistics.median(times)


def watch_memory(submissions: int) -> None:
    """Print how much memory a mock without a database takes, ten times on the way."""
    options = ["--credits", str(CREDITS), "--task-seconds", "0"]
    contender = Contender("mock", lambda port, _: [BIN / "mock-server", "--port", str(port), *options])
    print("| submissions | memory |\n|---:|---:|")
    with running(contender) as server:
        sent, step = 0, submissions // 10
        print(f"| 0 | {server.memory():.0f} MiB |")
        while sent < submissions:
            until = sent + step
            while sent < until:
                sent += server.ask("submissions", 16, 5)["requests"]
            print(f"| {sent:,} | {server.memory():.0f} MiB |", flush=True)
        answer = httpx.post(server.url + SUBMIT, content=BODY, headers={"Authorization": AUTHORIZATION})
        if answer.status_code not in (httpx.codes.OK, httpx.codes.BAD_REQUEST):
            sys.exit(f"afterwards a submission is answered {answer.status_code}")


if __name__ == "__main__":
    main()
