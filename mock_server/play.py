"""The application behind connexion: answers requests that are routed, authenticated and validated already."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contract.model import Contract, Reading, Submission, When
from contract.reader import JSON
from mock_server.answers import Answer, Errors
from mock_server.outer import header, note
from mock_server.prefer import Preferences
from mock_server.scenarios import Manner, Scenario
from mock_server.service import Accepted, Insufficient, Service
from mock_server.store import Caller, NotAtOnceError, Store
from mock_server.together import Together
from mock_server.transmit import hang_up, pause, transmit
from mock_server.urls import PICTURES, is_host

CALLER = "mock_server.caller"
"""The scope's extension with the account whose credentials were accepted."""
BODY = "mock_server.body"
"""The scope's extension in which validation leaves the parsed request body."""
PREFERENCES = "mock_server.preferences"
"""The scope's extension with what the request asks for, if it asks for anything."""

NO_PREFERENCES = Preferences()

_DRAWN_AT_ONCE = 2
"""Pictures: the largest takes some 90 MB while it is drawn."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

P = ParamSpec("P")
R = TypeVar("R")


class Play:
    """The ASGI application that connexion's middlewares end in."""

    def __init__(
        self,
        contract: Contract,
        service: Service,
        errors: Errors,
        *,
        public_url: str | None,
        store: Store,
    ) -> None:
        """Make the application.

        Args:
            public_url: the beginning of every URL handed out; None takes the request's own `Host`.
            store: what the service works on. It may have to wait for a database, and must not do so in the event loop.
        """
        self._contract = contract
        self._service = service
        self._errors = errors
        self._public_url = public_url
        self._store = store
        self._together = Together(store)
        self._drawing = asyncio.Semaphore(_DRAWN_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = operation_id(scope)
        if operation is None:
            response = await self._picture(Request(scope, receive))
            await response(scope, receive, send)
            return
        preferences: Preferences = scope["extensions"].get(PREFERENCES, NO_PREFERENCES)
        scenario = self._service.scenarios.named(preferences.scenario or caller(scope).scenario)
        note(scope, operation=operation, account=caller(scope).account)
        if scenario.name != self._service.scenarios.start:
            note(scope, scenario=scenario.name)
        answer, manner = await self._answer(operation, scenario, scope)
        delay = preferences.delay + manner.delay
        if delay and not await pause(delay, scope, receive):
            await hang_up(scope, receive)
            return
        if manner.transfer:
            note(scope, transfer=manner.transfer.value)
        await transmit(respond(answer), manner.transfer, scope, receive, send)

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call what reads: in a thread, if it has to wait for others."""
        if self._store.in_memory:
            return function(*args, **kwargs)
        if self._store.may_be_quick:
            with suppress(NotAtOnceError), self._store.at_once():
                return function(*args, **kwargs)
        return await run_in_threadpool(function, *args, **kwargs)

    async def write(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call what writes, likewise: in one transaction with others, or in a thread."""
        if self._store.is_untidy:
            await self.call(self._store.tidy, self._service.machine)
        if self._store.may_be_quick:
            with suppress(NotAtOnceError):
                return await self._together.call(function, *args, **kwargs)
        return await run_in_threadpool(function, *args, **kwargs)

    async def _answer(self, operation: str, scenario: Scenario, scope: Scope) -> tuple[Answer, Manner]:
        """What a request is answered, and in which manner."""
        task = self._contract.operations[operation].task
        if isinstance(task, Submission):
            return await self._submit(operation, task, scenario, scope), scenario.submissions
        if isinstance(task, Reading):
            return await self._read(operation, task, scenario, scope), scenario.reads
        raise AssertionError(operation)  # the start refuses such a contract

    async def _submit(self, operation: str, submission: Submission, scenario: Scenario, scope: Scope) -> Answer:
        body = scope["extensions"][BODY]
        error = scenario.submissions.error
        if error and error is not When.INSUFFICIENT:
            note(scope, refused=f"scenario {scenario.name}")
            return self._errors.plain(operation, error)
        outcome: Accepted | Insufficient
        if error:
            outcome = Insufficient(self._service.price(operation, body))
        else:
            order = self._service.order(operation, caller(scope), body, self._base_url(scope), scenario.tasks)
            try:
                task = await self.write(order.pay)
            except KeyError:
                note(scope, refused="the account is deleted")
                return self._errors.unauthenticated(operation)
            outcome = order.outcome(task)
        if isinstance(outcome, Insufficient):
            note(scope, refused="insufficient credits", price=outcome.price)
            return self._errors.insufficient(operation, outcome.price)
        note(scope, task=outcome.task.id, debited=outcome.task.credits)
        return Answer(submission.accepted, outcome.body)

    async def _read(self, operation: str, reading: Reading, scenario: Scenario, scope: Scope) -> Answer:
        if scenario.reads.error:
            note(scope, refused=f"scenario {scenario.name}")
            return self._errors.plain(operation, scenario.reads.error)
        task_id = scope["path_params"][reading.parameter.replace("-", "_")]
        snapshot = await self.call(self._service.read, caller(scope), task_id)
        if snapshot is None:
            note(scope, refused="no such task of this account")
            return self._errors.unknown_task(operation)
        return Answer(reading.found, snapshot)

    async def _picture(self, request: Request) -> Response:
        path = request.scope["path"]
        if path.startswith(PICTURES) and request.method in ("GET", "HEAD"):
            draw = await self.call(self._service.picture, path)
            if draw is not None:
                await request.body()  # of which there is none; what comes after it is the client's leaving
                async with self._drawing:
                    if not await request.is_disconnected():
                        picture = await run_in_threadpool(draw)
                        return Response(picture.content, media_type=picture.media_type)
        return respond(self._errors.unknown_path())

    def _base_url(self, scope: Scope) -> str:
        """How the caller reached the mock, as far as the request's own word for it is fit for a URL."""
        if self._public_url:
            return self._public_url.rstrip("/")
        host = header(scope, b"host")
        if host is None or not is_host(host):
            address, port = scope["server"]
            host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return f"{scope['scheme']}://{host}"


def respond(answer: Answer) -> Response:
    """An answer as an HTTP response."""
    return Response(_encode(dict(answer.body)), answer.status, answer.headers or None, JSON)


def operation_id(scope: Scope) -> str | None:
    """The operation that connexion found for the request, or None for a path that the contract does not know."""
    routing: dict[str, Any] = scope.get("extensions", {}).get("connexion_routing", {})
    return routing.get("operation_id")


def caller(scope: Scope) -> Caller:
    """The account whose credentials were accepted."""
    found: Caller = scope["extensions"][CALLER]
    return found
