"""The command: what it takes for itself, what goes to pytest, and what cannot be run at all."""

import dataclasses
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract_tests.cli import main
from contract_tests.settings import ENVIRONMENT, PROFILES, Settings, option_of
from tests.contract_tests.harness import COMMAND, KEY, KEYS, PYTEST, Counted, error_line, run

UNKNOWN = ("-k", "test_an_unknown_task")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_the_target_may_stand_behind_pytest_s_options(target: Counted, tmp_path: Path) -> None:
    outcome = run("", *KEYS, *UNKNOWN, target.url, folder=tmp_path)
    assert outcome.status == 0, outcome.text
    assert "1 passed" in outcome.text


def test_a_profile_and_the_environment_may_hold_everything(target: Counted, tmp_path: Path) -> None:
    profile = '[local]\nkey = "$MY_KEY"\nseed = 6\nstrict = true\n'
    (tmp_path / PROFILES).write_text(profile, "utf-8")
    outcome = run(
        "",
        "--profile",
        "local",
        *UNKNOWN,
        folder=tmp_path,
        settings={"MY_KEY": KEY, "CONTRACT_TESTS_TARGET": target.url},
    )
    assert outcome.status == 0, outcome.text
    assert (outcome.report["seed"], outcome.report["strict"]) == (6, True)


def test_without_a_target_there_is_nothing_to_run(tmp_path: Path) -> None:
    outcome = run("", folder=tmp_path)
    assert outcome.status == 2
    assert "There is no target: give the URL" in outcome.text
    unset = CliRunner().invoke(main, ["", "--max-credits", "0"])
    assert unset.exit_code == 2
    assert "There is no target: give the URL" in unset.output
    words = [sys.executable, "-m", "pytest", "--pyargs", "contract_tests", "--target", ""]
    with_pytest = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert with_pytest.returncode == pytest.ExitCode.INTERRUPTED
    assert "E   pytest.UsageError: there is no target: give --target URL, or a --profile" in with_pytest.stdout
    assert "fixture" not in with_pytest.stdout


def test_help_names_every_setting_with_its_environment_variable() -> None:
    text = CliRunner().invoke(main, ["--help"], terminal_width=200).output
    for setting in dataclasses.fields(Settings)[1:]:
        assert option_of(setting.name) in text
        assert f"[{ENVIRONMENT}{setting.name.upper()}]" in text
    assert "Exit status: 0" in text


def test_a_run_that_cannot_be_made_says_why_in_one_line(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{_free_port()}"
    line = error_line(run(url, *KEYS, folder=tmp_path))
    assert line.startswith(f"ERROR: {url} does not answer: ")


@pytest.mark.whole
def test_pytest_on_the_package_is_the_same_run(target: Counted, tmp_path: Path) -> None:
    # without a task, of which a slow machine might see less
    options = (*KEYS, "-k", "test_wrong_credentials", "--max-credits", "0")
    outcomes = [
        run(target.url, *options, folder=tmp_path / str(number), command=command)
        for number, command in enumerate([COMMAND, PYTEST])
    ]
    assert [outcome.status for outcome in outcomes] == [0, 0]
    assert outcomes[0].verdicts == outcomes[1].verdicts
    assert outcomes[0].reasons == outcomes[1].reasons
    held = {clause for clause, verdict in outcomes[0].verdicts.items() if verdict == "held"}
    assert {"generateImage.401", "getTask.401"} <= held
