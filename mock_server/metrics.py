"""How the mock is doing: `/_mock/health` for a load balancer, `/_mock/metrics` for Prometheus.

Both are open to everybody, whatever Host they use: they tell totals, and change nothing. Replicas on one database tell
the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from contract.model import Contract
from mock_server.outer import NOTES, UNUSABLE, Answered, note_error
from mock_server.store import Counts, Journal, Machine
from mock_server.urls import HEALTH, METRICS

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"  # of Prometheus' text format
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of a histogram's buckets."""
_LE: Final = (*(f"{bound:g}" for bound in _SECONDS), "+Inf")
_REQUESTS, _BUCKETS, _SUM = "requests", "buckets", "sum"


class Counted:
    """Counts the requests that pass through it; inside the request log, whose notes say which operation it was."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = send if isinstance(send, Answered) else Answered(send)  # the log looks at it already
        try:
            await self._app(scope, receive, answered)
        finally:
            operation = scope["extensions"].get(NOTES, {}).get("operation", "")
            self._metrics.served(operation, answered.status, answered.seconds)


class Metrics:
    """Counts what is served."""

    def __init__(self, contract: Contract, journal: Journal, machine: Machine) -> None:
        self._lifecycle = contract.lifecycle
        self._journal = journal
        self._machine = machine

    def served(self, operation: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            operation: the contract's name of it; empty for a path that the contract does not know.
            seconds: how long it took.
        """
        bucket = _LE[bisect_left(_SECONDS, seconds)]
        self._journal.count(
            {
                (_REQUESTS, operation, str(status)): 1,
                (_BUCKETS, operation, bucket): 1,
                (_SUM, operation): seconds,
            }
        )

    def text(self) -> str:
        """Everything, in Prometheus' text format."""
        counts = self._journal.counts()
        return "".join(f"{line}\n" for line in (*self._served(counts), *self._state()))

    def pages(self) -> Mapping[str, ASGIApp]:
        """The two pages by their paths."""
        return {
            HEALTH: Router([Route(HEALTH, self._health)]),
            METRICS: Router([Route(METRICS, self._metrics)]),
        }

    async def _metrics(self, request: Request) -> Response:
        return await _answered(request, lambda: PlainTextResponse(self.text(), media_type=_TEXT))

    async def _health(self, request: Request) -> Response:
        def ping() -> Response:
            self._journal.ping()
            return JSONResponse({"status": "ok"})

        return await _answered(request, ping)

    def _served(self, counts: Counts) -> Iterator[str]:
        found: dict[str, dict[tuple[str, ...], float]] = {_REQUESTS: {}, _BUCKETS: {}, _SUM: {}}
        for (kind, *labels), value in counts.items():
            if kind in found:
                found[kind][tuple(labels)] = value
        yield from _head("mock_requests_total", "counter", "Requests answered.")
        for (operation, status), value in sorted(found[_REQUESTS].items()):
            yield _line("mock_requests_total", {"operation": operation, "status": status}, value)
        name = "mock_request_duration_seconds"
        yield from _head(name, "histogram", "How long requests took.")
        for (operation,), seconds in sorted(found[_SUM].items()):
            so_far = 0.0
            for le in _LE:
                so_far += found[_BUCKETS].get((operation, le), 0)
                yield _line(f"{name}_bucket", {"operation": operation, "le": le}, so_far)
            yield _line(f"{name}_sum", {"operation": operation}, seconds)
            yield _line(f"{name}_count", {"operation": operation}, so_far)

    def _state(self) -> Iterator[str]:
        totals = self._journal.totals(self._machine)
        states = self._lifecycle.states
        numbers = dict.fromkeys(states, 0)
        for (outcome, ended), number in totals.tasks.items():
            state = outcome if ended else self._lifecycle.initial.name
            numbers[state] = numbers.get(state, 0) + number
        yield from _head("mock_tasks", "gauge", "Tasks that are kept, by their state.")
        for state, number in numbers.items():
            yield _line("mock_tasks", {"state": state}, number)
        yield from _head("mock_credits_debited", "gauge", "Credits taken off the accounts for tasks.")
        yield _line("mock_credits_debited", {}, totals.debited)
        yield from _head("mock_credits_refunded", "gauge", "Of those, credits paid back for tasks that failed.")
        yield _line("mock_credits_refunded", {}, totals.refunded)


async def _answered(request: Request, make: Callable[[], Response]) -> Response:
    """What is made in a thread, or that the database cannot be used."""
    try:
        return await run_in_threadpool(make)
    except Exception as error:  # noqa: BLE001 - whatever it is, the database cannot be used
        note_error(request.scope, error)
        problem = {"status": "unavailable", "problem": UNUSABLE}
        return JSONResponse(problem, HTTPStatus.SERVICE_UNAVAILABLE)


def _head(name: str, kind: str, text: str) -> Iterable[str]:
    return (f"# HELP {name} {text}", f"# TYPE {name} {kind}")


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{said}}} {value:.15g}" if said else f"{name} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
