"""The hooks of the test target, as the owner of any implementation would write them."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

TARGET = os.environ["CONTRACT_TESTS_TARGET"]


def new_account(credits: int) -> dict[str, str]:
    """An account with exactly so many credits; gives its secrets: the key is the session cookie's value, too."""
    body = json.dumps({"credits": credits}).encode()
    request = urllib.request.Request(f"{TARGET}/_admin/accounts", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        key = str(json.load(answer)["key"])
    return {"bearerAuth": key, "sessionCookie": key}


def balance(key: str) -> int:
    """The credits of an account."""
    with urllib.request.urlopen(f"{TARGET}/_admin/accounts/{key}", timeout=10) as answer:
        return int(json.load(answer)["balance"])


def failing_request(request: dict[str, Any]) -> dict[str, Any]:
    """The request, changed so that its task will fail."""
    return {**request, "providerInput": {**request.get("providerInput", {}), "simulate": "failure"}}
