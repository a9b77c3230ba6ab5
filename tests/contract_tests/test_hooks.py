"""What a target's owner adds: loaded with care, and held to what it promises."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract.model import Contract, SecurityScheme
from contract_tests.hooks import Account, Hooks, headers_for, load_hooks, mock_hooks
from contract_tests.redact import SHOWN, Redactor
from contract_tests.settings import SetupError
from contract_tests.verdicts import NotExercised
from tests.contract_tests.harness import document, exchange
from tests.targets import wire

URL = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTRACT_TESTS_TARGET", "http://elsewhere")


def _load(folder: Path, text: str) -> Mapping[str, Any]:
    path = folder / "hooks.py"
    path.write_text(text, "utf-8")
    return load_hooks(str(path), URL)


def _hooks(**functions: Any) -> Hooks:
    return Hooks(functions, "bearerAuth", Redactor())


def test_a_file_may_have_any_of_the_functions(tmp_path: Path) -> None:
    functions = _load(tmp_path, "balance = 7\nother = print\ndef new_account(credits):\n    return f'key-{credits}'\n")
    assert list(functions) == ["new_account"]
    assert functions["new_account"](5) == "key-5"


def test_a_file_finds_the_target_in_the_environment(tmp_path: Path) -> None:
    functions = _load(tmp_path, "import os\nURL = os.environ['CONTRACT_TESTS_TARGET']\ndef balance(key): return URL\n")
    assert functions["balance"]("key") == URL
    assert os.environ["CONTRACT_TESTS_TARGET"] == URL


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it has none of the functions new_account, balance, failing_request"),
        ("def other(): pass", "it has none of the functions"),
        ("def (", "SyntaxError: invalid syntax"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise ValueError('one\\ntwo')", "ValueError: one two$"),
        ("raise SystemExit('no')", "SystemExit: no"),
        ("import no_such_module", "ModuleNotFoundError: No module named"),
    ],
)
def test_a_file_that_is_no_hooks_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SetupError, match=problem):
        _load(tmp_path, text)


def test_a_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="there is no such file"):
        load_hooks(str(tmp_path / "nowhere.py"), URL)
    with pytest.raises(SetupError, match="there is no such file"):
        load_hooks(str(tmp_path), URL)


def test_a_file_must_be_python(tmp_path: Path) -> None:
    (tmp_path / "hooks.txt").write_text("hello", "utf-8")
    with pytest.raises(SetupError, match="not a Python file"):
        load_hooks(str(tmp_path / "hooks.txt"), URL)


@pytest.mark.parametrize("given", ["sk_new_one", {"bearerAuth": "sk_new_one"}])
def test_a_new_account_is_a_key_or_a_secret_for_each_scheme(given: Any) -> None:
    hooks = _hooks(new_account=lambda _: given)
    account = hooks.new_account(5)
    assert account.secret("bearerAuth") == "sk_new_one"
    assert account.secret("sessionCookie") is None
    assert hooks.redactor.text("sk_new_one") == SHOWN
    assert "sk_new_one" not in repr(account)


@pytest.mark.parametrize("given", [None, 7, b"key", {"bearerAuth": 7}, ["key"]])
def test_a_new_account_is_nothing_else(given: Any) -> None:
    with pytest.raises(SetupError, match="neither a key nor a mapping of secrets"):
        _hooks(new_account=lambda _: given).new_account(5)


@pytest.mark.parametrize("given", [None, "5", 5.0, True])
def test_a_balance_is_a_whole_number(given: Any) -> None:
    with pytest.raises(SetupError, match="not a whole number of credits"):
        _hooks(balance=lambda _: given).balance(Account({"bearerAuth": "sk_1"}))


def test_a_balance_is_asked_for_by_key() -> None:
    assert _hooks(balance={"sk_1": 5}.get).balance(Account({"bearerAuth": "sk_1"})) == 5


def test_a_failing_request_is_a_body_and_leaves_the_given_one_alone() -> None:
    def failing_request(request: dict[str, Any]) -> dict[str, Any]:
        request["fail"] = True
        return request

    given = {"prompt": "a"}
    assert _hooks(failing_request=failing_request).failing_request(given) == {"prompt": "a", "fail": True}
    assert given == {"prompt": "a"}
    with pytest.raises(SetupError, match="gave NoneType, not a request body"):
        _hooks(failing_request=lambda _: None).failing_request(given)


def test_a_hook_that_is_not_there_is_no_failure() -> None:
    hooks = _hooks()
    assert not hooks.has("balance")
    with pytest.raises(NotExercised, match="no hook balance"):
        hooks.balance(Account({}))


@pytest.mark.parametrize("error", [RuntimeError("sk_new_one\nis broken"), SystemExit("sk_new_one is broken")])
def test_a_hook_that_fails_says_so_without_its_secrets(error: BaseException) -> None:
    def balance(_: str) -> int:
        raise error

    hooks = _hooks(new_account=lambda _: "sk_new_one", balance=balance)
    account = hooks.new_account(1)
    with pytest.raises(SetupError) as caught:
        hooks.balance(account)
    assert str(caught.value) == f"the hook balance failed: {type(error).__name__}: {SHOWN} is broken"


# --------------------------------------------------------------- the mock's own


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"error": "Not found"}),
        (200, {"accounts": []}),
        (200, ["mock"]),
        (200, b"mock"),
        (500, {"mock": 1}),
        (None, 0),
    ],
)
def test_what_is_not_the_mock_has_no_hooks(contract: Contract, status: int | None, body: Any) -> None:
    assert mock_hooks(URL, contract, exchange(None, status, body)) == {}


def test_the_mock_brings_its_own_hooks(contract: Contract) -> None:
    asked: list[tuple[str, str, bytes, str | None]] = []

    def answer(request: wire.Request) -> wire.Reply:
        asked.append((request.method, request.path, request.body, request.headers.get("Authorization")))
        if request.method == "POST":
            return wire.Reply(201, {"credentials": {"bearerAuth": "sk_mock", "sessionCookie": "s"}})
        return wire.Reply(200, {"balance": 5})

    server = wire.Server(answer)
    server.start()
    try:
        functions = mock_hooks(server.url, contract, exchange(None, 200, {"mock": "image-task-contract"}))
        hooks = Hooks(functions, "bearerAuth", Redactor())
        account = hooks.new_account(5)
        assert account.secret("sessionCookie") == "s"
        assert hooks.balance(account) == 5
    finally:
        server.stop()
    assert asked == [
        ("POST", "/_mock/accounts", b'{"credits":5}', None),
        ("GET", "/_mock/account", b"", "Bearer sk_mock"),
    ]
    failing = hooks.failing_request({"prompt": "a", "providerInput": {"seed": 1}})
    assert failing == {"prompt": "a", "providerInput": {"seed": 1, "mock": {"outcome": "failed"}}}


# ------------------------------------------------------------------ credentials


@pytest.mark.parametrize(
    ("scheme", "headers"),
    [
        ({"type": "http", "scheme": "bearer"}, {"Authorization": "Bearer sk"}),
        ({"type": "apiKey", "location": "cookie", "parameter": "session"}, {"Cookie": "session=sk"}),
        ({"type": "apiKey", "location": "header", "parameter": "X-Key"}, {"X-Key": "sk"}),
        ({"type": "apiKey", "location": "query", "parameter": "key"}, None),
    ],
)
def test_each_scheme_has_its_header(scheme: dict[str, str], headers: dict[str, str] | None) -> None:
    known = {"scheme": None, "location": None, "parameter": None, **scheme}
    made = SecurityScheme(name="x", node=document({"x": 1}).root, **known)  # type: ignore[arg-type]
    assert headers_for(made, "sk") == headers
