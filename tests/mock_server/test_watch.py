"""A mock that is watching its files, as a process: what a change does, and what a mistake does not do."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.resources import default_contract, fixtures
from mock_server.client import MockServer
from tests.mock_server.harness import PATIENCE, RICH, SUBMIT, Process, bearer, run, valid

PRICE = "x-credits: {flat: 3}"
DEARER = "x-credits: {flat: 5}"


@dataclass
class Watched:
    """A mock, and the files that it watches."""

    process: Process
    server: MockServer
    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / "openapi.yaml"

    @property
    def accounts(self) -> Path:
        return self.folder / "accounts.yaml"

    @property
    def scenarios(self) -> Path:
        return self.folder / "scenarios.yaml"

    @property
    def problem(self) -> str | None:
        return self.server.problem

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to come true."""
        give_up = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < give_up, f"problem: {self.problem}\n{self.process.log()}"
            time.sleep(0.05)

    def costs(self, price: int) -> None:
        """Wait until a task costs so much."""

        def paid() -> Any:
            account = self.server.account()
            self.process.new(account.key)
            return -account.ledger().entries[0].amount

        self.until(lambda: paid() == price)

    def breaks(self, *words: str) -> None:
        """Wait until a problem is shown that says all this, on standard error too."""
        self.until(lambda: all(word in (self.problem or "") for word in words))
        self.until(lambda: f"mock-server: {self.problem}\n" in self.process.log())

    def is_mended(self) -> None:
        self.until(lambda: self.problem is None)


def changed(file: Path, old: str, new: str) -> None:
    """Change the first of what a file says."""
    before, found, after = file.read_text("utf-8").partition(old)
    assert found
    file.write_text(before + new + after, "utf-8")


@contextlib.contextmanager
def watching(folder: Path, *options: str) -> Iterator[Watched]:
    files = folder / "files"
    if not files.exists():
        files.mkdir()
        for file in (default_contract(), fixtures() / "accounts.yaml", fixtures() / "scenarios.yaml"):
            shutil.copy(file, files)
    named = [f"--{name}={files}/{file}.yaml" for name, file in NAMES.items()]
    with (
        Process(folder, ("--watch", *named, "--task-seconds", "3600", *options)) as process,
        MockServer(process.url) as server,
    ):
        yield Watched(process, server, files)


NAMES = {"spec": "openapi", "accounts": "accounts", "scenarios": "scenarios"}


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Watched]:
    with watching(tmp_path) as mock:
        yield mock


def test_a_new_price_is_debited_and_everything_else_stays(mock: Watched) -> None:
    account = mock.server.account(credits=20)
    account.scenario("slow-provider")
    account.clock.freeze()
    task = mock.server.task(mock.process.new(account.key))
    before = (task.snapshot, account.ledger(), account.clock.now, account.exchanges())
    changed(mock.spec, PRICE, DEARER)
    mock.costs(5)
    assert (task.snapshot, account.ledger(), account.clock.now, account.exchanges()) == before
    mock.process.new(account.key)
    assert [entry.amount for entry in account.ledger().entries] == [-3, -5]
    task.fail()  # what it cost comes back, and not what it would cost now
    assert (account.balance, len(account.tasks()), len(account.exchanges())) == (15, 2, 2)
    assert mock.problem is None
    assert "mock-server: read again: Image task API 1.0.0 as it stands now\n" in mock.process.log()


def test_a_mistake_changes_nothing_until_it_is_mended(mock: Watched) -> None:
    changed(mock.spec, PRICE, "x-credits: {falt: 3}")
    mock.breaks(f"{mock.spec}:", "unknown key 'falt'; expected one of flat")
    assert "mock-server: what was read before is played until this is mended\n" in mock.process.log()
    mock.costs(3)
    changed(mock.spec, "x-credits: {falt: 3}", DEARER)
    mock.is_mended()
    mock.until(lambda: "mock-server: mended, and read again: Image task API 1.0.0 as it " in mock.process.log())
    mock.costs(5)


def test_it_goes_on_after_any_number_of_mistakes(mock: Watched) -> None:
    good = mock.spec.read_text("utf-8")
    for text, place in (
        ("paths: [", f"{mock.spec}:2: "),
        ("", f"{mock.spec}:1: "),
        (good.replace(PRICE, "x-credits: {flat: -3}"), "/x-credits/flat: "),
        (good.replace("openapi: 3.0.3", "openapi: 3.1.0"), "/openapi: "),
        ("\0", f"{mock.spec}:1: "),
        (good.replace(PRICE, "x-credits: {flat: x}"), "/x-credits/flat: "),
    ):
        mock.spec.write_text(text, "utf-8")
        mock.breaks(place)
    mock.costs(3)
    mock.spec.write_text(good.replace(PRICE, DEARER), "utf-8")
    mock.is_mended()
    mock.costs(5)


