"""What comes over the wire and is no ordinary request: odd IDs, other methods, other content types, odd bytes."""

from __future__ import annotations

from dataclasses import replace

from contract.clause import Kind
from contract.model import Contract, Operation, Reading, Submission, When
from contract_tests.bench import Bench
from contract_tests.case import encode
from contract_tests.marks import contract_test
from contract_tests.test_access import a_request, a_task, one_task, unauthenticated
from contract_tests.wire import JSON, Exchange, Request

BAD_REQUEST = 400
SERVER_ERROR = 500
NOT_IMPLEMENTED = 501
VERSION_NOT_SUPPORTED = 505

UNKNOWN_IDS = {
    "unknown": "no-such-task",
    "digits": "1",
    "negative": "-1",
    "ulid": "tsk_00000000000000000000000000",
    "null": "null",
    "sql": "' OR '1'='1",
    "wildcard": "%",
    "star": "*",
    "unicode": "задача-纸船",
    "emoji": "\U0001f5bc",
    "quote": '"',
    "braces": "{id}",
    "spaces": "a b",
    "percent": "100%25",
    "plus": "a+b",
    "semicolon": "a;b=c",
    "question": "a?b",
    "hash": "a#b",
    "backslash": "a\\b",
    "long": "x" * 1000,
}
"""IDs that no task has: to read one is answered like any unknown task."""

ODD_IDS = {
    "slash": "a%2Fb",
    "dots": "%2E%2E",
    "parent": "..%2F..%2Fetc",
    "nul": "%00",
    "newline": "a%0d%0ab",
    "control": "a%01%1fb",
    "bad-utf8": "%ff%fe",
    "bad-escape": "%zz",
    "cut-escape": "a%2",
    "very-long": "y" * 8000,
}
"""IDs that servers may refuse before the API sees them; only an error of the server is ruled out."""


def _lowest(_contract: Contract, submitting: Operation) -> int:
    task = submitting.task
    return (
        min(p for f in task.profiles.values() for p in f.price.credits.values()) if isinstance(task, Submission) else 0
    )


def _odd_bodies(contract: Contract, submitting: Operation) -> int:
    return 16 * _lowest(contract, submitting)


def _types(contract: Contract, submitting: Operation) -> int:
    return len(CONTENT_TYPES) * _lowest(contract, submitting)


CONTENT_TYPES = (
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/octet-stream",
    "application/vnd.api+json",
    "nonsense",
    "",
)


@contract_test(Kind.ERROR, Kind.STATUSES, Kind.BODY, cost=one_task)
def test_an_unknown_task_is_not_found(bench: Bench, reading: Operation) -> None:
    """An ID that no task has is answered as the contract says, whatever it looks like, and however near it comes."""
    account = bench.main()
    a_task(bench)
    mine = [task.id for task in bench.session.tasks if task.account is account][-1:]
    near = {
        other
        for own in mine
        for other in (
            *(own[:-1], f"{own}x", f"x{own}", own + own, own.lower(), own.upper(), own.swapcase()),
            *(f" {own}", f"{own} ", own.rpartition("_")[2], own.rpartition("-")[2]),
        )
        if other not in (own, "")
    }
    error = reading.errors[When.UNKNOWN_TASK]
    clause = bench.id(Kind.ERROR, reading.id, value=error.when.value)
    for task_id in (*UNKNOWN_IDS.values(), *sorted(near)):
        exchange = bench.send(bench.read_request(reading, task_id, bench.credentials(account)))
        snapshot = exchange.json()
        if isinstance(snapshot, dict) and snapshot.get(bench.contract.lifecycle.fields.id) == task_id:
            continue  # the form of IDs is not promised: this is one, and the caller's own
        bench.expect(clause, exchange.status == error.status, f"{error.status}, for an ID that no task has", exchange)


