"""Several processes that serve one port: `--workers`.

The parent accepts the connections and gives them to its workers in turn, so that all get as many; one that dies gets
no more, and is replaced. They end when the parent is ended, and by themselves when it has died, however that was.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from typing import Any, Final

GRACE: Final = 10.0
"""Seconds that a process has to end in."""
_PAUSE: Final = 1.0
"""Seconds before a worker is replaced that has lived less than that: whatever ended it may end the next one."""
_LOOK_SECONDS: Final = 0.01
"""How long a connection is kept that no worker has room for, until it is tried again."""
_AT_A_TIME: Final = 100
"""Connections that are given away before it is looked how the workers are doing."""
_READY: Final = b"r"
_GIVEN: Final = b"g"

Work = Callable[[socket.socket], None]
"""What a worker does with its door, until it is interrupted by a `KeyboardInterrupt`."""


def end_with(descriptor: int) -> None:
    """Let this process end when the other end of a pipe is closed, such as by the death of the process that has it."""
    threading.Thread(target=_wait_for_end, args=(descriptor,), daemon=True).start()


def _wait_for_end(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


# ------------------------------------------------------------------- the worker


def say_ready(door: socket.socket) -> None:
    """Let the parent know that connections are welcome."""
    door.sendall(_READY)


def take(door: socket.socket) -> socket.socket | None:
    """The next connection that the parent has given, or None if there will be none any more.

    Raises:
        BlockingIOError: if there is none now.
    """
    _, files, _, _ = socket.recv_fds(door, len(_GIVEN), 1)
    return socket.socket(fileno=files[0]) if files else None


# ------------------------------------------------------------------- the parent


@dataclass(eq=False)
class _Worker:
    """A process, and the parent's end of its door."""

    process: ForkProcess
    door: socket.socket
    began: float = field(default_factory=time.monotonic)


def supervise(listener: socket.socket, count: int, work: Work, say: Callable[[str], None]) -> None:
    """Have processes serve the connections of a listener until this one is interrupted, by a `KeyboardInterrupt`.

    Args:
        count: how many there are.
        work: what each of them does.
        say: tells the user what happens.
    """
    supervisor = _Supervisor(listener, work, say)
    try:
        supervisor.begin_all(count)
        while True:
            supervisor.go_on()
    finally:
        supervisor.end()


class _Supervisor:
    """The parent of the workers."""

    def __init__(self, listener: socket.socket, work: Work, say: Callable[[str], None]) -> None:
        listener.settimeout(0)
        self._listener = listener
        self._work = work
        self._say = say
        self._alive = os.pipe()
        self._fork = multiprocessing.get_context("fork")  # no other thread runs, and no connection is open
        self._workers: list[_Worker] = []
        self._in_turn: deque[_Worker] = deque()
        self._missing: list[float] = []  # when others are to take the places of those that died
        self._kept: socket.socket | None = None

    def begin_all(self, count: int) -> None:
        """Begin the workers: all get connections from now on, or the first one that is ready would get most of them."""
        for _ in range(count):
            self._begin()
        self._in_turn.extend(self._workers)

    def _begin(self) -> None:
        """Begin a worker."""
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        with theirs:
            process = self._fork.Process(target=self._run, args=(theirs, ours))
            process.start()
        self._workers.append(_Worker(process, ours))

    def _run(self, door: socket.socket, other_end: socket.socket) -> None:
        """What a worker does; what it has of its parent's would outlive the parent."""
        os.close(self._alive[1])
        for inherited in (self._listener, other_end, *(worker.door for worker in self._workers)):
            inherited.close()
        end_with(self._alive[0])
        with suppress(KeyboardInterrupt):
            self._work(door)

    def go_on(self) -> None:
        """Wait until there is something to do, and do it."""
        now = time.monotonic()
        for due in [moment for moment in self._missing if moment <= now]:
            self._missing.remove(due)
            self._begin()  # it gets connections once it is ready
        waits = [moment - now for moment in self._missing] + ([_LOOK_SECONDS] if self._kept is not None else [])
        waiting = [worker for worker in self._workers if worker not in self._in_turn]
        sources: list[Any] = [worker.process.sentinel for worker in self._workers]
        sources += [worker.door for worker in waiting]
        if self._in_turn and self._kept is None:
            sources.append(self._listener)
        found = wait(sources, min(waits, default=None))
        for worker in waiting:
            if worker.door in found and worker.door.recv(len(_READY)) == _READY:
                self._in_turn.append(worker)
        for worker in [worker for worker in self._workers if worker.process.sentinel in found]:
            self._bury(worker)
        if self._kept is not None:
            self._give(self._kept)
        elif self._listener in found:
            self._share_out()

    def _bury(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        with suppress(ValueError):
            self._in_turn.remove(worker)
        worker.door.close()
        worker.process.join()
        status = worker.process.exitcode
        self._say(f"the worker {worker.process.pid} has ended with status {status}; another takes its place")
        now = time.monotonic()
        self._missing.append(now + _PAUSE if now - worker.began < _PAUSE else now)

    def _share_out(self) -> None:
        """Give away the connections that wait."""
        for _ in range(_AT_A_TIME):
            try:
                connection, _address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:  # the client is gone already, or there is no room for it in this moment
                time.sleep(_LOOK_SECONDS)
                return
            self._give(connection)
            if self._kept is not None:
                return

    def _give(self, connection: socket.socket) -> None:
        """Give a connection to the next worker that has room for it, or keep it for now."""
        for _ in range(len(self._in_turn)):
            worker = self._in_turn[0]
            self._in_turn.rotate(-1)
            try:
                socket.send_fds(worker.door, [_GIVEN], [connection.fileno()])
            except OSError:  # it does not take any out, or it has died, of which its sentinel will tell
                continue
            self._kept = None
            connection.close()
            return
        self._kept = connection

    def end(self) -> None:
        """End all workers."""
        self._listener.close()
        if self._kept is not None:
            self._kept.close()
        os.close(self._alive[1])  # which ends those too that have only just begun
        _end([worker.process for worker in self._workers])
        for worker in self._workers:
            worker.door.close()
        os.close(self._alive[0])


def _end(processes: Sequence[ForkProcess]) -> None:
    for process in processes:
        process.terminate()
    give_up = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.0, give_up - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
