"""The changelog says what each commit changed in the contract, and says so where there is no history."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.resources import default_contract
from contract_docs.history import HistoryError, changelog
from tests.git import git


@pytest.fixture
def contract_file(tmp_path: Path) -> Path:
    """A contract in a repository of its own, as it is committed for the first time."""
    file = tmp_path / "openapi.yaml"
    file.write_text(default_contract().read_text("utf-8"), "utf-8")
    git(tmp_path, "init", "--quiet")
    commit(file, "Begin")
    return file


def commit(file: Path, subject: str, old: str = "", new: str = "") -> None:
    text = file.read_text("utf-8")
    file.write_text(text.replace(old, new) if old else text, "utf-8")
    git(file.parent, "add", "--all")
    git(file.parent, "commit", "--quiet", f"--message={subject}")


def test_every_commit_is_told_newest_first(contract_file: Path) -> None:
    commit(contract_file, "Ask more for 4K", "4K: 20}", "4K: 24}")
    commit(contract_file, "Break <it>", "openapi: 3.0.3", "openapi: 3.1.0")
    page = changelog(contract_file)
    titles = [line for line in page.splitlines() if line.startswith("## ")]
    assert [title.split(" ", 2)[2] for title in titles] == ["Break &lt;it&gt;", "Ask more for 4K", "Begin"]
    assert page.index("by today's rules this is no sound contract") < page.index("Ask more for 4K")
    assert "price" in page[page.index("Ask more for 4K") : page.index("Begin")]
    assert page.endswith("The contract's first version.\n")


def test_what_a_merge_brought_is_told_of_the_merge_and_of_nothing_else(contract_file: Path) -> None:
    git(contract_file.parent, "branch", "prices")
    commit(contract_file, "Wait longer", "deadlineSeconds: 180", "deadlineSeconds: 240")
    git(contract_file.parent, "checkout", "--quiet", "prices")
    commit(contract_file, "Ask more for 4K", "4K: 20}", "4K: 24}")
    git(contract_file.parent, "checkout", "--quiet", "-")
    git(contract_file.parent, "merge", "--quiet", "--no-ff", "--message=Merge the prices", "prices")
    page = changelog(contract_file)
    merged, longer, begun = (page.index(title) for title in ("Merge the prices", "Wait longer", "Begin"))
    assert merged < longer < begun
    assert "**24**" in page[merged:longer]
    assert "**24**" not in page[longer:]


def test_a_contract_without_history_says_so(tmp_path: Path, contract_file: Path) -> None:
    alone = tmp_path.with_name(f"{tmp_path.name}-alone")
    alone.mkdir()
    (alone / "openapi.yaml").write_bytes(contract_file.read_bytes())
    commit(contract_file, "Ask more for 4K", "4K: 20}", "4K: 24}")
    shallow = alone / "shallow"
    git(alone, "clone", "--quiet", "--depth=1", f"file://{tmp_path}", str(shallow))
    uncommitted = tmp_path / "other.yaml"
    uncommitted.write_bytes(contract_file.read_bytes())
    for file, why in (
        (alone / "openapi.yaml", "not a git repository"),
        (shallow / "openapi.yaml", "the clone is shallow: `git fetch --unshallow` brings the past"),
        (uncommitted, r"no commit holds other\.yaml"),
    ):
        with pytest.raises(HistoryError, match=why):
            changelog(file)


def test_without_git_there_is_no_history(contract_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HistoryError, match="git is not installed"):
        changelog(contract_file)