@contract_test(Kind.ERROR)
def test_odd_ids_are_no_server_error(bench: Bench, reading: Operation) -> None:
    """Bytes that hardly make an ID are no reason for an error of the server, and find no task."""
    headers = bench.credentials(bench.main())
    found = str(next(iter(status for status in reading.responses if status.startswith("2"))))
    for encoded in ODD_IDS.values():
        request = replace(bench.read_request(reading, "PLACE", headers), operation=None)
        request = replace(request, path=request.path.replace("PLACE", encoded))
        exchange = bench.send(request)
        clause = _unexpected(bench, reading)
        bench.expect(
            clause, _no_server_error(exchange) and str(exchange.status) != found, "an error of the client", exchange
        )


@contract_test(Kind.CONVENTION, cost=one_task)
def test_other_methods_are_no_server_error(bench: Bench, operation: Operation) -> None:
    """A method that is not documented is no reason for an error of the server, and does nothing to a task."""
    account = bench.main()
    headers = bench.credentials(account)
    path = operation.path.replace("{", "").replace("}", "")
    tasks = []
    if isinstance(operation.task, Reading):
        a_task(bench)
        tasks = [task for task in bench.session.tasks if task.account is account][-1:]
        path = bench.read_request(operation, tasks[0].id, headers).path if tasks else path
    documented = {other.method for other in bench.contract.operations.values() if other.path == operation.path}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
        if method not in documented:
            exchange = bench.send(Request(method, path, headers))
            bench.expect("conventions.unknownMethod", _no_server_error(exchange), "no error of the server", exchange)
    bench.read_all(tasks)


@contract_test(Kind.CONTENT_TYPE, cost=one_task)
def test_answers_are_the_same_whatever_a_client_accepts(bench: Bench, operation: Operation) -> None:
    """A browser that asks for HTML gets the documented answers too."""
    account = bench.main()
    a_task(bench)
    for accept in ("text/html,application/xhtml+xml,*/*;q=0.8", "application/xml", "text/plain"):
        wrong = a_request(bench, operation, {"Accept": accept})
        unauthenticated(bench, operation, bench.send(wrong))
        headers = {**bench.credentials(account), "Accept": accept}
        if isinstance(operation.task, Reading):
            bench.send(a_request(bench, operation, headers))
            bench.send(bench.read_request(operation, "no-such-task", headers))
        else:
            bench.send(bench.submission_request(operation, b"{}", headers))


@contract_test(Kind.ERROR)
def test_odd_credentials_are_no_server_error(bench: Bench, operation: Operation) -> None:
    """Bytes that no key is made of are refused, here or by who stands before the API."""
    for value in (
        "Bearer kl\u00fcssel",
        "Bearer \u00ff\u00fe",
        "B\u00e4rer x",
        "Bearer " + "k" * 6000,
        "Bearer a b",
        ",,,",
    ):
        request = replace(a_request(bench, operation, {"Authorization": value}), operation=None)
        exchange = bench.send(request)
        refused = _no_server_error(exchange) and exchange.status is not None and exchange.status >= BAD_REQUEST
        bench.expect(_unexpected(bench, operation), refused, "an error of the client", exchange)


@contract_test(Kind.CONVENTION)
def test_unknown_paths_are_no_server_error(bench: Bench, operation: Operation) -> None:
    """A path that is not documented is no reason for an error of the server."""
    headers = bench.credentials(bench.main())
    for path in (
        "/",
        "/no-such-path",
        f"{operation.path.rpartition('/')[0]}/",
        f"{operation.path}/x/y/z",
        "/%00",
        "/a%2",
    ):
        exchange = bench.send(Request("GET", path.replace("{", "").replace("}", ""), headers))
        bench.expect("conventions.unknownPath", _no_server_error(exchange), "no error of the server", exchange)


