"""Who may do what: valid credentials open everything of their own account, and nothing else opens anything."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from contract.clause import Kind
from contract.model import Contract, Operation, Reading, Submission, When
from contract_tests.bench import Bench
from contract_tests.hooks import Account
from contract_tests.marks import contract_test
from contract_tests.money import expect_balance
from contract_tests.tracked import Tracked
from contract_tests.verdicts import NotExercised
from contract_tests.wire import Exchange, Request

QUERY_NAMES = ("key", "api_key", "apiKey", "access_token", "token")
"""Query parameters in which other APIs take a secret."""


def _cheapest(contract: Contract) -> int:
    return min(p for _, s in contract.submissions() for f in s.profiles.values() for p in f.price.credits.values())


def one_task(contract: Contract, **_: object) -> int:
    """What one task costs at least."""
    return _cheapest(contract)


def _three_tasks(contract: Contract, **_: object) -> int:
    return 3 * _cheapest(contract)


def _for_each_scheme(contract: Contract, submitting: Operation) -> int:
    return 2 * len(submitting.security) * _cheapest(contract)


def wrong_credentials(bench: Bench, account: Account) -> dict[str, dict[str, str]]:
    """Headers that present no valid credentials, each in its own way, some of them almost an account's own."""
    headers: dict[str, dict[str, str]] = {"none": {}}
    for scheme in bench.contract.security_schemes.values():
        secret = account.secret(scheme.name)
        if scheme.type == "http":
            name = str(scheme.scheme).title()
            headers |= {
                "empty": {"Authorization": ""},
                "only-the-scheme": {"Authorization": name},
                "unknown-key": {"Authorization": f"{name} sk_live_nobody_has_this_key"},
                "text": {"Authorization": f"{name} undefined"},
            }
            for label, changed in _changed(secret or "").items():
                bench.session.redactor.add(changed)
                headers[f"key-{label}"] = {"Authorization": f"{name} {changed}"}
            if secret:
                headers["quoted"] = {"Authorization": f'{name} "{secret}"'}
                headers["another-scheme"] = {"Authorization": f"Basic {secret}"}
                for label, pair in (("user", f"{secret}:"), ("password", f":{secret}"), ("both", f"{secret}:{secret}")):
                    encoded = b64encode(pair.encode()).decode()
                    bench.session.redactor.add(encoded)
                    headers[f"basic-{label}"] = {"Authorization": f"Basic {encoded}"}
                headers["no-scheme"] = {"Authorization": secret}
                headers["made-up-scheme"] = {"Authorization": f"Token {secret}"}
                headers["another-header"] = {"X-Api-Key": secret}
        elif scheme.location == "cookie":
            headers["unknown-cookie"] = {"Cookie": f"{scheme.parameter}=nobody-has-this-session"}
            headers["empty-cookie"] = {"Cookie": f"{scheme.parameter}="}
            for label, changed in _changed(secret or "").items():
                bench.session.redactor.add(changed)
                headers[f"cookie-{label}"] = {"Cookie": f"{scheme.parameter}={changed}"}
            if secret:
                headers["another-cookie"] = {"Cookie": f"not{scheme.parameter}={secret}"}
    return headers


def _changed(secret: str) -> dict[str, str]:
    """Secrets that are almost right."""
    if len(secret) < len("secret"):
        return {}
    last = "x" if secret[-1] != "x" else "y"
    middle = len(secret) // 2
    other = "x" if secret[middle] != "x" else "y"
    variants = {
        "last-changed": secret[:-1] + last,
        "middle-changed": secret[:middle] + other + secret[middle + 1 :],
        "first-changed": ("x" if secret[0] != "x" else "y") + secret[1:],
        "cut": secret[:-1],
        "cut-in-half": secret[:middle],
        "longer": secret + last,
        "twice": secret + secret,
        "without-the-prefix": secret.rpartition("_")[2],
        "upper-case": secret.upper(),
        "lower-case": secret.lower(),
        "swapped-case": secret.swapcase(),
        **{f"for-{word}": re.sub("live|test|mock|prod", word, secret, count=1) for word in ("live", "test", "prod")},
    }
    return {label: variant for label, variant in variants.items() if variant not in (secret, "")}


