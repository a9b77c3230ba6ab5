"""A path leads to its operation, and a concrete one before one with parameters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.model import Contract, Operation, Reading
from contract_tests.traffic.routes import Route, Routes


def renamed(operation: Operation, id: str, path: str, method: str = "GET") -> Operation:
    task = operation.task
    if isinstance(task, Reading):
        task = replace(task, parameter="task-id")
    return replace(operation, id=id, path=path, method=method, task=task)


@pytest.fixture
def routes(contract: Contract) -> Routes:
    read, submit = contract.operations["getTask"], contract.operations["generateImage"]
    operations = {
        "one": renamed(read, "one", "/tasks/{task-id}"),
        "part": renamed(read, "part", "/tasks/{task-id}.json/{1}"),
        "latest": renamed(submit, "latest", "/tasks/latest"),
        "drop": renamed(submit, "drop", "/tasks/{task-id}", "DELETE"),
    }
    return Routes(replace(contract, operations=operations), "/v1")


def found(route: Route) -> tuple[str | None, str | None, bool]:
    return route.operation.id if route.operation else None, route.task, route.known


@pytest.mark.parametrize(
    ("method", "target", "wanted"),
    [
        ("GET", "/v1/tasks/tsk%201?x=y", ("one", "tsk 1", True)),
        ("GET", "/v1/tasks/tsk.json/7", ("part", "tsk", True)),
        ("GET", "/v1/tasks/latest", ("latest", None, True)),
        ("DELETE", "/v1/tasks/latest", (None, None, True)),
        ("DELETE", "/v1/tasks/tsk_1", ("drop", None, True)),
        ("GET", "/tasks/tsk_1", (None, None, False)),
        ("GET", "//x/v1/tasks/tsk_1", (None, None, False)),
        ("GET", "http://[", (None, None, False)),
    ],
)
def test_a_path_leads_to_its_operation(
    routes: Routes, method: str, target: str, wanted: tuple[str | None, str | None, bool]
) -> None:
    assert found(routes.find(method, target)) == wanted
