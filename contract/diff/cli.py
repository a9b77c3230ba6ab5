"""The command `contract diff`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from contract.check import check_document
from contract.diff.change import Diff, Heading
from contract.diff.compare import compare
from contract.diff.markdown import markdown
from contract.diff.revision import RevisionError, exists, read_side
from contract.diff.text import text
from contract.errors import ContractError
from contract.markup import printable

WORKING = Path("openapi.yaml")
"""The working file, where no other is named."""

_FORMATS: Mapping[str, Callable[[Diff], str]] = {
    "text": text,
    "json": lambda diff: json.dumps(diff.to_json(), indent=2, ensure_ascii=False),
    "markdown": markdown,
}
_FAILURES: Mapping[str, Callable[[Diff], bool]] = {
    "breaking": lambda diff: bool(diff.under(Heading.BREAKING)),
    "billing": lambda diff: bool(diff.under(Heading.BILLING)),
    "version": lambda diff: diff.bump.problem is not None,
    "any": lambda diff: not diff.empty or diff.bump.problem is not None,
}


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@click.option("--path", type=click.Path(path_type=Path), help="The file to take out of a revision that names none.")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="text", show_default=True)
@click.option("--fail-on", type=click.Choice(list(_FAILURES)), multiple=True, help="Exit status 1 on such a finding.")
def diff(old: str, new: str | None, path: Path | None, form: str, fail_on: Sequence[str]) -> None:
    """Say what changed in meaning from OLD to NEW, and whom it breaks.

    Each is a file, a git revision, or REVISION:FILE; a name that is both a file and a revision is the file. Without
    NEW, OLD is compared with the working file: that of --path, or openapi.yaml in this folder. The file taken out of
    a revision is that of --path, or else the file on the other side, or else openapi.yaml.

    Exit status 0; 1 on a finding of --fail-on, which may be given several times; 2 if a side cannot be had or is no
    sound contract.
    """
    sides = (old, new or str(path or WORKING))
    taken = path or next((Path(side) for side in reversed(sides) if exists(Path(side))), WORKING)
    try:
        documents = [read_side(side, taken) for side in sides]
        contracts = [check_document(document)[0] for document in documents]
        found = compare(*contracts)
    except (ContractError, RevisionError) as error:
        click.echo(f"contract: {printable(str(error))}", err=True)
        sys.exit(2)
    click.echo(_FORMATS[form](found))
    if any(_FAILURES[failure](found) for failure in fail_on):
        sys.exit(1)