def a_request(bench: Bench, operation: Operation, headers: dict[str, str]) -> Request:
    """A request to an operation that would be answered well, with the right credentials; a read is of a real task."""
    if isinstance(operation.task, Submission):
        cases = bench.cases(operation)
        return bench.submission_request(operation, cases.plain(cases.cheapest()), headers)
    if isinstance(operation.task, Reading):
        account = bench.main()
        known = [
            task for task in bench.session.tasks if task.account is account and task.submission.reads == operation.id
        ]
        return bench.read_request(operation, known[-1].id if known else "no-such-task", headers)
    raise NotExercised(f"{operation.id} does nothing with a task")


def a_task(bench: Bench) -> None:
    """Make sure that the main account has a task that can be read."""
    account = bench.main()
    if any(task.account is account for task in bench.session.tasks):
        return
    operation, submission = next(bench.contract.submissions())
    cases = bench.cases(operation)
    body = cases.plain(cases.cheapest())
    bench.submit(operation, body, account, price=submission.profile_of(body).price.of(body))


def by_query(bench: Bench, account: Account, request: Request) -> dict[str, Request]:
    """The request with an account's own secrets in the query string, where no scheme has them."""
    documented = {s.parameter for s in bench.contract.security_schemes.values() if s.location == "query"}
    secrets = {secret for s in bench.contract.security_schemes.values() if (secret := account.secret(s.name))}
    return {
        f"query-{name}": replace(request, path=f"{request.path}?{name}={quote(secret, safe='')}")
        for name in QUERY_NAMES
        if name not in documented
        for secret in secrets
    }


def unauthenticated(bench: Bench, operation: Operation, exchange: Exchange, clause: str | None = None) -> bool:
    """Check that a request was refused for its credentials."""
    error = operation.errors[When.UNAUTHENTICATED]
    own = bench.id(Kind.ERROR, operation.id, value=error.when.value)
    return bench.expect(
        clause or own, exchange.status == error.status, f"{error.status}, for want of credentials", exchange
    )


@contract_test(Kind.ERROR, Kind.STATUSES)
def test_wrong_credentials_open_nothing(bench: Bench, operation: Operation) -> None:
    """Whatever is no valid credential is refused, by each operation, and costs nobody anything."""
    account = bench.main()
    for headers in wrong_credentials(bench, account).values():
        unauthenticated(bench, operation, bench.send(a_request(bench, operation, headers)))
    for request in by_query(bench, account, a_request(bench, operation, {})).values():
        unauthenticated(bench, operation, bench.send(request))


@contract_test(Kind.ERROR, cost=one_task)
def test_wrong_credentials_read_no_task(bench: Bench, reading: Operation) -> None:
    """A task that exists is shown to nobody without the right credentials, be it at work or at its end."""
    a_task(bench)
    account = bench.main()
    mine = [t for t in bench.session.tasks if t.account is account and t.submission.reads == reading.id]
    if not mine:
        raise NotExercised("there is no task that it reads")
    task = mine[-1]
    for moment in ("at once", "at its end"):
        if moment == "at its end":
            bench.wait([task])
        for headers in wrong_credentials(bench, account).values():
            unauthenticated(bench, reading, bench.send(bench.read_request(reading, task.id, headers)))
        for request in by_query(bench, account, bench.read_request(reading, task.id, {})).values():
            unauthenticated(bench, reading, bench.send(request))


@contract_test(Kind.SECURITY, cost=_for_each_scheme)
def test_each_scheme_opens_its_account(bench: Bench, submitting: Operation) -> None:
    """What is submitted by one scheme is paid by the account, and read by every other; so is what is refused."""
    account = bench.main()
    cases = bench.cases(submitting)
    reading = bench.reading_of(cases.submission)
    body = cases.plain(cases.cheapest())
    price = cases.cheapest().price.of(body)
    for scheme in submitting.security:
        opens = bench.id(Kind.SECURITY, submitting.id, value=scheme)
        if account.secret(scheme) is None:
            for operation in (submitting, reading):
                clause = bench.id(Kind.SECURITY, operation.id, value=scheme)
                bench.record.unexercised[clause] = f"no credentials of the scheme {scheme} are known"
            continue
        payer = bench.fresh(price) if bench.hooks.has("new_account") else account
        headers = bench.credentials(payer, scheme)
        exchange = bench.send(bench.submission_request(submitting, body, headers), cost=price)
        if bench.ran_out(submitting, exchange):
            continue
        task = bench.track(submitting, body, payer, exchange)
        if not bench.expect(opens, task is not None, "the submission accepted", exchange) or task is None:
            continue
        if bench.hooks.has("new_account"):
            expect_balance(bench, payer, 0, opens, [f"a submission for all {price} credits, by {scheme}"])
        _read_by_every_scheme(bench, reading, task)
        bench.wait([task])
        _read_by_every_scheme(bench, reading, task)
        if bench.hooks.has("new_account"):
            stranger = bench.fresh(0)
            foreign = bench.send(bench.read_request(reading, task.id, bench.credentials(stranger, scheme)))
            error = reading.errors[When.UNKNOWN_TASK]
            hidden = foreign.status == error.status
            bench.expect(
                bench.id(Kind.FOREIGN, reading.id), hidden, f"{error.status}, to a stranger by {scheme}", foreign
            )


