"""What the two commands cannot do is told in one line, before anything is done."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.cli import main
from contract_tests.traffic.watch import Watch
from tests.contract_tests.harness import TASKS
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
        ("http://[x", "UPSTREAM 'http://[x' is no http(s) URL, such as http://localhost:8000"),
        ("http://x:many", "UPSTREAM 'http://x:many' is no http(s) URL, such as http://localhost:8000"),
        ("http://x:0", "UPSTREAM 'http://x:0' is no http(s) URL, such as http://localhost:8000"),
        ("http://user:secret@x", "UPSTREAM holds credentials: each request brings its own"),
    ],
)
def test_an_upstream_that_is_none_is_refused(upstream: str, said: str) -> None:
    assert refused("proxy", upstream) == f"contract: {said}"


def test_a_url_to_check_below_that_is_none_is_refused_and_not_blamed_on_the_file(tmp_path: Path) -> None:
    said = "contract: --url 'http://[' is no http(s) URL, such as http://localhost:8000"
    assert refused("check-traffic", str(tmp_path / "traffic.har"), "--url=http://[") == said
    said = "contract: --url holds credentials: the requests of a recording bring their own"
    assert refused("check-traffic", str(tmp_path / "traffic.har"), "--url=http://user:secret@x") == said


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


def commands(folder: Path) -> list[str]:
    report = json.loads((folder / "report.json").read_text("utf-8"))
    return [finding["reproduction"] for finding in report["findings"]]


@pytest.mark.parametrize("option", [(), (f"--url={SITE}/v1",)])
def test_a_finding_is_reproduced_with_the_url_that_was_asked_for(tmp_path: Path, option: tuple[str, ...]) -> None:
    prefix = "/v1" if option else ""
    url = f"{SITE}{prefix}{TASKS}tsk_1"
    status, said = checked(tmp_path, [entry(1, {**PENDING, "creditsUsed": -1}, url)], *option, f"--report={tmp_path}/r")
    assert status == 1, said
    assert {line.split(" -H ")[0] for line in commands(tmp_path / "r")} == {f"curl -X GET {url}"}
    har = json.loads((tmp_path / "r" / "traffic.har").read_text("utf-8"))
    assert [item["request"]["url"] for item in har["log"]["entries"]] == [url]
    assert f"GET {prefix}{TASKS}tsk_1: expected " in said


def test_credentials_in_the_url_of_an_entry_are_shown_nowhere(tmp_path: Path) -> None:
    url = f"https://somebody:passphrase@shop.example{TASKS}tsk_1"
    entries = [entry(1, {**PENDING, "creditsUsed": -1}, url)]
    status, said = checked(tmp_path, entries, f"--report={tmp_path}/r", "--url=HTTPS://Shop.Example/")
    assert status == 1, said
    assert "passphrase" not in said + "".join(path.read_text("utf-8") for path in (tmp_path / "r").iterdir())


def test_a_recording_of_other_servers_is_not_clean_but_unchecked(tmp_path: Path) -> None:
    other = "https://other.example"
    entries = [entry(1, PENDING), entry(2, PENDING), entry(3, PENDING, f"{other}/x"), entry(4, "", "data:,x")]
    status, said = checked(tmp_path, entries, "--url=https://mine.example")
    assert status == 2
    assert said.endswith(f"no exchange in it could be checked: it names {SITE} (2), {other} (1), data: (1)\n")
    status, said = checked(tmp_path, [])
    assert status == 2
    assert said.endswith("traffic.har: no exchange in it could be checked: it has none\n")


def test_a_fault_of_this_tool_is_told_with_the_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Watch, "take", broken)
    status, said = checked(tmp_path, [entry(1, PENDING)])
    assert status == 2
    assert said.endswith("traffic.har: log.entries[0]: RuntimeError: a bug\n")
