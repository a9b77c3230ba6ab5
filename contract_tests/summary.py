"""What came out, for the terminal."""

from __future__ import annotations

from collections import Counter
from typing import Any

from contract_tests.outline import Outline
from contract_tests.settings import Settings
from contract_tests.verdicts import Finding, Outcome

_LONGEST_LINE = 2000


def print_summary(terminal: Any, outline: Outline, settings: Settings) -> None:
    """Print findings, then what was not exercised, then the sums."""
    for finding, fails in zip(outline.findings, outline.fails, strict=True):
        _print_finding(terminal, outline, finding, fails=fails)
    for crash in outline.crashes:
        terminal.write_sep("-", "A TEST COULD NOT BE CARRIED OUT", red=True)
        terminal.write_line(crash)
    reasons = Counter(v.reason for v in outline.verdicts if v.outcome is Outcome.NOT_EXERCISED)
    if reasons:
        terminal.write_sep("-", "NOT EXERCISED")
        for reason, count in reasons.most_common():
            terminal.write_line(f"  {count:4} {'clause' if count == 1 else 'clauses'}: {reason}")
    counts = outline.counts()
    terminal.write_sep("=", f"{outline.contract} at {outline.target}")
    terminal.write_line(
        "  ".join(f"{outcome} {counts[outcome]}" for outcome in Outcome) + f"  of {len(outline.verdicts)} clauses"
    )
    terminal.write_line(
        f"{outline.requests:,} requests; {outline.spent:,} credits debited, {outline.refunded:,} of them refunded; "
        f"a full run costs at most {outline.full_cost:,}"
    )
    if outline.waited:
        terminal.write_line(f"the target asked to be given time: {outline.waited:.1f} s in all")
    if outline.lost:
        terminal.write_line(f"the run was ended: {outline.lost}", red=True)
    if settings.report:
        terminal.write_line(f"reports: {settings.report.rstrip('/')}/index.html, report.json, junit.xml, traffic.har")


def _print_finding(terminal: Any, outline: Outline, finding: Finding, *, fails: bool) -> None:
    clause = outline.clause(finding.clause)
    colour = {"red": True} if fails else {"yellow": True}
    terminal.write_sep("-", "BROKEN" if fails else "WARNING", **colour)
    terminal.write_line(f"{clause.id}", bold=True)
    terminal.write_line(f"  {clause.sentence} ({clause.provenance})")
    terminal.write_line(f"  {outline.file}:{clause.line} #{clause.pointer}")
    terminal.write_line(f"  expected  {finding.expected}")
    terminal.write_line(f"  came      {finding.came}")
    if finding.times > 1:
        also = f", also of {', '.join(finding.also[:6])}" if finding.also else ""
        terminal.write_line(f"  seen      {finding.seen}{also}{' ...' if finding.also[6:] else ''}")
    if finding.test:
        terminal.write_line(f"  by        {finding.test}")
    for line in finding.reproduction.splitlines():
        cut = f"... ({len(line):,} characters; whole in the report)" if len(line) > _LONGEST_LINE else ""
        terminal.write_line(f"  {line[:_LONGEST_LINE]}{cut}")
