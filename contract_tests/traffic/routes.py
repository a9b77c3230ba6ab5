"""Which operation of the contract a request is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from contract.model import Contract, Operation, Reading


@dataclass(frozen=True)
class Route:
    """What a request is for.

    Attributes:
        operation: None outside the contract, and for another method.
        task: the ID of the task that is read, if one is.
        known: whether the path is one of the contract's.
    """

    operation: Operation | None = None
    task: str | None = None
    known: bool = False


class Routes:
    """The paths of a contract."""

    def __init__(self, contract: Contract, base: str = "") -> None:
        """Prepare to find operations.

        Args:
            base: the path below which the API is.
        """
        self._paths = [(_pattern(base, operation.path), operation) for operation in contract.operations.values()]

    def find(self, method: str, target: str) -> Route:
        """The route of a request line's method and target."""
        try:
            path = urlsplit(target).path
        except ValueError:
            return Route()
        known = False
        for pattern, operation in self._paths:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            known = True
            if operation.method.upper() == method:
                task = operation.task
                read = found.groupdict().get(task.parameter) if isinstance(task, Reading) else None
                return Route(operation, None if read is None else unquote(read), known)
        return Route(known=known)


def _pattern(base: str, path: str) -> re.Pattern[str]:
    steps = [
        f"(?P<{step[1:-1]}>[^/]+)" if step.startswith("{") else re.escape(step)
        for step in (base.rstrip("/") + path).split("/")
    ]
    return re.compile("/".join(steps))
