"""docs/diff.md shows what the command prints."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.cli import main
from contract.diff.change import Heading
from tests.contract.diff.harness import REAL, edited

PAGE = (REAL.parent / "docs" / "diff.md").read_text("utf-8")
EDITS = [
    ("version: 1.0.0", "version: 1.1.0"),
    ("maxLength: 10000", "maxLength: 9000"),
    ("{2K: 12, 4K: 20}", "{2K: 12, 4K: 24}"),
    ("enum: [png, jpeg, webp]", "enum: [png, jpeg, webp, avif]"),
    ("deadlineSeconds: 180", "deadlineSeconds: 240"),
]


def test_the_example_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = REAL.read_text("utf-8")
    Path("old.yaml").write_text(text, "utf-8")
    words = ("What went wrong, for a person.", "What went wrong, in words.")
    Path("new.yaml").write_text(edited(text, *EDITS).replace(*words), "utf-8")
    result = CliRunner().invoke(main, ["diff", "old.yaml", "new.yaml"])
    assert result.exit_code == 0
    assert f"```\n{result.stdout}```\n" in PAGE


@pytest.mark.parametrize("heading", Heading)
def test_each_heading_is_explained(heading: Heading) -> None:
    assert f"\n| {heading.value} | " in PAGE
