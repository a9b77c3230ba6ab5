"""The command `mock-server`: reads the settings, starts the mock, says how to reach it."""

from __future__ import annotations

import json
import logging
import shlex
import socket
import sys
from collections.abc import Sequence
from typing import Any

import click
import uvicorn

from contract.errors import ContractError
from contract.model import Contract
from contract.reader import JSON, load_contract
from mock_server.accounts import Account, load_accounts
from mock_server.app import build_app
from mock_server.plan import Chance, Planner
from mock_server.service import Service
from mock_server.settings import ENVIRONMENT, Settings, options
from mock_server.store import Store, StoreError


@click.command(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": ENVIRONMENT})
@click.version_option(package_name="image-task-contract")
def main(**values: Any) -> None:
    """Serve the contract as a mock: real accounts, credits debited and refunded, tasks that run."""
    settings = Settings(**values)
    try:
        serve(settings)
    except (ContractError, StoreError) as error:
        click.echo(f"mock-server: {error}", err=True)
        sys.exit(1)


for option in reversed(list(options())):
    main = option(main)


def serve(settings: Settings) -> None:
    """Run the mock until it is interrupted.

    Raises:
        ContractError: for a faulty contract or accounts' file.
        StoreError: for a database that cannot be used.
    """
    contract = load_contract(settings.spec)
    accounts = load_accounts(settings.accounts, contract, settings.credits)
    listener = _listen(settings.host, settings.port)
    store = Store(settings.database)
    try:
        store.add_accounts(accounts)
        chance = Chance(settings.task_seconds, settings.failure_rate, settings.seed)
        app = build_app(
            contract,
            Service(contract, store, Planner(contract.lifecycle, chance)),
            store,
            public_url=settings.public_url,
            max_body_bytes=settings.max_body_bytes,
        )
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        click.echo(_greeting(contract, accounts, settings, listener.getsockname()[1]))
        sys.stdout.flush()
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=5,
        )
        for noisy in ("uvicorn", "connexion"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        _run(uvicorn.Server(config), listener)
    finally:
        store.close()


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:  # uvicorn raises the signal again once it has shut down
        click.echo("mock-server: ended")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port or --host"
        raise click.ClickException(message) from error


def _greeting(contract: Contract, accounts: Sequence[Account], settings: Settings, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    url = f"http://{host}:{port}"
    rows = [
        (secret, scheme, f"{account.credits:,}")
        for account in accounts
        for scheme, secret in account.credentials.items()
    ]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    keys = "\n".join(
        f"  {secret:<{wide[0]}}  {scheme:<{wide[1]}}  {credits:>{wide[2]}} credits" for secret, scheme, credits in rows
    )
    return (
        f"{contract.title} {contract.version}, played from {settings.spec}\n"
        f"Listening on {url} (Ctrl-C ends it)\n\n{keys}\n\n"
        f"Try:\n  {_curl(contract, accounts, url)}\n"
    )


def _curl(contract: Contract, accounts: Sequence[Account], url: str) -> str:
    """A command line that submits the first example of the contract with the first account's credentials."""
    operation, _ = next(contract.submissions())
    example = next(operation.node.children("requestBody", "content", JSON, "examples")).need("value")
    words = ["curl", "-X", operation.method, url + operation.path]
    for name, secret in accounts[0].credentials.items():
        if contract.security_schemes[name].scheme == "bearer":
            words += ["-H", f"Authorization: Bearer {secret}"]
    words += ["-H", f"Content-Type: {JSON}", "-d", json.dumps(example.value, ensure_ascii=False)]
    return shlex.join(words)
