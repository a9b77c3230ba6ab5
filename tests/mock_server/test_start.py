"""The start imports what the first answer needs; what else is wanted is there when it is wanted."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from mock_server.start import UNUSED, standing_in
from tests.mock_server.harness import COMMAND, PATIENCE, environment, valid

OURS = {"mock_server.console.page", "mock_server.control_app", "mock_server.drawing"}
LATER = {*UNUSED, *OURS, "PIL", "rich"}

A_CALL_AFTER_ALL = """
from mock_server.start import UNUSED, standing_in
with standing_in(UNUSED):
    import connexion
print(*type(connexion.AsyncApp("made").test_client()).__mro__)
"""


def listening(mock: subprocess.Popen[str]) -> str:
    """The URL of a mock, once it listens."""
    assert mock.stdout is not None
    output = mock.stdout
    with ThreadPoolExecutor(1) as thread:
        lines = thread.submit(lambda: next(line for line in output if line.startswith("Listening on ")))
        try:
            return lines.result(PATIENCE).split()[2]
        finally:
            if not lines.done():
                mock.kill()


def imports(log: Path) -> set[str]:
    """What a process has imported, as it told its standard error."""
    lines = log.read_text("utf-8").splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def test_what_the_first_answer_does_not_need_is_not_imported(tmp_path: Path) -> None:
    command = [COMMAND[0], "-X", "importtime", *COMMAND[1:], "--port", "0", "--task-seconds", "0"]
    with (tmp_path / "log").open("w") as log:
        mock = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        url, key = listening(mock), {"Authorization": "Bearer sk_test_rich"}
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            unknown = client.get("/api/ai/tasks/tsk_00000000000000000000000000", headers=key)
            assert unknown.status_code == 404
            imported = imports(tmp_path / "log")
            assert {"connexion", "sqlite3", "uvicorn"} <= imported
            assert not LATER & imported
            # whatever is asked for then is there
            for path in ("/_mock", "/_mock/openapi.yaml", "/_mock/console", "/_mock/accounts", "/docs/api/"):
                assert client.get(path).status_code == 200
            body = json.loads(valid())
            accepted = client.post("/api/ai/image/generate", json=body, headers=key).json()
            shown = client.get(f"/api/ai/tasks/{accepted['taskId']}", headers=key).json()
            assert client.get(shown["imageUrls"][0]).headers["content-type"].startswith("image/")
            assert LATER - imports(tmp_path / "log") == LATER - {"jinja2", "PIL", *OURS}
    finally:
        mock.terminate()
        mock.communicate(timeout=PATIENCE)


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


def test_one_that_is_called_within_its_block_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with standing_in(["colorsys"]):
        stand_in = import_module("colorsys")
        lightest = stand_in.rgb_to_hls(1, 1, 1)
        assert import_module("colorsys") is not stand_in
    assert lightest == import_module("colorsys").rgb_to_hls(1, 1, 1)


def test_stand_ins_do_not_outlive_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ImportError), standing_in(["colorsys"]):
        raise ImportError
    assert "colorsys" not in sys.modules
