"""The accounts' file is checked, and says who opens what with how many credits."""

from pathlib import Path

import pytest

from contract.errors import ContractError
from contract.model import Contract
from contract.resources import fixtures
from mock_server.accounts import load_accounts

TWO = """\
defaultCredits: 7
accounts:
  - name: one
    credentials: {bearerAuth: key_1, sessionCookie: key_1}
  - name: two
    credits: 0
    credentials: {bearerAuth: key_2}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.yaml"


def fault(file: Path, contract: Contract, text: str) -> str:
    file.write_text(text)
    with pytest.raises(ContractError) as raised:
        load_accounts(file, contract, None)
    assert str(raised.value).startswith(f"{file}:")
    return str(raised.value).removeprefix(f"{file}:")


def test_the_fixture_has_the_promised_accounts(contract: Contract) -> None:
    accounts = load_accounts(fixtures() / "accounts.yaml", contract, None)
    keys = {account.credentials["bearerAuth"]: account.credits for account in accounts}
    assert keys == {"sk_test_rich": 1_000_000, "sk_test_other": 1_000_000, "sk_test_poor": 2, "sk_test_empty": 0}
    assert any("sessionCookie" in account.credentials for account in accounts)


def test_accounts_that_name_no_credits_get_the_default(file: Path, contract: Contract) -> None:
    file.write_text(TWO)
    assert [account.credits for account in load_accounts(file, contract, None)] == [7, 0]
    assert [account.credits for account in load_accounts(file, contract, 40)] == [40, 0]
    assert [account.credits for account in load_accounts(file, contract, 0)] == [0, 0]


def test_one_secret_may_open_an_account_by_several_schemes(file: Path, contract: Contract) -> None:
    file.write_text(TWO)
    first, _ = load_accounts(file, contract, None)
    assert first.credentials == {"bearerAuth": "key_1", "sessionCookie": "key_1"}


def test_an_unknown_scheme_is_refused(file: Path, contract: Contract) -> None:
    message = fault(file, contract, TWO.replace("bearerAuth: key_2", "basicAuth: key_2"))
    assert message.startswith("7: /accounts/1/credentials/basicAuth: the contract has no security scheme 'basicAuth'")
    assert all(scheme in message for scheme in contract.security_schemes)


def test_a_second_account_of_a_name_is_refused(file: Path, contract: Contract) -> None:
    message = fault(file, contract, TWO.replace("name: two", "name: one"))
    assert message.startswith("5: /accounts/1: a second account 'one'")


def test_a_secret_of_two_accounts_is_refused(file: Path, contract: Contract) -> None:
    message = fault(file, contract, TWO.replace("key_2", "key_1"))
    assert message.startswith("7: /accounts/1/credentials/bearerAuth: this secret opens the account 'one' already")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("defaultCredits: 7", "defaultCredits: -1", "1: /defaultCredits: "),
        ("defaultCredits: 7", "defaultCredits: 1.5", "1: /defaultCredits: "),
        ("defaultCredits: 7", "defaultCredits: true", "1: /defaultCredits: "),
        ("defaultCredits: 7", f"defaultCredits: {10**16}", "1: /defaultCredits: "),
        ("defaultCredits: 7\n", "", '1: "defaultCredits" is a required property'),
        ("credits: 0", "credits: many", "6: /accounts/1/credits: "),
        ("credits: 0", f"credits: {10**30}", "6: /accounts/1/credits: "),
        ("credits: 0", "credit: 0", "5: /accounts/1: "),
        ("{bearerAuth: key_2}", "{}", "7: /accounts/1/credentials: "),
        ("{bearerAuth: key_2}", "key_2", "7: /accounts/1/credentials: "),
        ("key_2", "2", "7: /accounts/1/credentials/bearerAuth: "),
        ("key_2", '""', "7: /accounts/1/credentials/bearerAuth: "),
        ("bearerAuth: key_2", "a/b: 2", "7: /accounts/1/credentials/a~1b: "),
        (TWO[TWO.index("accounts:") :], "accounts: []\n", "2: /accounts: "),
        (TWO[TWO.index("accounts:") :], "accounts: 1\n", "2: /accounts: "),
        (TWO, "[]\n", "1: "),
        (TWO, "a: b: c\n", "1: not valid YAML"),
        (TWO, "", "1: not valid YAML: the file is empty"),
        (TWO, "\0", "1: not valid YAML"),
    ],
)
def test_a_malformed_file_is_refused_with_the_place(
    file: Path, contract: Contract, old: str, new: str, place: str
) -> None:
    assert TWO.count(old) == 1
    assert fault(file, contract, TWO.replace(old, new)).startswith(place)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, contract: Contract) -> None:
    with pytest.raises(ContractError, match="cannot be read"):
        load_accounts(tmp_path / "missing.yaml", contract, None)
    with pytest.raises(ContractError, match="cannot be read"):
        load_accounts(tmp_path, contract, None)
