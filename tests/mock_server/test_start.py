"""The start imports what the first answer needs; what else is wanted is there when it is wanted."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from mock_server.start import UNUSED, standing_in
from tests.mock_server.harness import COMMAND, PATIENCE, environment

LATER = {*UNUSED, "PIL", "mock_server.console.page", "mock_server.control_app", "mock_server.drawing", "rich"}

A_CALL_AFTER_ALL = """
from mock_server.start import UNUSED, standing_in
with standing_in(UNUSED):
    import connexion
print(*(type(connexion.AsyncApp("made").test_client()).__mro__))
"""


def test_what_the_first_answer_does_not_need_is_not_imported(tmp_path: Path) -> None:
    command = [COMMAND[0], "-X", "importtime", *COMMAND[1:], "--port", "0"]
    with (tmp_path / "log").open("w") as log:
        mock = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert mock.stdout is not None
        url = next(line.split()[2] for line in mock.stdout if line.startswith("Listening on "))
        path, key = "/api/ai/tasks/tsk_00000000000000000000000000", "sk_test_rich"
        answer = httpx.get(url + path, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)
        assert answer.status_code == 404
    finally:
        mock.terminate()
        mock.communicate(timeout=PATIENCE)
    log_lines = (tmp_path / "log").read_text("utf-8").splitlines()
    imported = {line.rpartition("|")[2].strip() for line in log_lines if line.startswith("import time:")}
    assert {"connexion", "sqlalchemy", "uvicorn"} <= imported
    assert not LATER & imported


def test_what_connexion_does_call_is_the_real_thing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", A_CALL_AFTER_ALL],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "starlette.testclient.TestClient" in ended.stdout


def test_a_stand_in_stands_in_within_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with standing_in(["colorsys"]):
        stand_in = import_module("colorsys")
        promised = stand_in.rgb_to_hls
    real = import_module("colorsys")
    assert stand_in is not real
    assert promised(1, 1, 1) == stand_in.rgb_to_hls(1, 1, 1) == real.rgb_to_hls(1, 1, 1)
    with pytest.raises(AttributeError):
        stand_in.no_such_function(1)


def test_what_is_imported_already_stays_itself() -> None:
    with standing_in(["json"]):
        assert import_module("json") is json


def test_the_submodules_of_what_is_stood_in_for_are_real(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("wsgiref", "wsgiref.util"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with standing_in(["wsgiref"]):
        submodule = import_module("wsgiref.util")
    assert submodule.guess_scheme({"HTTPS": "on"}) == "https"


def test_stand_ins_do_not_outlive_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ImportError), standing_in(["colorsys"]):
        raise ImportError
    assert "colorsys" not in sys.modules
