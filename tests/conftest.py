"""Fixtures that several test modules share."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from contract.model import Contract
from contract.reader import load_contract
from contract.resources import default_contract
from mock_server.settings import MEMORY
from mock_server.store import Store
from tests.mock_server.harness import Clock

# How long an example takes says more about the machine than about the project.
settings.register_profile("desk", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=200)  # `make thorough`
settings.load_profile("desk")


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The project's own contract."""
    return load_contract(default_contract())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "file"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of another new database at each call; there is one such fixture for each kind of database."""
    numbers = itertools.count()
    urls = {"memory": lambda: MEMORY, "file": lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"}
    return urls[request.param]


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """The URL of a new database."""
    return new_database()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    store = Store(database)
    yield store
    store.close()
