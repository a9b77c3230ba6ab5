"""Who asks, and what must not be written: credentials are learnt from what passes, and taken out of it at once."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, unquote

from contract.model import Contract, Operation, SecurityScheme
from contract_tests.redact import SHOWN, Redactor

Headers = Sequence[tuple[str, str]]

_SECRET_NAME = re.compile("auth|cookie|token|secret|key|session|passw|signature|credential", re.IGNORECASE)
_QUERY = re.compile(r"(?<=[?&;])([^=&;#]*)=([^&;#]*)")


class Callers:
    """Knows credentials when it sees them."""

    def __init__(self, contract: Contract, redactor: Redactor) -> None:
        self._schemes = contract.security_schemes
        self._redactor = redactor
        self._parameters = {str(s.parameter).lower() for s in self._schemes.values() if s.type != "http"}

    def caller(self, operation: Operation | None, headers: Headers, target: str) -> str | None:
        """A fingerprint of the credentials of a request, or None if it presents none that the contract knows."""
        names = self._schemes if operation is None else operation.security
        shown = [secret for name in names for secret in _presented(self._schemes[name], headers, target)]
        return hashlib.sha256("\0".join(sorted(shown)).encode()).hexdigest() if shown else None

    def learn(self, headers: Headers, target: str = "") -> None:
        """Remember every secret that a message carries."""
        for name, value in headers:
            if self._secret(name):
                for secret in _parts(name.lower(), value):
                    self._remember(secret)
        for name, value in _QUERY.findall(target):
            if self._secret(unquote(name)):
                self._remember(value)
                self._remember(unquote(value))

    def headers(self, headers: Headers) -> dict[str, str]:
        """The headers as they may be kept, by name in lower case; what is there several times is joined."""
        kept: dict[str, str] = {}
        for name, value in headers:
            shown = SHOWN if self._secret(name) else self._redactor.text(value)
            known = kept.get(name.lower())
            kept[name.lower()] = shown if known is None else f"{known}, {shown}"
        return kept

    def target(self, target: str) -> str:
        """A request's target as it may be kept."""
        return self._redactor.text(
            _QUERY.sub(lambda m: f"{m[1]}={SHOWN}" if self._secret(unquote(m[1])) else m[0], target)
        )

    def _secret(self, name: str) -> bool:
        return name.lower() in self._parameters or bool(_SECRET_NAME.search(name))

    def _remember(self, secret: str) -> None:
        for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
            self._redactor.add(form)


def plain(headers: Headers) -> Mapping[str, str]:
    """Headers by name in lower case; of one that is there several times, the last."""
    return {name.lower(): value for name, value in headers}


def _presented(scheme: SecurityScheme, headers: Headers, target: str) -> Iterable[str]:
    if scheme.type == "http":
        for name, value in headers:
            kind, _, secret = value.strip().partition(" ")
            if name.lower() == "authorization" and kind.lower() == scheme.scheme and secret.strip():
                yield f"{scheme.name}={secret.strip()}"
        return
    parameter = str(scheme.parameter)
    match scheme.location:
        case "cookie":
            pairs = [
                pair.strip().partition("=")
                for name, value in headers
                if name.lower() == "cookie"
                for pair in value.split(";")
            ]
        case "header":
            pairs = [(name, "=", value) for name, value in headers if name.lower() == parameter.lower()]
            parameter = pairs[0][0] if pairs else parameter
        case _:
            pairs = [(unquote(name), "=", unquote(value)) for name, value in _QUERY.findall(target)]
    yield from (f"{scheme.name}={value}" for name, _, value in pairs if name == parameter and value)


def _parts(name: str, value: str) -> Iterable[str]:
    """The secrets in a header's value."""
    if "cookie" in name:
        first = name == "set-cookie"  # what follows the first pair says how the cookie is kept
        pairs = value.split(";")[:1] if first else value.split(";")
        for pair in pairs:
            secret = pair.partition("=")[2].strip()
            yield secret
            yield secret.strip('"')
        return
    yield value.strip()
    kind, _, secret = value.strip().partition(" ")
    if secret:
        yield secret.strip()
        if kind.lower() == "basic":
            try:
                text = base64.b64decode(secret, validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                return
            yield from text.split(":", 1)
