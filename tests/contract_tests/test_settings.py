"""The command line wins over the environment, and that over the profile."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from contract_tests.settings import ENVIRONMENT, PROFILES, Settings, SetupError, option_of, resolve

PROFILE = """
[staging]
target = "https://staging.example"
key = "$STAGING_KEY"
max_credits = 500
deadline = 30
strict = true

[broken]
poll = 2
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / PROFILES
    path.write_text(PROFILE, "utf-8")
    return path


def test_nothing_said_means_the_defaults() -> None:
    assert resolve({}, environ={}) == Settings()


def test_the_command_line_wins_over_the_environment() -> None:
    environ = {"CONTRACT_TESTS_MAX_CREDITS": "7", "CONTRACT_TESTS_SEED": "3"}
    settings = resolve({"max_credits": "5"}, environ=environ)
    assert (settings.max_credits, settings.seed) == (5, 3)


def test_the_environment_wins_over_the_profile() -> None:
    environ = {"CONTRACT_TESTS_MAX_CREDITS": "7", "STAGING_KEY": "sk_live_x"}
    settings = resolve({}, profile="staging", environ=environ)
    assert (settings.max_credits, settings.deadline, settings.strict) == (7, 30.0, True)


def test_a_profile_takes_its_key_from_the_environment() -> None:
    assert resolve({}, profile="staging", environ={"STAGING_KEY": "sk_live_x"}).key == "sk_live_x"


def test_a_key_that_is_not_in_the_environment_is_missed() -> None:
    with pytest.raises(SetupError, match="the environment variable STAGING_KEY is not set"):
        resolve({}, profile="staging", environ={})


def test_the_environment_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CONTRACT_TESTS_RATE", "2.5")
    assert resolve({}).rate == 2.5


def test_secrets_are_not_shown() -> None:
    shown = repr(resolve({"key": "sk_live_one", "second_key": "sk_live_two", "cookie": "session-three"}, environ={}))
    assert not any(secret in shown for secret in ("sk_live_one", "sk_live_two", "session-three"))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("seed", "one", "--seed: 'one' is no int"),
        ("seed", "1.5", "--seed: '1.5' is no int"),
        ("seed", "-1", "--seed: '-1' is negative"),
        ("max_credits", "", "--max-credits: '' is no int"),
        ("max_credits", "9" * 5000, "is no int"),
        ("rate", "fast", "--rate: 'fast' is no float"),
        ("deadline", "nan", "--deadline: 'nan' is negative"),
        ("strict", "maybe", "--strict: 'maybe' is not true or false"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(name: str, value: str, problem: str) -> None:
    with pytest.raises(SetupError, match=problem):
        resolve({name: value}, environ={})


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("seed = 1.5", "staging.seed: 1.5 is no int"),
        ("max_credits = true", "staging.max_credits: True is no int"),
        ("rate = [1]", "is no float"),
        ("strict = 2", "staging.strict: 2 is not true or false"),
        ("deadline = -0.5", "staging.deadline: -0.5 is negative"),
    ],
)
def test_a_profile_has_types_of_its_own(profiles: Path, line: str, problem: str) -> None:
    profiles.write_text(f"[staging]\n{line}\n", "utf-8")
    with pytest.raises(SetupError, match=problem):
        resolve({}, profile="staging", environ={})


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("No", False)])
def test_flags_come_in_several_spellings(value: str, meant: bool) -> None:
    assert resolve({}, environ={"CONTRACT_TESTS_REQUIRE_ALL": value}).require_all is meant


def test_whole_numbers_pass_for_seconds(profiles: Path) -> None:
    profiles.write_text("[local]\nrequest_timeout = 3\npoll_interval = 0.5\n", "utf-8")
    settings = resolve({}, profile="local", environ={})
    assert (settings.request_timeout, settings.poll_interval) == (3.0, 0.5)


def test_a_profile_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(SetupError, match="has no profile 'production'; it has staging, broken"):
        resolve({}, profile="production", environ={})


def test_an_unknown_key_of_a_profile_is_refused() -> None:
    with pytest.raises(SetupError, match=r"broken\.poll is no setting; there are target, "):
        resolve({}, profile="broken", environ={})


@pytest.mark.parametrize("text", [b"[staging\n", b"\xff\xfe", b"a = 1\na = 2\n"])
def test_a_file_that_is_no_toml_is_refused(profiles: Path, text: bytes) -> None:
    profiles.write_bytes(text)
    with pytest.raises(SetupError, match=str(PROFILES)):
        resolve({}, profile="staging", environ={})


def test_a_profile_needs_its_file(profiles: Path) -> None:
    profiles.unlink()
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        resolve({}, profile="staging", environ={})


@pytest.mark.parametrize("setting", dataclasses.fields(Settings), ids=lambda setting: setting.name)
def test_every_setting_can_be_said_in_three_ways(setting: Any, profiles: Path) -> None:
    value, text = {str: ("text", "text"), int: (4, "4"), float: (2.5, "2.5"), bool: (True, "true")}[
        setting.metadata["type"]
    ]
    profiles.write_text(f"[all]\n{setting.name} = {text if value != text else repr(text)}\n", "utf-8")
    for settings in (
        resolve({setting.name: text}, environ={}),
        resolve({}, environ={ENVIRONMENT + setting.name.upper(): text}),
        resolve({}, profile="all", environ={}),
    ):
        assert getattr(settings, setting.name) == value
    assert option_of(setting.name).startswith("--")
    assert "_" not in option_of(setting.name)
    assert setting.metadata["help"].endswith(".")
