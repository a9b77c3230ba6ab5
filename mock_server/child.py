"""The command `mock-server` as the child of another process: it ends when its parent does, however that ends.

The parent holds the other end of its standard input, and never writes to it.
"""

from __future__ import annotations

from typing import Final

from mock_server.start import main
from mock_server.workers import end_with

_STANDARD_INPUT: Final = 0

if __name__ == "__main__":
    # Not sys.stdin, whose lock a thread that waits in it would hold while the interpreter shuts down.
    end_with(_STANDARD_INPUT)
    main(prog_name="mock-server")
