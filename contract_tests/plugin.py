"""The pytest plugin: declares the options of a run of this suite, and brings in the rest when a target is given.

pytest loads it in every run of an environment that has the project installed, also where it is wanted for the mock
alone. So it imports next to nothing, and leaves all names of options to others where this suite is not what is run.
"""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from contract_tests.settings import Settings, SetupError, option_of, resolve

PYTESTS_OWN = "strict"
"""pytest has the option `--strict` itself; when it stands on the command line, it means clauses too."""

_RUN = "contract-tests-run"
_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    """Declare the options, if this suite is to be run."""
    if any(__package__ in word for word in args):
        _add_options(parser)


def _add_options(parser: pytest.Parser) -> None:
    """Declare an option for each setting."""
    group = parser.getgroup("contract-tests", "contract tests of a running implementation")
    for setting in fields(Settings):
        if setting.name == PYTESTS_OWN:
            continue
        flag = setting.metadata["type"] is bool
        group.addoption(
            option_of(setting.name),
            dest=f"contract_{setting.name}",
            default=None,
            help=setting.metadata["help"],
            **({"action": "store_true"} if flag else {"metavar": setting.name.upper()}),
        )
    group.addoption(
        "--profile", dest="contract_profile", default="", help="A table of contract-tests.toml with these settings."
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepare a run, if there is a target."""
    if not hasattr(config.option, "contract_target"):
        return
    given = {
        setting.name: config.getoption(f"contract_{setting.name}")
        for setting in fields(Settings)
        if setting.name != PYTESTS_OWN
    }
    profile = config.getoption("contract_profile")
    if not given["target"] and not profile:
        return
    if "--strict" in config.invocation_params.args or (
        hasattr(config, "workerinput") and config.workerinput.get("strict")
    ):
        given[PYTESTS_OWN] = True
    try:
        settings = resolve(given, profile=profile)
        run = import_module("contract_tests.run").Run(config, settings)
    except SetupError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(run, _RUN)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Say once what is missing, where each of the tests would say that it has no bench."""
    if file_path.parent == _HERE and not parent.config.pluginmanager.has_plugin(_RUN):
        raise pytest.UsageError("there is no target: give --target URL, or a --profile")
