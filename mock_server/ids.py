"""IDs: a prefix and a ULID, like the `tsk_` of the example on the API's page. Nobody may rely on the form."""

from __future__ import annotations

import re
import secrets
from base64 import b32encode

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80
_LENGTH = 26
_SPELLING = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _ALPHABET.encode())
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
    # 26 characters hold 130 bits, the first two of them 0; whole bytes begin with them
    spelt = b32encode((value << 6).to_bytes(17, "big"))[:_LENGTH].translate(_SPELLING)
    return f"{prefix}_{spelt.decode()}"


def may_be_task_id(text: str) -> bool:
    """Whether a text has the form of the IDs made here; one that has not need not be looked up."""
    return _FORM.fullmatch(text) is not None
