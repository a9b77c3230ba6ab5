"""The accounts that a mock knows when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jsonschema_rs

from contract.document import Node
from contract.model import Contract
from contract.pricing import MOST_CREDITS
from mock_server.fixture import load_fixture

_SCHEMA: Final = jsonschema_rs.Draft4Validator(
    {
        "type": "object",
        "required": ["defaultCredits", "accounts"],
        "additionalProperties": False,
        "properties": {
            "defaultCredits": {"type": "integer", "minimum": 0, "maximum": MOST_CREDITS},
            "accounts": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name", "credentials"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "pattern": "^[^/\\x00-\\x1f]+$"},
                        "credits": {"type": "integer", "minimum": 0, "maximum": MOST_CREDITS},
                        "credentials": {
                            "type": "object",
                            "minProperties": 1,
                            "additionalProperties": {"type": "string", "minLength": 1},
                        },
                    },
                },
            },
        },
    }
)


@dataclass(frozen=True)
class Account:
    """A caller.

    Attributes:
        name: identifies the account.
        credits: its opening balance.
        credentials: for each security scheme of the contract, the secret that opens the account.
    """

    name: str
    credits: int
    credentials: Mapping[str, str]


def load_accounts(path: Path, contract: Contract, credits: int | None) -> tuple[Account, ...]:
    """Read the accounts' file.

    Args:
        path: the file.
        contract: says which security schemes there are.
        credits: the opening balance of accounts that name none; None takes the file's own default.

    Raises:
        ContractError: if the file is malformed, names a scheme that the contract does not know, or gives two accounts
            the same name or secret.
    """
    root = load_fixture(path, _SCHEMA)
    default = root.value["defaultCredits"] if credits is None else credits
    accounts: dict[str, Account] = {}
    taken: dict[tuple[str, str], str] = {}
    for node in root.children("accounts"):
        account = Account(
            name=node.value["name"],
            credits=node.value.get("credits", default),
            credentials=node.value["credentials"],
        )
        if account.name in accounts:
            raise node.error(f"a second account {account.name!r}", "a name of its own")
        accounts[account.name] = account
        for scheme, secret in node.need("credentials").items():
            _check_credential(scheme, secret, contract, taken)
            taken[scheme, secret.value] = account.name
    return tuple(accounts.values())


def _check_credential(scheme: str, secret: Node, contract: Contract, taken: Mapping[tuple[str, str], str]) -> None:
    if scheme not in contract.security_schemes:
        raise secret.error(
            f"the contract has no security scheme {scheme!r}",
            "one of " + ", ".join(contract.security_schemes),
        )
    if (scheme, secret.value) in taken:
        owner = taken[scheme, secret.value]
        raise secret.error(f"this secret opens the account {owner!r} already", "a secret of its own")
