"""A mock in this process, for the tests that speak HTTP."""

import logging
from collections.abc import Iterator

import pytest

from contract.model import Contract
from tests.mock_server.harness import Documented, Log, Mock, serving


@pytest.fixture(scope="module")
def mock(contract: Contract) -> Iterator[Mock]:
    """A mock that the tests of a module share, and its clock."""
    with serving(contract) as mock:
        yield mock


@pytest.fixture(scope="module")
def documented(contract: Contract) -> Documented:
    return Documented(contract)


@pytest.fixture
def log() -> Iterator[Log]:
    """All that is logged by anybody while a mock runs."""
    log, root, level = Log(), logging.getLogger(), logging.getLogger().level
    root.addHandler(log.handler)
    root.setLevel(logging.INFO)
    for noisy in ("uvicorn", "httpx", "connexion", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    yield log
    root.removeHandler(log.handler)
    root.setLevel(level)


@pytest.fixture
def logged(contract: Contract, log: Log) -> Iterator[Mock]:
    """A mock that nobody else uses, so that the log is only of what a test does."""
    with serving(contract) as mock:
        assert log.next()["path"] == "/"
        yield mock
