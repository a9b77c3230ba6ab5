"""What lasts for a run: the contract, the target, the hooks, the accounts that all tests share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract.clause import Clause
from contract.model import Contract
from contract_tests.cases import Cases
from contract_tests.hooks import Account, Hooks
from contract_tests.judge import Judge
from contract_tests.purse import Purse
from contract_tests.redact import Redactor
from contract_tests.settings import Settings
from contract_tests.target import Target
from contract_tests.tracked import Tracked

PLENTY = 1_000_000


@dataclass
class Session:
    """What all tests of a run share.

    Attributes:
        tasks: every task that was accepted, and what has been seen of it.
        ids: the IDs of all tasks.
        slack: invalid bodies that the target is known to accept.
        endless: whether tasks are known not to end in time.
        stingy: whether refunds are known not to show.
        counted: the balance of the counted account, as it was last seen.
        unasked: what tasks of the counted account that failed by themselves had given back by then, in credits.
        to_fail: the bodies that were changed so that their tasks fail.
    """

    settings: Settings
    contract: Contract
    clauses: Mapping[str, Clause]
    target: Target
    judge: Judge
    hooks: Hooks
    redactor: Redactor
    purse: Purse
    cases: Mapping[str, Cases]
    accounts: dict[str, Account] = field(default_factory=dict)
    tasks: list[Tracked] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    slack: set[bytes] = field(default_factory=set)
    endless: bool = False
    stingy: bool = False
    counted: int | None = None
    unasked: int = 0
    to_fail: set[bytes] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)

    def account(self, name: str, given: Mapping[str, str]) -> Account | None:
        """One of the shared accounts: of the given secrets, or made by the hook; None if there is neither."""
        if name not in self.accounts:
            if given:
                self.accounts[name] = Account(dict(given))
            elif self.hooks.has("new_account"):
                self.accounts[name] = self.hooks.new_account(PLENTY)
        return self.accounts.get(name)

    @property
    def deadline(self) -> float:
        """Seconds in which a task must end."""
        given = self.settings.deadline
        return self.contract.lifecycle.timing.deadline if given is None else given
