"""The command `mock-server`, with as short a start as it can have.

Most of a start is importing. Libraries import what fetches, renders, tests and supervises, of which the mock uses
nothing: stand-ins hold these places, and whoever does call one gets the real thing after all.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, Final

UNUSED: Final = (
    "httpx",
    "jinja2",
    "requests",
    "starlette.testclient",
    "uvicorn.supervisors",
    "werkzeug.serving",
    "werkzeug.test",
)
"""What connexion, uvicorn and werkzeug import for features that the mock does not use."""


def main(*arguments: Any, **options: Any) -> None:
    """Run the command; its arguments are click's, who takes the command line's if there are none."""
    try:
        gc.disable()  # what is imported stays, and need not be looked through for garbage; the server enables it
        with standing_in(UNUSED):
            import connexion  # noqa: F401, PLC0415 - for those who import it after the block
            import uvicorn  # noqa: F401, PLC0415 - as above
        from mock_server import cli  # noqa: PLC0415 - it imports connexion
    except KeyboardInterrupt:
        sys.stdout.write("mock-server: ended\n")
        return
    cli.main(*arguments, **options)


@contextmanager
def standing_in(names: Sequence[str]) -> Iterator[None]:
    """Give stand-ins to whoever imports these modules in this block; those that are there already stay themselves."""
    stand_ins = {name: _StandIn(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for stand_in in stand_ins.values():
            stand_in.give_way()


class _StandIn(ModuleType):
    """A module of functions: each imports the real module, and calls what has its name there."""

    def give_way(self) -> None:
        """Let the next one who imports the module have the real one."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):  # Python asks for these; what is not there is not missed
            raise AttributeError(name)

        def call(*arguments: Any, **options: Any) -> Any:
            self.give_way()
            return getattr(import_module(self.__name__), name)(*arguments, **options)

        return call