def test_what_the_mock_cannot_play_is_a_mistake_too(mock: Watched) -> None:
    changed(mock.spec, "scheme: bearer\n", "scheme: basic\n")
    mock.breaks(f"{mock.spec}:335: ", "the mock cannot check credentials of the scheme 'bearerAuth'")
    mock.costs(3)


def test_a_file_may_go_and_come_back(mock: Watched) -> None:
    for file in (mock.spec, mock.accounts, mock.scenarios):
        aside = file.with_suffix(".aside")
        file.rename(aside)
        mock.breaks(f"{file}:1: cannot be read: No such file")
        mock.costs(3)
        aside.rename(file)
        mock.is_mended()


@pytest.mark.whole
def test_a_file_may_be_deleted_and_written_anew(mock: Watched) -> None:
    text = mock.spec.read_text("utf-8").replace(PRICE, DEARER)
    mock.spec.unlink()
    mock.breaks("No such file")
    mock.spec.write_text(text, "utf-8")
    mock.is_mended()
    mock.costs(5)


@pytest.mark.whole
def test_a_file_may_be_replaced_as_editors_do(mock: Watched) -> None:
    before = PRICE
    for price in (5, 7, 9):
        after = f"x-credits: {{flat: {price}}}"
        new = mock.folder / ".openapi.yaml.swp"
        shutil.copy(mock.spec, new)
        changed(new, before, after)
        new.replace(mock.spec)
        mock.costs(price)
        before = after


@pytest.mark.whole
def test_the_whole_folder_may_go_and_come_back(mock: Watched) -> None:
    aside = mock.folder.with_name("aside")
    mock.folder.rename(aside)
    mock.breaks("No such file")
    shutil.copytree(aside, mock.folder)
    mock.is_mended()
    changed(mock.spec, PRICE, DEARER)
    mock.costs(5)


@pytest.mark.whole
def test_a_file_may_be_a_link_to_one_elsewhere(tmp_path: Path) -> None:
    files, real = tmp_path / "files", tmp_path / "real"
    files.mkdir()
    real.mkdir()
    for name in NAMES.values():
        source = default_contract() if name == "openapi" else fixtures() / f"{name}.yaml"
        shutil.copy(source, real)
        (files / f"{name}.yaml").symlink_to(real / f"{name}.yaml")
    with watching(tmp_path) as mock:
        changed(real / "openapi.yaml", PRICE, DEARER)
        mock.costs(5)


@pytest.mark.whole
@pytest.mark.parametrize("pause", [False, True], ids=["at once", "after the first half has been read"])
def test_a_file_may_be_written_in_two_halves(mock: Watched, pause: bool) -> None:
    text = mock.spec.read_text("utf-8").replace(PRICE, DEARER)
    half = text.index(DEARER)
    with mock.spec.open("w", encoding="utf-8") as file:
        file.write(text[:half])
        file.flush()
        if pause:
            mock.breaks(f"{mock.spec}:")
        file.write(text[half:])
    mock.costs(5)
    mock.is_mended()


@pytest.mark.whole
def test_accounts_are_added_and_those_that_are_there_keep_what_they_have(mock: Watched) -> None:
    mock.process.new(RICH)
    changed(mock.accounts, "bearerAuth: sk_test_rich", "bearerAuth: sk_test_richer")
    with mock.accounts.open("a") as file:
        file.write("  - {name: newcomer, credits: 4, credentials: {bearerAuth: sk_test_new}}\n")
    mock.until(lambda: mock.process.submit("sk_test_new").status_code == 200)
    assert mock.process.submit("sk_test_new").status_code == 402
    assert mock.process.submit(RICH).status_code == 401
    (rich,) = [account for account in mock.server.accounts() if account.name == "rich"]
    assert (rich.key, rich.balance, len(rich.tasks())) == ("sk_test_richer", 999_997, 1)
    changed(mock.accounts, "bearerAuth: sk_test_richer", "fingerprint: sk_test_richer")
    mock.breaks(f"{mock.accounts}:6: /accounts/0/credentials/fingerprint: ")
    assert mock.process.submit("sk_test_richer").status_code == 200


@pytest.mark.whole
def test_a_reset_goes_back_to_the_accounts_of_now(mock: Watched) -> None:
    changed(mock.accounts, "credits: 2\n", "credits: 8\n")
    mock.until(lambda: "read again" in mock.process.log())
    assert {account.name: account.balance for account in mock.server.accounts()}["poor"] == 2
    mock.server.reset()
    assert {account.name: account.balance for account in mock.server.accounts()}["poor"] == 8


