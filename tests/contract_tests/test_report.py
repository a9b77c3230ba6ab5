"""What a run leaves behind: sums, charts, a page, the traffic, a summary for the terminal."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from contract.clause import Clause
from contract_tests.charts import ledger_chart, lifecycle_chart
from contract_tests.har import entry, har
from contract_tests.outline import Outline
from contract_tests.redact import SHOWN, Redactor
from contract_tests.report import page, write_reports
from contract_tests.settings import Settings, SetupError
from contract_tests.summary import print_summary
from contract_tests.verdicts import Finding, Outcome, Verdict
from tests.contract_tests.harness import KEY, exchange

DOCUMENTED = "generateImage.gpt-image-2.prompt.maxLength"
ASSUMED = "generateImage.gpt-image-2.prompt.unit"
HOSTILE = "<script>alert('x')</script> & \"$title\""

EVENTS = [
    {"time": 100.0, "what": "debit", "credits": 3},
    {"time": 100.5, "what": "debit", "credits": 12},
    {"time": 101.0, "what": "completed", "task": "tsk_1", "accepted": 100.0},
    {"time": 102.0, "what": "failed", "task": HOSTILE, "accepted": 100.5},
    {"time": 102.0, "what": "refund", "credits": 12},
]


@pytest.fixture
def outline(clauses: Mapping[str, Clause]) -> Outline:
    outcomes = {DOCUMENTED: Outcome.BROKEN, ASSUMED: Outcome.WARNED, "lifecycle.initial": Outcome.HELD}
    return Outline(
        target="http://127.0.0.1:1/?<b>",
        contract="Image task API 1.0.0",
        file="openapi.yaml",
        started=1_767_225_600.0,
        seconds=12.34,
        seed=7,
        strict=False,
        verdicts=[
            Verdict(clause, outcomes.get(clause.id, Outcome.NOT_EXERCISED), "" if clause.id in outcomes else "no hook")
            for clause in clauses.values()
        ],
        findings=[
            Finding(DOCUMENTED, "this", HOSTILE, "curl 1\ncurl 2", also=(ASSUMED,) * 7, times=1),
            Finding(ASSUMED, "that", "500", "curl", also=("lifecycle.initial",), times=40),
        ],
        fails=[True, False],
        spent=1234,
        refunded=12,
        full_cost=2347,
        requests=2895,
        waited=0.0,
        lost="",
        crashes=[],
        events=EVENTS,
    )


class _Terminal:
    """Keeps what pytest's terminal would print."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write_sep(self, sep: str, title: str, **_: bool) -> None:
        self.lines.append(f"{sep} {title}")

    def write_line(self, line: str, **_: bool) -> None:
        self.lines.append(line)


def _summary(outline: Outline, settings: Settings | None = None) -> str:
    terminal = _Terminal()
    print_summary(terminal, outline, settings or Settings())
    return "\n".join(terminal.lines)


# ---------------------------------------------------------------------- outline


def test_the_outline_counts_how_clauses_came_out(outline: Outline) -> None:
    counts = outline.counts()
    assert (counts[Outcome.BROKEN], counts[Outcome.WARNED], counts[Outcome.HELD]) == (1, 1, 1)
    assert sum(counts.values()) == len(outline.verdicts)


def test_the_outline_is_plain_json(outline: Outline) -> None:
    data = json.loads(json.dumps(outline.to_json()))
    assert [finding["severity"] for finding in data["findings"]] == ["failure", "warning"]
    assert data["counts"]["broken"] == 1
    assert (data["spent"], data["full_cost"], data["seed"]) == (1234, 2347, 7)
    clauses = {clause["id"]: clause for clause in data["clauses"]}
    assert clauses[DOCUMENTED]["outcome"] == "broken"
    assert "reason" not in clauses[DOCUMENTED]
    assert clauses["lifecycle.deadline"]["reason"] == "no hook"
    assert clauses[DOCUMENTED]["pointer"].startswith("/")


# ----------------------------------------------------------------------- charts


