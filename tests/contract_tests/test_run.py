"""One run: what stops it before it begins, what it spends, what it sends, and what it leaves behind."""

import re
import socket
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from contract_tests.run import Run
from contract_tests.settings import SetupError, resolve
from tests.contract_tests.harness import (
    HOOKS,
    KEY,
    KEYS,
    REPORTS,
    SECOND_KEY,
    Counted,
    Inner,
    Wrapped,
    balance,
    interrupt,
    new_account,
    run,
)
from tests.targets import wire
from tests.targets.server import RICH, Target

GIVEN: dict[str, Any] = {"key": KEY, "second_key": SECOND_KEY}
NOBODY = "http://127.0.0.1:1"


def _start(target: str, **given: Any) -> Run:
    config: Any = SimpleNamespace()  # a run that cannot be made does not get as far as to look at it
    return Run(config, resolve({"target": target, **given}, environ={}))


# --------------------------------------------------------- before it begins


@pytest.mark.parametrize(
    ("target", "given", "problem"),
    [
        ("localhost:8000", GIVEN, "is no http(s) URL, such as http://localhost:8000"),
        ("", GIVEN, "is no http(s) URL"),
        ("ftp://127.0.0.1", GIVEN, "is no http(s) URL"),
        ("http://", GIVEN, "is no http(s) URL"),
        ("http://[::1", GIVEN, "is no http(s) URL"),
        ("http://127.0.0.1:99999", GIVEN, "is no http(s) URL"),
        ("http://127.0.0.1:8000/?a=b", GIVEN, "is no http(s) URL"),
        ("http://127.0.0.1:8000/ü", GIVEN, "is no http(s) URL"),
        (f"http://me:{KEY}@127.0.0.1", GIVEN, "--target holds credentials: they belong into --key"),
        ("http://staging.invalid", GIVEN, "may cost real credits: say with --max-credits how many"),
        ("http://127.0.0.1.invalid", GIVEN, "may cost real credits"),
        (NOBODY, {"key": f"{KEY}\r"}, "--key begins or ends with white space, or has a character"),
        (NOBODY, {"cookie": f"{KEY}\t{KEY}"}, "--cookie begins or ends with white space, or has a character"),
        (NOBODY, {"key": KEY, "second_key": KEY}, "--key and --second-key are the same"),
        (NOBODY, {**GIVEN, "spec": "nowhere.yaml"}, "nowhere.yaml"),
        (NOBODY, {**GIVEN, "report": "/dev/null/x"}, "--report /dev/null/x: Not a directory"),
    ],
)
def test_a_run_that_cannot_be_made_says_why(target: str, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(SetupError) as caught:
        _start(target, **given)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_target_that_is_not_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = "http://{}:{}".format(*free.getsockname())
    with pytest.raises(SetupError, match=f"{url} does not answer: no complete answer"):
        _start(url, **GIVEN)


def test_without_a_key_and_without_hooks_there_is_nobody_to_be(target: Counted) -> None:
    with pytest.raises(SetupError, match="no key: give --key"):
        _start(target.url)


@pytest.mark.parametrize(
    ("given", "which"),
    [({"key": "sk_unknown"}, "key"), ({"key": KEY, "second_key": "sk_unknown"}, "second key")],
)
def test_a_key_that_is_not_accepted_is_no_finding(target: Counted, given: dict[str, Any], which: str) -> None:
    with pytest.raises(SetupError, match=f"does not accept the {which}: 401 to a read with it"):
        _start(target.url, **given)


@pytest.mark.parametrize(
    ("hooks", "problem"),
    [
        ("def new_account(credits): raise RuntimeError('a\\nb')", "the hook new_account failed: RuntimeError: a b"),
        ("def new_account(credits): return 7", "the hook new_account gave neither a key nor a mapping of secrets"),
        ("def (", "hooks.py: SyntaxError"),
        ("x = 1", "hooks.py: it has none of the functions new_account, balance, failing_request"),
        (None, "hooks.py: there is no such file"),
    ],
)
def test_hooks_that_do_not_work_stop_the_run(
    target: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: str | None, problem: str
) -> None:
    monkeypatch.setenv("CONTRACT_TESTS_TARGET", "")  # it is set for the hooks
    if hooks is not None:
        (tmp_path / "hooks.py").write_text(hooks, "utf-8")
    with pytest.raises(SetupError) as caught:
        _start(target.url, hooks=str(tmp_path / "hooks.py"))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.whole
def test_hooks_that_fail_later_end_the_run(target: Counted, tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text("def new_account(credits): return 1 / (credits - 4)", "utf-8")
    hooks = ("--hooks", "hooks.py", *KEYS, "-k", "test_concurrent or test_one_credit")
    outcome = run(target.url, *hooks, folder=tmp_path, measured=True)
    assert outcome.status == 2
    assert "the run was ended: the hook new_account gave neither" in outcome.text
    assert outcome.report["lost"]


# ------------------------------------------------------------------ its end


def test_an_interrupted_run_still_writes_its_report(target: Counted, tmp_path: Path) -> None:
    outcome = interrupt(target.url, *KEYS, folder=tmp_path, ready=target.ready)
    assert outcome.status == 2
    assert {path.name for path in outcome.folder.iterdir()} == REPORTS
    assert outcome.report["requests"] >= 20
    assert "KeyboardInterrupt" in outcome.text
    assert "held" in outcome.verdicts.values()


def test_pytest_s_own_options_work(tmp_path: Path) -> None:
    """Some tests of all, to the first failure, and JUnit where it was asked for."""
    with Target("unauthorized-other-text", task_seconds=0.05) as target:
        junit = tmp_path / "own.xml"
        outcome = run(target.url, *KEYS, "-x", "-k", "test_access", "--junit-xml", str(junit), folder=tmp_path)
    assert outcome.status == 1
    assert "stopping after 1 failures" in outcome.text
    assert {path.name for path in outcome.folder.iterdir()} == REPORTS - {"junit.xml"}
    assert "generateImage.401.error.enum" in junit.read_text("utf-8")
    assert outcome.broken == {"generateImage.401.error.enum"}
    assert outcome.report["findings"][0]["times"] > 5


def test_a_warning_does_not_fail_the_run(tmp_path: Path) -> None:
    with Target("400-before-401", task_seconds=0.05) as target:
        outcome = run(target.url, *KEYS, "-k", "test_credentials_come_before_validation", folder=tmp_path)
    assert outcome.status == 0
    assert outcome.verdicts["generateImage.order.401-400"] == "warned"
    assert outcome.report["findings"][0]["severity"] == "warning"
    assert "- WARNING -" in outcome.text


@pytest.mark.whole
def test_the_same_seed_sends_the_same_requests_in_the_same_order(tmp_path: Path) -> None:
    sent = []
    for number in range(2):
        with Target(task_seconds=0.05) as target:
            some = (*KEYS, "--seed", "7", "--fuzz", "8", "-k", "whatever or test_all_three")
            outcome = run(target.url, *some, folder=tmp_path / str(number))
        assert outcome.status == 0, outcome.text
        sent.append([_asked(entry) for entry in outcome.traffic])
    assert len(sent[0]) > 20
    assert sent[0] == sent[1]


def _asked(entry: dict[str, Any]) -> tuple[str, str, str]:
    """What a request says, but for what the target chose: its port, and the IDs of tasks."""
    request = entry["request"]
    path = re.sub("(?i)tsk_[0-9a-z]+", "tsk", re.sub("^http://[^/]*", "", request["url"]))
    return request["method"], path, request.get("postData", {}).get("text", "")


# ------------------------------------------------------------------- money


def test_a_cap_of_nothing_spends_nothing_and_tells_what_is_left_out(target: Counted, tmp_path: Path) -> None:
    some = ("-k", "gpt-image-2-prompt or gpt-image-2-price or test_access")
    outcome = run(target.url, *KEYS, "--max-credits", "0", *some, folder=tmp_path)
    assert outcome.status == 0, outcome.text
    assert balance(target.url, KEY) == balance(target.url, SECOND_KEY) == 1_000_000
    assert outcome.report["spent"] == target.charged == 0
    assert outcome.report["full_cost"] > 1000
    assert f"0 credits debited, 0 of them refunded; a full run costs at most {outcome.report['full_cost']:,}" in (
        outcome.text
    )
    reasons = outcome.reasons
    assert reasons["generateImage.gpt-image-2.price"] == "it costs 3 credits, and the cap of 0 leaves 0"
    assert "generateImage.gpt-image-2.prompt.maxLength" not in reasons  # one over the limit is free to try
    assert outcome.verdicts["generateImage.401"] == "held"


@pytest.mark.whole
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_a_cap_is_never_exceeded_not_even_by_wrong_prices(tmp_path: Path, workers: tuple[str, ...]) -> None:
    cap = 61
    with Counted("price-from-sample-response") as target:  # 12 for what costs 3
        some = (*KEYS, "--max-credits", str(cap), "-k", "test_accepts", *workers)
        outcome = run(target.url, *some, folder=tmp_path, measured=bool(workers))
        spent = 2_000_000 - balance(target.url, KEY) - balance(target.url, SECOND_KEY)
    assert outcome.status == 1
    assert "generateImage.gpt-image-2.price" in outcome.broken
    assert 0 < spent == target.charged == outcome.report["spent"] <= cap
    assert any("cap of 61" in reason for reason in outcome.reasons.values())


def test_what_a_silent_target_charges_is_counted_too(tmp_path: Path) -> None:
    """Without `creditsUsed` a submission is taken to cost what it should."""
    with Target("submission-without-credits-used", task_seconds=0.05) as target:
        some = (*KEYS, "--max-credits", "40", "-k", "test_accepts", "--maxfail", "100", "--fuzz", "40")
        outcome = run(target.url, *some, folder=tmp_path)
        spent = 1_000_000 - balance(target.url, KEY)
    assert outcome.status == 1
    assert 0 < spent == outcome.report["spent"] <= 40


@pytest.mark.whole
def test_an_account_that_runs_out_of_credits_is_no_finding(target: Counted, tmp_path: Path) -> None:
    key = new_account(target.url, 20)
    some = ("--key", key, "--second-key", SECOND_KEY, "--strict", "--fuzz", "10")
    outcome = run(target.url, *some, "-k", "outputFormat or whatever or test_access or test_lifecycle", folder=tmp_path)
    assert outcome.status == 0, outcome.text
    assert balance(target.url, key) < 3
    assert outcome.report["findings"] == []
    assert "the account has run out of credits" in outcome.reasons.values()


# ------------------------------------------------------------ what is given


@pytest.mark.whole
def test_without_hooks_nothing_is_found_and_the_rest_says_why(target: Counted, tmp_path: Path) -> None:
    """And it is a failure only for who requires all."""
    some = (*KEYS, "--strict", "--require-all", "-k", "not test_requests")
    outcome = run(target.url, *some, folder=tmp_path)
    assert outcome.status == 1
    assert outcome.report["findings"] == []
    assert int(outcome.junit[0].attrib["failures"]) == 0
    reasons = outcome.reasons
    assert reasons["generateImage.402.enough"] == "no hook new_account"
    assert reasons["lifecycle.failed.refund"] in ("no hook new_account", "no hook failing_request")
    assert reasons["getTask.security.sessionCookie"] == "no credentials of the scheme sessionCookie are known"
    assert {"lifecycle.completed.final", "getTask.404.foreign", "generateImage.order.401-400"}.isdisjoint(reasons)


@pytest.mark.whole
def test_a_gateway_is_not_taken_for_the_target(tmp_path: Path) -> None:
    """It turns requests away now and then, and sets a cookie that would open everything to everybody."""
    numbers = iter(range(100_000))

    def gateway(request: wire.Request, inner: Inner) -> wire.Reply:
        if request.path.startswith("/api/") and next(numbers) % 9 == 8:
            return wire.Reply(429 if next(numbers) % 2 else 503, b"slow down", "text/plain", {"Retry-After": "0"})
        reply = inner(request)
        return wire.Reply(reply.status, reply.body, reply.content_type, {"Set-Cookie": f"session={RICH}; Path=/"})

    with Wrapped(gateway) as target:
        some = (*KEYS, "--strict", "-k", "test_access or test_lifecycle or test_an_unknown_task")
        outcome = run(target.url, *some, folder=tmp_path)
    assert outcome.status == 0, outcome.text
    assert outcome.report["findings"] == []
    assert outcome.verdicts["generateImage.401"] == "held"
    assert outcome.report["waited"] > 0
    assert "the target asked to be given time: " in outcome.text
    html = (outcome.folder / "index.html").read_text("utf-8")
    assert html.count("<svg") == 2
    assert target.url in html


# ------------------------------------------------------------- credentials


@pytest.mark.whole
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_credentials_appear_nowhere_not_even_where_the_target_repeats_them(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    """Everywhere in an error, also where the text is cut."""
    used: set[str] = set()

    def repeats(request: wire.Request, inner: Inner) -> wire.Reply:
        shown = [request.headers.get("Authorization", ""), request.headers.get("Cookie", "")]
        used.update(word for text in shown for word in re.split("[ =]", text))
        reply = inner(request)
        if reply.status < 400 or not isinstance(reply.body, dict):
            return reply
        padding = "x" * (len(used) * 7 % 390)
        body = {"error": f"{padding}{shown} is wrong", "details": {"headers": str(request.headers)}}
        return wire.Reply(reply.status, body, headers={"X-Echo": shown[0].replace("\n", "")})

    with Wrapped(repeats) as target:
        options = (*KEYS, "--cookie", RICH) if not workers else ()
        some = ("-v", "--tb=long", "--showlocals", "-k", "test_access or test_order or test_equal", *workers)
        outcome = run(target.url, *options, *some, hooks=bool(workers), folder=tmp_path)
        keys = set(target._accounts) & used  # noqa: SLF001 - who else would know every key that was made
    assert outcome.status == 1
    everything = outcome.everything()
    assert "[credentials]" in everything
    assert len(keys) >= 2
    secrets = {word for word in used if word.startswith("sk_test_")} | {key[:24] for key in keys if len(key) > 24}
    assert [secret for secret in secrets if secret in everything] == []
    assert len(outcome.traffic) == outcome.report["requests"] > 50
    causes = Counter(finding["clause"] for finding in outcome.report["findings"])
    assert set(causes.values()) == {1}


@pytest.mark.whole
def test_a_crash_of_the_suite_shows_no_credentials(target: Counted, tmp_path: Path) -> None:
    """A hook that puts a key where it does not belong, and something that no JSON can hold."""
    hooks = """
KEYS = []
make = new_account

def new_account(credits):
    secrets = make(credits)
    KEYS.append(secrets["bearerAuth"])
    return secrets

def failing_request(request):
    return {**request, "prompt": KEYS[-1], "providerInput": {"oops": {KEYS[-1]}}}
"""
    (tmp_path / "hooks.py").write_text(Path(HOOKS).read_text("utf-8") + hooks, "utf-8")
    some = ("--hooks", "hooks.py", "--tb=long", "--showlocals", "-k", "test_failing_tasks or test_failed_tasks")
    outcome = run(target.url, *some, folder=tmp_path, crash=True, measured=True)
    keys = [key for key in target._accounts if len(key) > 20]  # noqa: SLF001 - as above
    everything = outcome.everything()
    assert outcome.status == 2
    assert "A TEST COULD NOT BE CARRIED OUT" in outcome.text
    assert "Object of type set is not JSON serializable" in outcome.text
    assert len(keys) > 2
    assert [key for key in keys if key[:24] in everything] == []
