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
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

UNUSED: Final = ("httpx", "jinja2", "requests", "starlette.testclient", "uvicorn.supervisors", "werkzeug")
"""The modules of which connexion and uvicorn would call something, if the mock asked them for what needs it."""


def main(*arguments: Any, **options: Any) -> None:
    """Run the command; its arguments are click's, who takes the command line's if there are none."""
    gc.disable()  # what is imported stays, and need not be looked through for garbage
    with standing_in(UNUSED):
        import connexion  # noqa: F401, PLC0415 - for those who import it after the block
        import uvicorn  # noqa: F401, PLC0415 - as above
    from mock_server import cli  # noqa: PLC0415 - it imports connexion

    gc.freeze()
    gc.set_threshold(25_000)  # what most of a request makes is gone with it, without being looked for
    gc.enable()
    cli.main(*arguments, **options)


@contextmanager
def standing_in(names: Sequence[str]) -> Iterator[None]:
    """Give stand-ins to whoever imports these modules in this block; those that are there already stay themselves."""
    stand_ins = {name: _StandIn(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


class _StandIn(ModuleType):
    """A module whose every name is a function that imports the real module, and calls what has this name there."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        if "." not in name:  # or its package would be imported, and import it
            spec = find_spec(name)
            self.__path__ = (spec and spec.submodule_search_locations) or []  # submodules are not stood in for

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):  # Python asks for these; what is not there is not missed
            raise AttributeError(name)

        def call(*arguments: Any, **options: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*arguments, **options)

        return call
