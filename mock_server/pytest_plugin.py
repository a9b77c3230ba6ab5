"""The fixture `mock_server`, for projects that test their own client of the API with pytest.

pytest loads this in every run of an environment that has the project installed, so it imports next to nothing; the
rest comes in when a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mock_server.client import MockServer


@pytest.fixture(scope="session")
def mock_server_options() -> Sequence[str]:
    """The options of the command `mock-server` for this session; override it in a `conftest.py`."""
    return []


@pytest.fixture(scope="session")
def mock_server(mock_server_options: Sequence[str]) -> Iterator[MockServer]:
    """A running mock, which all tests of the session share (with pytest-xdist: of the worker).

    Make an account for each test: `mock_server.account(credits=20)`. It has a ledger, tasks, a clock and a scenario of
    its own, so tests do not disturb each other.
    """
    process = import_module("mock_server.process")
    with ExitStack() as stack:
        try:
            mock: MockServer = stack.enter_context(process.running(*mock_server_options))
        except process.MockServerError as error:
            pytest.fail(str(error), pytrace=False)
        yield mock
