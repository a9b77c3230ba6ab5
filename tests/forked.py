"""Runs the project's commands in processes that have imported already what takes them a second or more to import.

Each is forked off a process, the nursery, that has done nothing but import other people's packages: it is as fresh as
one that a shell starts. Between the two stands a keeper, which waits for the command and writes down how it ended.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "contract_tests.cli": ("hypothesis.stateful", "httpx", "jsonschema_rs", "openapi_core", "pytest", "schemathesis"),
    "mock_server.start": (
        "connexion",
        "jinja2",
        "jsonschema_rs",
        "PIL.ImageDraw",
        "uvicorn",
        "watchfiles",
    ),
}
"""The modules with a command, and what it imports of others."""

_numbers = itertools.count()
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Forked:
    """A command that runs.

    Attributes:
        pid: its process.
        printed, errors: the files that it prints into; the same one where that was wanted.
    """

    pid: int
    printed: Path
    errors: Path
    _status: Path

    def status(self) -> int | None:
        """How it has ended, a signal as a negative number; None as long as it runs."""
        try:
            return int(self._status.read_text())
        except FileNotFoundError:
            return None

    def send_signal(self, number: signal.Signals) -> None:
        if self.status() is None:
            with suppress(ProcessLookupError):  # which has ended in this moment
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Wait for its end; it is killed where it takes too long."""
        give_up = time.monotonic() + seconds
        while (status := self.status()) is None:
            if time.monotonic() > give_up:
                self.send_signal(signal.SIGKILL)
                raise TimeoutError(f"it has not ended within {seconds:g} seconds; it printed:\n{self.text()}")
            time.sleep(0.005)
        return status

    def text(self) -> str:
        """All that it has printed."""
        files = dict.fromkeys((self.printed, self.errors))
        return "".join(file.read_text("utf-8", "backslashreplace") for file in files)


def start(command: str, *options: str, folder: Path, cwd: Path, env: Mapping[str, str], merged: bool = False) -> Forked:
    """Start a command.

    Args:
        command: the module that it is in; see `COMMANDS`.
        folder: where it leaves what it prints.
        merged: whether it prints everything into one file.
    """
    base = str(folder / f"{command}-{next(_numbers)}")
    order = {"options": options, "cwd": str(cwd), "env": dict(env), "base": base, "merged": merged}
    with _one_at_a_time:
        nursery = _nursery(command)
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write(json.dumps(order) + "\n")
        nursery.stdin.flush()
        answered = nursery.stdout.readline()
    assert int(answered or 0), "the process that commands are forked off has died, or could not keep this one"
    printed = Path(f"{base}.out")
    return Forked(int(answered), printed, printed if merged else Path(f"{base}.err"), Path(f"{base}.status"))


@functools.cache
def _nursery(command: str) -> subprocess.Popen[str]:
    # what is meant for this process, coverage among it, a command has only where its own environment says so
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    started = subprocess.Popen(
        [sys.executable, __file__, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    )

    @atexit.register
    def end() -> None:
        started.communicate()

    return started


# ---------------------------------------------------------------- in the nursery


def _serve(command: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which end this one
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    for name in COMMANDS[command]:
        importlib.import_module(name)
    for line in sys.stdin:
        if not os.fork():
            try:
                _keep(command, json.loads(line))
            except BaseException:  # noqa: BLE001 - shown
                traceback.print_exc()
                print(0, flush=True)  # noqa: T201 - nobody shall wait for an answer
            finally:
                os._exit(0)


def _keep(command: str, order: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        _run(command, order)
    print(child, flush=True)  # noqa: T201 - the answer
    _, status = os.waitpid(child, 0)
    written = Path(f"{order['base']}.status")
    beside = written.with_suffix(".new")
    beside.write_text(str(os.waitstatus_to_exitcode(status)))
    beside.rename(written)


def _run(command: str, order: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))  # as a new process would
    out = os.open(f"{order['base']}.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    err = out if order["merged"] else os.open(f"{order['base']}.err", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, err)):
        os.dup2(file, descriptor)
    sys.argv = [command.partition(".")[0].replace("_", "-"), *order["options"]]
    coverage = importlib.import_module("coverage").process_startup()
    status: Any = 0
    try:
        importlib.import_module(command).main()
    except SystemExit as end:
        status = end.code or 0
    except BaseException:  # noqa: BLE001 - shown, as the interpreter does
        traceback.print_exc()
        status = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        if coverage is not None:
            coverage.stop()
            coverage.save()
        os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    _serve(sys.argv[1])
