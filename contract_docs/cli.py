"""The command `contract docs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click
import httpx

from contract.errors import ContractError
from contract.resources import default_contract, near
from contract_docs.build import BuildError, build
from contract_docs.trial import ExampleError
from mock_server.client import MockServerError


def _fail(message: str) -> NoReturn:
    click.echo(f"contract: {message}", err=True)
    sys.exit(1)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--to", type=click.Path(path_type=Path), default=Path("build/docs"), show_default=True, help="The folder."
)
def docs(file: Path | None, to: Path) -> None:
    """Build the documentation site of FILE, and run every example in it against a mock.

    Needs mkdocs-material, Node.js, tsc, curl and jq. Exit status 1 if anything fails; then the old site stays.
    """
    try:
        lacks = build(file or near(default_contract()), to)
    except (BuildError, ContractError, ExampleError, MockServerError) as error:
        _fail(str(error))
    except httpx.HTTPError as error:
        _fail(f"the mock did not answer as it should: {error}")
    except OSError as error:
        _fail(f"{error.filename or to}: {error.strerror}")
    for lack in lacks:
        click.echo(f"contract: {lack}", err=True)
    click.echo(f"{to / 'index.html'}: built, every example was run")
