"""No code knows what the contract says: no model, price, limit, tier, ratio, path or status stands in the packages.

What is looked for is read from the contract itself. Comments and docstrings may give examples, since nothing acts on
them. Names and distinctive numbers are looked for everywhere else, but for the lengths of bytes (`b"9" * 5000`), which
are about the protocol. A small number means nothing by itself: it is knowledge only where a name beside it says what it
is, such as `price = 3` or `status == 2`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import contract as contract_package
from contract.clauses import derive_clauses
from contract.model import Contract

ROOT = Path(contract_package.__file__).parents[1]
PACKAGES = ("contract", "mock_server", "contract_tests", "contract_docs")
DISTINCTIVE = 1000
"""Numbers from here on hardly stand in code by chance."""

CHANCE = {"contract_tests/wire.py: 10000"}
"""Those that do all the same: how many bytes of an answer a report keeps."""


@dataclass(frozen=True)
class Knowledge:
    """What code must not know."""

    names: frozenset[str]
    """Texts that must not even be a part of a longer one."""
    words: frozenset[str]
    """Texts that are too short for that: tiers and ratios."""
    numbers: frozenset[int]
    prices: frozenset[int]
    limits: frozenset[int]
    statuses: frozenset[int]


@pytest.fixture(scope="module")
def knowledge(contract: Contract) -> Knowledge:
    clauses = derive_clauses(contract)
    limits = {c.value for c in clauses if c.keyword in ("maxLength", "maxItems", "minItems") and c.value > 1}
    profiles = [profile for _, submission in contract.submissions() for profile in submission.profiles.values()]
    words = {
        value
        for profile in profiles
        for schema in profile.properties.values()
        for value in schema.value.get("enum", ())
        if re.search("[0-9]", value) and value != profile.name
    }
    return Knowledge(
        names=frozenset(
            {profile.name for profile in profiles}
            | {operation.id for operation in contract.operations.values()}
            | {operation.path.partition("{")[0].rstrip("/") for operation in contract.operations.values()}
            | set(contract.lifecycle.error_codes)
            | set(contract.security_schemes)
        ),
        words=frozenset(words),
        numbers=frozenset(limit for limit in limits if limit >= DISTINCTIVE),
        prices=frozenset(credits for profile in profiles for credits in profile.price.credits.values()),
        limits=frozenset(limits),
        statuses=frozenset(state.status for state in contract.lifecycle.states.values()),
    )


# ----------------------------------------------------------------- the detector


def findings(source: str, known: Knowledge) -> list[str]:
    """Each thing that a piece of code knows and must not, with its line."""
    tree = ast.parse(source)
    left_out = {id(node) for node in (*docstrings(tree), *lengths_of_bytes(tree))}
    found = [
        f"{node.lineno}: {node.value!r}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and id(node) not in left_out and is_known(node.value, known)
    ]
    return found + [f"{node.lineno}: {name} {node.value!r}" for name, node in told_numbers(tree, known)]


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """The strings that stand by themselves: docstrings, also those of attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def lengths_of_bytes(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(left=ast.Constant(value=bytes()), op=ast.Mult(), right=length):
                yield length


def is_known(value: Any, known: Knowledge) -> bool:
    if isinstance(value, str | bytes):
        text = value if isinstance(value, str) else value.decode("latin-1")
        return text in known.words or any(name in text for name in known.names)
    return type(value) in (int, float) and value in known.numbers


def told_numbers(tree: ast.Module, known: Knowledge) -> Iterator[tuple[str, ast.Constant]]:
    """The small numbers of the contract that stand beside a name which says what they are."""
    meanings = {
        r"price|cost|credits_used": known.prices,
        r"cap$|_cap_|references|most_images|max_(prompt|items|images|length)": known.limits,
        r"^status$|task_status": known.statuses,
    }
    for name, node in named(tree):
        for pattern, values in meanings.items():
            if re.search(pattern, name.lower()) and type(node.value) is int and node.value in values:
                yield name, node


def named(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    """Constants with the name beside them: assigned to it, compared with it, passed or kept by it."""
    for node in ast.walk(tree):
        pairs: list[tuple[ast.expr | str | None, ast.expr | None]] = []
        match node:
            case ast.Compare(left=left, comparators=[right]):
                pairs = [(left, right), (right, left)]
            # zero is where counting begins, and knows nothing
            case ast.Assign(targets=targets, value=value) if not is_zero(value):
                pairs = [(target, value) for target in targets]
            case ast.AnnAssign(target=target, value=value) if not is_zero(value):
                pairs = [(target, value)]
            case ast.keyword(arg=name, value=value) if not is_zero(value):
                pairs = [(name, value)]
            case ast.Dict(keys=keys, values=values):
                pairs = [(key, value) for key, value in zip(keys, values, strict=True) if not is_zero(value)]
        for beside, constant in pairs:
            if isinstance(constant, ast.Constant) and isinstance(text := name_of(beside), str):
                yield text, constant


def is_zero(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value == 0


def name_of(node: ast.expr | str | None) -> Any:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=name)):
            return name
        case ast.Constant(value=name):
            return name
        case _:
            return node


# -------------------------------------------------------------------- the tests


def test_what_is_looked_for_is_what_the_contract_says(knowledge: Knowledge) -> None:
    assert "gpt-image-2" in knowledge.names
    assert "/api/ai/tasks" in knowledge.names
    assert {"1K", "4K", "21:9"} <= knowledge.words
    assert knowledge.numbers == {5000, 10_000, 20_000}
    assert {3, 12, 20} <= knowledge.prices
    assert {4, 14, 20_000} <= knowledge.limits
    assert knowledge.statuses == {0, 1, 2}


@pytest.mark.parametrize(
    "source",
    [
        'if model == "gpt-image-2": pass',
        'PATTERN = "^(google/nano-banana|x)$"',
        'x = f"model {m} is not nano-banana-pro"',
        'path = b"/api/ai/image/generate"',
        'raise Failed("EMPTY_RESULT")',
        'TIERS = {"4K": 1}',
        'ratios = ["16:9"]',
        "LONGEST = 20_000",
        "x = 10000.0",
        'prompt = "x" * 5000',
        "status == 0",
        "check(len(prompt) > 5000)",
        "price = 3",
        "PRICES: dict = {'price': 12}",
        "debit(price=20)",
        "prompt_cap = 20000",
        "max_items: int = 14",
        "if task.status == 2: pass",
        'if 1 == snapshot["status"]: pass',
        'return_value = {"status": 1}',
    ],
)
def test_knowledge_that_is_planted_is_found(source: str, knowledge: Knowledge) -> None:
    assert findings(source, knowledge)


@pytest.mark.parametrize(
    "source",
    [
        '"""Says what `gpt-image-2` costs: 20_000 at "4K"."""',
        "# gpt-image-2 costs 3",
        'X = 1\n"""As in `tiers: {1K: 4}`."""',
        "status = 0",
        '{"status": 0}',
        'body = b"9" * 5000',
        "if response.status == 404: pass",
        "retries = 3",
        "x = [4, 8, 14]",
        'x = "not1K"',
        "price = 0",
        "y = status",
    ],
)
def test_what_is_no_knowledge_is_not_found(source: str, knowledge: Knowledge) -> None:
    assert findings(source, knowledge) == []


def test_no_code_knows_what_the_contract_says(knowledge: Knowledge) -> None:
    known = {
        f"{path.relative_to(ROOT)}:{finding}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for finding in findings(path.read_text("utf-8"), knowledge)
    }
    assert {finding for finding in known if re.sub(":[0-9]+:", ":", finding) not in CHANCE} == set()


def test_no_data_of_the_packages_names_what_the_contract_says(knowledge: Knowledge) -> None:
    known = {
        f"{path.relative_to(ROOT)}: {name}"
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*"))
        if path.suffix in (".yaml", ".json", ".html", ".ini", ".toml") and path.name != "openapi.yaml"
        for name in knowledge.names
        if name in path.read_text("utf-8")
    }
    assert known == set()
