"""What the two commands cannot do is told in one line, before anything is done."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.cli import main
from tests.contract_tests.test_judge import PENDING
from tests.contract_tests.traffic.test_recording import SITE, checked, entry


def refused(*arguments: str) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    (line,) = done.output.splitlines()
    return line


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        ("localhost:8000", "UPSTREAM 'localhost:8000' is no http(s) URL, such as http://localhost:8000"),
        ("http://", "UPSTREAM 'http://' is no http(s) URL, such as http://localhost:8000"),
        ("http://x/?a=b", "UPSTREAM 'http://x/?a=b' is no http(s) URL, such as http://localhost:8000"),
        ("http://[x", "UPSTREAM 'http://[x' is no URL: Invalid IPv6 URL"),
        ("http://x:many", "UPSTREAM 'http://x:many' is no URL: Port could not be cast to integer value as 'many'"),
        ("http://user:secret@x", "UPSTREAM holds credentials: each request brings its own"),
    ],
)
def test_an_upstream_that_is_none_is_refused(upstream: str, said: str) -> None:
    assert refused("proxy", upstream) == f"contract: {said}"


def test_options_about_https_are_refused_for_http_and_certificates_that_are_none(tmp_path: Path) -> None:
    assert refused("proxy", "http://x", "--insecure") == (
        "contract: --insecure and --cacert are about https, and UPSTREAM is http"
    )
    (tmp_path / "ca.pem").write_text("nothing")
    assert refused("proxy", "https://x", f"--cacert={tmp_path}/ca.pem").startswith("contract: --cacert ")


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(main, ["proxy", "https://127.0.0.1:1", "--insecure", "--port", port])
    assert done.exit_code == 2
    assert f"contract: 127.0.0.1:{port} cannot be listened on: " in done.output


@pytest.mark.parametrize("command", ["proxy", "check-traffic"])
def test_a_contract_or_a_report_that_cannot_be_had_is_refused(tmp_path: Path, command: str) -> None:
    har = tmp_path / "traffic.har"
    har.write_text(json.dumps({"log": {"entries": []}}))
    target = "http://127.0.0.1:1" if command == "proxy" else str(har)
    assert refused(command, target, f"--spec={tmp_path}/none.yaml").startswith(f"contract: {tmp_path}/none.yaml:1: ")
    assert refused(command, target, f"--report={har}/below").startswith(f"contract: --report {har}/below: ")


def test_a_recording_has_the_reports_of_the_contract_tests(tmp_path: Path) -> None:
    changed = {**PENDING, "creditsUsed": -1}
    entries = [entry(1, changed), entry(2, PENDING, "https://elsewhere.example/x")]
    status, said = checked(tmp_path, entries, f"--url={SITE}", f"--report={tmp_path}/report")
    assert status == 1, said
    assert "1 exchanges with other servers were left out\n" in said
    assert f"reports: {tmp_path}/report/index.html, report.json, junit.xml, traffic.har\n" in said
    for name in ("index.html", "report.json", "junit.xml", "traffic.har"):
        assert "sk_secret_1" not in (tmp_path / "report" / name).read_text("utf-8")
