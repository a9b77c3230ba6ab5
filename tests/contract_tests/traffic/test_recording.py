"""Recordings are read as browsers write them; a file that is none is refused with its place."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from contract.model import Contract
from contract_tests.traffic.cli import check_traffic
from contract_tests.traffic.messages import LONGEST_BODY, Message
from contract_tests.traffic.sightings import TOO_LONG, Sightings
from contract_tests.traffic.watch import Watch
from contract_tests.wire import Answer
from tests.contract_tests.harness import SUBMIT, TASKS
from tests.contract_tests.test_judge import ACCEPTED, COMPLETED, PENDING

SITE = "https://shop.example"


def entry(number: int, told: Any, url: str = SITE + TASKS + "tsk_1", **content: Any) -> dict[str, Any]:
    text = told if isinstance(told, str) else json.dumps(told)
    return {
        "startedDateTime": f"2026-01-01T10:00:{number:02}.000+01:00",
        "time": 12.5,
        "request": {
            "method": "GET",
            "url": url,
            "headers": [{"name": ":authority", "value": "x"}, {"name": "authorization", "value": "Bearer sk_secret_1"}],
            "bodySize": 0,
        },
        "response": {
            "status": 200,
            "headers": [
                {"name": "Content-Type", "value": "application/json"},
                {"name": "content-encoding", "value": "br"},
            ],
            "content": {"size": len(text), "text": text, **content},
        },
    }


def checked(folder: Path, data: Any, *options: str) -> tuple[int, str]:
    file = folder / "traffic.har"
    file.write_text(data if isinstance(data, str) else json.dumps({"log": {"entries": data}}), "utf-8")
    done = CliRunner().invoke(check_traffic, [str(file), *options])
    return done.exit_code, done.output


def test_a_recording_without_a_breach_is_clean(tmp_path: Path) -> None:
    status, said = checked(tmp_path, [entry(1, PENDING), entry(2, COMPLETED)])
    assert status == 0, said
    assert "broken 0" in said


def test_a_breach_is_found_in_the_order_of_the_answers_whatever_the_order_in_the_file(tmp_path: Path) -> None:
    status, said = checked(tmp_path, [entry(2, PENDING), entry(1, COMPLETED)], "--report", str(tmp_path / "report"))
    assert status == 1
    assert "BROKEN lifecycle.completed.final: " in said
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert report["counts"]["broken"] == 2
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        *("index.html", "report.json", "junit.xml", "traffic.har")
    }


def test_a_body_may_be_base64(tmp_path: Path) -> None:
    coded = base64.b64encode(json.dumps({**PENDING, "status": 7}).encode()).decode()
    assert checked(tmp_path, [entry(1, coded, encoding="base64")])[0] == 1


def test_what_has_no_body_is_not_checked(tmp_path: Path) -> None:
    status, said = checked(tmp_path, [entry(1, PENDING, text=None), entry(2, PENDING)])
    assert status == 0, said
    assert "1 not checked: the recording has no body of the answer" in said


def test_other_servers_are_left_out(tmp_path: Path) -> None:
    other = entry(1, {}, url="https://other.example" + TASKS + "x")
    status, said = checked(tmp_path, [other, entry(2, PENDING)], "--url", SITE)
    assert status == 0, said
    assert "1 exchanges with other servers were left out" in said


def test_nobody_is_blamed_for_credentials_that_were_taken_out_of_a_recording(tmp_path: Path) -> None:
    stripped = entry(1, PENDING)
    stripped["request"]["headers"] = []
    status, said = checked(tmp_path, [stripped, entry(2, COMPLETED)])
    assert status == 0, said


def test_what_was_never_answered_or_only_half_recorded_is_not_checked(tmp_path: Path) -> None:
    lost, sent, cut = entry(1, PENDING), entry(2, PENDING), entry(3, "{", _cut=True)
    lost["response"] = {"status": 0, "statusText": "", "_error": "net::ERR_CONNECTION_RESET"}
    open_still = entry(1, PENDING)
    open_still["response"] = {"status": -1, "statusText": "", "content": {"size": -1}}
    sent["request"]["bodySize"] = 9
    half = entry(4, ACCEPTED, SITE + SUBMIT)
    half["request"] |= {"method": "POST", "bodySize": 9, "postData": {"text": "{", "_cut": True}}
    half["request"]["headers"].append({"name": "content-type", "value": "application/json"})
    status, said = checked(tmp_path, [lost, open_still, sent, cut, half, entry(5, PENDING)])
    assert status == 0, said
    for count, why in (
        (2, "no answer was recorded"),
        (1, "the recording has no body of the request"),
        (1, "the recording has only the beginning of the body of the answer"),
        (1, "the recording has only the beginning of the body of the request"),
    ):
        assert f"{count} not checked: {why}" in said


def test_entries_that_cannot_be_read_are_refused_with_their_number(tmp_path: Path) -> None:
    zoneless = {**entry(1, PENDING), "startedDateTime": "2026-01-01T10:00:00"}
    assert "log.entries[0]: startedDateTime '2026-01-01T10:00:00' has no zone" in checked(tmp_path, [zoneless])[1]
    assert "log.entries[0]: a body that is no base64: " in checked(tmp_path, [entry(1, "%", encoding="base64")])[1]
    missing = CliRunner().invoke(check_traffic, [str(tmp_path / "none.har")])
    assert (missing.exit_code, missing.output) == (2, f"contract: {tmp_path}/none.har: No such file or directory\n")
    (tmp_path / "binary.har").write_bytes(b"\xff\xfe")
    assert "binary.har: no HAR file: " in CliRunner().invoke(check_traffic, [str(tmp_path / "binary.har")]).output


def test_a_body_that_ends_like_one_that_was_cut_is_whole(tmp_path: Path) -> None:
    status, said = checked(tmp_path, [entry(1, "no JSON... (9 bytes)")])
    assert status == 1, said


def test_the_recording_of_a_check_can_be_checked_again(tmp_path: Path) -> None:
    body = {"model": "gpt-image-2", "prompt": "x" * 10_000, "more": "y" * 10_000}
    long = entry(1, {**ACCEPTED, "more": "z" * 20_000}, SITE + SUBMIT)
    long["request"] |= {"method": "POST", "postData": {"text": json.dumps(body)}}
    long["request"]["headers"].append({"name": "content-type", "value": "application/json"})
    read = entry(2, {**PENDING, "prompt": body["prompt"]})
    status, said = checked(tmp_path, [long, read], f"--report={tmp_path}")
    assert status == 0, said
    done = CliRunner().invoke(check_traffic, [str(tmp_path / "traffic.har")])
    assert done.exit_code == 0, done.output
    assert "1 not checked: the recording has only the beginning of the body of the request" in done.output


OUT_OF_RANGE = {
    '"startedDateTime": "0001-01-01T00:00:00+23:00"': "startedDateTime '0001-01-01T00:00:00+23:00' is before 1970",
    '"startedDateTime": "9999-12-31T23:59:59-23:00"': "startedDateTime '9999-12-31T23:59:59-23:00' is before 1970",
    '"startedDateTime": 7': "not an entry of a HAR file: Invalid isoformat string",
    '"time": 1' + "0" * 400: "time inf is out of range",
    '"time": -1' + "0" * 5000: "time -inf is out of range",
    '"time": "soon"': "not an entry of a HAR file: could not convert string to float",
    '"time": NaN': "time nan is out of range",
    '"response": {"status": Infinity}': "status inf is out of range",
    '"response": {"status": 1e300}': "status 1e+300 is out of range",
    '"response": {"status": -2}': "status -2 is out of range",
    '"request": {"url": "http://["}': "not an entry of a HAR file: Invalid IPv6 URL",
}


@pytest.mark.parametrize(("field", "said"), OUT_OF_RANGE.items(), ids=range(len(OUT_OF_RANGE)))
def test_a_value_that_cannot_be_is_refused_with_its_place(tmp_path: Path, field: str, said: str) -> None:
    text = json.dumps(entry(1, PENDING))  # of two members with one name, the later one counts
    status, output = checked(tmp_path, f'{{"log": {{"entries": [{text}, {text[:-1]}, {field}}}]}}}}')
    assert status == 2, output
    (line,) = output.splitlines()
    assert f"traffic.har: log.entries[1]: {said}" in line


def test_a_header_that_is_no_unicode_is_no_reason_to_stop(tmp_path: Path) -> None:
    odd = entry(1, {**PENDING, "creditsUsed": -1})
    odd["request"]["headers"] = [{"name": name, "value": "Bearer x\ud800yz"} for name in ("Authorization", "Cookie")]
    status, said = checked(tmp_path, [odd], f"--report={tmp_path}/report")
    assert status == 1, said
    assert "ud800" not in (tmp_path / "report" / "traffic.har").read_text("utf-8")


@pytest.mark.parametrize(
    ("coding", "body", "said"),
    [
        ("gzip", gzip.compress(json.dumps(PENDING).encode()), ""),
        ("deflate", zlib.compress(json.dumps(PENDING).encode()), ""),
        ("identity", json.dumps(PENDING).encode(), ""),
        ("gzip", b"no gzip", "not gzip, as it says"),
        ("br", b"x", "encoded as 'br'"),
        ("gzip", gzip.compress(b" " * (LONGEST_BODY + 1)), TOO_LONG),
    ],
    ids=["gzip", "deflate", "identity", "no gzip", "unknown", "too long"],
)
def test_an_encoded_answer_is_decoded_as_far_as_can_be(contract: Contract, coding: str, body: bytes, said: str) -> None:
    watch = Watch(contract, "openapi.yaml", SITE, lambda _: None)
    request = Message([], 0.0, method="GET", target=f"{TASKS}tsk_1")
    answer = Message([("Content-Encoding", coding), ("Content-Type", "application/json")], 1.0, status=200)
    answer.add(body)
    seen = Sightings(contract, watch.redactor, "").of(request, answer, 1.0)
    assert seen.unchecked == said
    assert isinstance(seen.exchange.answer, Answer)
    body = seen.exchange.answer.body
    assert body == b"" if said else json.loads(body) == PENDING


BAD = {
    "": "traffic.har:1: no JSON",
    "{}": "it has no list at log.entries",
    '{"log": {"entries": [{}]}}': "log.entries[0]: 'request' is missing",
    '{"log": {"entries": [7]}}': "log.entries[0]: not an entry",
}


@pytest.mark.parametrize(("text", "said"), BAD.items())
def test_a_file_that_is_no_recording_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    status, output = checked(tmp_path, text)
    assert status == 2
    assert said in output
    assert len(output.splitlines()) == 1


SECRET = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_-", min_size=24, max_size=40)
CARRIERS = ("Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "query", "Proxy-Authorization")


@given(secret=SECRET, carrier=st.sampled_from(CARRIERS), early=st.booleans())
def test_no_secret_is_written_anywhere(
    contract: Contract, tmp_path_factory: pytest.TempPathFactory, secret: str, carrier: str, early: bool
) -> None:
    lines: list[str] = []
    watch = Watch(contract, "openapi.yaml", SITE, lines.append)
    sightings = Sightings(contract, watch.redactor)
    value = {"Authorization": f"Bearer {secret}", "Cookie": f"a=b; session={secret}"}.get(carrier, secret)
    headers = [] if carrier == "query" else [(carrier, value)]
    echo = {"model": "gpt-image-2", "prompt": 7, "seed": secret}

    def passes(headers: list[tuple[str, str]], target: str) -> None:
        request = Message([*headers, ("Content-Type", "application/json")], 1.0, method="POST", target=target)
        request.add(json.dumps(echo).encode())
        answer = Message([("content-type", "application/json"), ("X-Echo", secret)], 2.0, status=418)
        answer.add(json.dumps(echo).encode())
        watch.take(sightings.of(request, answer, 2.0))

    if early:  # before anybody knows that it is a secret
        passes([], SUBMIT)
        lines.clear()
    passes(headers, f"{SUBMIT}?api_key={secret}" if carrier == "query" else SUBMIT)
    folder = tmp_path_factory.mktemp("report")
    watch.write(folder)
    assert watch.failed
    written = "".join(path.read_text("utf-8") for path in folder.iterdir()) + "".join([*lines, *watch.summary()])
    assert "418" in written
    assert secret not in written
