"""One run: sets up the session, orders the tests by what they cost, gathers what they find out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from contract.clauses import derive_clauses
from contract.errors import ContractError
from contract.model import Contract, Operation
from contract.reader import load_contract
from contract.resources import default_contract
from contract_tests.bench import Bench, Session
from contract_tests.cases import Case, Cases, Priced
from contract_tests.har import entry
from contract_tests.hooks import Hooks, load_hooks, mock_hooks
from contract_tests.judge import Judge
from contract_tests.marks import LAST, MARK
from contract_tests.outline import Outline
from contract_tests.purse import Purse
from contract_tests.redact import Redactor
from contract_tests.report import write_reports
from contract_tests.settings import Settings, SetupError
from contract_tests.summary import print_summary
from contract_tests.target import Target, TargetLostError
from contract_tests.verdicts import Finding, NotExercised, Outcome, Record, Verdicts
from contract_tests.wire import NoAnswer

_MODULES = {"test_requests": -1}
"""What is known of requests helps the other modules to name causes, so among equal costs they come first."""

RECORD = "contract_record"
"""The attribute under which a test's record travels with its report."""


class Run:
    """The pytest plugin of a run that has a target."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        """Read the contract, find the hooks, and make sure that the target answers.

        Raises:
            SetupError: if the run cannot be made.
        """
        self.config = config
        self.settings = settings
        self.redactor = Redactor()
        for secret in (settings.key, settings.second_key, settings.cookie):
            self.redactor.add(secret)
        self.contract = _load(settings.spec)
        self.clauses = {clause.id: clause for clause in derive_clauses(self.contract)}
        self.cases = {
            operation.id: Cases(self.contract, operation, submission, self.clauses)
            for operation, submission in self.contract.submissions()
        }
        self.verdicts = Verdicts(tuple(self.clauses.values()), strict=settings.strict)
        self.record = Record()
        self.entries: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.spent = Purse()
        self.full_cost = 0
        self.left_out = 0
        self.waited = 0.0
        self.lost = ""
        self.crashes: list[str] = []
        self.started = time.time()
        url = _checked_url(settings.target)
        self.target = Target(
            url,
            timeout=settings.request_timeout,
            rate=settings.rate,
            watch=lambda e: self.entries.append(entry(e, url, self.redactor)),
        )
        self.session = self._session(url)
        self._preflight()
        config.addinivalue_line("markers", f"{MARK}(cost, kinds): what a contract test costs at most, and is about")
        if settings.report and not config.getoption("xmlpath", None):
            config.option.xmlpath = str(Path(settings.report) / "junit.xml")
        if config.option.tbstyle == "auto":
            config.option.tbstyle = "no"  # findings are shown once each, in the summary
            config.option.reportchars = ""

    # ----------------------------------------------------------------- set-up

    def _session(self, url: str) -> Session:
        functions = load_hooks(self.settings.hooks, url) if self.settings.hooks else mock_hooks(url, self.contract)
        bearer = next((s.name for s in self.contract.security_schemes.values() if s.type == "http"), "")
        return Session(
            settings=self.settings,
            contract=self.contract,
            clauses=self.clauses,
            target=self.target,
            judge=Judge(self.contract, self.clauses, lambda request: self.redactor.text(request.curl(url))),
            hooks=Hooks(functions, bearer, self.redactor),
            redactor=self.redactor,
            purse=Purse(self.settings.max_credits),
            cases=self.cases,
            events=self.events,
        )

    def _preflight(self) -> None:
        """Make sure that there is something to test, before hundreds of tests say that there is not."""
        settings = self.settings
        host = urlsplit(settings.target).hostname or ""
        if settings.max_credits is None and not (host == "localhost" or host.startswith("127.") or host == "::1"):
            raise SetupError(
                f"{settings.target} may cost real credits: say with --max-credits how many may be spent "
                f"(a full run takes up to {self._full_cost()})"
            )
        if not settings.key and not self.session.hooks.has("new_account"):
            raise SetupError(
                "no key: give --key (better: the environment variable CONTRACT_TESTS_KEY), or a hook new_account"
            )
        bench = Bench(self.session, self.session.purse)
        operation, _ = next(self.contract.readings())
        headers = bench.credentials(bench.main())
        exchange = self.target.send(bench.read_request(operation, "contract-tests-preflight", headers))
        if isinstance(exchange.answer, NoAnswer):
            raise SetupError(f"{settings.target} does not answer: {exchange.answer.reason}")
        refused = {error.status for error in operation.errors.values() if error.when == "unauthenticated"}
        if exchange.status in refused:
            raise SetupError(f"{settings.target} does not accept the key: {exchange.status} to a read with it")

    def _full_cost(self) -> int:
        return sum(case.price for cases in self.cases.values() for case in cases.valid)

    # ------------------------------------------------------------- collecting

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make the tests' parameters from the contract."""
        sources: dict[str, Callable[[], Sequence[Case | Priced | Operation]]] = {
            "accepted_case": lambda: [case for cases in self.cases.values() for case in cases.valid],
            "refused_case": lambda: [case for cases in self.cases.values() for case in cases.invalid],
            "price_case": lambda: [case for priced in self._priced() for case in priced.cases],
            "priced": self._priced,
            "submitting": lambda: [operation for operation, _ in self.contract.submissions()],
            "reading": lambda: [operation for operation, _ in self.contract.readings()],
            "operation": lambda: list(self.contract.operations.values()),
        }
        for name, values in sources.items():
            if name in metafunc.fixturenames:
                found = values()
                metafunc.parametrize(name, found, ids=[_id(value) for value in found])

    def _priced(self) -> list[Priced]:
        return [
            Priced(f"{operation.id}-{profile.name}", operation, tuple(self.cases[operation.id].prices(profile)))
            for operation, submission in self.contract.submissions()
            for profile in submission.profiles.values()
        ]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Free tests first, then the cheapest; what the cap leaves out is skipped."""
        costs = {item: self._cost(item) for item in items}
        last = {item: bool(_mark(item).get(LAST)) for item in items}
        items.sort(key=lambda item: (last[item], costs[item], _MODULES.get(item.path.stem, 0)))
        self.full_cost = planned = sum(costs.values())
        cap = self.settings.max_credits
        if cap is None:
            return
        planned = 0
        for item in items:
            if planned + costs[item] <= cap:
                planned += costs[item]
                continue
            self.left_out += costs[item]
            reason = f"it costs {costs[item]} credits, and the cap of {cap} leaves {cap - planned}"
            item.add_marker(pytest.mark.skip(reason=reason))
            for clause in self._about(item):
                self.record.unexercised.setdefault(clause, reason)

    def _cost(self, item: pytest.Item) -> int:
        cost = _mark(item).get("cost", 0)
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        return int(cost(self.contract, **parameters) if callable(cost) else cost)

    def _about(self, item: pytest.Item) -> list[str]:
        """The clauses that a test is about."""
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        cases = [value for value in parameters.values() if isinstance(value, Case)]
        operations = {value.id for value in parameters.values() if isinstance(value, Operation)}
        kinds = _mark(item).get("kinds", ())
        return [case.clause for case in cases] + [
            clause.id
            for clause in self.clauses.values()
            if clause.kind in kinds and (clause.operation is None or not operations or clause.operation in operations)
        ]

    # ---------------------------------------------------------------- running

    @pytest.fixture
    def bench(self, request: pytest.FixtureRequest) -> Bench:
        """What a test works with."""
        bench = Bench(self.session, Purse(self._cost(request.node), within=self.session.purse))
        bench.about(*self._about(request.node))
        return bench

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Turn what a test's bench found out into its outcome."""
        bench = pyfuncitem.funcargs.get("bench")
        if not isinstance(bench, Bench):
            return (yield)
        skipped = ""
        try:
            yield
        except NotExercised as reason:
            skipped = str(reason)
        except (TargetLostError, SetupError) as error:
            self.lost = skipped = self.redactor.text(str(error))
            pyfuncitem.session.shouldstop = self.lost
        if skipped:
            bench.ended_early(skipped)
        failures = [finding for finding in bench.record.findings if self.verdicts.fails(finding)]
        if failures:
            pytest.fail("\n\n".join(map(self._shown, failures)), pytrace=False)
        if skipped:
            pytest.skip(skipped)
        return True

    def _shown(self, finding: Finding) -> str:
        clause = self.clauses[finding.clause]
        return self.redactor.text(
            f"{clause.id}: {clause.sentence}\n"
            f"  expected: {finding.expected}\n  came: {finding.came}\n{finding.reproduction}"
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Send along with a test's report what it found out; with xdist it comes from another process."""
        report = yield
        bench = getattr(item, "funcargs", {}).get("bench")
        if call.when == "call" and isinstance(bench, Bench):
            setattr(report, RECORD, bench.record.to_json())
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what a test found out."""
        data = getattr(report, RECORD, None)
        if data:
            self.record.add_json(data)
        if report.failed and not (data and data["findings"]):
            self.crashes.append(f"{report.nodeid}\n{self.redactor.text(report.longreprtext)}")

    # --------------------------------------------------------------- finishing

    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker what the command line does not."""
        node.workerinput["strict"] = self.settings.strict

    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over what an xdist worker has gathered."""
        output = getattr(node, "workeroutput", {}).get("contract_tests")
        if output and not error:
            self.entries += output["entries"]
            self.events += output["events"]
            self.spent.debit(output["spent"])
            self.spent.refund(output["refunded"])
            self.full_cost = output["full_cost"]
            self.waited += output["waited"]
            self.lost = self.lost or output["lost"]
            for clause, reason in output["unexercised"].items():
                self.record.unexercised.setdefault(clause, reason)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Weigh everything, and write the reports, also when the run was interrupted."""
        self.target.close()
        self.waited += self.target.waited
        self.spent.debit(self.session.purse.spent)
        self.spent.refund(self.session.purse.refunded)
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["contract_tests"] = {
                "entries": self.entries,
                "events": self.events,
                "spent": self.spent.spent,
                "refunded": self.spent.refunded,
                "full_cost": self.full_cost,
                "waited": self.waited,
                "lost": self.lost,
                "unexercised": self.record.unexercised,
            }
            return
        self.outline = self._outline()
        if self.lost or self.crashes:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
        elif exitstatus == pytest.ExitCode.OK and self._incomplete():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.settings.report:
            write_reports(Path(self.settings.report), self.outline, self.entries)

    def _incomplete(self) -> bool:
        return self.settings.require_all and any(v.outcome is Outcome.NOT_EXERCISED for v in self.outline.verdicts)

    def _outline(self) -> Outline:
        redacted = [
            replace(
                f,
                expected=self.redactor.text(f.expected),
                came=self.redactor.text(f.came),
                reproduction=self.redactor.text(f.reproduction),
            )
            for f in self.verdicts.causes(self.record.findings)
        ]
        return Outline(
            target=self.settings.target,
            contract=f"{self.contract.title} {self.contract.version}",
            file=str(self.settings.spec or default_contract().name),
            started=self.started,
            seconds=time.time() - self.started,
            seed=self.settings.seed,
            strict=self.settings.strict,
            verdicts=self.verdicts.of(self.record),
            findings=redacted,
            fails=[self.verdicts.fails(finding) for finding in redacted],
            spent=self.spent.spent,
            refunded=self.spent.refunded,
            full_cost=self.full_cost,
            requests=len(self.entries),
            waited=self.waited,
            lost=self.lost,
            crashes=self.crashes,
            events=sorted(self.events, key=lambda event: float(event["time"])),
        )

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what came out."""
        if hasattr(self, "outline"):
            print_summary(terminalreporter, self.outline, self.settings)


def _load(spec: str) -> Contract:
    try:
        return load_contract(Path(spec) if spec else default_contract())
    except ContractError as error:
        raise SetupError(str(error)) from error


def _checked_url(target: str) -> str:
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise SetupError(f"--target {target!r} is no http(s) URL, such as http://localhost:8000")
    return target.rstrip("/")


def _mark(item: pytest.Item) -> dict[str, Any]:
    mark = item.get_closest_marker(MARK)
    return dict(mark.kwargs) if mark else {}


def _id(value: Any) -> str:
    return str(value.name if isinstance(value, Case) else value.id)
