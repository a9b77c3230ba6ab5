"""The command `contract-tests`: the pytest suite of this package, with pytest's own options beside its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest

from contract_tests.settings import ENVIRONMENT, Settings, option_of


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for setting in reversed(fields(Settings)):
        if setting.name == "target":
            continue
        flag = setting.metadata["type"] is bool
        kind = {"is_flag": True} if flag else {"type": str}
        command = click.option(
            option_of(setting.name),
            default=None,
            help=f"{setting.metadata['help']}  [{ENVIRONMENT}{setting.name.upper()}]",
            **kind,
        )(command)
    return click.option("--profile", default=None, help="A table of contract-tests.toml with these settings.")(command)


def _target(words: list[str]) -> str | None:
    """Take the target out of what is not one of the command's own options; the rest goes to pytest."""
    named = [word for word in words if "://" in word] or words[:1]
    if named and not named[0].startswith("-"):
        words.remove(named[0])
        return named[0]
    return os.environ.get(f"{ENVIRONMENT}TARGET")


@click.command(
    context_settings={
        "help_option_names": ["-h", "--help"],
        "ignore_unknown_options": True,
        "allow_interspersed_args": True,
    }
)
@click.version_option(package_name="image-task-contract")
@_options
@click.argument("target", required=False)
@click.argument("pytest_options", nargs=-1, type=click.UNPROCESSED)
def main(target: str | None, pytest_options: tuple[str, ...], **given: Any) -> None:
    """Hold the implementation at TARGET to the contract.

    Every other option goes to pytest: -k, -x, -n, -v, ...

    Exit status: 0 all exercised clauses hold, 1 a finding, 2 the run could not be made or was ended early.
    """
    words = list(pytest_options) if target is None else [target, *pytest_options]
    target = _target(words)
    if not target and not given["profile"]:  # an empty one is a variable that is not set
        raise click.UsageError("There is no target: give the URL of the implementation, or a --profile.")
    arguments = ["--pyargs", "contract_tests", "-c", str(Path(__file__).with_name("pytest.ini")), "-q", "--no-header"]
    if target:
        arguments += ["--target", target]
    for name, value in given.items():
        if value is True:
            arguments.append(option_of(name))
        elif value:
            arguments += [option_of(name), value]
    status = pytest.main([*arguments, *words])
    sys.exit(status if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) else 2)
