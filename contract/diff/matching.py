"""Which operations of two contracts are the same: those that the same request asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from contract.model import Contract, Operation
from contract.reader import path_shape


def asked_at(operation: Operation) -> tuple[str, str]:
    """What a request for the operation says: its method, and its path without the names of the parameters."""
    return operation.method, path_shape(operation.path)


def operation_pairs(old: Contract, new: Contract) -> Iterator[tuple[Operation | None, Operation | None]]:
    """The operations of both contracts, paired by what a request says. An ID is only what a document calls it."""
    before, after = ({asked_at(o): o for o in contract.operations.values()} for contract in (old, new))
    for key in dict.fromkeys((*before, *after)):
        yield before.get(key), after.get(key)


def renamed_parameters(one: Operation, two: Operation) -> Mapping[str, str]:
    """The new names of the path's parameters, which no request shows."""
    names = (re.findall("{([^}]*)}", operation.path) for operation in (one, two))
    return dict(zip(*names, strict=True))
