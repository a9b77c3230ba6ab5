"""Makes sure that a run can be made, before hundreds of tests say that it cannot."""

from __future__ import annotations

import ipaddress
import os
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from contract.errors import ContractError
from contract.model import Contract
from contract.reader import load_contract
from contract.resources import default_contract
from contract_tests.bench import Bench
from contract_tests.redact import Redactor
from contract_tests.session import Session
from contract_tests.settings import Settings, SetupError
from contract_tests.wire import Exchange, NoAnswer

_NOT_THERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
"""What a server answers that knows nothing of a path."""


def load(spec: str) -> Contract:
    """Read the contract of a file, or the default one.

    Raises:
        SetupError: if it is broken.
    """
    try:
        return load_contract(Path(spec) if spec else default_contract())
    except ContractError as error:
        raise SetupError(str(error)) from error


def checked_url(url: str, option: str = "--target", otherwise: str = "they belong into --key") -> str:
    """A server's URL, without a slash at its end.

    Args:
        option: what gave it.
        otherwise: how credentials are given, if not there.

    Raises:
        SetupError: if it is none that requests can be sent to, or holds credentials.
    """
    try:
        parts, _ = urlsplit(url), httpx.URL(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        usable = plain and parts.port != 0 and parts.path.isascii()
    except (ValueError, httpx.InvalidURL):
        usable = False
    else:
        if parts.username is not None:
            raise SetupError(f"{option} holds credentials: {otherwise}")
    if not usable:
        raise SetupError(f"{option} {url!r} is no http(s) URL, such as http://localhost:8000")
    return url.rstrip("/")


def checked_secret(option: str, secret: str) -> str:
    """A secret, as it is.

    Raises:
        SetupError: if no header can carry it.
    """
    if secret != secret.strip() or not secret.isprintable():
        raise SetupError(f"{option} begins or ends with white space, or has a character that no header can carry")
    return secret


def check_budget(url: str, settings: Settings, full_cost: int) -> None:
    """Demand a cap on what a run spends, unless the target is on this machine.

    Args:
        full_cost: what a full run takes at least, in credits.

    Raises:
        SetupError: if there is none.
    """
    if settings.max_credits is None and not _is_loopback(urlsplit(url).hostname or ""):
        raise SetupError(
            f"{url} may cost real credits: say with --max-credits how many may be spent "
            f"(a full run takes more than {full_cost:,})"
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_report(folder: str) -> None:
    """Make the folder of the report now: nobody wants to hear after a run that it cannot be written.

    Raises:
        SetupError: if it cannot.
    """
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"--report {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise SetupError(f"--report {folder}: it cannot be written to")


def check_answered(exchange: Exchange, target: str, redactor: Redactor) -> None:
    """Make sure that a target answered at all.

    Raises:
        SetupError: if not.
    """
    if isinstance(exchange.answer, NoAnswer):
        reason = " ".join(redactor.text(exchange.answer.reason).split())
        raise SetupError(f"{target} does not answer: {reason}")


def check_target(session: Session) -> None:
    """Make sure that there is something to test, and that it accepts the keys.

    Raises:
        SetupError: if not.
    """
    settings, contract = session.settings, session.contract
    if not settings.key and not session.hooks.has("new_account"):
        raise SetupError(
            "no key: give --key (better: the environment variable CONTRACT_TESTS_KEY), or a hook new_account"
        )
    bench = Bench(session, session.purse)
    operation, _ = next(contract.readings())
    accounts = {"key": bench.main()} | ({"second key": bench.second()} if settings.second_key else {})
    refused = {error.status for error in operation.errors.values() if error.when == "unauthenticated"}
    for name, account in accounts.items():
        headers = bench.credentials(account)
        exchange = session.target.send(bench.read_request(operation, "contract-tests-preflight", headers))
        check_answered(exchange, settings.target, session.redactor)
        if exchange.status in refused:
            raise SetupError(f"{settings.target} does not accept the {name}: {exchange.status} to a read with it")

    for submitting, _ in contract.submissions():
        exchange = session.target.send(bench.submission_request(submitting, b"", bench.credentials(bench.main())))
        if exchange.status in _NOT_THERE:
            asked = f"{exchange.status} to {submitting.method} {submitting.path}"
            raise SetupError(f"{settings.target} does not look like {contract.title}: it answers {asked}")
