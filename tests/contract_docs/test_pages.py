"""The pages as text, made of the project's own contract and of one with other names."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.check import check_contract
from contract.markup import code, plain
from contract.resources import default_contract
from contract_docs.example import Language, examples
from contract_docs.markup import block, prose, value
from contract_docs.pages import pages


def made(spec: Path) -> dict[str, str]:
    contract, clauses = check_contract(spec)
    tried = tuple(examples(contract))
    answers = {(example.name, language): "{}" for example in tried for language in Language}
    return pages(contract, clauses, spec.read_text("utf-8"), tried, answers)


def test_every_clause_and_every_line_stands_somewhere() -> None:
    _, clauses = check_contract(default_contract())
    found = made(default_contract())
    assert found["clauses.md"].count("\n### ") == len(clauses)
    assert found["source.md"].count('<a id="L') == len(default_contract().read_text("utf-8").splitlines())


@pytest.mark.whole
def test_the_same_contract_gives_the_same_pages() -> None:
    """Also in another process, whose sets and dictionaries have another order of their own."""
    show = "from tests.contract_docs.test_pages import *; print(repr(made(default_contract())))"
    shown = [
        subprocess.run(
            [sys.executable, "-c", show], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    ]
    assert len(shown[0]) > 1000
    assert shown[0] == shown[1]


def test_a_model_of_another_name_is_documented_like_any_other(tmp_path: Path) -> None:
    spec = tmp_path / "other.yaml"
    spec.write_text(default_contract().read_text("utf-8").replace("google/nano-banana", "brush-9"), "utf-8")
    found = made(spec)
    assert "brush-9" in found["models.md"]
    assert not any("google/nano-banana" in page for page in found.values())


def test_the_examples_present_a_secret_as_the_contract_says(tmp_path: Path) -> None:
    spec = tmp_path / "other.yaml"
    text = default_contract().read_text("utf-8")
    bearer = "      type: http\n      scheme: bearer\n"
    assert bearer in text
    spec.write_text(text.replace(bearer, "      type: apiKey\n      in: header\n      name: X-Brush\n"), "utf-8")
    contract, _ = check_contract(spec)
    for example in examples(contract):
        assert example.scheme
        for program in example.programs.values():
            assert "X-Brush" in program
            assert "Bearer" not in program


@pytest.mark.parametrize("make", [plain, prose, code, value])
@pytest.mark.parametrize("text", ["a|b", "<b>", "[x](y)", "*a* _b_ ~c~", "{ #x .y }", "# `", "\\", "!x"])
def test_nothing_a_contract_says_is_markup(make: Callable[[str], str], text: str) -> None:
    said = make(text)
    assert html.unescape(re.sub("</?code>", "", said)) == text
    assert not set("|<[]*_~{}`\\!") & set(re.sub("</?code>|&#?[a-z0-9]+;", "", said))


def test_a_fence_within_code_does_not_end_it() -> None:
    assert block("sh", "```").startswith("````sh\n")
