"""Meaning, not text: how a document is written is no change, and whatever else differs is one."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.check import check_document
from contract.diff.compare import compare
from contract.diff.values import canonical
from contract.document import Document, load_document, parse_document
from contract.errors import ContractError
from contract.model import Contract
from contract.reader import read_contract
from tests.contract.diff.harness import REAL, SMALL, difference

FILES = [REAL, SMALL]


def reordered(value: Any, chance: random.Random) -> Any:
    """The value with its keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: reordered(value[key], chance) for key in keys}
    return [reordered(item, chance) for item in value] if isinstance(value, list) else value


def referred(data: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The document with some fields' schemas moved to components, and some put in place of a reference.

    A rule that an open question names stays where it is, as the question would have to follow it. So does one whose
    mark stands around it by its path.
    """
    data = copy.deepcopy(data)
    schemas = data["components"]["schemas"]
    asked = {rule for question in data["info"].get("x-open-questions", ()) for rule in question["rules"]}
    for name in list(schemas):
        mark = schemas[name].get("x-provenance", data.get("x-provenance"))
        for field, schema in schemas[name].get("properties", {}).items():
            reference = schema.get("$ref", "")
            if reference.removeprefix("#") in asked or chance.random() < 0.5:
                continue
            if reference:
                schemas[name]["properties"][field] = copy.deepcopy(schemas[reference.rpartition("/")[2]])
            elif isinstance(mark, str):
                schemas[f"{name}{field}"] = {"x-provenance": mark, **schema}
                schemas[name]["properties"][field] = {"$ref": f"#/components/schemas/{name}{field}"}
    return data


def of(data: Any) -> Contract:
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    return check_document(parse_document(text.encode(), "again.yaml"))[0]


@pytest.mark.parametrize("file", [SMALL, pytest.param(REAL, marks=pytest.mark.whole)], ids=lambda file: file.name)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_another_order_and_other_references_are_no_change(file: Path, seed: int) -> None:
    chance = random.Random(seed)
    data = load_document(file).data
    again = of(reordered(referred(data, chance), chance))
    old = of(data)
    assert compare(old, again).empty
    assert compare(again, old).empty


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_contract_does_not_differ_from_itself(file: Path) -> None:
    text = file.read_text("utf-8")
    diff = difference(text, text)
    assert (diff.empty, diff.changes, diff.costs, diff.bump.problem) == (True, (), (), None)


# ------------------------------------------------- whatever differs is reported

MEANINGLESS = {
    "small.yaml": {
        "del /components/securitySchemes/spare": "no operation takes it",
        "set /components/responses/Poor/x-error/order": "the order of the errors is the same",
        "del /components/schemas/Alto/additionalProperties": "true is what holds without it",
    },
    "openapi.yaml": {
        "set /components/responses/InsufficientCredits/x-error/order": "the order of the errors is the same",
        "del /components/schemas/ProviderInput/additionalProperties": "true is what holds without it",
        "del /paths//api/ai/image/generate/post/x-provenance/responses/500": "no clause stands there",
        "del /components/schemas/GenerateImageRequest/x-provenance": "no clause stands there",
        "del /components/schemas/TaskSnapshot/x-provenance": "the marks below say the same",
        "del /components/schemas/TaskSnapshot/x-lifecycle/x-provenance/*": "the mark above says the same",
        "del /components/schemas/ServerErrorBody/x-provenance": "no clause stands there",
        "del /components/responses/Unauthorized/x-provenance/x-error/order": "no clause stands there",
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every place of a document below its top."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield (*path, step), item
        yield from places(item, (*path, step))


def mutants(document: Document) -> Iterator[tuple[str, Contract]]:
    """The contracts that are left when one node goes, or one value is another."""
    for path, value in places(document.data):
        others: dict[str, Any] = {"del": None}
        match value:
            case bool():
                others["set"] = not value
            case int():
                others["set"] = value + 1
            case str():
                others["set"] = value + "x"
        for how, other in others.items():
            data = copy.deepcopy(document.data)
            around = data
            for step in path[:-1]:
                around = around[step]
            if how == "del":
                del around[path[-1]]
            else:
                around[path[-1]] = other
            try:
                yield f"{how} /{'/'.join(map(str, path))}", read_contract(Document("mutant", data, document.lines))
            except ContractError:
                continue  # no contract, and so nothing to compare


@pytest.mark.whole
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_whatever_differs_is_reported_in_both_directions(file: Path) -> None:
    document = load_document(file)
    old = read_contract(document)
    passed_over: set[str] = set()
    tried = 0
    for name, new in mutants(document):
        try:
            found = compare(old, new), compare(new, old)
        except ContractError:  # a rule has no source any more, as the check would say
            continue
        tried += 1
        assert found[0].empty == found[1].empty, name
        assert len({canonical(change.to_json()) for change in found[0].changes}) == len(found[0].changes), name
        if found[0].empty:
            passed_over.add(name)
    assert tried > 250
    assert passed_over == set(MEANINGLESS[file.name])
