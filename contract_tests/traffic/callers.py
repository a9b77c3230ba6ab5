"""Who asks: a fingerprint of the credentials that a request presents."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import unquote

from contract.model import Contract, Operation, SecurityScheme
from contract_tests.traffic.credentials import Headers
from contract_tests.traffic.observer import SOMEBODY

_QUERY = re.compile(r"(?<=[?&;])([^=&;#]*)=([^&;#]*)")
_READ = ("http", "apiKey")
"""The types of schemes of which a request shows by itself whether it presents something."""


class Callers:
    """Tells the callers of one contract apart."""

    def __init__(self, contract: Contract) -> None:
        self._schemes = contract.security_schemes

    def caller(self, operation: Operation | None, headers: Headers, target: str) -> str | None:
        """A fingerprint of the credentials of a request, or None if it presents none that the contract knows."""
        names = self._schemes if operation is None else operation.security
        schemes = [self._schemes[name] for name in names]
        if any(scheme.type not in _READ for scheme in schemes):
            return SOMEBODY
        shown = [secret for scheme in schemes for secret in _presented(scheme, headers, target)]
        text = "\0".join(sorted(shown)).encode("utf-8", "surrogatepass")
        return hashlib.sha256(text).hexdigest() if shown else None


def _presented(scheme: SecurityScheme, headers: Headers, target: str) -> Iterable[str]:
    if scheme.type == "http":
        for name, value in headers:
            kind, _, secret = value.strip().partition(" ")
            if name.lower() == "authorization" and kind.lower() == scheme.scheme and secret.strip():
                yield f"{scheme.name}={secret.strip()}"
        return
    parameter = str(scheme.parameter)
    pairs: list[tuple[str, str, str]] = []
    match scheme.location:
        case "cookie":
            pairs = [
                pair.strip().partition("=")
                for name, value in headers
                if name.lower() == "cookie"
                for pair in value.split(";")
            ]
        case "header":
            pairs = [(parameter, "=", value) for name, value in headers if name.lower() == parameter.lower()]
        case "query":
            pairs = [(unquote(name), "=", unquote(value)) for name, value in _QUERY.findall(target)]
    yield from (f"{scheme.name}={value}" for name, _, value in pairs if name == parameter and value)
