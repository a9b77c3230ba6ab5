"""Runs `contract-tests` in a process that has imported already what takes it seconds to import.

Each run is forked off a process that has done nothing but import third-party packages and is told what to run, line by
line: it is as fresh as one that a shell starts.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

PATIENCE: Final = 240
"""Seconds after which a run is killed; nothing that works takes nearly as long."""

_PRELOADED: Final = ("hypothesis.stateful", "httpx", "jsonschema_rs", "openapi_core", "pytest", "schemathesis")


def carry_out(words: list[str], folder: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Run the command line, whose first word is the command; gives its exit status, and what it printed."""
    printed = folder / "printed.txt"
    order = {"words": words, "folder": str(folder), "env": dict(env), "printed": str(printed)}
    nursery = _nursery()
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(json.dumps(order) + "\n")
    nursery.stdin.flush()
    answered = nursery.stdout.readline()
    assert answered, "the process that runs are forked off has died"
    status = int(answered)
    return status, printed.read_text("utf-8")


@functools.cache
def _nursery() -> subprocess.Popen[str]:
    # neither coverage, which makes a run several times as long, nor anything that is meant for this process
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "PYTEST_"))}
    started = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    )

    @atexit.register
    def end() -> None:
        started.communicate()

    return started


def _serve() -> None:
    for name in _PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(json.loads(line))
        signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))  # noqa: B023 - reset for each child
        signal.alarm(PATIENCE)
        _, status = os.waitpid(child, 0)
        signal.alarm(0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - the answer


def _run(order: dict[str, Any]) -> None:
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))  # as a new process would
    out = os.open(order["printed"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor in (1, 2):
        os.dup2(out, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = order["words"]
    status: Any = 0
    try:
        importlib.import_module("contract_tests.cli").main()
    except SystemExit as end:
        status = end.code or 0
    except BaseException:  # noqa: BLE001 - shown, as the interpreter does
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)


if __name__ == "__main__":
    _serve()
