"""The pipelines of examples/ci do what they say: each of their commands is run, in order, in a clone of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml

from contract.resources import default_contract
from tests.git import git
from tests.mock_server.harness import RICH, Process

ROOT = default_contract().parent
EXAMPLES = ROOT / "examples" / "ci"
GIT, BASH = (shutil.which(tool) or tool for tool in ("git", "bash"))
WORDS = ("Submit a task, then poll it until", "Submit a task, then poll until")


@dataclass
class Clone:
    """A clone with one more commit than `origin/main`, and what stands in for the world around a pipeline.

    Attributes:
        folder: the clone.
        base: the commit that the change is compared with.
        commands: what the stand-ins on the PATH were called with.
    """

    folder: Path
    base: str
    tools: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> str:
        log = self.tools / "log"
        return log.read_text("utf-8") if log.exists() else ""

    def run(self, command: str, settings: Mapping[str, str]) -> str:
        """Run a command as a runner does; gives what it printed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONTRACT_TESTS_", "MOCK_"))}
        path = f"{self.tools}:{os.environ['PATH']}"
        done = subprocess.run(
            [BASH, "-e", "-c", command],
            cwd=self.folder,
            env={**kept, "PATH": path, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    folder = tmp_path_factory.mktemp("ci")
    clone, tools = folder / "clone", folder / "tools"
    # what stands in the working folder, committed or not, is what the pipelines of this change run on
    listed = subprocess.run(
        [GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_bytes(source.read_bytes())
            (clone / name).chmod(source.stat().st_mode)
    git(clone, "init", "--quiet", "--initial-branch=main")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message=before")
    git(clone, "update-ref", "refs/remotes/origin/main", "HEAD")
    contract = clone / "openapi.yaml"
    text = contract.read_text("utf-8")
    version = re.search(r"(?m)^  version: (\d+)\.(\d+)\.(\d+)$", text)
    assert version is not None
    major, minor, patch = map(int, version.groups())
    changed = text.replace(*WORDS).replace(version[0], f"  version: {major}.{minor}.{patch + 1}")
    assert changed.count("\n") == text.count("\n")
    contract.write_text(changed, "utf-8")
    git(clone, "commit", "--quiet", "--all", "--message=other words")
    tools.mkdir()
    for name in ("gh", "apt-get"):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "{tools}/log"\n')
        (tools / name).chmod(0o755)
    return Clone(clone, git(clone, "rev-parse", "origin/main"), tools)


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("staging"), ("--task-seconds", "0.25")) as process:
        yield process


def check_report(folder: Path) -> None:
    suites = ET.parse(folder / "junit.xml").getroot()  # noqa: S314 - the contract tests wrote it
    assert sum(int(suite.get("tests", 0)) for suite in suites.iter("testsuite")) > 0
    assert [file for file in folder.iterdir() if file.suffix == ".html"]


@pytest.mark.whole
def test_the_workflow_for_github(clone: Clone, staging: Process) -> None:
    workflow: dict[str, Any] = yaml.safe_load((EXAMPLES / "github-workflow.yml").read_text("utf-8"))
    known = {
        "origin/${{ github.base_ref }}": "origin/main",
        "${{ github.token }}": "token",
        "${{ github.event.number }}": "17",
        "${{ secrets.STAGING_KEY }}": RICH,
        "${{ vars.STAGING_URL }}": staging.url,
    }
    printed = {}
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            if "run" in step:
                said = {
                    **job.get("env", {}),
                    **step.get("env", {}),
                    "GITHUB_STEP_SUMMARY": str(clone.tools / "summary"),
                }
                settings = {name: known.get(str(value), str(value)) for name, value in said.items()}
                assert "${{" not in "".join(settings.values()), f"no stand-in for {said}"
                printed[step["name"]] = clone.run(step["run"], settings)
    assert printed["Lint"] == ""
    assert "gh pr comment 17 --edit-last --create-if-none --body-file contract-diff.md" in clone.commands
    comment = (clone.folder / "contract-diff.md").read_text("utf-8")
    assert "1 documentation" in comment
    assert (clone.tools / "summary").read_text("utf-8") == comment
    assert (clone.folder / "build" / "docs" / "index.html").exists()
    check_report(clone.folder / "report")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    uploaded = [step["with"]["path"] for step in steps if "path" in step.get("with", {})]
    assert uploaded
    assert all((clone.folder / path).exists() for path in uploaded)


@pytest.mark.whole
def test_the_jobs_for_gitlab(clone: Clone, staging: Process) -> None:
    pipeline: dict[str, Any] = yaml.safe_load((EXAMPLES / "gitlab-ci.yml").read_text("utf-8"))
    jobs = list(pipeline.values())
    with api() as (url, notes):
        around = {
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": clone.base,
            "CI_API_V4_URL": url,
            "CI_PROJECT_ID": "5",
            "CI_MERGE_REQUEST_IID": "17",
            "COMMENT_TOKEN": "token",
            "STAGING_URL": staging.url,
            "CONTRACT_TESTS_KEY": RICH,
        }
        for job in jobs:
            own = {name: expanded(str(value), around) for name, value in job["variables"].items()}
            for command in [*job["before_script"], *job["script"]]:
                clone.run(command, {**around, **own})
                if "PRIVATE-TOKEN" in command:  # as the next push does
                    clone.run(command, {**around, **own})
            for path in job["artifacts"]["paths"]:
                assert (clone.folder / path).exists()
    body = (clone.folder / "contract-diff.md").read_text("utf-8")
    notes_path = "/projects/5/merge_requests/17/notes"
    assert notes == [("POST", notes_path, "token", body), ("PUT", f"{notes_path}/1", "token", body)]
    check_report(clone.folder / "report")
    assert (clone.folder / jobs[1]["artifacts"]["reports"]["junit"]).exists()


def expanded(value: str, around: Mapping[str, str]) -> str:
    """A variable's value as a runner sees it."""
    return re.sub(r"\$(\w+)", lambda found: around[found[1]], value)


Note = tuple[str, str, str | None, str]


class api:  # noqa: N801 - used like a function
    """GitLab's API, as far as a job speaks to it: its URL, and how notes were made or written anew."""

    def __enter__(self) -> tuple[str, list[Note]]:
        notes: list[Note] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._say(200, [{"id": 9, "body": "a review"}, *({"id": 1, "body": body} for *_, body in notes)])

            def do_POST(self) -> None:
                said = self.rfile.read(int(self.headers["Content-Length"])).decode()
                notes.append((self.command, self.path, self.headers["PRIVATE-TOKEN"], parse_qs(said)["body"][0]))
                self._say(201, {})

            def do_PUT(self) -> None:
                self.do_POST()

            def _say(self, status: int, said: Any) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}", notes

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
