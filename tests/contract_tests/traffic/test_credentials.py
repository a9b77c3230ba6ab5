"""Credentials are found where they are carried, and nothing that the contract itself says is taken for one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from contract.model import Contract
from contract_tests.redact import Redactor
from contract_tests.traffic.callers import Callers
from contract_tests.traffic.credentials import Credentials, _names
from contract_tests.traffic.messages import Message
from contract_tests.traffic.observer import SOMEBODY
from contract_tests.traffic.sightings import Sightings
from contract_tests.traffic.watch import Watch
from tests.contract_tests.harness import SUBMIT, TASKS
from tests.contract_tests.test_judge import PENDING

SECRET = "zq/81+Xy=77-w"
JSON_TYPE = [("Content-Type", "application/json")]
Said = tuple[Message, Message]


def said(
    target: str = "/login", headers: Any = (), asked: bytes = b"", told: bytes = b"", told_headers: Any = ()
) -> Said:
    request = Message([*headers], 1.0, method="POST", target=target)
    request.add(asked)
    answer = Message([*told_headers], 2.0, status=200)
    answer.add(told)
    return request, answer


def coded(value: Any) -> bytes:
    return json.dumps(value).encode()


def nested(url: str, times: int) -> str:
    for _ in range(times):
        url = "https://x.example/?next=" + quote(url, safe="")
    return url


CARRIERS: dict[str, Callable[[str], Said]] = {
    "a member of a request": lambda secret: said(asked=coded({"user": {"apiKey": secret}})),
    "a password": lambda secret: said(asked=coded({"password": secret})),
    "a member of an answer": lambda secret: said(told=coded([{"sessionToken": secret}])),
    "below a member": lambda secret: said(told=coded({"tokens": {"access": [secret]}})),
    "a broken body": lambda secret: said(told=coded({"token": secret})[:-1]),
    "a form": lambda secret: said(
        headers=[("content-type", "application/x-www-form-urlencoded")], asked=b"a=b&pwd=" + quote(secret, "").encode()
    ),
    "Referer": lambda secret: said(headers=[("Referer", f"https://x.example/?jwt={quote(secret, '')}")]),
    "Location": lambda secret: said(told_headers=[("Location", f"/home?a=b#access_token={quote(secret, '')}")]),
    "X-Jwt": lambda secret: said(headers=[("X-Jwt", secret)]),
    "sig": lambda secret: said(f"/login?sig={quote(secret, '')}"),
    "sid": lambda secret: said(f"/login?sid={quote(secret, '')}"),
    "code": lambda secret: said(f"/login?state=1&code={quote(secret, '')}"),
    "a URL in a body": lambda secret: said(told=coded({"url": f"https://x.example/?X-Sig={quote(secret, '')}"})),
    "the user of a URL": lambda secret: said(f"http://me:{quote(secret, '')}@x.example/login"),
    "a URL in a URL": lambda secret: said("/login?next=" + quote(nested(f"/?token={quote(secret, '')}", 1), safe="")),
    "a URL in a URL in a URL": lambda secret: said(
        "/login?next=" + quote(nested(f"/?auth={quote(secret, '')}", 2), "")
    ),
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_what_is_carried_as_a_secret_is_written_nowhere(
    contract: Contract, tmp_path: Path, carrier: Callable[[str], Said]
) -> None:
    lines: list[str] = []
    watch = Watch(contract, "openapi.yaml", "http://x", lines.append)
    sightings = Sightings(contract, watch.redactor, "http://x")
    echo = {"model": "gpt-image-2", "prompt": SECRET}

    def passes(request: Message, answer: Message) -> None:
        watch.take(sightings.of(request, answer, 2.0))

    passes(*said(SUBMIT, JSON_TYPE, coded(echo), coded({**echo, "taskId": 7}), JSON_TYPE))  # nobody knows it by now
    lines.clear()
    passes(*carrier(SECRET))
    passes(*said(f"{SUBMIT}?q={quote(SECRET, '')}", JSON_TYPE, coded(echo), coded({**echo, "x": "y"}), JSON_TYPE))
    watch.write(tmp_path)
    assert watch.failed
    written = "".join(path.read_text("utf-8") for path in tmp_path.iterdir()) + "".join([*lines, *watch.summary()])
    for form in (SECRET, quote(SECRET, ""), quote(quote(SECRET, ""), ""), json.dumps(SECRET)):
        assert form not in written


def test_what_the_contract_declares_stays_readable(contract: Contract) -> None:
    redactor = Redactor()
    credentials = Credentials(contract, redactor)
    names = set(_names(contract.document.data))
    assert names > {"prompt", "taskId", "errorCode", "inputImageUrls", "creditsUsed"}
    for name in names:
        value = f"an ordinary value of {name}"
        credentials.learn(JSON_TYPE, f"/x?token={name}", coded({name: value, "password": name}))
        assert credentials.text(f"/x?{name}=abc") == f"/x?{name}=abc"
        assert redactor.text(f"{name}: {value}") == f"{name}: {value}"
    for word in ("gpt-image-2", "Insufficient credits", "true", SUBMIT, TASKS):
        credentials.learn([("X-Token", word), ("Cookie", f"a={word}")], "/", b"")
        assert redactor.text(word) == word


def test_names_that_only_look_like_those_of_secrets_are_ordinary(contract: Contract) -> None:
    redactor = Redactor()
    credentials = Credentials(contract, redactor)
    for name in ("author", "monkey", "keyboard", "sidebar", "signal", "passenger", "decode", "key"):
        credentials.learn([], "/", coded({name: "an ordinary value"}))
        assert redactor.text("an ordinary value") == "an ordinary value"


def test_the_beginning_of_a_secret_at_the_cut_of_a_long_body_is_taken_out_too(
    contract: Contract, tmp_path: Path
) -> None:
    watch = Watch(contract, "openapi.yaml", "http://x", lambda _: None)
    sightings = Sightings(contract, watch.redactor, "http://x")
    secret = "sk_live_" + "0123456789" * 4
    body = coded({**PENDING, "prompt": "x" * 20_000})
    start = body.index(b"xxxx")
    body = body[:11_980] + secret.encode() + body[11_980 + len(secret) :]
    assert start < 11_980
    request = Message([], 1.0, method="GET", target=f"{TASKS}tsk_1")
    answer = Message(JSON_TYPE, 2.0, status=200)
    answer.add(body)
    watch.take(sightings.of(request, answer, 2.0))
    watch.take(sightings.of(Message([("Authorization", f"Bearer {secret}")], 3.0, target="/"), answer, 4.0))
    watch.write(tmp_path)
    har = (tmp_path / "traffic.har").read_text("utf-8")
    assert '"_cut": true' in har
    assert "sk_live" not in har


def test_who_asks_is_unknown_where_a_scheme_shows_nothing(contract: Contract) -> None:
    operation = contract.operations["getTask"]
    schemes = {name: replace(scheme, type="oauth2") for name, scheme in contract.security_schemes.items()}
    assert Callers(contract).caller(operation, [], "/") is None
    assert Callers(replace(contract, security_schemes=schemes)).caller(operation, [], "/") == SOMEBODY


@pytest.mark.parametrize(("location", "seen"), [("query", True), ("header", False), ("elsewhere", False)])
def test_a_key_is_looked_for_only_where_its_scheme_says(contract: Contract, location: str, seen: bool) -> None:
    operation = contract.operations["getTask"]
    schemes = {
        name: replace(scheme, type="apiKey", location=location, parameter="k")
        for name, scheme in contract.security_schemes.items()
    }
    caller = Callers(replace(contract, security_schemes=schemes)).caller(operation, [], "/?k=1")
    assert (caller is not None) is seen


def test_a_target_that_names_a_server_is_read_as_its_path(contract: Contract) -> None:
    sightings = Sightings(contract, Redactor(), "http://x")
    answer = Message(JSON_TYPE, 2.0, status=200)
    for target, path in (
        (f"http://me:passphrase@x{TASKS}tsk_1?a=b", f"{TASKS}tsk_1?a=b"),
        ("http://x", "/"),
        ("http://[", "http://["),
        ("*", "*"),
        (f"//x{TASKS}tsk_1", f"//x{TASKS}tsk_1"),
    ):
        sighting = sightings.of(Message([], 1.0, method="GET", target=target), answer, 2.0)
        assert sighting.exchange.request.path == path
        assert (sighting.route.task is not None) is path.startswith(TASKS)
