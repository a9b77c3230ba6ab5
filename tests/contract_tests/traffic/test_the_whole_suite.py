"""The contract tests pass through the proxy as if it were not there, and the proxy has nothing to say of the mock."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract_tests.harness import environment, run
from tests.targets.server import Target

MOCK = "from mock_server.start import main; main()"
PROXY = "from contract.cli import main; main()"


@contextmanager
def served(serve: str, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The URL of a command that serves, and its process."""
    process = subprocess.Popen(
        [sys.executable, "-c", serve, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(measured=serve == PROXY, PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    try:
        url = next(found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:[0-9]+", line)))
        yield url, process
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()


@pytest.mark.whole
def test_the_whole_suite_passes_through_the_proxy_and_shows_no_finding(tmp_path: Path) -> None:
    with served(MOCK, "--port", "0", "--task-seconds", "0.25") as (mock, _):
        options = ("proxy", mock, "--port", "0", "--strict", "--report", str(tmp_path / "proxy"))
        with served(PROXY, *options) as (url, proxy):
            outcome = run(url, "--strict", "--require-all", folder=tmp_path)
            proxy.send_signal(signal.SIGTERM)
            assert proxy.wait(60) == 0
    assert outcome.status == 0, outcome.text
    assert set(outcome.verdicts.values()) == {"held"}
    report = json.loads((tmp_path / "proxy" / "report.json").read_text("utf-8"))
    assert report["findings"] == []
    assert report["requests"] >= outcome.report["requests"]
    assert report["counts"]["held"] > 150


@pytest.mark.whole
def test_the_command_reports_a_fault_and_says_so_by_its_status(tmp_path: Path) -> None:
    with Target("submission-201", task_seconds=0.05) as target:
        options = ("proxy", target.url, "--port", "0", "--report", str(tmp_path / "proxy"))
        with served(PROXY, *options) as (url, proxy):
            run(url, "-k", "test_equal_submissions", hooks=True, report=False, folder=tmp_path)
            proxy.send_signal(signal.SIGINT)
            assert proxy.wait(60) == 1
    report = json.loads((tmp_path / "proxy" / "report.json").read_text("utf-8"))
    assert "generateImage.statuses" in {finding["clause"] for finding in report["findings"]}