def test_scenarios_are_added_and_a_broken_one_changes_nothing(mock: Watched) -> None:
    account = mock.server.account()
    account.scenario("out-of-credits")
    changed(mock.scenarios, "  out-of-credits:\n", "  mine: {submissions: {error: nonsense}}\n  out-of-credits:\n")
    mock.breaks(f"{mock.scenarios}:", "nonsense")
    assert mock.process.submit(account.key).status_code == 402
    assert "mine" not in mock.server.scenarios()
    changed(mock.scenarios, "error: nonsense", "error: unexpected")
    mock.is_mended()
    assert mock.process.submit(account.key).status_code == 402
    account.scenario("mine")
    assert mock.process.submit(account.key).status_code == 500


@pytest.mark.whole
def test_an_account_in_a_scenario_that_is_gone_goes_by_the_one_of_the_start(mock: Watched) -> None:
    account = mock.server.account()
    account.scenario("out-of-credits")
    changed(mock.scenarios, "  out-of-credits:\n", "  without-credits:\n")
    mock.until(lambda: mock.process.submit(account.key).status_code == 200)


@pytest.mark.whole
def test_other_files_of_the_folder_and_a_touch_change_nothing(mock: Watched) -> None:
    (mock.folder / "notes.txt").write_text("x")
    os.utime(mock.spec)
    changed(mock.spec, PRICE, DEARER)
    mock.costs(5)
    assert mock.process.log().count("read again") == 1


@pytest.mark.whole
def test_a_request_that_is_at_work_finishes_with_what_it_began_with(mock: Watched) -> None:
    body = valid()
    account = mock.server.account(credits=20)
    head = [f"POST {SUBMIT} HTTP/1.1", "Host: mock", "Connection: close", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in bearer(account.key).items()]
    with socket.create_connection(mock.process.address, PATIENCE) as connection:
        connection.sendall("\r\n".join([*head, "Expect: 100-continue", "", ""]).encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # now it is at work on this request
        changed(mock.spec, PRICE, DEARER)
        mock.costs(5)
        connection.sendall(body)
        assert b"HTTP/1.1 200" in b"".join(iter(lambda: connection.recv(1000), b""))
    assert account.balance == 17
    assert len(account.exchanges()) == 1


@pytest.mark.whole
def test_credentials_of_any_contract_so_far_are_left_out_of_exchanges(mock: Watched) -> None:
    headers = {"X-Team-Secret": "tell nobody", **bearer(RICH)}
    mock.process.client.post(SUBMIT, content=valid(), headers=headers)
    assert "tell nobody" in repr(mock.server.exchanges(limit=1))
    text = mock.spec.read_text("utf-8")
    mock.spec.write_text(re.sub("in: cookie(\\s+)name: session", r"in: header\1name: X-Team-Secret", text), "utf-8")
    mock.until(lambda: "tell nobody" not in repr(mock.server.exchanges()))
    mock.spec.write_text(text, "utf-8")
    mock.until(lambda: mock.process.log().count("read again") == 2)
    assert "tell nobody" not in repr(mock.server.exchanges())


@pytest.mark.whole
def test_the_state_of_a_database_stays_too(tmp_path: Path) -> None:
    with watching(tmp_path, f"--database=sqlite:///{tmp_path}/files/mock.db") as mock:  # beside what is watched
        account = mock.server.account(credits=20)
        mock.process.new(account.key)
        changed(mock.spec, PRICE, DEARER)
        mock.costs(5)
        assert account.balance == 17


@pytest.mark.whole
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_watch_ends_with_the_mock(tmp_path: Path, number: signal.Signals) -> None:
    with watching(tmp_path) as mock:
        assert mock.process.end(number) == (0, "mock-server: ended\n")
        lines = mock.process.log().splitlines()
    assert all(json.loads(line)["status"] for line in lines)


def test_it_says_what_it_watches(mock: Watched) -> None:
    files = "files/openapi.yaml or files/accounts.yaml or files/scenarios.yaml"
    assert f"Reading again whenever {files} changes\n" in mock.process.greeting


def test_without_watch_nothing_is_read_again(tmp_path: Path) -> None:
    with watching(tmp_path, "--no-watch") as mock:
        assert "Reading again" not in mock.process.greeting
        mock.spec.unlink()
        mock.costs(3)
        assert mock.problem is None


@pytest.mark.whole
def test_a_file_that_becomes_a_pipe_is_a_mistake_like_others(mock: Watched) -> None:
    content = mock.accounts.read_bytes()
    mock.accounts.unlink()
    os.mkfifo(mock.accounts)
    mock.breaks(f"{mock.accounts}: not a regular file", "not a regular file")
    mock.accounts.unlink()
    mock.accounts.write_bytes(content)
    mock.is_mended()
    changed(mock.spec, PRICE, DEARER)
    mock.costs(5)


def test_what_can_be_read_but_once_cannot_be_watched(tmp_path: Path) -> None:
    """Such as what a shell makes of ``<(command)``."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refused = run("--watch", "--port", "0", "--accounts", str(pipe))
    assert refused.returncode == 1
    assert refused.stderr == f"Error: --watch: {pipe}: not a regular file, which could be read again\n"
