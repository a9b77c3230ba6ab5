"""Keeps credentials out of everything that is written."""

from __future__ import annotations

from collections.abc import Collection

SHOWN = "[credentials]"
_SHORTEST = 4
"""A secret shorter than this would be found in ordinary words."""


class Redactor:
    """Knows every secret of the run, and takes them out of texts."""

    def __init__(self) -> None:
        self._secrets: dict[str, set[str]] = {}

    def add(self, secret: str) -> None:
        """Remember a secret."""
        if len(secret) >= _SHORTEST:
            self._secrets.setdefault(secret[:_SHORTEST], set()).add(secret)

    def text(self, text: str) -> str:
        """The text without any secret."""
        begun = [self._secrets[start] for start in self._begun(text)]
        for secret in sorted((secret for secrets in begun for secret in secrets), key=len, reverse=True):
            text = text.replace(secret, SHOWN)
        return text

    def cut(self, text: str) -> str:
        """The beginning of a longer text without any secret, nor the beginning of one at its end."""
        text = self.text(text)
        ends = [len(text)]
        for start in self._begun(text):
            secrets = self._secrets[start]
            begins = text.find(start, max(0, len(text) - max(map(len, secrets))))
            while begins >= 0:
                if any(secret.startswith(text[begins:]) for secret in secrets):
                    ends.append(begins)
                begins = text.find(start, begins + 1)
        return text if len(ends) == 1 else text[: min(ends)] + SHOWN

    def _begun(self, text: str) -> Collection[str]:
        """The starts of secrets that are in a text; many secrets begin alike, and mostly none of them is there."""
        if len(self._secrets) < len(text):
            return [start for start in self._secrets if start in text]
        return self._secrets.keys() & {text[at : at + _SHORTEST] for at in range(len(text) - _SHORTEST + 1)}
