from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.whole
def test_the_mock_keeps_every_clause(tmp_path: Path) -> None:
    """The mock passes the whole suite over a socket, with nothing left out, and within the promised credits."""
    serve = "from mock_server.start import main; main()"
    mock = subprocess.Popen(
        [sys.executable, "-c", serve, "--port", "0", "--task-seconds", "0.25"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert mock.stdout is not None
        greeting = "".join(iter(mock.stdout.readline, "\n"))
        listening = re.search(r"http://\S+", greeting)
        assert listening is not None
        command = [str(Path(sys.executable).with_name("contract-tests")), listening[0], "--strict", "--require-all"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            [*command, "--report", str(tmp_path / "report")],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
        )
    finally:
        mock.terminate()
        mock.wait()
        if mock.stdout is not None:
            mock.stdout.close()
    assert done.returncode == 0, done.stdout
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    assert {clause["outcome"] for clause in report["clauses"]} == {"held"}
    assert report["spent"] <= report["full_cost"] <= 5000
