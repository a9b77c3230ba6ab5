"""The reports of a run: a page to read, JSON to process, the traffic as HAR; pytest itself writes the JUnit XML."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from contract_tests.charts import ledger_chart, lifecycle_chart
from contract_tests.har import har
from contract_tests.outline import Outline
from contract_tests.settings import SetupError
from contract_tests.verdicts import Finding, Outcome, Verdict


def write_reports(folder: Path, outline: Outline, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write `index.html`, `report.json` and `traffic.har` into a folder.

    Raises:
        SetupError: if that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(outline.to_json(), indent=1), "utf-8")
        (folder / "traffic.har").write_text(json.dumps(har(entries)), "utf-8")
        (folder / "index.html").write_bytes(page(outline).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise SetupError(f"--report {folder}: {error.strerror}") from error


def page(outline: Outline) -> str:
    """The page: everything in one file, nothing loaded from elsewhere."""
    template = Template(Path(__file__).with_name("report.html").read_text("utf-8"))
    counts = outline.counts()
    return template.substitute(
        title=escape(f"{outline.contract} at {outline.target}"),
        when=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(outline.started)),
        seconds=f"{outline.seconds:.1f}",
        seed="" if outline.seed is None else f", seed {outline.seed}",
        requests=f"{outline.requests:,}",
        spent=f"{outline.spent:,}",
        refunded=f"{outline.refunded:,}",
        full_cost="" if outline.full_cost is None else f"; a full run costs at most {outline.full_cost:,}",
        lost=f'<p class="lost">The run was ended: {escape(outline.lost)}</p>' if outline.lost else "",
        counts="".join(f'<li class="{_css(outcome)}"><b>{counts[outcome]}</b> {outcome}</li>' for outcome in Outcome),
        findings="".join(
            _finding(outline, finding, fails=fails)
            for finding, fails in zip(outline.findings, outline.fails, strict=True)
        )
        or "<p>None.</p>",
        ledger=ledger_chart(outline.events),
        lifecycles=lifecycle_chart(outline.events),
        clauses="".join(map(_row, outline.verdicts)),
    )


def _finding(outline: Outline, finding: Finding, *, fails: bool) -> str:
    clause = outline.clause(finding.clause)
    also = f"<p>Also: {escape(', '.join(finding.also))}</p>" if finding.also else ""
    return (
        f'<article class="{"broken" if fails else "warned"}"><h3>{escape(clause.id)}</h3>'
        f"<p>{escape(clause.sentence)} <i>({clause.provenance}, {escape(outline.file)}:{clause.line})</i></p>"
        f"<dl><dt>expected</dt><dd>{escape(finding.expected)}</dd><dt>came</dt><dd>{escape(finding.came)}</dd>"
        f"<dt>seen</dt><dd>{finding.seen}</dd><dt>by</dt><dd>{escape(finding.test)}</dd></dl>"
        f"{also}<pre>{escape(finding.reproduction)}</pre></article>"
    )


def _row(verdict: Verdict) -> str:
    clause = verdict.clause
    reason = f"<br><small>{escape(verdict.reason)}</small>" if verdict.reason else ""
    return (
        f'<tr class="{_css(verdict.outcome)}"><td>{verdict.outcome}</td><td><code>{escape(clause.id)}</code></td>'
        f"<td>{escape(clause.sentence)}{reason}</td><td>{clause.provenance}</td><td>{clause.line}</td></tr>"
    )


def _css(outcome: Outcome) -> str:
    return outcome.value.replace(" ", "-")
