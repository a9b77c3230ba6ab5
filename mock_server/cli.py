"""The command `mock-server`: reads the settings, starts the mock, says how to reach it."""

from __future__ import annotations

import gc
import json
import logging
import resource
import shlex
import signal
import socket
import sys
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

import click
import uvicorn

from contract.errors import ContractError
from contract.model import Contract, SecurityScheme
from contract.reader import JSON
from contract.resources import near
from contract.site import read_stamp
from mock_server.accounts import Account
from mock_server.clock import machine_time
from mock_server.docs.pages import stamp_of
from mock_server.guard import is_loopback
from mock_server.mock import Mock
from mock_server.outer import Lines
from mock_server.protocol import Protocol
from mock_server.server import Server
from mock_server.settings import ENVIRONMENT, Settings, options
from mock_server.store import Store, StoreError
from mock_server.urls import CONSOLE
from mock_server.watch import Watch
from mock_server.workers import supervise


@click.command(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": ENVIRONMENT})
@click.version_option(package_name="image-task-contract")
def main(**values: Any) -> None:
    """Serve the contract as a mock: real accounts, credits debited and refunded, tasks that run."""
    settings = Settings(**values)
    # Either signal ends the mock in the same way. The server shuts down first, then it raises the signal again.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        serve(settings)
    except KeyboardInterrupt:
        click.echo("mock-server: ended")
    except (ContractError, StoreError) as error:
        _say(str(error))
        sys.exit(1)


for option in reversed(list(options())):
    main = option(main)


def serve(settings: Settings) -> None:
    """Run the mock until it is interrupted.

    Raises:
        ContractError: for a faulty contract or accounts' file.
        StoreError: for a database that cannot be used.
        ClickException: for an address that cannot be listened on, or that would let others control the mock.
    """
    if settings.control and not settings.control_token and not is_loopback(settings.host):
        raise click.ClickException(
            f"with --host {settings.host} others than this machine could control the mock: give a --control-token, "
            "which whoever controls it has to show, or leave the control out with --no-control"
        )
    _allow_many_connections()
    with _listen(settings.host, settings.port) as listener:
        watch = _watching(settings)
        with _playing(settings) as mock:  # it tells whether everything is in order, also before there are others
            if settings.workers > 1 and mock.store.in_memory:
                raise click.ClickException(
                    f"{settings.workers} workers cannot share what is in the memory of one of them: let them share a "
                    "file, such as --database sqlite:///mock.db, or leave --workers out"
                )
            balances = {account.name: mock.store.balance(account.name, machine_time) for account in mock.accounts}
            click.echo(_greeting(mock.contract, mock.accounts, balances, settings, listener.getsockname()[1]))
            sys.stdout.flush()
            if settings.workers == 1:
                _run(mock, watch, lambda config: uvicorn.Server(config).run(sockets=[listener]))
                return
        supervise(listener, settings.workers, partial(_work, settings), _say)


def _allow_many_connections() -> None:
    """Have as many sockets as the system grants: where they are used up, nobody can connect any more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems grant less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _watching(settings: Settings) -> Watch | None:
    """What watches the files, from before they are read, if they are to be watched."""
    try:
        return Watch(settings.files, _say) if settings.watch else None
    except ValueError as error:
        raise click.ClickException(f"--watch: {error}") from error


@contextmanager
def _playing(settings: Settings, *, joins: bool = False) -> Iterator[Mock]:
    with (
        closing(Store(settings.database, settings.keep, joins=joins)) as store,
        closing(Mock(settings, store, Lines(sys.stderr), joins=joins)) as mock,
    ):
        yield mock


def _run(mock: Mock, watch: Watch | None, run: Callable[[uvicorn.Config], None]) -> None:
    """Serve a mock in this process, until it is interrupted.

    Args:
        run: runs a server.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for noisy in ("uvicorn", "connexion", "watchfiles"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("uvicorn.error").addFilter(_is_fault)
    # where in the code a line of the log comes from is asked by nobody, and found out by walking the stack
    logging._srcfile = None  # noqa: SLF001 - as the documentation of logging has it
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # what is there now stays; there is no use in looking through it for garbage, again and again
    gc.freeze()
    gc.set_threshold(25_000)
    gc.enable()
    config = uvicorn.Config(
        mock,
        http=Protocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=5,
    )
    with watch.over(mock) if watch else nullcontext():
        run(config)


def _is_fault(record: logging.LogRecord) -> bool:
    """Whether something went wrong: a request that is given up since the mock was told to end twice is no fault."""
    return not (record.exc_info and isinstance(record.exc_info[1], CancelledError))


def _work(settings: Settings, door: socket.socket) -> None:
    """Serve as one of several."""
    try:
        watch = _watching(settings)
        with _playing(settings, joins=True) as mock:
            _run(mock, watch, lambda config: Server(config, door).run())
    except (ContractError, StoreError, click.ClickException) as error:
        _say(str(error))
        sys.exit(1)


def _say(message: str) -> None:
    click.echo(f"mock-server: {message}", err=True)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"cannot listen on {host}:{port}: {reason}; choose another --port or --host"
        raise click.ClickException(message) from error


def _greeting(
    contract: Contract, accounts: Sequence[Account], balances: Mapping[str, int], settings: Settings, port: int
) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    rows = [
        (secret, scheme, f"{balances[account.name]:,}")
        for account in accounts
        for scheme, secret in account.credentials.items()
    ]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    keys = "\n".join(
        f"  {secret:<{wide[0]}}  {scheme:<{wide[1]}}  {credits:>{wide[2]}} credits" for secret, scheme, credits in rows
    )
    files = " or ".join(str(near(file)) for file in settings.files)
    watched = f"Reading again whenever {files} changes\n" if settings.watch else ""
    shown = "?token=TOKEN" if settings.control_token else ""
    console = f"Console at {url}{CONSOLE}{shown}\n" if settings.control else ""
    return (
        f"{contract.title} {contract.version}, played from {near(settings.spec)}\n"
        f"Listening on {url} (Ctrl-C ends it)\n{console}{_documentation(settings, url)}\n{watched}\n{keys}\n\n"
        f"Try:\n  {_curl(contract, accounts, url)}\n"
    )


def _documentation(settings: Settings, url: str) -> str:
    """Where the documentation is, or why there is only the reference."""
    if stamp_of(settings.docs, settings.spec):
        return f"Documentation at {url}/docs, to try it out at {url}/docs/api/"
    built = read_stamp(settings.docs) is not None
    why = f" ({near(settings.docs)} was built from another contract: contract docs)" if built else ""
    return f"Reference at {url}/docs{why}"


def _curl(contract: Contract, accounts: Sequence[Account], url: str) -> str:
    """A command line that submits the first example of the contract with the first account's credentials."""
    operation, _ = next(contract.submissions())
    examples = operation.node.children("requestBody", "content", JSON, "examples")
    body: Any = next((example.need("value").value for example in examples), {})
    name, secret = next(iter(accounts[0].credentials.items()))
    words = ["curl", "-X", operation.method, url + operation.path]
    words += _presented(contract.security_schemes[name], secret)
    words += ["-H", f"Content-Type: {JSON}", "-d", json.dumps(body, ensure_ascii=False)]
    return shlex.join(words)


def _presented(scheme: SecurityScheme, secret: str) -> list[str]:
    """The options that make curl present a secret."""
    if scheme.header is None:
        return ["--url-query", f"{scheme.parameter}={secret}"]
    name, before = scheme.header
    return ["-H", f"{name}: {before}{secret}"]
