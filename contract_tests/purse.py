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
        excess: the most by which requests were dearer than they should have been.
        shared: whether other processes spend up to the same cap: then nothing more is spent after such a surprise.
        within: the purse that this one is a part of.
    """

    cap: int | None = None
    spent: int = 0
    refunded: int = 0
    excess: int = 0
    shared: bool = False
    within: Purse | None = field(default=None, repr=False)

    def reserve(self, credits: int) -> None:
        """Make sure that a request of this price may be sent.

        Raises:
            NotExercised: if it could spend more than the cap.
        """
        if self.cap is not None and (credits or self.within is None):
            most = self.spent if self.shared and self.excess else self.cap - self.excess
            if self.spent + credits > (most if credits else self.cap):
                raise NotExercised(f"it would spend more than the cap of {self.cap} credits")
        if self.within is not None:
            self.within.reserve(credits)

    def surprise(self, credits: int) -> None:
        """Note that requests cost so much more than they should have: the next may do so, too."""
        if self.within is not None:
            self.within.surprise(credits)
        else:
            self.excess = max(self.excess, credits)

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
