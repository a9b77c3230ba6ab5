"""IDs: a prefix and a ULID, like the `tsk_` of the example on the API's page. Nobody may rely on the form."""

from __future__ import annotations

import re
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_LENGTH = 26
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
"""How ten bits are spelt."""
_SHIFTS = range(10 * (_LENGTH // 2 - 1), -1, -10)
_FORM = re.compile(f"tsk_[{_ALPHABET}]{{{_LENGTH}}}")


def new_task_id(now: int) -> str:
    """A fresh ID of a task; later ones sort after earlier ones.

    Args:
        now: the time, in microseconds since 1970.
    """
    return new_id("tsk", now)


def new_id(prefix: str, now: int) -> str:
    """A fresh ID of anything: the prefix and a ULID."""
    value = (now // 1000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return f"{prefix}_{''.join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])}"


def may_be_task_id(text: str) -> bool:
    """Whether a text has the form of the IDs made here; one that has not need not be looked up."""
    return _FORM.fullmatch(text) is not None
