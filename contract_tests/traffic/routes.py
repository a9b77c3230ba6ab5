"""Which operation of the contract a request is for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from contract.model import Contract, Operation, Reading

_PARAMETER = re.compile(r"\{([^{}]*)\}")


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
        methods: dict[str, dict[str, Operation]] = {}
        for operation in contract.operations.values():
            methods.setdefault(operation.path, {})[operation.method.upper()] = operation
        concrete_first = sorted(methods, key=lambda path: ["{" in step for step in path.split("/")])
        self._paths = [(*_pattern(base, path), methods[path]) for path in concrete_first]

    def find(self, method: str, target: str) -> Route:
        """The route of a request line's method and target, which begins with a path."""
        path = target.partition("?")[0].partition("#")[0]
        for pattern, names, methods in self._paths:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            operation = methods.get(method)
            if operation is None or not isinstance(operation.task, Reading):
                return Route(operation, known=True)
            return Route(operation, unquote(found[names.index(operation.task.parameter) + 1]), known=True)
        return Route()


def _pattern(base: str, path: str) -> tuple[re.Pattern[str], list[str]]:
    """What finds a path, and the names of its groups: they may be such as Python's groups cannot have."""
    texts = _PARAMETER.split(path)
    escaped = [re.escape(base.rstrip("/") + texts[0]), *map(re.escape, texts[2::2])]
    return re.compile("([^/]+)".join(escaped)), texts[1::2]
