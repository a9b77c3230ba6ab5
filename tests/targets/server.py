"""A small image-task API over HTTP: right on every rule, or wrong on exactly one.

A contract test is worth what it catches. A `Target` is what it is tried on: without a fault it
must report nothing, with a fault of `faults.FAULTS` it should report that one.

Time decides everything and nothing works in the background. A task is a plan, fixed when it is
accepted: when it ends, and how. What a snapshot shows is a function of the plan and the clock. A
refund is a posting dated at the task's end, and a balance is what has fallen due, so that it does
not matter who looks first. Only some faults remember that somebody has looked.

    wire.py     HTTP
    orders.py   what a submission may say, and its price
    server.py   routes, credentials, the ledger, tasks
    faults.py   the names of the faults, and those that are mere data

Hooks for tests, which no fault touches: `POST /_admin/accounts` with `{"credits": n}` answers the
`key` of a fresh account, `GET /_admin/accounts/{key}` its `balance`, and a submission with
`"providerInput": {"simulate": "failure"}` makes a task that fails.
"""

import base64
import contextlib
import json
import math
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from .faults import ERROR_BODY, ERROR_STATUS, SNAPSHOT, SUBMISSION, Switch
from .orders import Invalid, Order, Validator
from .wire import Reply, Request, Server

RICH, OTHER, POOR, EMPTY = "sk_test_rich", "sk_test_other", "sk_test_poor", "sk_test_empty"
ACCOUNTS = {RICH: 1_000_000, OTHER: 1_000_000, POOR: 2, EMPTY: 0}

PENDING, COMPLETED, FAILED = 0, 1, 2

# What some faults take for the price when the request does not say.
CHEAPEST = 3

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg==")


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(eq=False)
class Account:
    """`due` holds dated postings: (the moment on the monotonic clock, credits)."""

    credits: int
    due: list[tuple[float, int]] = field(default_factory=list)

    def balance(self, now: float) -> int:
        return self.credits + sum(amount for moment, amount in self.due if moment <= now)


@dataclass(eq=False)
class Task:
    """An accepted order and its plan.

    `created` is a time of day, `starts` and `ends` are moments on the monotonic clock.
    """

    id: str
    owner: Account
    order: Order
    created: float
    starts: float
    ends: float
    # Nothing but faults looks at these two.
    reads: int = 0
    reads_after_end: int = 0


