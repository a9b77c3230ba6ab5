"""A site is built as a whole or not at all: no example may fail, no tool be missing, no link lead nowhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from contract.check import check_contract
from contract.model import Contract
from contract.resources import default_contract
from contract.site import STAMP, Stamp, fingerprint, read_stamp
from contract_docs import build as building
from contract_docs import trial
from contract_docs.build import BuildError, generate
from contract_docs.cli import docs
from contract_docs.example import Example, Language, examples
from contract_docs.trial import ExampleError, try_out


@pytest.fixture(scope="module")
def contract() -> Contract:
    return check_contract(default_contract())[0]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the examples are run with, but for Python: nothing on the PATH but stand-ins that answer in JSON."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("bash", "node", "tsc", "curl", "jq"):
        (folder / name).write_text("#!/bin/sh\necho '{\"ran\": true}'\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(trial, "_TSC", folder / "none")
    return folder


def some(contract: Contract) -> list[Example]:
    """An example that submits and one that reads."""
    made = list(examples(contract))
    return [next(one for one in made if not one.reads), next(one for one in made if one.reads)]


def test_every_example_is_run_against_a_mock_and_its_answer_is_kept(
    contract: Contract, tools: Path, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    answers = try_out(contract, default_contract(), some(contract), programs)
    assert len(answers) == 2 * len(Language)
    for (_, language), answer in answers.items():
        assert ("taskId" in answer) == (language is Language.PYTHON)
        assert answer.startswith("{\n")
    assert (tools / "node").exists()


def test_no_name_of_an_operation_is_a_path(contract: Contract, tools: Path, tmp_path: Path) -> None:
    programs = tmp_path / "deep" / "programs"
    programs.mkdir(parents=True)
    hostile = [replace(one, name=f"../../{tools.name}/{one.name}") for one in some(contract)]
    try_out(contract, default_contract(), hostile, programs)
    made = {path for path in tmp_path.rglob("*") if path.suffix in (".sh", ".py", ".ts")}
    assert len(made) == len(set(programs.iterdir()) & made) >= len(hostile) * len(Language)


@pytest.mark.parametrize("missing", ["node", "jq", "tsc"])
def test_a_tool_that_is_missing_is_named_with_what_to_do(
    contract: Contract, tools: Path, tmp_path: Path, missing: str
) -> None:
    (tools / missing).unlink()
    with pytest.raises(ExampleError, match=f"{missing} is missing, which the examples are run with; "):
        try_out(contract, default_contract(), some(contract), tmp_path)


def test_an_example_that_fails_or_does_not_end_is_told_with_what_it_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExampleError, match="the example failed with status 3:\nhalf"):
        trial._run([sys.executable, "-c", "print('half'); raise SystemExit(3)"], "the example", {})  # noqa: SLF001
    monkeypatch.setattr(trial, "SECONDS", 0.2)
    with pytest.raises(ExampleError, match=r"the example did not end within 0\.2 seconds"):
        trial._run([sys.executable, "-c", "import time; time.sleep(60)"], "the example", {})  # noqa: SLF001


def test_text_that_is_no_json_is_kept_as_it_is() -> None:
    assert trial._run([sys.executable, "-c", "print(' a picture ')"], "it", {}) == "a picture"  # noqa: SLF001


# --------------------------------------------------------------------- the site


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples that all answer the same, and are not run."""

    def tried(_contract: Contract, _spec: Path, made: Iterable[Example], _folder: Path) -> Mapping[Any, str]:
        return {(example.name, language): "{}" for example in made for language in Language}

    monkeypatch.setattr(building, "try_out", tried)


