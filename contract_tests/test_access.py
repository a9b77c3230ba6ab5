"""Who may do what: valid credentials open everything of their own account, and nothing else opens anything."""

from __future__ import annotations

from contract.clause import Kind
from contract.model import Contract, Operation, Reading, Submission, When
from contract_tests.bench import Bench
from contract_tests.marks import contract_test
from contract_tests.verdicts import NotExercised
from contract_tests.wire import Exchange, Request


def _cheapest(contract: Contract) -> int:
    return min(p for _, s in contract.submissions() for f in s.profiles.values() for p in f.price.credits.values())


def _one(contract: Contract, **_: object) -> int:
    return _cheapest(contract)


def _for_each_scheme(contract: Contract, operation: Operation) -> int:
    return len(operation.security) * _cheapest(contract)


def wrong_credentials(bench: Bench) -> dict[str, dict[str, str]]:
    """Headers that present no valid credentials, each in its own way."""
    account = bench.main()
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
                headers["another-scheme"] = {"Authorization": f"Basic {secret}"}
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
    for headers in wrong_credentials(bench).values():
        unauthenticated(bench, operation, bench.send(a_request(bench, operation, headers)))


@contract_test(Kind.ERROR, cost=_one)
def test_wrong_credentials_read_no_task(bench: Bench, reading: Operation) -> None:
    """A task that exists is shown to nobody without the right credentials."""
    a_task(bench)
    for headers in wrong_credentials(bench).values():
        unauthenticated(bench, reading, bench.send(a_request(bench, reading, headers)))


@contract_test(Kind.SECURITY, cost=_for_each_scheme)
def test_each_scheme_opens_its_account(bench: Bench, operation: Operation) -> None:
    """Valid credentials are accepted by each scheme of an operation."""
    account = bench.main()
    for scheme in operation.security:
        clause = bench.id(Kind.SECURITY, operation.id, value=scheme)
        if account.secret(scheme) is None:
            bench.record.unexercised[clause] = f"no credentials of the scheme {scheme} are known"
            continue
        request = a_request(bench, operation, bench.credentials(account, scheme))
        cost = _cheapest(bench.contract) if isinstance(operation.task, Submission) else 0
        exchange = bench.send(request, cost=cost)
        if bench.ran_out(operation, exchange):
            continue
        refused = {operation.errors[When.UNAUTHENTICATED].status, 403}
        bench.expect(clause, exchange.status not in refused, "the credentials accepted", exchange)
        if isinstance(operation.task, Submission):
            bench.track(operation, request.json(), account, exchange)


@contract_test(Kind.FOREIGN, cost=_one)
def test_a_foreign_task_does_not_exist(bench: Bench, reading: Operation) -> None:
    """Another account's task is answered exactly like one that does not exist, while it runs and when it has ended."""
    a_task(bench)
    account, other = bench.main(), bench.second()
    mine = [task for task in bench.session.tasks if task.account is account and task.submission.reads == reading.id]
    if not mine:
        raise NotExercised("there is no task to look for")
    headers = bench.credentials(other)
    unknown = bench.send(bench.read_request(reading, "no-such-task", headers))
    clause = bench.id(Kind.FOREIGN, reading.id)
    error = reading.errors[When.UNKNOWN_TASK]
    for task in (*mine[:2], *mine[-2:]):
        exchange = bench.send(bench.read_request(reading, task.id, headers))
        if not bench.expect(
            clause, exchange.status == error.status, f"{error.status}, as for an unknown task", exchange
        ):
            return
        same = exchange.json() == unknown.json() or unknown.status != error.status
        bench.expect(clause, same, f"the same answer as for an unknown task: {unknown.came()}", exchange)
        bench.read_all([task])  # the owner still sees it
