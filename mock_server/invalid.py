"""A request that breaks a rule, with the messages that tell its author."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class InvalidRequest(Exception):  # noqa: N818 - named like the answer it becomes
    """A request that is refused.

    Attributes:
        form: messages about the body as a whole.
        fields: for each field that is wrong, its messages.
    """

    def __init__(self, *form: str, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        self.form = form
        self.fields = fields or {}
        super().__init__(form, self.fields)
