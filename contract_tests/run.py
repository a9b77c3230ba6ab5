"""One run: sets up the session, orders the tests by what they cost, gathers what they find out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.clauses import derive_clauses
from contract.model import Operation
from contract.resources import default_contract
from contract_tests.bench import Bench
from contract_tests.case import Case, Priced
from contract_tests.cases import Cases
from contract_tests.har import entry
from contract_tests.hooks import MOCK, Hooks, load_hooks, mock_hooks
from contract_tests.judge import Judge
from contract_tests.marks import LAST, MARK
from contract_tests.outline import Outline
from contract_tests.preflight import (
    check_answered,
    check_budget,
    check_report,
    check_target,
    checked_secret,
    checked_url,
    load,
)
from contract_tests.purse import Purse
from contract_tests.redact import Redactor
from contract_tests.report import write_reports
from contract_tests.session import Session
from contract_tests.settings import Settings, SetupError, option_of
from contract_tests.summary import print_summary
from contract_tests.target import Target, TargetLostError
from contract_tests.verdicts import Finding, NotExercised, Outcome, Record, Verdicts
from contract_tests.wire import Request

_MODULES = {"test_requests": -1}
"""What is known of requests helps the other modules to name causes, so among equal costs they come first."""

LONGEST_SHOWN = 400

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
        for name in ("key", "second_key", "cookie"):
            self.redactor.add(checked_secret(option_of(name), getattr(settings, name)))
        if settings.key and settings.key == settings.second_key:
            raise SetupError("--key and --second-key are the same: the second must be of another account")
        self.contract = load(settings.spec)
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
        url = checked_url(settings.target)
        check_budget(url, settings, sum(case.price for cases in self.cases.values() for case in cases.valid))
        check_report(settings.report)
        self.target = Target(
            url,
            timeout=settings.request_timeout,
            rate=settings.rate,
            watch=lambda e: self.entries.append(entry(e, url, self.redactor)),
        )
        try:
            self.session = self._session(url)
            check_target(self.session)
        except SetupError:
            self.target.close()
            raise
        config.addinivalue_line("markers", f"{MARK}(cost, kinds): what a contract test costs at most, and is about")
        if settings.report and not config.getoption("xmlpath", None):
            config.option.xmlpath = str(Path(settings.report) / "junit.xml")
        if config.option.tbstyle == "auto":
            config.option.tbstyle = "no"  # findings are shown once each, in the summary
            config.option.reportchars = ""

    # ----------------------------------------------------------------- set-up

    def _session(self, url: str) -> Session:
        probe = self.target.send(Request("GET", MOCK))
        check_answered(probe, self.settings.target, self.redactor)
        functions = mock_hooks(url, self.contract, probe)
        if self.settings.hooks:
            functions |= load_hooks(self.settings.hooks, url)
        bearer = next((s.name for s in self.contract.security_schemes.values() if s.type == "http"), "")
        return Session(
            settings=self.settings,
            contract=self.contract,
            clauses=self.clauses,
            target=self.target,
            judge=Judge(self.contract, self.clauses, lambda request: self.redactor.text(request.curl(url))),
            hooks=Hooks(functions, bearer, self.redactor),
            redactor=self.redactor,
            purse=Purse(self.settings.max_credits, shared=hasattr(self.config, "workerinput")),
            cases=self.cases,
            events=self.events,
        )

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

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Let `-k` select tests by the clauses they are about."""
        item.extra_keyword_matches.update(self._about(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        """Free tests first, then the cheapest; what the cap leaves out is skipped."""
        costs = {item: self._cost(item) for item in items}
        self.full_cost = sum(costs.values())
        yield  # pytest drops what nobody asked for
        last = {item: bool(_mark(item).get(LAST)) for item in items}
        items.sort(key=lambda item: (last[item], costs[item], _MODULES.get(item.path.stem, 0)))
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
        shown = self._clean(finding)
        return (
            f"{clause.id}: {clause.sentence}\n  expected: {shown.expected}\n  came: {shown.came}\n{shown.reproduction}"
        )

    def _clean(self, finding: Finding) -> Finding:
        """The finding without credentials; only then is it cut, so that no half of one is left over."""
        return replace(
            finding,
            expected=_cut(self.redactor.text(finding.expected)),
            came=_cut(self.redactor.text(finding.came)),
            reproduction=self.redactor.text(finding.reproduction),
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """Send along with a test's report what it found out.

        With xdist it goes to another process, which does not know the credentials that were made in this one.
        """
        report = yield
        bench = getattr(item, "funcargs", {}).get("bench")
        if call.when == "call" and isinstance(bench, Bench):
            findings = [replace(self._clean(finding), test=item.name) for finding in bench.record.findings]
            setattr(report, RECORD, replace(bench.record, findings=findings).to_json())
        if report.failed and call.excinfo is not None and not isinstance(call.excinfo.value, pytest.fail.Exception):
            report.longrepr = self.redactor.text(str(call.excinfo.getrepr(style="short")))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather what a test found out."""
        data = getattr(report, RECORD, None)
        if data:
            self.record.add_json(data)
        if report.failed and not (data and data["findings"]):
            self.crashes.append(f"{report.nodeid}\n{report.longreprtext}")

    # --------------------------------------------------------------- finishing

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker what the command line does not."""
        node.workerinput["strict"] = self.settings.strict

    @pytest.hookimpl(optionalhook=True)
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
        findings = self.verdicts.causes(self.record.findings)
        return Outline(
            target=self.settings.target,
            contract=f"{self.contract.title} {self.contract.version}",
            file=str(self.settings.spec or default_contract().name),
            started=self.started,
            seconds=time.time() - self.started,
            seed=self.settings.seed,
            strict=self.settings.strict,
            verdicts=self.verdicts.of(
                self.record,
                f"no test within the cap of {self.settings.max_credits} credits exercises it"
                if self.left_out
                else "no test that was run exercises it",
            ),
            findings=findings,
            fails=[self.verdicts.fails(finding) for finding in findings],
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


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."


def _mark(item: pytest.Item) -> dict[str, Any]:
    mark = item.get_closest_marker(MARK)
    return dict(mark.kwargs) if mark else {}


def _id(value: Any) -> str:
    return str(value.name if isinstance(value, Case) else value.id)
