"""Several processes that serve one port: `--workers`.

The parent starts them, replaces one that dies, and ends them when it is ended itself. They end by themselves when their
parent has died, however that was.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from typing import Final

GRACE: Final = 10.0
"""Seconds that a process has to end in."""
_PAUSE: Final = 1.0
"""Seconds before a worker is replaced that has lived less than that: whatever ended it may end the next one."""


def end_with(descriptor: int) -> None:
    """Let this process end when the other end of a pipe is closed, such as by the death of the process that has it."""
    threading.Thread(target=_wait_for_end, args=(descriptor,), daemon=True).start()


def _wait_for_end(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def supervise(works: Sequence[Callable[[], None]], say: Callable[[str], None]) -> None:
    """Have processes work until this one is interrupted, by a `KeyboardInterrupt`.

    Args:
        works: what each process does; it ends with a `KeyboardInterrupt`.
        say: tells the user what happens.
    """
    read_end, write_end = os.pipe()
    fork = multiprocessing.get_context("fork")  # no other thread runs, and no connection is open
    workers: dict[ForkProcess, tuple[Callable[[], None], float]] = {}

    def begin(work: Callable[[], None]) -> None:
        worker = fork.Process(target=_work, args=(work, read_end, write_end))
        worker.start()
        workers[worker] = work, time.monotonic()

    try:
        for work in works:
            begin(work)
        while True:
            wait([worker.sentinel for worker in workers])
            for worker in [worker for worker in workers if not worker.is_alive()]:
                work, began = workers.pop(worker)
                worker.join()
                say(f"the worker {worker.pid} has ended with status {worker.exitcode}; another takes its place")
                if time.monotonic() - began < _PAUSE:
                    time.sleep(_PAUSE)
                begin(work)
    finally:
        os.close(write_end)  # which ends those too that have only just begun
        _end(list(workers))


def _work(work: Callable[[], None], read_end: int, write_end: int) -> None:
    os.close(write_end)  # or it would not be closed when the parent dies
    end_with(read_end)
    with suppress(KeyboardInterrupt):
        work()


def _end(workers: list[ForkProcess]) -> None:
    for worker in workers:
        worker.terminate()
    give_up = time.monotonic() + GRACE
    for worker in workers:
        worker.join(max(0.0, give_up - time.monotonic()))
        if worker.is_alive():
            worker.kill()
            worker.join()
