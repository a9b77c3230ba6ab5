"""What must not be written: credentials are learnt from what passes, and taken out of all that is kept of it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, unquote

from contract.model import Contract
from contract_tests.redact import SHOWN, Redactor

Headers = Sequence[tuple[str, str]]

_NAME = re.compile(
    "auth(?!or(?!i[sz]))|cookie|token|secret|session|passw|passphrase|signature|credential|api[-_]?key|jwt|bearer",
    re.IGNORECASE,
)
"""What names a secret wherever it stands in a name: in `authorization`, but not in `author`."""
_WORDS = frozenset({"key", "keys", "sig", "pwd", "pass", "sid", "otp", "csrf", "xsrf"})
"""What names a secret as a word of a name: in `accessKey`, but not in `monkey`."""
_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_QUERY = re.compile(r"""(?<=[?&;#])([^=&;#?\s"'<>]*)=([^&;#\s"'<>]*)""")
_USERINFO = re.compile(r"""//([^/?#@\s"'<>]+)@""")
_MEMBER = re.compile(r""""([^"\\]{1,100})"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)""")
_FORM = "application/x-www-form-urlencoded"
_MOST_NESTED = 3
_ORDINARY = ("true", "false", "null", "https://", "application/json", "text/html", "utf-8", "Bearer", "Basic")


class Credentials:
    """Knows credentials when it sees them."""

    def __init__(self, contract: Contract, redactor: Redactor) -> None:
        self._redactor = redactor
        schemes = contract.security_schemes.values()
        self._parameters = {str(scheme.parameter).lower() for scheme in schemes if scheme.type == "apiKey"}
        self._declared = frozenset(_names(contract.document.data)) - self._parameters
        # what the contract itself says is no secret, whoever says it as if it were one
        self._vocabulary = "\n".join([*self._declared, *_words(contract.document.data), *_ORDINARY])

    def learn(self, headers: Headers, target: str, body: bytes) -> None:
        """Remember every secret that a message carries."""
        self._learn_text(target)
        kind = ""
        for name, value in headers:
            if self._secret_header(name):
                for secret in _parts(name.lower(), value):
                    self._remember(secret)
            else:
                self._learn_text(value)
            if name.lower() == "content-type":
                kind = value.partition(";")[0].strip().lower()
        text = body.decode("utf-8", "replace")
        if kind == _FORM:
            self._learn_text(f"?{text}")
        elif text.lstrip()[:1] in ("{", "["):
            self._learn_json(text)

    def headers(self, headers: Headers) -> dict[str, str]:
        """The headers as they may be kept, by name in lower case; what is there several times is joined."""
        kept: dict[str, str] = {}
        for name, value in headers:
            shown = SHOWN if self._secret_header(name) else self.text(value)
            known = kept.get(name.lower())
            kept[name.lower()] = shown if known is None else f"{known}, {shown}"
        return kept

    def text(self, text: str) -> str:
        """A text that may hold URLs, as it may be kept."""
        text = _USERINFO.sub(f"//{SHOWN}@", text)
        text = _QUERY.sub(lambda m: f"{m[1]}={SHOWN}" if self._secret_parameter(m[1]) else m[0], text)
        return self._redactor.text(text)

    # -------------------------------------------------------------------- names

    def _secret_header(self, name: str) -> bool:
        return name.lower() in self._parameters or _named(name)

    def _secret_parameter(self, name: str) -> bool:
        name = unquote(name)
        return self._secret_field(name, named=name.lower() == "code" or _named(name))  # OAuth has such a code

    def _secret_member(self, name: str) -> bool:
        return self._secret_field(name, named=name.lower() != "key" and _named(name))  # most are of pairs, with a value

    def _secret_field(self, name: str, *, named: bool) -> bool:
        return name.lower() in self._parameters or (named and name not in self._declared)

    # ------------------------------------------------------------------ learning

    def _learn_text(self, text: str, depth: int = _MOST_NESTED) -> None:
        for userinfo in _USERINFO.findall(text):
            for secret in (userinfo, userinfo.partition(":")[2]):
                self._remember(secret)
                self._remember(unquote(secret))
        for name, value in _QUERY.findall(text):
            if self._secret_parameter(name):
                self._remember(value)
                self._remember(unquote(value))
            elif "%" in value and depth:  # a URL in a URL
                self._learn_text(f"?{unquote(value)}", depth - 1)

    def _learn_json(self, text: str) -> None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):  # broken, or only the beginning
            for name, secret in _MEMBER.findall(text):
                if self._secret_member(name):
                    self._remember(secret)
            return
        for said, secret in self._strings(value):
            if secret:
                self._remember(said)
            else:
                self._learn_text(said)

    def _strings(self, value: Any) -> Iterator[tuple[str, bool]]:
        """All strings in a JSON value, and of each whether a name above it is that of a secret."""
        waiting = [(value, False)]
        while waiting:
            value, secret = waiting.pop()
            if isinstance(value, str):
                yield value, secret
            elif isinstance(value, list):
                waiting += [(item, secret) for item in value]
            elif isinstance(value, dict):
                waiting += [(item, secret or self._secret_member(name)) for name, item in value.items()]

    def _remember(self, secret: str) -> None:
        if secret in self._vocabulary:
            return
        once = quote(secret, safe="", errors="surrogatepass")
        escaped = json.dumps(secret)[1:-1]
        for form in {secret, once, quote(once, safe=""), escaped, escaped.replace("/", "\\/")}:
            self._redactor.add(form)


def _named(name: str) -> bool:
    """Whether a name is that of a secret."""
    return bool(_NAME.search(name)) or not _WORDS.isdisjoint(word.lower() for word in _WORD.findall(name))


def _names(value: Any) -> Iterator[str]:
    """The names of all fields that a document declares."""
    if isinstance(value, dict):
        properties = value.get("properties")
        if isinstance(properties, dict):
            yield from map(str, properties)
        for item in value.values():
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)


def _words(value: Any) -> Iterator[str]:
    """The values that a document declares, and its paths."""
    if isinstance(value, dict):
        declared = value.get("enum")
        if isinstance(declared, list):
            yield from (item for item in declared if isinstance(item, str))
        for name, item in value.items():
            if str(name).startswith("/"):
                yield str(name)
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)


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