def _svg(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - made by the project itself


def test_the_ledger_is_a_line_that_goes_up_and_down() -> None:
    svg = _svg(ledger_chart(EVENTS))
    line = svg.find("polyline")
    assert line is not None
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert len(heights) == 1 + 2 * 3
    assert heights[0] == heights[1] == max(heights)  # nothing spent is at the bottom
    assert min(heights) == heights[4]  # 15 credits
    assert heights[-1] == heights[2]  # 3 again, after the refund
    assert "up to 15" in svg.attrib["aria-label"]


def test_each_task_has_a_bar_as_long_as_its_life() -> None:
    svg = _svg(lifecycle_chart(EVENTS))
    bars = svg.findall("rect")
    widths = [float(bar.attrib["width"]) for bar in bars]
    assert widths[1] == pytest.approx(1.5 * widths[0], rel=0.01)
    assert [bar.attrib["class"] for bar in bars] == ["state0", "state1"]
    titles = ["".join(bar.itertext()) for bar in bars]
    assert titles == ["tsk_1: completed after 1.00 s", f"{HOSTILE}: failed after 1.50 s"]


def test_without_events_there_is_a_sentence() -> None:
    assert ledger_chart([]) == "<p>No credits were moved.</p>"
    assert lifecycle_chart([]) == "<p>No task was seen to end.</p>"


def test_one_event_is_enough_for_a_chart() -> None:
    assert _svg(ledger_chart(EVENTS[:1])).find("polyline") is not None
    assert _svg(lifecycle_chart([{**EVENTS[2], "time": 100.0}])).find("rect") is not None


def test_a_crowd_of_tasks_fits() -> None:
    events = [{"time": 100 + n, "what": "completed", "task": str(n), "accepted": 99 + n} for n in range(1000)]
    bars = _svg(lifecycle_chart(events)).findall("rect")
    assert all(0 <= float(bar.attrib["y"]) < 180 for bar in bars)


# --------------------------------------------------------------------- the page


class _Page(HTMLParser):
    """What a browser would load and run."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "action")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_loads_nothing_and_escapes_everything(outline: Outline) -> None:
    html = page(outline)
    parsed = _Page()
    parsed.feed(html)
    assert not [link for link in parsed.loaded if not link.startswith("#")]
    assert "@import" not in html
    assert not re.search(r"url\((?!['\"]?data:)", html)
    assert "<script>alert" not in html
    assert HOSTILE in parsed.words
    assert parsed.tags.count("article") == 2
    assert parsed.tags.count("svg") == 2


def test_the_page_says_all_that_the_outline_does(outline: Outline) -> None:
    parsed = _Page()
    parsed.feed(page(outline))
    words = parsed.words
    for expected in (
        *("Image task API 1.0.0", "2026-01-01 00:00:00 UTC", "12.3", "1,234", "2,347", "2,895", "40 times"),
        *("no hook", "curl 1\ncurl 2", "lifecycle.deadline", "openapi.yaml:"),
    ):
        assert expected in words
    assert parsed.tags.count("tr") >= len(outline.verdicts)


def test_a_page_without_findings_says_so(outline: Outline) -> None:
    clean = Outline(**{**vars(outline), "findings": [], "fails": [], "lost": "the target is lost <b>"})
    html = page(clean)
    assert "<p>None.</p>" in html
    assert "The run was ended: the target is lost &lt;b&gt;" in html


def test_reports_are_written_into_a_new_folder(outline: Outline, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    write_reports(folder, outline, [entry(exchange("getTask", 200, {}), "http://x", Redactor())])
    assert {path.name for path in folder.iterdir()} == {"index.html", "report.json", "traffic.har"}
    assert json.loads((folder / "report.json").read_text("utf-8"))["target"] == outline.target


def test_a_folder_that_cannot_be_made_is_a_problem_of_the_setup(outline: Outline, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(SetupError, match=r"--report .*: "):
        write_reports(tmp_path / "file", outline, [])


# ------------------------------------------------------------------------- HAR


def test_an_entry_shows_the_exchange_without_credentials() -> None:
    redactor = Redactor()
    redactor.add(KEY)
    sent = exchange(
        "getTask",
        401,
        {"error": f"no {KEY}"},
        headers={"set-cookie": "session=zzz", "location": f"/{KEY}", "x-echo": KEY},
        request=b'{"a": "\xff"}',
    )
    shown = entry(sent, f"http://{KEY}.example", redactor)
    assert KEY not in json.dumps(shown)
    assert "zzz" not in json.dumps(shown)
    assert {"name": "Authorization", "value": SHOWN} in shown["request"]["headers"]
    assert shown["request"]["postData"]["text"] == '{"a": "\\xff"}'
    assert shown["response"]["status"] == 401
    assert shown["response"]["content"]["text"] == json.dumps({"error": f"no {SHOWN}"})
    assert shown["response"]["redirectURL"] == f"/{SHOWN}"


def test_an_exchange_without_answer_says_why_and_nothing_more() -> None:
    redactor = Redactor()
    redactor.add("complete answer")
    shown = entry(exchange("getTask", None), "http://x", redactor)
    assert (shown["response"]["status"], shown["response"]["statusText"]) == (0, f"no {SHOWN} within 1 seconds")
    assert "postData" not in shown["request"]


@pytest.mark.parametrize("before", [49_995, 11_995], ids=["behind the cut", "across the cut"])
def test_a_long_body_is_cut_after_the_credentials_are_gone_and_says_so(before: int) -> None:
    redactor = Redactor()
    redactor.add(KEY)
    body = b"x" * before + KEY.encode() + b"x" * 50_000
    sent = exchange("getTask", 200, body, request=body)
    shown = entry(sent, "http://x", redactor)
    for part in (shown["request"]["postData"], shown["response"]["content"]):
        assert "sk_" not in part["text"]
        assert part["_cut"] is True
    assert "_cut" not in str(entry(exchange("getTask", 200, b"x", request=b"x"), "http://x", redactor))


def test_a_har_file_is_in_the_order_of_sending() -> None:
    entries: list[dict[str, Any]] = [{"startedDateTime": "2026-01-02"}, {"startedDateTime": "2026-01-01"}]
    log = har(entries)["log"]
    assert log["version"] == "1.2"
    assert [item["startedDateTime"] for item in log["entries"]] == ["2026-01-01", "2026-01-02"]


# --------------------------------------------------------------------- summary


def test_the_summary_tells_each_finding_with_all_that_a_developer_needs(
    outline: Outline, clauses: Mapping[str, Clause]
) -> None:
    text = _summary(outline)
    clause = clauses[DOCUMENTED]
    for expected in (
        *("- BROKEN", "- WARNING", clause.sentence, f"openapi.yaml:{clause.line} #{clause.pointer}"),
        *(
            "expected  this",
            f"came      {HOSTILE}",
            "  curl 1\n  curl 2",
            "seen      40 times, also of lifecycle.initial",
        ),
        *("held 1  broken 1  warned 1", "2,895 requests; 1,234 credits debited, 12 of them refunded", "2,347"),
    ):
        assert expected in text, expected
    assert text.index("- BROKEN") < text.index("- WARNING") < text.index("- NOT EXERCISED")


def test_the_summary_groups_reasons(outline: Outline) -> None:
    reasons = [*["often"] * 5, *map(str, range(12))]
    verdicts = [
        Verdict(verdict.clause, Outcome.NOT_EXERCISED, reason)
        for verdict, reason in zip(outline.verdicts, reasons, strict=False)
    ]
    text = _summary(Outline(**{**vars(outline), "verdicts": verdicts, "findings": [], "fails": []}))
    assert "     5 clauses: often" in text
    assert text.count("   1 clause: ") == 12


def test_the_summary_says_what_went_wrong_with_the_run(outline: Outline) -> None:
    text = _summary(
        Outline(
            **{**vars(outline), "waited": 3.21, "lost": "nobody answers", "crashes": ["test_x\nZeroDivisionError"]}
        ),
        Settings(report="out"),
    )
    for expected in (
        *("the target asked to be given time: 3.2 s in all", "the run was ended: nobody answers"),
        *("A TEST COULD NOT BE CARRIED OUT\ntest_x\nZeroDivisionError", "reports: out/index.html"),
    ):
        assert expected in text


def test_a_clean_summary_is_short(outline: Outline) -> None:
    held = [Verdict(verdict.clause, Outcome.HELD) for verdict in outline.verdicts]
    text = _summary(Outline(**{**vars(outline), "verdicts": held, "findings": [], "fails": []}))
    assert len(text.splitlines()) == 3
    assert f"held {len(held)}  broken 0  warned 0  not exercised 0  of {len(held)} clauses" in text
