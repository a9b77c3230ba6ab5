"""The command `mock-server` as the child of another process: it ends when its parent does, however that ends.

The parent holds the other end of its standard input, and never writes to it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Final

from mock_server.cli import main

_STANDARD_INPUT: Final = 0
_GRACE: Final = 10.0
"""Seconds that the mock has to end in by itself."""


def _end_with_parent() -> None:
    # Not sys.stdin, whose lock a thread that waits in it would hold while the interpreter shuts down.
    os.read(_STANDARD_INPUT, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    main(prog_name="mock-server")
