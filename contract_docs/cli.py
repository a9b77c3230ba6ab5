"""The command `contract docs`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from contract.errors import ContractError
from contract.resources import default_contract, near
from contract_docs.build import BuildError, build
from contract_docs.trial import ExampleError
from mock_server.client import MockServerError


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
        click.echo(f"contract: {error}", err=True)
        sys.exit(1)
    for lack in lacks:
        click.echo(f"contract: {lack}", err=True)
    click.echo(f"{to / 'index.html'}: built, every example was run")
