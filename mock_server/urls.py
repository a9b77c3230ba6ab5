"""Where the mock serves what is its own, and what can stand at the beginning of a URL."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

CONTROL: Final = "/_mock"
CONSOLE: Final = f"{CONTROL}/console"
EVENTS: Final = f"{CONTROL}/events"
PICTURES: Final = f"{CONTROL}/pictures"
HEALTH: Final = f"{CONTROL}/health"
METRICS: Final = f"{CONTROL}/metrics"

_LAST_PORT: Final = 65_535
_HOST: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::(?P<port>[0-9]{1,5}))?")
_BASE: Final = re.compile(r"https?://(?P<host>[^/]*)(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:/-]|%[0-9A-Fa-f]{2})*)?")


def is_host(text: str) -> bool:
    """Whether a text is a host, perhaps with a port, that a URL can have."""
    match = _HOST.fullmatch(text)
    if match is None or not 0 < int(match["port"] or 1) <= _LAST_PORT:
        return False
    try:
        return not match["name"].startswith("[") or bool(ipaddress.IPv6Address(match["name"][1:-1]))
    except ValueError:
        return False


def is_base_url(text: str) -> bool:
    """Whether a text is the beginning of URLs that a browser can follow: a scheme, a host, perhaps a path."""
    match = _BASE.fullmatch(text)
    return match is not None and is_host(match["host"])