class Target:
    """The API on a free port of 127.0.0.1, for as long as the `with` block lasts.

    `fault` is a name in `FAULTS`; `ValueError` if it is none. A task ends `task_seconds` after it
    was accepted. `url` is the origin, without a slash at its end.
    """

    def __init__(self, fault: str | None = None, task_seconds: float = 0.25) -> None:
        self._switch = Switch(fault)
        self._on, self._crash = self._switch.on, self._switch.crash
        self._validator = Validator(self._switch)
        self._task_seconds = math.inf if self._on("never-ends") else task_seconds
        self._lock = threading.Lock()
        self._accounts = {key: Account(credits) for key, credits in ACCOUNTS.items()}
        self._tasks: dict[str, Task] = {}
        self._routes: tuple[tuple[str, str, Callable[..., Reply]], ...] = (
            ("POST", "/api/ai/image/generate", self._submit),
            ("GET", "/api/ai/tasks/([^/]+)", self._read),
            ("GET", "/_files/[^/]+", self._file),
            ("POST", "/_admin/accounts", self._open_account),
            ("GET", "/_admin/accounts/([^/]+)", self._show_balance),
        )
        self._server = Server(self._answer)
        self.fault = fault
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.stop()

    def _answer(self, request: Request) -> Reply:
        try:
            reply = self._route(request)
        except Refusal as refusal:
            reply = refusal.reply
        except Invalid as invalid:
            details = {"formErrors": invalid.form, "fieldErrors": invalid.fields}
            reply = self._error(400, "Invalid request", details=details).reply
        except Exception:  # noqa: BLE001 - the API promises an answer, whatever the bug
            reply = self._error(500, "Internal server error").reply
        if self._on("error-html-for-browsers") and reply.status >= 400 and "html" in request.headers.get("Accept", ""):
            reply = Reply(reply.status, b"<!doctype html><h1>Error</h1>", "text/html", reply.headers)
        if self._on("content-type-wrong") and request.path.startswith("/api/"):
            reply = replace(reply, content_type="text/plain")
        return reply

    def _route(self, request: Request) -> Reply:
        for method, pattern, call in self._routes:
            if found := re.fullmatch(pattern, request.path):
                if request.method == method:
                    return call(request, *map(unquote, found.groups()))
                self._crash("unknown-method-500")
                if self._on("delete-forgets-task") and request.method == "DELETE":
                    self._tasks.pop(found[1], None)
                raise self._error(405, "Method not allowed", headers={"Allow": method})
        self._crash("unknown-path-500")
        raise self._error(404, "Not found")

    # Errors

    def _error(self, status: int, text: str, *, headers: dict[str, str] | None = None, **more: Any) -> Refusal:
        headers = headers or {}
        if self._on("error-plain-text"):
            return Refusal(Reply(status, text.encode(), "text/plain", headers))
        if self._on("unknown-task-html") and text == "Task not found":
            return Refusal(Reply(status, b"<!doctype html><h1>404</h1>", "text/html", headers))
        meant, wrong_status = ERROR_STATUS.get(self._switch.name, ("", 0))
        body = {"error": text, **more}
        if self._switch.name in ERROR_BODY:
            ERROR_BODY[self._switch.name](body)
        return Refusal(Reply(wrong_status if text == meant else status, body, headers=headers))

    def _insufficient(self, price: int, balance: int) -> Refusal:
        required = price - balance if self._on("required-is-shortfall") else price
        return self._error(402, "Insufficient credits", required=required)

    # Credentials

    def _authenticate(self, request: Request) -> Account:
        keys = self._offered_keys(request)
        for key in keys:
            if account := self._accounts.get(key) or self._account_like(key):
                return account
        self._crash("invalid-key-500", bool(keys))
        raise self._error(401, "Unauthorized", headers={"WWW-Authenticate": "Bearer"})

    def _offered_keys(self, request: Request) -> list[str]:
        """Every key in the request: there are two schemes, and either alone is enough."""
        header = request.headers.get("Authorization", "").strip()
        scheme, _, key = header.partition(" ")
        schemes = ("bearer", "basic") if self._on("basic-scheme-accepted") else ("bearer",)
        keys = [key.strip()] if scheme.lower() in schemes else []
        if self._on("basic-password-accepted") and scheme.lower() == "basic":
            with contextlib.suppress(ValueError):
                keys.append(base64.b64decode(key).decode().partition(":")[0])
        if self._on("bare-key-accepted"):
            keys.append(header)
        reads_only = self._on("cookie-refused-on-submission")
        if self._on("cookie-refused") or (reads_only and request.method == "POST"):
            return keys
        pairs = ";".join(request.headers.get_all("Cookie", [])).split(";")
        for pair in pairs[:1] if self._on("cookie-only-first") else pairs:
            name, _, value = pair.partition("=")
            if name.strip() == "session":
                keys.append(value.strip())
                if self._on("any-cookie-accepted"):
                    keys.append(RICH)
        return keys

    def _account_like(self, key: str) -> Account | None:
        """The account that a fault takes a wrong key for."""
        for known, account in list(self._accounts.items()):
            if (
                (self._on("any-key-accepted") and key)
                or (self._on("empty-key-accepted") and not key)
                or (self._on("key-prefix-accepted") and len(key) > 8 and known.startswith(key))
                or (self._on("key-suffix-ignored") and key.startswith(known))
                or (self._on("key-case-insensitive") and key.lower() == known.lower())
            ):
                return account
        return None

    # Submission

    def _submit(self, request: Request) -> Reply:
        """The order of errors: credentials, then the body, then the balance."""
        media_type = request.headers.get("Content-Type", "application/json").split(";")[0]
        self._crash("other-content-type-500", media_type.strip().lower() != "application/json")
        late_key = self._on("400-before-unknown-key") and self._offered_keys(request)
        if late_key or self._on("400-before-401"):
            self._validator.order(request.body)
        if self._on("malformed-json-before-401"):
            self._validator.decode(request.body)
        try:
            account = self._authenticate(request)
        except Refusal:
            if self._on("402-before-401"):
                with contextlib.suppress(Invalid):
                    price = self._validator.order(request.body).price
                    raise self._insufficient(price, 0) from None
            raise
        try:
            order = self._validator.order(request.body)
        except Invalid as invalid:
            self._mishandle(account, invalid)
            raise
        task = self._accept(account, order)
        answer = {"taskId": task.id, "status": PENDING, "creditsUsed": order.price}
        if self._switch.name in SUBMISSION:
            SUBMISSION[self._switch.name](answer)
        return Reply(201 if self._on("submission-201") else 200, answer)

    def _mishandle(self, account: Account, invalid: Invalid) -> None:
        """An invalid request has nothing to do with the balance: all of these are faults."""
        with self._lock:
            balance = account.balance(time.monotonic())
            if self._on("charge-on-400"):
                account.credits -= min(balance, CHEAPEST)
        options_only = invalid.fields and not {"model", "prompt"} & invalid.fields.keys()
        if balance < CHEAPEST and (self._on("402-before-400") or (self._on("402-before-options-400") and options_only)):
            raise self._insufficient(CHEAPEST, balance)

    # Ledger

    def _accept(self, account: Account, order: Order) -> Task:
        """Debit the price and plan the task, both or neither.

        Looking at the balance, debiting it and making the task are one step under the lock:
        otherwise concurrent submissions would spend more than there is.
        """
        racing = self._on("lost-updates") or self._on("overspend-when-concurrent")
        guard: contextlib.AbstractContextManager[Any] = contextlib.nullcontext() if racing else self._lock
        with guard:
            now = time.monotonic()
            credits, balance = account.credits, account.balance(now)
            twin = self._find_twin(account, order)
            if twin and self._on("equal-requests-one-task"):
                return twin
            enough = {
                "exact-balance-refused": order.price + 1,
                "one-short-accepted": order.price - 1,
                "negative-balance": 1,
            }.get(self._switch.name, order.price)
            if balance < enough:
                if self._on("charge-on-402"):
                    account.credits -= balance
                raise self._insufficient(order.price, balance)
            if racing:
                time.sleep(0.02)
            if self._on("overspend-when-concurrent"):
                credits = account.credits
            debit = {
                "one-short-accepted": min(order.price, balance),
                "debit-twice": min(2 * order.price, balance),
                "debit-differs": min(order.price + 1, balance),
                "debit-missing": 0,
                "debit-on-completion": 0,
                "equal-requests-debited-once": 0 if twin else order.price,
            }.get(self._switch.name, order.price)
            account.credits = credits - debit
            ends = now + self._task_seconds
            if posting := self._posting_at_end(order, debit):
                account.due.append((ends, posting))
            task = Task(self._new_id(account, now), account, order, time.time(), now, ends)
            self._tasks[task.id] = task
            return task

    def _posting_at_end(self, order: Order, debit: int) -> int:
        """What the end of the task moves: the whole price if it fails, nothing otherwise."""
        if order.fails:
            return {
                "refund-missing": 0,
                "refund-half": order.price // 2,
                "refund-cheapest-tier": order.cheapest_price,
                "refund-only-when-read": 0,
            }.get(self._switch.name, order.price if debit else 0)
        return {
            "refund-on-success": order.price,
            "debit-on-completion": -order.price,
        }.get(self._switch.name, 0)

    def _find_twin(self, account: Account, order: Order) -> Task | None:
        """An equal request of the same account, for the faults that care: the API does not."""
        if not self._switch.name.startswith("equal-requests-"):
            return None
        own = (task for task in self._tasks.values() if task.owner is account)
        return next((task for task in own if task.order.body == order.body), None)

    def _new_id(self, account: Account, now: float) -> str:
        if self._on("task-id-reused"):
            for task in self._tasks.values():
                if task.owner is account and task.ends <= now:
                    return task.id
        return _ulid()

    # Tasks

    def _read(self, request: Request, task_id: str) -> Reply:
        self._crash("long-task-id-500", len(task_id) > 255)
        self._crash("control-in-task-id-500", min(task_id) < " ")
        missing = self._error(404, "Task not found")
        reader = None
        if self._offered_keys(request) or not self._on("reads-without-credentials"):
            try:
                reader = self._authenticate(request)
            except Refusal:
                if self._on("404-before-401"):
                    raise missing from None
                raise
        with self._lock:
            now = time.monotonic()
            task = self._tasks.get(task_id)
            if task is None:
                raise missing
            if reader and reader is not task.owner and not self._on("foreign-task-visible"):
                if self._on("foreign-task-403"):
                    raise self._error(403, "Forbidden")
                if self._on("foreign-task-404-reveals"):
                    raise self._error(404, "Task belongs to another account")
                raise missing
            if self._on("task-late-visible") and now < (task.starts + task.ends) / 2:
                raise missing
            if self._on("task-forgotten-after-end") and task.reads_after_end:
                raise missing
            task.reads += 1
            task.reads_after_end += now >= task.ends
            self._move_credits(task, now)
            return Reply(200, self._snapshot(task, now))

    def _move_credits(self, task: Task, now: float) -> None:
        """Reading moves no credits: all of these are faults."""
        if self._on("charge-on-read") and task.owner.balance(now) > 0:
            task.owner.credits -= 1
        if task.order.fails and (
            (self._on("refund-only-when-read") and task.reads_after_end == 1)
            or (self._on("refund-again-on-second-read") and task.reads_after_end == 2)
            or (self._on("refund-on-every-read") and task.reads_after_end)
        ):
            task.owner.credits += task.order.price

    def _status(self, task: Task, now: float) -> int:
        read_before = task.reads_after_end > 1
        if now < task.ends or (self._on("terminal-flips-to-pending") and read_before):
            return PENDING
        if task.order.fails or (self._on("completed-flips-to-failed") and read_before):
            return FAILED
        return COMPLETED

    def _snapshot(self, task: Task, now: float) -> dict[str, Any]:
        status = self._status(task, now)
        created = task.created - (task.reads if self._on("created-at-changes") else 0)
        updated = task.created if status == PENDING else task.created + task.ends - task.starts
        if self._on("updated-at-changes-after-end"):
            updated += task.reads_after_end / 1000
        snapshot: dict[str, Any] = {
            "taskId": task.id,
            "type": "image",
            "status": status,
            "model": task.order.model,
            "prompt": task.order.prompt,
            "creditsUsed": task.order.price,
            "creditsRefunded": status == FAILED,
            "createdAt": _timestamp(created),
            "updatedAt": _timestamp(updated),
        }
        if (
            status == COMPLETED
            or (status == PENDING and self._on("pending-with-image-urls"))
            or (status == FAILED and self._on("failed-with-image-urls"))
        ):
            query = f"?read={task.reads}" if self._on("image-urls-change-after-end") else ""
            snapshot["imageUrls"] = [f"{self.url}/_files/{task.id}.png{query}"]
        if status == FAILED:
            snapshot["errorCode"] = "EMPTY_RESULT"
            snapshot["errorMessage"] = "The provider returned no image"
        if self._switch.name in SNAPSHOT:
            SNAPSHOT[self._switch.name](snapshot)
        return snapshot

    def _file(self, request: Request) -> Reply:
        return Reply(200, PNG, "image/png")

    # Hooks for tests

    def _open_account(self, request: Request) -> Reply:
        try:
            credits = json.loads(request.body)["credits"]
        except (ValueError, KeyError, TypeError):
            credits = None
        if type(credits) is not int or credits < 0:
            raise self._error(400, "Expected credits, a whole number")
        key = f"sk_test_{secrets.token_hex(16)}"
        self._accounts[key] = Account(credits)
        return Reply(200, {"key": key})

    def _show_balance(self, request: Request, key: str) -> Reply:
        account = self._accounts.get(key)
        if account is None:
            raise self._error(404, "Account not found")
        with self._lock:
            return Reply(200, {"balance": account.balance(time.monotonic())})


def _timestamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ulid() -> str:
    number = int(time.time() * 1000) << 80 | secrets.randbits(80)
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return "tsk_" + "".join(digits[number >> shift & 31] for shift in range(125, -1, -5))
