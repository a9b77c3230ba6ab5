"""What came out of the traffic so far: findings as they come, and the reports at the end."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ET
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from contract.clauses import derive_clauses
from contract.har import CUT
from contract.model import Contract
from contract_tests.har import entry
from contract_tests.judge import Judge
from contract_tests.outline import Outline
from contract_tests.redact import Redactor
from contract_tests.report import write_reports
from contract_tests.settings import SetupError
from contract_tests.traffic.observer import Observer, Sighting
from contract_tests.verdicts import Finding, NotExercised, Outcome, Record, Verdicts

_MOST_ENTRIES = 2000
_LONGEST_LINE = 400
_LONGEST_STRING = 40
_OUTSIDE = "outside the contract"


class Watch:
    """Watches one server, and keeps what is needed to report on it, within bounds."""

    def __init__(  # noqa: PLR0913 - one argument for each thing that can be said of it
        self,
        contract: Contract,
        file: str,
        url: str,
        say: Callable[[str], None],
        *,
        strict: bool = False,
        deadline: float | None = None,
        slack: float = 0.0,
    ) -> None:
        """Begin.

        Args:
            file: the contract's file, as the user named it.
            url: what is watched, as the reports are to name it.
            say: shows a line to the user.
            strict: whether a breach of an assumed clause counts as a failure.
        """
        self.redactor = Redactor()
        clauses = {clause.id: clause for clause in derive_clauses(contract)}
        judge = Judge(contract, clauses, lambda request: request.curl(self._origin))
        self._origin = ""
        self._contract, self._file, self._url, self._say, self._strict = contract, file, url, say, strict
        self._verdicts = Verdicts(tuple(clauses.values()), strict=strict)
        self._observer = Observer(contract, clauses, judge, deadline=deadline, slack=slack)
        self._record = Record()
        self._found: dict[str, Finding] = {}
        self._entries: deque[dict[str, Any]] = deque(maxlen=_MOST_ENTRIES)
        self._began = time.time()
        self.requests = 0
        self.checked = 0
        self.unchecked: Counter[str] = Counter()

    def take(self, sighting: Sighting) -> Finding | None:
        """Take in what passed; gives the first finding that fails, if there is one."""
        self.requests += 1
        self._origin = sighting.origin
        self._entries.append(entry(sighting.exchange, sighting.origin, self.redactor))
        if sighting.route.operation is None and not sighting.unchecked:
            self.unchecked[_OUTSIDE] += 1
        if sighting.unchecked:
            self.unchecked[sighting.unchecked] += 1
            return None
        try:
            record = self._observer.observe(sighting)
        except NotExercised as reason:
            self.unchecked[str(reason)] += 1
            return None
        self.checked += sighting.route.operation is not None
        self._record.held |= record.held
        asked = f"{sighting.exchange.request.method} {sighting.exchange.request.path}"
        for finding in record.findings:
            self._note(finding, asked)
        return next((self._clean(finding) for finding in record.findings if self._verdicts.fails(finding)), None)

    def note(self, reason: str) -> None:
        """Note that something passed that cannot be checked."""
        self.unchecked[reason] += 1

    def _note(self, finding: Finding, asked: str) -> None:
        known = self._found.get(finding.clause)
        first = known or finding
        count = replace(first, times=first.times + (known is not None))
        self._found[finding.clause] = count
        if str(count.times).rstrip("0") == "1":
            word = "BROKEN" if self._verdicts.fails(finding) else "WARNING"
            shown = self._clean(finding)
            said = f"expected {_line(shown.expected)}; came {_line(_short(shown.came))}"
            often = f" (seen {count.seen})" if count.times > 1 else ""
            self._say(f"{word} {finding.clause}: {_line(self.redactor.text(asked))}: {said}{often}")

    def _clean(self, finding: Finding) -> Finding:
        return replace(
            finding,
            expected=self.redactor.cut(finding.expected),
            came=self.redactor.cut(finding.came),
            reproduction=self.redactor.text(finding.reproduction),
            test="traffic",
        )

    @property
    def failed(self) -> bool:
        """Whether there is a finding that is no mere warning."""
        return any(map(self._verdicts.fails, self._found.values()))

    def outline(self) -> Outline:
        """All that the reports say; what became known as a secret only later is taken out, too."""
        findings = sorted(map(self._clean, self._found.values()), key=lambda finding: not self._verdicts.fails(finding))
        return Outline(
            target=self._url,
            contract=f"{self._contract.title} {self._contract.version}",
            file=self._file,
            started=self._began,
            seconds=time.time() - self._began,
            seed=None,
            strict=self._strict,
            verdicts=self._verdicts.of(replace(self._record, findings=findings), "nothing that passed exercises it"),
            findings=findings,
            fails=[self._verdicts.fails(finding) for finding in findings],
            spent=self._observer.spent,
            refunded=self._observer.refunded,
            full_cost=None,
            requests=self.requests,
            waited=0.0,
            lost="",
            crashes=[],
            events=list(self._observer.events),
        )

    def write(self, folder: Path) -> None:
        """Write the reports.

        Raises:
            SetupError: if that is not possible.
        """
        outline = self.outline()
        write_reports(folder, outline, [self._scrubbed(item) for item in self._entries])
        try:
            ET.ElementTree(_junit(outline)).write(folder / "junit.xml", "utf-8", xml_declaration=True)
        except OSError as error:
            raise SetupError(f"{folder}: {error.strerror}") from error

    def _scrubbed(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redactor.text(value)
        if isinstance(value, dict) and CUT in value:
            return {
                **self._scrubbed({k: v for k, v in value.items() if k != CUT}),
                CUT: True,
                "text": self.redactor.cut(value["text"]),
            }
        if isinstance(value, dict):
            return {self.redactor.text(key): self._scrubbed(item) for key, item in value.items()}
        return [self._scrubbed(item) for item in value] if isinstance(value, list) else value

    def summary(self) -> list[str]:
        """The sums, for the terminal."""
        outline = self.outline()
        counts = outline.counts()
        lines = [
            f"{self.requests:,} requests; {outline.spent:,} credits debited, {outline.refunded:,} of them refunded",
            *(f"  {count:,} not checked: {reason}" for reason, count in self.unchecked.most_common()),
            *(f"  {f.seen} {f.clause}" for f in outline.findings),
            "  ".join(f"{outcome} {counts[outcome]}" for outcome in Outcome) + f"  of {len(outline.verdicts)} clauses",
        ]
        return list(map(self.redactor.text, lines))


def _printable(text: str) -> str:
    """What a terminal and XML can show: no control characters, no halves of characters."""
    return "".join(c if c.isprintable() else " " for c in text)


def _line(text: str) -> str:
    text = " ".join(_printable(text).split())
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}... (more with --report)"


def _short(came: str) -> str:
    """An answer with its long strings cut, so that each member can be seen."""
    status, _, body = came.partition(" ")
    try:
        return f"{status} {json.dumps(_shortened(json.loads(body)), ensure_ascii=False)}"
    except (ValueError, RecursionError):
        return came


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_STRING else f"{value[:_LONGEST_STRING]}..."
    if isinstance(value, dict):
        return {name: _shortened(item) for name, item in value.items()}
    return [_shortened(item) for item in value] if isinstance(value, list) else value


def _junit(outline: Outline) -> ET.Element:
    """A test case for each clause."""
    suite = ET.Element("testsuite", name=f"{outline.contract} at {outline.target}", tests=str(len(outline.verdicts)))
    failed = {finding.clause: finding for finding in outline.findings}
    for verdict in outline.verdicts:
        case = ET.SubElement(suite, "testcase", classname="traffic", name=verdict.clause.id)
        finding = failed.get(verdict.clause.id)
        if verdict.outcome is Outcome.BROKEN and finding is not None:
            said = f"expected {finding.expected}; came {finding.came}"
            ET.SubElement(case, "failure", message=_printable(said))
        elif verdict.outcome is not Outcome.HELD:
            ET.SubElement(case, "skipped", message=verdict.reason or str(verdict.outcome))
    return suite
