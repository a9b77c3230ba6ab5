"""What a run can be told: each setting once, with its type, default and help text.

The options of `contract-tests` and of pytest, the environment variables and the keys of a profile are made from this
list. What is said on the command line wins over the environment, and that over the profile.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from unittest import SkipTest

ENVIRONMENT = "CONTRACT_TESTS_"
PROFILES = Path("contract-tests.toml")


class SetupError(SkipTest):  # so that Hypothesis does not look for the smallest example of it
    """The run cannot be made; the message says why, and what to do."""


def _setting(default: Any, type: type, help: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"type": type, "help": help}, repr=not secret)


@dataclass(frozen=True)
class Settings:
    """The settings of one run."""

    target: str = _setting("", str, "URL of the implementation to test.")
    spec: str = _setting("", str, "The contract; by default the project's own openapi.yaml.")
    key: str = _setting("", str, "A bearer key of an account with credits.", secret=True)
    second_key: str = _setting("", str, "A key of another account.", secret=True)
    cookie: str = _setting("", str, "A session cookie's value, of the same account as the key.", secret=True)
    hooks: str = _setting("", str, "Python file with new_account, balance, failing_request.")
    max_credits: int | None = _setting(None, int, "Never spend more than this.")
    seed: int = _setting(0, int, "The same seed sends the same requests in the same order.")
    strict: bool = _setting(default=False, type=bool, help="A breach of an assumed clause fails the run, too.")
    require_all: bool = _setting(default=False, type=bool, help="A clause that is not exercised fails the run.")
    report: str = _setting("", str, "Folder for the HTML, JSON, JUnit and HAR reports.")
    fuzz: int = _setting(60, int, "Generated requests of each sort: valid, invalid.")
    poll_interval: float | None = _setting(None, float, "Seconds between two reads; by default fitted to the tasks.")
    deadline: float | None = _setting(None, float, "Seconds in which a task must end; by default the contract's.")
    request_timeout: float = _setting(10.0, float, "Seconds in which a request must be answered completely.")
    rate: float | None = _setting(None, float, "At most this many requests in a second; 0 is no limit.")


def option_of(name: str) -> str:
    """The command-line option of a setting."""
    return "--" + name.replace("_", "-")


def resolve(given: Mapping[str, Any], *, profile: str = "", environ: Mapping[str, str] = os.environ) -> Settings:
    """Put the settings together.

    Args:
        given: what was said on the command line; None means nothing was.
        profile: the name of a table in `contract-tests.toml`, or empty.
        environ: the environment variables.

    Raises:
        SetupError: for a profile that is not there, or a value that does not fit.
    """
    said = _profile(profile) if profile else {}
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = setting.name
        source, value = option_of(name), given.get(name)
        if value is None:
            source = ENVIRONMENT + name.upper()
            value = environ.get(source)
        if value is None:
            source, value = f"{PROFILES}: {profile}.{name}", _environment_value(said.get(name), environ)
        if value is not None:
            values[name] = _convert(value, setting.metadata["type"], source)
    return Settings(**values)


def _profile(name: str) -> dict[str, Any]:
    try:
        profiles = tomllib.loads(PROFILES.read_text("utf-8"))
    except OSError as error:
        raise SetupError(
            f"{PROFILES} cannot be read: {error.strerror}; --profile takes a table of that file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{PROFILES}: {error}") from error
    if not isinstance(profiles.get(name), dict):
        raise SetupError(f"{PROFILES} has no profile {name!r}; it has {', '.join(profiles) or 'none'}")
    profile: dict[str, Any] = profiles[name]
    unknown = sorted(set(profile) - {setting.name for setting in fields(Settings)})
    if unknown:
        known = ", ".join(setting.name for setting in fields(Settings))
        raise SetupError(f"{PROFILES}: {name}.{unknown[0]} is no setting; there are {known}")
    return profile


def _environment_value(value: Any, environ: Mapping[str, str]) -> Any:
    """A profile keeps secrets out of its file by naming an environment variable: `key = "$STAGING_KEY"`."""
    if not (isinstance(value, str) and value.startswith("$")):
        return value
    if value[1:] not in environ:
        raise SetupError(f"{PROFILES}: the environment variable {value[1:]} is not set")
    return environ[value[1:]]


def _convert(value: Any, type_: type, source: str) -> Any:
    if type_ is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in {"1", "true", "yes", "0", "false", "no"}:
            return str(value).lower() in {"1", "true", "yes"}
        raise SetupError(f"{source}: {value!r} is not true or false")
    try:
        # a profile has types of its own: true is no number, and 1.5 no whole one
        converted = type_(value if type(value) in (str, int, type_) else str(value))
    except (TypeError, ValueError, OverflowError):
        raise SetupError(f"{source}: {value!r} is no {type_.__name__}") from None
    if type_ in (int, float) and not converted >= 0:
        raise SetupError(f"{source}: {value!r} is negative")
    return converted
