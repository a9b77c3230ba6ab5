"""What a run of the mock can be told: each setting once, with its default, its bounds and its help text.

The command line and the environment variables are made from this list.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import click

from contract.pricing import MOST_CREDITS
from contract.resources import default_contract, fixtures, site
from mock_server.plan import LONGEST_SECONDS
from mock_server.store import KEPT_IN_MEMORY
from mock_server.urls import is_base_url

MEMORY = "sqlite://"
ENVIRONMENT = "MOCK_SERVER"

F = TypeVar("F", bound=Callable[..., Any])


def _setting(default: Any, type: Any, help: str) -> Any:
    return field(default=default, metadata={"type": type, "help": help})


class _FloatRange(click.FloatRange):
    """A range without NaN, which click lets pass since it is on no side of any bound."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


class _BaseURL(click.ParamType[str]):
    """The beginning of URLs that a browser can follow."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if not is_base_url(text):
            self.fail(f"{text!r} is not the beginning of a URL, such as https://mock.example.com/base", param, ctx)
        return text


_FILE = click.Path(path_type=Path)


@dataclass(frozen=True)
class Settings:
    """The settings of one mock."""

    spec: Path = _setting(default_contract(), _FILE, "The contract to play.")
    accounts: Path = _setting(fixtures() / "accounts.yaml", _FILE, "The accounts that are known at the start.")
    scenarios: Path = _setting(fixtures() / "scenarios.yaml", _FILE, "The scenarios that there are.")
    docs: Path = _setting(site(), _FILE, "The documentation that `contract docs` built of the contract, if it did.")
    scenario: str | None = _setting(None, str, "The scenario that is on at the start; by default what their file says.")
    host: str = _setting("127.0.0.1", str, "Where to listen.")
    port: int = _setting(8000, click.IntRange(0, 65535), "Where to listen; 0 takes a free port.")
    credits: int | None = _setting(
        None,
        click.IntRange(0, MOST_CREDITS),
        "The opening balance of accounts that name none; by default what their file says.",
    )
    task_seconds: float = _setting(5.0, _FloatRange(0, LONGEST_SECONDS), "How long a task takes, in seconds.")
    failure_rate: float = _setting(0.0, _FloatRange(0, 1), "The share of tasks that fail, from 0 to 1.")
    seed: int = _setting(0, int, "Decides which tasks fail: same seed, same failures.")
    database: str = _setting(
        MEMORY,
        str,
        "Where the state is kept, if not in memory: sqlite:///file.db or postgresql+psycopg://user:password@host/name.",
    )
    keep: int | None = _setting(
        None,
        click.IntRange(1),
        "About how many tasks are kept; of those that have ended the oldest go first. By default all, but in memory "
        f"{KEPT_IN_MEMORY}.",
    )
    workers: int = _setting(
        1, click.IntRange(1), "How many processes serve; several need a database that they can share."
    )
    public_url: str | None = _setting(
        None, _BaseURL(), "The beginning of picture URLs; by default the Host by which the task was submitted."
    )
    control: bool = _setting(True, bool, "Whether the control API and the console are served, below /_mock.")
    control_token: str | None = _setting(
        None, str, "What whoever controls the mock has to show, where it listens beyond loopback."
    )
    watch: bool = _setting(
        False, bool, "Whether the contract, the accounts and the scenarios are read again on a change."
    )
    max_body_bytes: int = _setting(10 * 1024 * 1024, click.IntRange(1), "The largest request body that is read.")

    @property
    def files(self) -> tuple[Path, ...]:
        """What the mock is made of."""
        return self.spec, self.accounts, self.scenarios


def options() -> Iterator[Callable[[F], F]]:
    """A command-line option for each setting, which is also an environment variable."""
    for setting in fields(Settings):
        in_memory = setting.default == MEMORY
        name = "--" + setting.name.replace("_", "-")
        if setting.metadata["type"] is bool:
            name += f"/--no-{setting.name.replace('_', '-')}"
        yield click.option(
            name,
            type=setting.metadata["type"],
            default=setting.default,
            help=setting.metadata["help"],
            show_default=setting.default is not None and not isinstance(setting.default, Path) and not in_memory,
            show_envvar=True,
        )