@contract_test(Kind.CONVENTION, cost=_types)
def test_other_content_types_are_no_server_error(bench: Bench, submitting: Operation) -> None:
    """A body of another content type is refused, or read as JSON anyway."""
    account = bench.main()
    cases = bench.cases(submitting)
    body = cases.plain(cases.cheapest())
    for content_type in CONTENT_TYPES:
        request = bench.submission_request(submitting, body, bench.credentials(account), content_type)
        exchange = bench.send(request, cost=cases.cheapest().price.of(body), judged=False)
        bench.expect("conventions.otherMediaType", _no_server_error(exchange), "no error of the server", exchange)
        bench.track(submitting, body, account, exchange)


@contract_test(Kind.MODE, cost=_lowest)
def test_a_content_type_may_name_its_charset(bench: Bench, submitting: Operation) -> None:
    """JSON that says that it is UTF-8 is still JSON."""
    account = bench.main()
    cases = bench.cases(submitting)
    body = cases.plain(cases.cheapest())
    headers = bench.credentials(account)
    request = bench.submission_request(submitting, body, headers, f"{JSON}; charset=utf-8")
    exchange = bench.send(request, cost=cases.cheapest().price.of(body))
    if not bench.ran_out(submitting, exchange):
        task = bench.track(submitting, body, account, exchange)
        bench.expect(cases.price_clause(body), task is not None, "the request accepted", exchange)


@contract_test(Kind.ERROR, cost=_odd_bodies)
def test_odd_values_are_no_server_error(bench: Bench, submitting: Operation) -> None:
    """Values at the edge of what JSON can say are accepted or refused, but no reason for an error of the server."""
    account = bench.main()
    cases = bench.cases(submitting)
    profile = cases.cheapest()
    plain = encode(cases.plain(profile))
    price = profile.price.of(cases.plain(profile))
    field = cases.submission.passthrough or "x"
    values = {
        "deep": b"[" * 2000 + b"]" * 2000,
        "deeper": b"[" * 100_000 + b"]" * 100_000,
        "deep-objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "huge-integer": b"9" * 400,
        "huger-integer": b"9" * 5000,
        "huge-number": b"1e400",
        "tiny-number": b"1e-400",
        "lone-surrogate": b'"\\ud800"',
        "not-a-number": b"NaN",
        "long-key": b'{"' + b"k" * 100_000 + b'":1}',
    }
    for value in values.values():
        body = plain[:-1] + b',"' + field.encode() + b'":{"value":' + value + b"}}"
        request = bench.submission_request(submitting, body, bench.credentials(account))
        exchange = bench.send(request, cost=price, judged=False)  # 413 and the like are a gateway's right
        bench.expect(_unexpected(bench, submitting), _no_server_error(exchange), "no error of the server", exchange)
        bench.track(submitting, cases.plain(profile), account, exchange)
    twice = plain[:-1] + b"," + plain[1:]
    exchange = bench.send(bench.submission_request(submitting, twice, bench.credentials(account)), cost=price)
    bench.expect(_unexpected(bench, submitting), _no_server_error(exchange), "no error of the server", exchange)
    bench.track(submitting, cases.plain(profile), account, exchange)
    for text in (b"a\\u0000b", b"\\u0000", b"\\b\\f\\u001f\\u007f", b"   "):
        for name in bench.contract.lifecycle.echoes:
            if name != cases.submission.selector:
                marker = "CONTROL-CHARACTERS"
                body = encode(cases.plain(profile, {name: marker})).replace(marker.encode(), text)
                exchange = bench.send(
                    bench.submission_request(submitting, body, bench.credentials(account)), cost=price
                )
                parsed = exchange.request.json()
                task = bench.track(submitting, parsed, account, exchange)
                if task is not None:
                    bench.read_all([task])


def _unexpected(bench: Bench, operation: Operation) -> str:
    return bench.id(Kind.ERROR, operation.id, value=When.UNEXPECTED.value)


def _no_server_error(exchange: Exchange) -> bool:
    """Whether the server took a request as what it is; 501 and 505 say that it does not do such things at all."""
    status = exchange.status
    return status is not None and (status < SERVER_ERROR or status in (NOT_IMPLEMENTED, VERSION_NOT_SUPPORTED))
