"""What the run has spent, and what it may."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract_tests.verdicts import NotExercised


@dataclass
class Purse:
    """The credits of a run, or of one test in it.

    Attributes:
        cap: the most that may be debited; None for no cap.
        spent: the credits that were debited.
        refunded: the credits that came back.
        within: the purse that this one is a part of.
    """

    cap: int | None = None
    spent: int = 0
    refunded: int = 0
    within: Purse | None = field(default=None, repr=False)

    def reserve(self, credits: int) -> None:
        """Make sure that a request of this price may be sent.

        Raises:
            NotExercised: if it could spend more than the cap.
        """
        if self.cap is not None and self.spent + credits > self.cap:
            raise NotExercised(f"it would spend more than the cap of {self.cap} credits")
        if self.within is not None:
            self.within.reserve(credits)

    def debit(self, credits: int) -> None:
        """Note what a request has cost."""
        self.spent += credits
        if self.within is not None:
            self.within.debit(credits)

    def refund(self, credits: int) -> None:
        """Note what came back."""
        self.refunded += credits
        if self.within is not None:
            self.within.refund(credits)
