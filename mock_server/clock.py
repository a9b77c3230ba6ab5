"""The mock's clock: what time it is for the mock, given what time it is for the machine.

    now = then + speed * (machine - since)

A clock is a value. To freeze it, to let time pass or to change its speed gives another clock, which says the same time
at the moment of the change (or a later one, where time was to pass).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mock_server.task import MICROSECONDS

FASTEST = 100_000.0
"""The highest speed; at it a year passes in five minutes."""
LATEST = 253_370_764_800 * MICROSECONDS
"""The year 9999: no clock goes on beyond what a timestamp can say."""


@dataclass(frozen=True)
class Clock:
    """How the mock's time follows the machine's, both in microseconds since 1970.

    Attributes:
        since: the machine's time at some moment.
        then: the mock's time at that moment.
        speed: how many seconds of the mock pass in a second of the machine; 0 is frozen.
    """

    since: int = 0
    then: int = 0
    speed: float = 1.0

    def at(self, machine: int) -> int:
        """The mock's time at a moment of the machine's."""
        elapsed = max(machine - self.since, 0)  # the machine's own clock may be set back, or another machine's be late
        # exact where it matters: at real speed no rounding of a float may come between two clocks
        return min(self.then + (elapsed if self.speed == 1 else round(self.speed * elapsed)), LATEST)

    def paced(self, machine: int, speed: float) -> Clock:
        """The clock that goes on from now at another speed."""
        return Clock(machine, self.at(machine), speed)

    def advanced(self, machine: int, seconds: float) -> Clock:
        """The clock that is so much later, and goes on at the same speed."""
        return Clock(machine, self.at(machine) + round(seconds * MICROSECONDS), self.speed)

    def to_json(self) -> dict[str, Any]:
        """The clock as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Clock:
        """The clock that was made into plain JSON.

        Raises:
            TypeError, ValueError, KeyError: if it is none.
        """
        since, then, speed = data["since"], data["then"], float(data["speed"])
        if type(since) is not int or type(then) is not int or not 0 <= speed <= FASTEST:
            raise ValueError(data)
        return cls(since, then, speed)


REAL = Clock()
"""The clock that says the machine's own time."""


def machine_time() -> int:
    """The machine's time, in microseconds since 1970."""
    return time.time_ns() // 1000