def _read_by_every_scheme(bench: Bench, reading: Operation, task: Tracked) -> None:
    """Read a task by each scheme of its account: they all show the same task, as it is now."""
    for scheme in reading.security:
        if task.account.secret(scheme) is not None:
            seen = bench.send(bench.read_request(reading, task.id, bench.credentials(task.account, scheme)))
            shown = bench.id(Kind.SECURITY, reading.id, value=scheme)
            if bench.expect(shown, seen.status == task.found, "the task, however it was submitted", seen):
                bench.observe(task, seen)


@contract_test(Kind.SECURITY, cost=_for_each_scheme)
def test_a_cookie_may_stand_among_others(bench: Bench, submitting: Operation) -> None:
    """Browsers send every cookie of a site in one header, in an order of their own."""
    account = bench.main()
    cases = bench.cases(submitting)
    body = cases.plain(cases.cheapest())
    for name in submitting.security:
        scheme, secret = bench.contract.security_schemes[name], account.secret(name)
        if scheme.location != "cookie" or secret is None:
            continue
        own = f"{scheme.parameter}={secret}"
        for cookies in (f"theme=dark; {own}", f"{own}; theme=dark", f"a=1; not{scheme.parameter}=2; {own}; b=3"):
            exchange = bench.send(
                bench.submission_request(submitting, body, {"Cookie": cookies}), cost=cases.cheapest().price.of(body)
            )
            if not bench.ran_out(submitting, exchange):
                task = bench.track(submitting, body, account, exchange)
                opens = bench.id(Kind.SECURITY, submitting.id, value=name)
                bench.expect(opens, task is not None, "the submission accepted", exchange)


@contract_test(Kind.FOREIGN, cost=_three_tasks)
def test_a_foreign_task_does_not_exist(bench: Bench, reading: Operation) -> None:
    """Another account's task is answered like one that does not exist, while it runs and when it has ended."""
    account, other = bench.main(), bench.second()
    operation, submission = next(bench.contract.submissions())
    cases = bench.cases(operation)
    body = cases.plain(cases.cheapest())
    price = submission.profile_of(body).price.of(body)
    headers = bench.credentials(other)
    unknown = [bench.send(bench.read_request(reading, f"no-such-task-{n}", headers)).json() for n in range(2)]
    varies = {k for k in unknown[0] if unknown[0][k] != unknown[1].get(k)} if _dicts(unknown) else set()
    clause = bench.id(Kind.FOREIGN, reading.id)
    error = reading.errors[When.UNKNOWN_TASK]

    def expect_hidden(task: Tracked) -> None:
        exchange = bench.send(bench.read_request(reading, task.id, headers))
        if bench.expect(clause, exchange.status == error.status, f"{error.status}, as for an unknown task", exchange):
            answers = [exchange.json(), unknown[0]]
            same = not _dicts(answers) or _without(answers[0], varies) == _without(answers[1], varies)
            bench.expect(clause, same, f"the same answer as for an unknown task: {unknown[0]}", exchange)

    modes = [case.body for case in cases.prices(cases.cheapest()) if case.price == price][:2]
    bodies = [*modes, *([bench.failing(body)] if bench.hooks.has("failing_request") else [])]
    tasks = []
    for submitted in bodies:
        task = bench.submit(operation, submitted, account, price=price)
        if task is None:
            raise NotExercised("there is no task to look for")
        tasks.append(task)
        expect_hidden(task)
    bench.wait(tasks)
    for task in tasks:
        expect_hidden(task)
        bench.read_all([task])  # the owner still sees it


def _dicts(values: list[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _without(body: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
