"""The command `contract`: check a contract, lint it, list its clauses, compare two.

Packages that build on this one add commands by entry points of the group `contract.commands`.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click

from contract.check import check_contract
from contract.clause import Clause
from contract.diff.cli import diff
from contract.errors import ContractError
from contract.lint import lint
from contract.resources import default_contract, near

COMMANDS = "contract.commands"
FILE = click.argument("file", type=click.Path(path_type=Path), required=False)


class Commands(click.Group):
    """The commands of this module, and those that others add: these are imported only where one is called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *entry_points(group=COMMANDS).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for added in entry_points(group=COMMANDS, name=cmd_name):
            command: click.Command = added.load()
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="image-task-contract")
def main() -> None:
    """Read a contract: check it, lint it, list what it says, or compare two.

    FILE is an OpenAPI 3.0 document with the project's extensions; without it, the project's own openapi.yaml.
    """


main.add_command(diff)


@main.command()
@FILE
def check(file: Path | None) -> None:
    """Check that FILE is a sound contract. Exit status 1 if it is not, with the first fault."""
    path = file or near(default_contract())
    clauses = _checked(path)
    click.echo(f"{path}: a sound contract with {len(clauses)} clauses")


@main.command()
@FILE
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
def clauses(file: Path | None, as_json: bool) -> None:
    """List the clauses of FILE: every rule that can be checked."""
    listed = _checked(file or near(default_contract()))
    if as_json:
        click.echo(json.dumps([clause.to_json() for clause in listed], indent=2))
    else:
        click.echo(table(listed))


@main.command("lint")
@FILE
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="One line for each finding, a JSON list, or annotations for a workflow of GitHub.",
)
def lint_command(file: Path | None, form: str) -> None:
    """Tell everything that is wrong with FILE, and what to do. Exit status 1 if anything is."""
    found = lint(file or near(default_contract()))
    if form == "json":
        click.echo(json.dumps([finding.to_json() for finding in found], indent=2))
    else:
        for finding in found:
            click.echo(finding.annotation() if form == "github" else str(finding))
    sys.exit(bool(found))


def table(clauses: tuple[Clause, ...]) -> str:
    """The clauses as a table: ID, provenance, line, sentence."""
    rows = [("clause", "source", "line", "rule")]
    rows += [(c.id, c.provenance.value, str(c.line), c.sentence) for c in clauses]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}" for row in rows)


def _checked(path: Path) -> tuple[Clause, ...]:
    try:
        _, clauses = check_contract(path)
    except ContractError as error:
        click.echo(f"contract: {error}", err=True)
        sys.exit(1)
    return clauses
