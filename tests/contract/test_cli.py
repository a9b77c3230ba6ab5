"""The command `contract`: what it prints, and how it ends."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from contract.clause import Clause
from contract.cli import main, table
from contract.provenance import Provenance
from contract.resources import default_contract, fixtures, near


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def process(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from contract.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=default_contract().parent)


def test_the_projects_contract_is_sound(clauses: dict[str, Clause]) -> None:
    result = run("check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{near(default_contract())}: a sound contract with {len(clauses)} clauses\n"


def test_another_file_is_checked(edited: Callable[..., Path]) -> None:
    path = edited()
    result = run("check", path)
    assert (result.exit_code, result.stdout.partition(":")[0]) == (0, str(path))


@pytest.mark.parametrize("command", ["check", "clauses"])
def test_a_fault_is_one_line_on_stderr_and_exit_status_1(edited: Callable[..., Path], command: str) -> None:
    path = edited(("openapi: 3.0.3\n", "openapi: 3.1.0\n"))
    result = run(command, path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"contract: {path}:14: /openapi: the OpenAPI version is '3.1.0'; expected 3.0.x\n"


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    result = run("check", tmp_path / "missing.yaml")
    assert result.exit_code == 1
    assert result.stderr.endswith("cannot be read: No such file or directory; expected a readable YAML file\n")


def test_the_clauses_are_a_table(clauses: dict[str, Clause]) -> None:
    result = run("clauses")
    header, *rows = result.stdout.splitlines()
    assert result.exit_code == 0
    assert header.split() == ["clause", "source", "line", "rule"]
    assert [row.split()[0] for row in rows] == list(clauses)
    for row, clause in zip(rows, clauses.values(), strict=True):
        assert row.split()[1:3] == [clause.provenance.value, str(clause.line)]
        assert row.endswith(f"  {clause.sentence}")
        assert row.index(clause.sentence) == header.index("rule")


def test_the_clauses_are_json(clauses: dict[str, Clause]) -> None:
    result = run("clauses", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [clause.to_json() for clause in clauses.values()]


def test_the_clauses_of_another_file_are_its_own(edited: Callable[..., Path]) -> None:
    path = edited(("maxLength: 10000", "maxLength: 9999"))
    found = {clause["id"]: clause for clause in json.loads(run("clauses", path, "--json").stdout)}
    assert found["generateImage.nano-banana-pro.prompt.maxLength"]["value"] == 9999


def test_a_table_is_as_wide_as_its_widest_cell(clauses: dict[str, Clause]) -> None:
    clause = clauses["getTask.free"]
    assert table(()) == "clause  source  line  rule"
    assert clause.provenance is Provenance.DOCS
    assert table((clause,)) == (
        f"clause        source  line  rule\ngetTask.free  docs     {clause.line}  Reading a task costs nothing."
    )


@pytest.mark.parametrize("arguments", [["--help"], ["check", "-h"], ["clauses", "--help"]])
def test_the_command_explains_itself(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout.split()[0]) == (0, "Usage:")


def test_an_unknown_option_is_a_mistake_of_the_caller() -> None:
    assert run("check", "--strict").exit_code == 2


def test_the_command_works_as_a_process(clauses: dict[str, Clause], tmp_path: Path) -> None:
    good = process("check")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith(f"a sound contract with {len(clauses)} clauses\n")
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: 1\na: 2\n")
    found = process("check", bad)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == f"contract: {bad}:2: /a: 'a' stands here again (first in line 1)\n"


def test_the_contract_and_the_fixtures_are_at_the_top_of_a_checkout() -> None:
    assert default_contract().name == "openapi.yaml"
    assert fixtures() == default_contract().parent / "fixtures"