@pytest.mark.usefixtures("untried")
def test_a_site_carries_its_contracts_fingerprint_and_replaces_none_but_a_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    site = Path("deep") / "site"
    site.mkdir(parents=True)
    Stamp("that of another contract", ()).write(site)
    (site / "old.html").write_text("old")
    done = CliRunner().invoke(docs, ["--to", str(site)])
    assert (done.exit_code, done.output) == (0, f"{site}/index.html: built, every example was run\n")
    assert not (site / "old.html").exists()
    stamp = read_stamp(site)
    assert stamp is not None
    assert stamp.contract == fingerprint(default_contract().read_bytes())
    assert stamp.scripts
    assert all(script.startswith("'sha256-") for script in stamp.scripts)
    (site / STAMP).unlink()
    refused = CliRunner().invoke(docs, ["--to", str(site)])
    assert refused.exit_code == 1
    assert (
        refused.output == f"contract: {site} holds something that is no built site: name another folder, or empty it\n"
    )
    assert (site / "index.html").exists()


@pytest.mark.whole
@pytest.mark.usefixtures("untried")
def test_nothing_that_a_contract_says_runs_in_a_page(tmp_path: Path) -> None:
    script = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    text = default_contract().read_text("utf-8")
    for said in ("title: Image task API", "operationId: generateImage", "summary: Submit an image task"):
        assert text.count(f"{said}\n") == 1
        key, _, value = said.partition(": ")
        text = text.replace(f"{said}\n", f"{key}: '{value} {script}'\n")
    hostile = tmp_path / "openapi.yaml"
    hostile.write_text(text, "utf-8")
    done = CliRunner().invoke(docs, [str(hostile), "--to", str(tmp_path / "site")])
    assert done.exit_code == 0, done.output
    pages = [path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")]
    assert len(pages) > 5
    hits = [
        page[max(0, page.find(s) - 200) : page.find(s) + 80]
        for page in pages
        for s in ("<script>alert", "<img src=x")
        if s in page
    ]
    assert not hits


@pytest.mark.whole
@pytest.mark.usefixtures("untried")
def test_a_site_without_a_history_says_why_as_does_the_command(tmp_path: Path) -> None:
    alone = tmp_path / "openapi.yaml"
    alone.write_bytes(default_contract().read_bytes())
    done = CliRunner().invoke(docs, [str(alone), "--to", str(tmp_path / "site")])
    assert done.exit_code == 0, done.output
    assert "contract: no changelog: fatal: not a git repository" in done.stderr
    assert (
        "Built without the contract's history: fatal: not a git" in (tmp_path / "site" / "changelog.html").read_text()
    )


def test_a_folder_that_is_none_or_cannot_be_written_is_refused_before_anything_is_tried(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for target, said in {
        tmp_path / "file": f"{tmp_path}/file is no folder: name another",
        tmp_path / "file" / "site": f"{tmp_path}/file: File exists",
        tmp_path: f"{tmp_path} holds something that is no built site: name another folder, or empty it",
    }.items():
        done = CliRunner().invoke(docs, ["--to", str(target)])
        assert (done.exit_code, done.output) == (1, f"contract: {said}\n")
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("text", ["", "[]", "7", "{}", '{"contract": "x"}', '{"contract": "x", "scripts": 7}'])
def test_what_only_has_the_name_of_a_stamp_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / STAMP).write_text(text)
    assert read_stamp(tmp_path) is None
    assert read_stamp(tmp_path / STAMP) is None


def test_without_the_generator_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_GENERATOR", "no_such_module")
    done = CliRunner().invoke(docs, ["--to", str(tmp_path / "site")])
    assert done.exit_code == 1
    assert done.output == (
        "contract: MkDocs Material is missing, which makes the pages: `pip install mkdocs-material`\n"
    )


def test_a_link_that_leads_nowhere_is_an_error(contract: Contract, tmp_path: Path) -> None:
    sources = tmp_path / "pages"
    sources.mkdir()
    (sources / "index.md").write_text("[nowhere](nowhere.md)\n")
    with pytest.raises(BuildError, match=r"nowhere\.md"):
        generate(contract, sources, tmp_path / "site")


def test_a_faulty_contract_builds_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("openapi: 3.1.0\n")
    done = CliRunner().invoke(docs, [str(broken), "--to", str(tmp_path / "site")])
    assert done.exit_code == 1
    assert done.output.startswith(f"contract: {broken}:1: ")
    assert not (tmp_path / "site").exists()
