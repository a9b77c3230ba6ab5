"""The requests that the contract suggests: each is what it is said to be, by an independent check of the document."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.clause import Clause, Kind
from contract.clauses import derive_clauses
from contract.document import load_document
from contract.model import Contract, Operation, Submission
from contract.reader import load_contract
from contract.resources import default_contract
from contract_tests.case import encode
from contract_tests.cases import UNKNOWN_FIELD, Cases
from tests.contract_tests.harness import OtherValidator

PRICES: dict[str, dict[str | None, int]] = {
    "gpt-image-2": {None: 3},
    "nano-banana-2": {None: 4, "1K": 4, "2K": 6, "4K": 8},
    "nano-banana-pro": {None: 12, "2K": 12, "4K": 20},
    "google/nano-banana": {None: 3},
}
CAPS = {"gpt-image-2": 20_000, "nano-banana-2": 20_000, "nano-banana-pro": 10_000, "google/nano-banana": 5_000}
REFERENCES = {"gpt-image-2": 4, "nano-banana-2": 14, "nano-banana-pro": 8, "google/nano-banana": 10}
RATIOS = ["auto", "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9"]
KNOWN = {"model", "prompt", "inputImageUrls", "aspectRatio", "resolution", "outputFormat", "providerInput"}


def _parsed(body: bytes) -> dict[str, Any]:
    """The body of a request; empty if it is no JSON object in valid Unicode."""
    try:
        parsed = json.loads(body.decode(), parse_constant=int)  # NaN is no JSON, and no int
        json.dumps(parsed, ensure_ascii=False).encode()
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _is_valid(body: bytes) -> bool:
    """The rules of a submission, written down once more."""
    parsed = _parsed(body)
    model = parsed.get("model")
    if not isinstance(model, str) or model not in CAPS:
        return False
    prompt, ratio = parsed.get("prompt"), parsed.get("aspectRatio", "auto")
    references = parsed.get("inputImageUrls", [])
    tiers = [tier for tier in PRICES[model] if tier]
    return (
        isinstance(prompt, str)
        and 1 <= len(prompt) <= CAPS[model]
        and isinstance(references, list)
        and len(references) <= REFERENCES[model]
        and all(isinstance(url, str) and re.fullmatch(r"https?://[^\s]+", url) for url in references)
        and isinstance(ratio, str)
        and re.fullmatch("auto|[1-9][0-9]*:[1-9][0-9]*", ratio) is not None
        and (model != "gpt-image-2" or ratio in RATIOS)
        and (not tiers or "resolution" not in parsed or parsed["resolution"] in tiers)
        and parsed.get("outputFormat", "png") in ("png", "jpeg", "webp")
        and isinstance(parsed.get("providerInput", {}), dict)
    )


def _price(body: Mapping[str, Any]) -> int:
    prices = PRICES[body["model"]]
    return prices[body.get("resolution")] if len(prices) > 1 else prices[None]


def test_every_case_is_what_it_is_said_to_be(cases: Cases) -> None:
    wrong = [case.name for case in (*cases.valid, *cases.invalid) if _is_valid(case.encoded()) is not case.accepted]
    assert not wrong


def test_every_price_is_right(cases: Cases) -> None:
    assert [case.name for case in cases.valid if case.price != _price(case.body)] == []
    assert {case.price for case in cases.invalid} == {0}


def test_the_document_says_so_too(cases: Cases) -> None:
    """A validator that the project does not use, on the schemas as they stand in the document."""
    document = load_document(default_contract()).data
    path, method = "/api/ai/image/generate", "post"
    node = document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    resolver: dict[str, Any] = {"components": document["components"], **node}
    validator = OtherValidator(resolver)
    formats = ("url", "format")  # which each validator sees in its own way
    wrong = []
    for case in (*cases.valid, *cases.invalid):
        if isinstance(case.body, bytes) or (not case.accepted and any(word in case.clause for word in formats)):
            continue
        if validator.is_valid(case.body) is not case.accepted:
            wrong.append(case.name)
    assert not wrong


def test_names_are_unique(cases: Cases) -> None:
    names = Counter(case.name for case in (*cases.valid, *cases.invalid))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_case_is_about_a_clause_of_its_operation(cases: Cases, clauses: Mapping[str, Clause]) -> None:
    for case in (*cases.valid, *cases.invalid):
        clause = clauses[case.clause]
        assert clause.operation in (None, case.operation), case.name
        assert clause.profile in (None, case.profile), case.name


def test_every_clause_about_requests_has_a_case(cases: Cases, clauses: Mapping[str, Clause]) -> None:
    about = (
        *(Kind.SELECTOR, Kind.REQUIRED, Kind.KEYWORD, Kind.UNIT, Kind.IGNORED, Kind.PASSTHROUGH, Kind.MODE, Kind.EMPTY),
        *(Kind.TEXT, Kind.PRICE, Kind.DEFAULT),
    )
    shown = {case.clause for case in (*cases.valid, *cases.invalid)}
    assert [clause.id for clause in clauses.values() if clause.kind in about and clause.id not in shown] == []


def test_the_prompt_is_tried_at_its_cap_and_one_over_it(cases: Cases) -> None:
    for model, cap in CAPS.items():
        at = [case for case in cases.valid if case.profile == model and "prompt-at-the-cap" in case.name]
        over = [case for case in cases.invalid if case.profile == model and "prompt-over-the-cap" in case.name]
        assert {len(case.body["prompt"]) for case in at} == {cap}
        assert {len(case.body["prompt"]) for case in over} >= {cap + 1, 2 * cap}
        assert {max(case.body["prompt"]) for case in at} == {"a", "ü", "\U0001f58c"}


def test_references_are_tried_at_their_cap_and_one_over_it(cases: Cases) -> None:
    for model, most in REFERENCES.items():
        counts = {
            accepted: {
                len(case.body["inputImageUrls"])
                for case in (*cases.valid, *cases.invalid)
                if case.profile == model
                and case.accepted is accepted
                and isinstance(case.body, dict)
                and isinstance(case.body.get("inputImageUrls"), list)
                and case.clause.endswith(".maxItems")
            }
            for accepted in (True, False)
        }
        assert counts == {True: {most}, False: {most + 1}}


def test_a_refusal_must_name_the_fields_that_are_wrong_and_only_those(cases: Cases) -> None:
    for case in cases.invalid:
        assert case.wrong <= KNOWN, case.name
        if isinstance(case.body, dict) and len(case.wrong) == 1:
            (name,) = case.wrong
            mended = {key: value for key, value in case.body.items() if key != name}
            mended |= {"model": {"model": "gpt-image-2"}, "prompt": {"prompt": "a"}}.get(name, {})
            assert _is_valid(encode(mended)), case.name


def test_several_fields_are_wrong_at_once(cases: Cases) -> None:
    everything = [case for case in cases.invalid if case.name.endswith("everything-wrong")]
    assert {case.profile for case in everything} == set(CAPS)
    assert all(len(case.wrong) >= 5 for case in everything)


def test_prices_are_asked_for_each_tier_in_each_mode_and_without_it(cases: Cases) -> None:
    for name, profile in cases.submission.profiles.items():
        bodies = [case.body for case in cases.prices(profile)]
        asked = Counter((body.get("resolution"), "inputImageUrls" in body) for body in bodies)
        tiers: list[str | None] = [tier for tier in PRICES[name] if tier] or [None]
        expected = {(tier, edit) for tier in tiers for edit in (False, True)}
        if len(PRICES[name]) > 1:
            expected |= {(None, False)}
        assert set(asked) == expected


def test_a_full_request_has_every_field_and_none_of_them_empty(cases: Cases) -> None:
    for profile in cases.submission.profiles.values():
        full = cases.full(profile)
        assert set(full) == set(profile.properties)
        assert all(value != [] for value in full.values())
        assert _is_valid(encode(full))


def test_the_plain_request_is_the_cheapest(cases: Cases) -> None:
    for name, profile in cases.submission.profiles.items():
        assert profile.price.of(cases.plain(profile)) == min(PRICES[name].values())
    assert min(cases.cheapest().price.credits.values()) == 3


def test_the_price_of_a_request_has_a_clause(cases: Cases, clauses: Mapping[str, Clause]) -> None:
    for case in cases.valid:
        clause = clauses[cases.price_clause(case.body)]
        assert (clause.kind, clause.value["credits"]) == (Kind.PRICE, case.price)


def test_bodies_go_out_in_utf_8_with_every_character_as_itself() -> None:
    assert encode({"prompt": "纸\U0001f58c"}) == '{"prompt": "纸\U0001f58c"}'.encode()


def _changed(folder: Path, change: Any) -> Contract:
    document = json.loads(json.dumps(load_document(default_contract()).data))
    change(document)
    path = folder / "openapi.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
    return load_contract(path)


def _cases_of(contract: Contract) -> tuple[Cases, dict[str, Clause]]:
    clauses = {clause.id: clause for clause in derive_clauses(contract)}
    operation, submission = next(contract.submissions())
    assert isinstance(operation, Operation)
    assert isinstance(submission, Submission)
    return Cases(contract, operation, submission, clauses), clauses


def test_another_limit_in_the_contract_is_another_limit_in_the_cases(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["NanoBananaProRequest"]["properties"]["prompt"]["maxLength"] = 77

    cases, clauses = _cases_of(_changed(tmp_path, change))
    at = [case for case in cases.valid if case.profile == "nano-banana-pro" and "prompt-at-the-cap" in case.name]
    assert {len(case.body["prompt"]) for case in at} == {77}
    assert {case.clause for case in (*cases.valid, *cases.invalid)} <= set(clauses)


def test_where_unknown_fields_are_forbidden_none_is_sent(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        branch = document["components"]["schemas"]["GptImage2Request"]
        branch["additionalProperties"] = False
        branch["x-provenance"].pop("additionalProperties", None)
        questions = document["info"]["x-open-questions"]
        for question in questions:
            question["rules"] = [rule for rule in question["rules"] if "GptImage2Request/additional" not in rule]

    cases, clauses = _cases_of(_changed(tmp_path, change))
    sent = {case.profile for case in cases.valid if UNKNOWN_FIELD in case.body}
    assert sent == set(CAPS) - {"gpt-image-2"}
    assert {case.clause for case in (*cases.valid, *cases.invalid)} <= set(clauses)


@pytest.mark.parametrize("name", ["valid", "invalid"])
def test_cases_are_made_once_and_always_in_the_same_order(
    name: str, contract: Contract, clauses: Mapping[str, Clause], submitting: tuple[Operation, Submission]
) -> None:
    first, second = (Cases(contract, *submitting, clauses) for _ in range(2))
    assert getattr(first, name) is getattr(first, name)
    assert [case.name for case in getattr(first, name)] == [case.name for case in getattr(second, name)]
