"""Several processes that serve one port: `--workers`.

The parent accepts the connections and gives them to its workers in turn, so that all get as many. It holds each one
until the worker has said that it took it: what one that ends has not taken goes to another. Workers that die are
replaced. They end when the parent is ended, and by themselves when it has died, however that was.

Through the *door* of a worker goes a byte with each connection. A byte comes back when the worker is ready, and one for
each connection that it has taken.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import selectors
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import ForkProcess
from typing import Final

GRACE: Final = 10.0
"""Seconds that a process has to end in."""
_PAUSE: Final = 1.0
"""Seconds before a worker is replaced that has lived less than that: whatever ended it may end the next one."""
_MOST_GIVEN: Final = 16
"""Connections that a worker is given before it has to take some: one that hangs gets no more."""
_BYTE: Final = b"."

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
    _say(door)


def take(door: socket.socket) -> socket.socket | None:
    """The next connection that the parent has given, or None if there will be none any more.

    Raises:
        BlockingIOError: if there is none now.
        OSError: if there is no room for another one (`EMFILE`); the parent closes it.
    """
    try:
        told, files, _, _ = socket.recv_fds(door, len(_BYTE), 1)
    except ConnectionResetError:  # the parent has died
        return None
    if not told:
        return None
    _say(door)
    if not files:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return socket.socket(fileno=files[0])


def _say(door: socket.socket) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # the parent has died, and this process will end for it
        door.sendall(_BYTE)


# ------------------------------------------------------------------- the parent


@dataclass(eq=False)
class _Worker:
    """A process, the parent's end of its door, and the connections that it has been given and not taken yet."""

    process: ForkProcess
    door: socket.socket
    began: float = field(default_factory=time.monotonic)
    is_ready: bool = False
    given: deque[socket.socket] = field(default_factory=deque)

    @property
    def has_room(self) -> bool:
        return self.is_ready and len(self.given) < _MOST_GIVEN


def supervise(listener: socket.socket, count: int, work: Work, say: Callable[[str], None]) -> None:
    """Have processes serve the connections of a listener until this one is interrupted, by a `KeyboardInterrupt`.

    Args:
        count: how many there are.
        work: what each of them does.
        say: tells the user what happens.
    """
    supervisor = _Supervisor(listener, work, say)
    try:
        for _ in range(count):
            supervisor.begin()
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
        self._fork = multiprocessing.get_context("fork")  # no other thread runs
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []  # in the order in which it is their turn
        self._missing: list[float] = []  # when others are to take the places of those that died
        self._left: deque[socket.socket] = deque()  # by those that died
        self._is_open = self._listens = False

    def begin(self) -> None:
        """Begin another worker."""
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        with theirs:
            process = self._fork.Process(target=self._run, args=(theirs, ours))
            process.start()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        self._selector.register(worker.door, selectors.EVENT_READ, partial(self._hear, worker))
        self._selector.register(process.sentinel, selectors.EVENT_READ, partial(self._bury, worker))

    def _run(self, door: socket.socket, other_end: socket.socket) -> None:
        """What a worker does; what it has of its parent's would outlive the parent."""
        with suppress(KeyboardInterrupt):
            os.close(self._alive[1])
            other_end.close()
            self._close()
            end_with(self._alive[0])
            self._work(door)

    def go_on(self) -> None:
        """Wait until there is something to do, and do it."""
        now = time.monotonic()
        for due in [moment for moment in self._missing if moment <= now]:
            self._missing.remove(due)
            self.begin()
        while self._left and (worker := self._next()):
            self._give(worker, self._left.popleft())
        # those who connect at the start wait until all workers are ready, or the first one would get all of them
        self._is_open = self._is_open or all(worker.is_ready for worker in self._workers)
        self._listen(wanted=self._is_open and self._next() is not None)
        for key, _ in self._selector.select(min((moment - now for moment in self._missing), default=None)):
            key.data()

    def _listen(self, *, wanted: bool) -> None:
        if wanted and not self._listens:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        if self._listens and not wanted:
            self._selector.unregister(self._listener)
        self._listens = wanted

    def _accept(self) -> None:
        """Give away the connections that wait, as far as there is room for them."""
        while worker := self._next():
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:  # such as too many open files: what is asked for now can wait
                self._say(f"a connection cannot be accepted: {error.strerror}")
                time.sleep(_PAUSE)
                return
            self._give(worker, connection)

    def _next(self) -> _Worker | None:
        """The next worker in turn that has room."""
        return next((worker for worker in self._workers if worker.has_room), None)

    def _give(self, worker: _Worker, connection: socket.socket) -> None:
        self._workers.remove(worker)
        self._workers.append(worker)
        worker.given.append(connection)
        with suppress(BrokenPipeError, ConnectionResetError):  # it has died, and another will get what it was given
            socket.send_fds(worker.door, [_BYTE], [connection.fileno()])

    def _hear(self, worker: _Worker) -> None:
        """Take in what a worker says."""
        if worker not in self._workers:  # it has been buried in this moment
            return
        try:
            said = worker.door.recv(_MOST_GIVEN)
        except ConnectionResetError:
            said = b""
        if not said:  # it is about to end
            self._selector.unregister(worker.door)
            worker.is_ready = False
            self._left += worker.given
            worker.given.clear()
        for _ in said:
            if worker.is_ready:
                worker.given.popleft().close()
            worker.is_ready = True

    def _bury(self, worker: _Worker) -> None:
        worker.process.join()  # or it might still be about to close its door
        while worker.door in self._selector.get_map():  # what it said last tells what it has taken
            self._hear(worker)
        self._selector.unregister(worker.process.sentinel)
        self._workers.remove(worker)
        self._is_open = True  # what dies at the start may do so again and again
        worker.door.close()
        status = worker.process.exitcode
        self._say(f"the worker {worker.process.pid} has ended with status {status}; another takes its place")
        now = time.monotonic()
        self._missing.append(now + _PAUSE if now - worker.began < _PAUSE else now)

    def end(self) -> None:
        """End all workers; nobody can hasten it, since it takes `GRACE` at most."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._close()
        os.close(self._alive[1])  # which ends those too that have only just begun
        processes = [worker.process for worker in self._workers]
        for process in processes:
            process.terminate()
        give_up = time.monotonic() + GRACE
        for process in processes:
            process.join(max(0.0, give_up - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        os.close(self._alive[0])

    def _close(self) -> None:
        """Close the listener, every door, and the connections that no worker has taken."""
        self._listener.close()
        self._selector.close()
        for connection in self._left:
            connection.close()
        for worker in self._workers:
            worker.door.close()
            for connection in worker.given:
                connection.close()
