"""What a target's owner adds, so that the tests can reach what HTTP does not show.

A hooks file is a Python file with any of these functions:

    new_account(credits)      makes an account with exactly so many credits; gives its bearer key, or a mapping from
                              the names of security schemes to secrets
    balance(key)              the credits of the account now
    failing_request(request)  a copy of a request body, changed so that its task will be accepted, and fail

It finds the target's URL in the environment variable CONTRACT_TESTS_TARGET.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from contract.model import Carries, Contract, SecurityScheme
from contract_tests.redact import Redactor
from contract_tests.settings import ENVIRONMENT, SetupError
from contract_tests.verdicts import NotExercised
from contract_tests.wire import Exchange

NAMES = ("new_account", "balance", "failing_request")
MOCK = "/_mock/"
"""Where the project's own mock says that it is one."""


@dataclass(frozen=True)
class Account:
    """A caller, by its secrets: one for each security scheme that it can use."""

    secrets: Mapping[str, str] = field(repr=False)

    def secret(self, scheme: str) -> str | None:
        """The secret for a scheme, or None if the account has none."""
        return self.secrets.get(scheme)


@dataclass(frozen=True)
class Hooks:
    """The functions that there are."""

    functions: Mapping[str, Callable[..., Any]]
    bearer: str
    redactor: Redactor

    def has(self, name: str) -> bool:
        """Whether the function is there."""
        return name in self.functions

    def new_account(self, credits: int) -> Account:
        """An account with exactly so many credits.

        Raises:
            NotExercised: if there is no such hook.
            SetupError: if the hook fails, or gives something else.
        """
        given = self._call("new_account", credits)
        secrets = {self.bearer: given} if isinstance(given, str) else given
        if not isinstance(secrets, Mapping) or not all(isinstance(secret, str) for secret in secrets.values()):
            raise SetupError("the hook new_account gave neither a key nor a mapping of secrets")
        for secret in secrets.values():
            self.redactor.add(secret)
        return Account(dict(secrets))

    def balance(self, account: Account) -> int:
        """The credits of an account; raises like `new_account`."""
        given = self._call("balance", account.secret(self.bearer))
        if type(given) is not int:
            raise SetupError(f"the hook balance gave {given!r}, not a whole number of credits")
        return given

    def failing_request(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request, changed so that its task will fail; raises like `new_account`."""
        given = self._call("failing_request", dict(request))
        if not isinstance(given, dict):
            raise SetupError(f"the hook failing_request gave {type(given).__name__}, not a request body")
        return given

    def _call(self, name: str, *arguments: Any) -> Any:
        if name not in self.functions:
            raise NotExercised(f"no hook {name}")
        try:
            return self.functions[name](*arguments)
        except (Exception, SystemExit) as error:
            said = " ".join(str(error).split())
            message = self.redactor.text(f"the hook {name} failed: {type(error).__name__}: {said}")
            raise SetupError(message) from error


def load_hooks(path: str, target: str) -> dict[str, Callable[..., Any]]:
    """Load a hooks file.

    Raises:
        SetupError: if it cannot be loaded, or has none of the functions.
    """
    os.environ[f"{ENVIRONMENT}TARGET"] = target
    if not Path(path).is_file():
        raise SetupError(f"--hooks {path}: there is no such file")
    spec = importlib.util.spec_from_file_location("contract_tests_hooks", path)
    if spec is None or spec.loader is None:
        raise SetupError(f"--hooks {path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise SetupError(f"--hooks {path}: {type(error).__name__}: {' '.join(str(error).split())}") from error
    functions = {name: getattr(module, name) for name in NAMES if callable(getattr(module, name, None))}
    if not functions:
        raise SetupError(f"--hooks {path}: it has none of the functions {', '.join(NAMES)}")
    return functions


def mock_hooks(url: str, contract: Contract, probe: Exchange) -> dict[str, Callable[..., Any]]:
    """The hooks of the project's own mock, if that is what answers at the target; otherwise none.

    Args:
        probe: what came when the target was asked for `MOCK`.
    """
    answer = probe.json()
    if probe.status != httpx.codes.OK or not isinstance(answer, dict) or "mock" not in answer:
        return {}
    # without keep-alive nothing is left open that somebody would have to close
    client = httpx.Client(base_url=url, trust_env=False, timeout=5, limits=httpx.Limits(max_keepalive_connections=0))
    _, submission = next(contract.submissions())
    failed = contract.lifecycle.ending(Carries.ERROR).name

    def new_account(credits: int) -> dict[str, str]:
        made = client.post(f"{MOCK}accounts", json={"credits": credits})
        made.raise_for_status()
        credentials: dict[str, str] = made.json()["credentials"]
        return credentials

    def balance(key: str) -> int:
        found = client.get(f"{MOCK}account", headers={"authorization": f"Bearer {key}"})
        found.raise_for_status()
        credits: int = found.json()["balance"]
        return credits

    def failing_request(request: dict[str, Any]) -> dict[str, Any]:
        options = request.get(str(submission.passthrough), {})
        return {**request, str(submission.passthrough): {**options, "mock": {"outcome": failed}}}

    hooks: dict[str, Callable[..., Any]] = {"new_account": new_account, "balance": balance}
    if submission.passthrough:
        hooks["failing_request"] = failing_request
    return hooks


def headers_for(scheme: SecurityScheme, secret: str) -> dict[str, str] | None:
    """The headers that present a secret by a scheme; None if it is not presented by a header."""
    if scheme.header is None:
        return None
    name, before = scheme.header
    return {name: before + secret}
