"""The pages as text, made of the project's own contract and of one with other names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.check import check_contract
from contract.markup import plain
from contract.resources import default_contract
from contract_docs.example import Language, examples
from contract_docs.markup import block
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


def test_the_same_contract_gives_the_same_pages() -> None:
    assert made(default_contract()) == made(default_contract())


def test_a_model_of_another_name_is_documented_like_any_other(tmp_path: Path) -> None:
    spec = tmp_path / "other.yaml"
    spec.write_text(default_contract().read_text("utf-8").replace("google/nano-banana", "brush-9"), "utf-8")
    found = made(spec)
    assert "brush-9" in found["models.md"]
    assert not any("google/nano-banana" in page for page in found.values())


@pytest.mark.parametrize(("make", "text"), [(plain, "a|b"), (plain, "<b>"), (plain, "[x](y)")])
def test_nothing_a_contract_says_is_markup(make: Callable[[str], str], text: str) -> None:
    assert not set("|<[") & set(make(text))


def test_a_fence_within_code_does_not_end_it() -> None:
    assert block("sh", "```").startswith("````sh\n")
