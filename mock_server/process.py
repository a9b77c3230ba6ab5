"""A mock of one's own: the command as a second process, for as long as a `with` lasts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from mock_server.client import MockServer, MockServerError

START_SECONDS: Final = 60.0
"""How long a mock may take to start; the first start after an installation compiles what it imports."""
END_SECONDS: Final = 15.0
_LISTENING: Final = re.compile(r"^Listening on (http://\S+)", re.MULTILINE)
_SHOWN: Final = 4000
"""Characters that a failure shows of what the mock printed: the last ones."""


@contextmanager
def running(*options: str, start_seconds: float = START_SECONDS) -> Iterator[MockServer]:
    """Run a mock on a free port of loopback.

    It is a process and a session of its own: what interrupts this process does not reach it, and it ends when this
    process has ended, also by a signal that nobody can catch.

    Args:
        options: those of the command `mock-server`, such as `"--task-seconds", "1"`. Where it listens, and that it can
            be controlled, stays. The environment variables `MOCK_SERVER_*` are left out: they are somebody else's mock.
        start_seconds: how long to wait for it to answer.

    Raises:
        MockServerError: if the mock does not start, or does not end as it should, such as when it ended before it was
            told to; with what it printed.
    """
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-P", "-m", "mock_server.child"]
        process = subprocess.Popen(  # noqa: S603 - this very Python, and the caller's own options
            [*command, *options, "--host", "127.0.0.1", "--port", "0", "--control"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if not name.startswith("MOCK_SERVER_")},
            start_new_session=True,
        )
        try:
            with MockServer(_started(process, output, start_seconds)) as mock:
                try:
                    mock.about()
                except MockServerError as error:
                    raise MockServerError(f"{error}{_printed(output)}") from error
                yield mock
        finally:
            status = _end(process)
        if status:
            raise MockServerError(
                f"the mock did not end when it was told to, but with status {status}{_printed(output)}"
            )


def _started(process: subprocess.Popen[bytes], output: IO[bytes], seconds: float) -> str:
    """The URL of a mock that listens."""
    give_up = time.monotonic() + seconds
    while True:
        ended, late = process.poll() is not None, time.monotonic() > give_up
        listening = _LISTENING.search(_text(output))
        if listening:
            return listening[1]
        if ended:
            raise MockServerError(f"the mock did not start: status {process.returncode}{_printed(output)}")
        if late:
            raise MockServerError(f"the mock did not start within {seconds:g} seconds{_printed(output)}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> int:
    """Let it end; gives its exit status."""
    try:
        if process.stdin is not None:
            process.stdin.close()  # which tells it to end
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return process.returncode


def _text(output: IO[bytes]) -> str:
    """What was printed, read without moving the place where the mock writes."""
    size = os.fstat(output.fileno()).st_size
    return os.pread(output.fileno(), size, 0).decode("utf-8", "replace")


def _printed(output: IO[bytes]) -> str:
    text = _text(output)[-_SHOWN:].strip()
    return f"; it printed:\n{text}" if text else "; it printed nothing"
