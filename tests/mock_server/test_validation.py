"""A request is judged by the branch of its model, and every fault is told, field by field."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.model import Contract, RequestProfile, Submission
from contract.reader import load_contract
from mock_server.invalid import InvalidRequest
from mock_server.validation import RequestValidator, title
from tests.mock_server.harness import Change, changed_contract, profiles, request

ASTRAL = "\U0001f98a"


@pytest.fixture(scope="module")
def submission(contract: Contract) -> Submission:
    return next(contract.submissions())[1]


@pytest.fixture(scope="module")
def validator(submission: Submission) -> RequestValidator:
    return RequestValidator(submission)


def faults(validator: RequestValidator, body: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidRequest) as refused:
        validator.validate(body)
    assert refused.value.form == ()
    return {name: list(messages) for name, messages in refused.value.fields.items()}


# --------------------------------------------------------------------- limits


def limits(contract: Contract, field: str, keyword: str) -> list[tuple[str, int]]:
    return [(name, profile.properties[field].value[keyword]) for name, profile in profiles(contract).items()]


def test_each_model_takes_prompts_up_to_its_cap(contract: Contract, validator: RequestValidator) -> None:
    for name, cap in limits(contract, "prompt", "maxLength"):
        for character in ("x", "é", "中", ASTRAL, "\0", "\u0301"):
            assert validator.validate(request(model=name, prompt=character * cap)).name == name
            assert faults(validator, request(model=name, prompt=character * (cap + 1))) == {
                "prompt": [f"Prompt must have at most {cap} characters"]
            }


def test_each_model_takes_references_up_to_its_limit(contract: Contract, validator: RequestValidator) -> None:
    for name, most in limits(contract, "inputImageUrls", "maxItems"):
        url = "https://example.com/a.png"
        for count in (0, 1, most):
            assert validator.validate(request(model=name, inputImageUrls=[url] * count)).name == name
        assert faults(validator, request(model=name, inputImageUrls=[url] * (most + 1))) == {
            "inputImageUrls": [f"Input image urls must have at most {most} items"]
        }


def test_each_model_takes_each_listed_value_and_no_other(contract: Contract, validator: RequestValidator) -> None:
    for name, profile in profiles(contract).items():
        for field, schema in profile.properties.items():
            values = schema.value.get("enum", [])
            for value in values:
                assert validator.validate(request(**{"model": name, field: value})).name == name
            if values and field != "model":
                listed = ", ".join(values)
                assert faults(validator, request(**{"model": name, field: "?"})) == {
                    field: [f"{title(field)} must be one of {listed}"]
                }


def test_a_model_takes_no_value_that_only_another_model_lists(contract: Contract, validator: RequestValidator) -> None:
    def tiers(profile: RequestProfile) -> set[str]:
        schema = profile.properties.get("resolution")
        return set(schema.value["enum"]) if schema else set()

    known = profiles(contract)
    every = set().union(*map(tiers, known.values()))
    for name, profile in known.items():
        for tier in every - tiers(profile):
            if tiers(profile):
                assert "resolution" in faults(validator, request(model=name, resolution=tier))
            else:  # the field means nothing to it, and is ignored
                validator.validate(request(model=name, resolution=tier))


# ------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"prompt": ""}, {"prompt": ["Prompt is required"]}),
        ({"prompt": 7}, {"prompt": ["Prompt must be text"]}),
        ({"prompt": None}, {"prompt": ["Prompt must be text"]}),
        ({"prompt": ["a"]}, {"prompt": ["Prompt must be text"]}),
        ({"inputImageUrls": "https://example.com"}, {"inputImageUrls": ["Input image urls must be a list"]}),
        ({"inputImageUrls": None}, {"inputImageUrls": ["Input image urls must be a list"]}),
        ({"inputImageUrls": [1]}, {"inputImageUrls": ["Input image urls, item 1, must be text"]}),
        (
            {"inputImageUrls": ["https://example.com", "a.png"]},
            {
                "inputImageUrls": [
                    "Input image urls, item 2, must be a valid uri",
                    "Input image urls, item 2, must match {pattern}",
                ]
            },
        ),
        (
            {"inputImageUrls": ["ftp://example.com/a"]},
            {"inputImageUrls": ["Input image urls, item 1, must match {pattern}"]},
        ),
        ({"providerInput": "fast"}, {"providerInput": ["Provider input must be an object"]}),
        ({"providerInput": []}, {"providerInput": ["Provider input must be an object"]}),
        ({"outputFormat": "gif"}, {"outputFormat": ["Output format must be one of png, jpeg, webp"]}),
    ],
    ids=str,
)
def test_each_fault_has_a_message_for_its_field(
    validator: RequestValidator, contract: Contract, changed: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    pattern = contract.document.at("/components/schemas/InputImageUrl/pattern").value
    found = faults(validator, request(**changed))
    assert {name: sorted(messages) for name, messages in found.items()} == {
        name: [message.replace("{pattern}", pattern) for message in messages] for name, messages in expected.items()
    }


def test_a_missing_prompt_is_required(validator: RequestValidator, contract: Contract) -> None:
    for name in profiles(contract):
        assert faults(validator, {"model": name}) == {"prompt": ["Prompt is required"]}


def test_four_references_are_the_most_of_the_first_model(validator: RequestValidator) -> None:
    (message,) = faults(validator, request(inputImageUrls=["https://example.com"] * 5))["inputImageUrls"]
    assert "at most 4 items" in message


def test_several_broken_fields_are_all_reported(validator: RequestValidator) -> None:
    found = faults(
        validator,
        request(
            prompt="",
            aspectRatio="7:3",
            outputFormat=1,
            inputImageUrls=["a", "b", "c", "d", "e"],
            providerInput=None,
        ),
    )
    assert set(found) == {"prompt", "aspectRatio", "outputFormat", "inputImageUrls", "providerInput"}
    assert "Input image urls must have at most 4 items" in found["inputImageUrls"]
    assert sum("item" in message and "uri" in message for message in found["inputImageUrls"]) == 5
    assert len(found["outputFormat"]) == 2


@pytest.mark.parametrize("body", [None, True, 0, 1.5, "x", [], [{"model": "gpt-image-2", "prompt": "x"}]], ids=repr)
def test_a_body_that_is_no_object_is_refused_as_a_whole(validator: RequestValidator, body: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        validator.validate(body)
    assert refused.value.form == ("The body must be a JSON object",)
    assert refused.value.fields == {}


# ------------------------------------------------------------------- the model


@pytest.mark.parametrize("model", ["", "gpt", "GPT-Image-2", "gpt-image-2 ", 2, None, True, [], ["gpt-image-2"], {}])
def test_an_unknown_model_lists_the_models(validator: RequestValidator, contract: Contract, model: Any) -> None:
    listed = ", ".join(profiles(contract))
    assert faults(validator, request(model=model)) == {"model": [f"Model must be one of {listed}"]}


def test_a_missing_model_is_required(validator: RequestValidator) -> None:
    assert faults(validator, {"prompt": "a red fox"}) == {"model": ["Model is required"]}


def test_without_a_model_only_what_is_wrong_for_every_model_is_told(validator: RequestValidator) -> None:
    assert faults(validator, {}) == {"model": ["Model is required"], "prompt": ["Prompt is required"]}
    found = faults(
        validator,
        {
            "model": "?",
            "prompt": "x" * 7000,  # too long for one model
            "aspectRatio": "7:3",  # wrong for one model
            "resolution": "8K",  # no field of some models
            "outputFormat": "gif",
            "inputImageUrls": "a",
        },
    )
    assert set(found) == {"model", "outputFormat", "inputImageUrls"}


def test_fields_that_no_model_knows_are_ignored(validator: RequestValidator) -> None:
    validator.validate(request(size=1, Prompt=[], n=None, **{"": 0, "prompt ": {}}))


@given(extra=st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.integers())))
def test_any_provider_input_is_passed_through(validator: RequestValidator, extra: dict[str, Any]) -> None:
    validator.validate(request(providerInput=extra))


# ------------------------------------------------- rules that other contracts may have


def judged(folder: Path, change: Change) -> RequestValidator:
    def change_branch(document: dict[str, Any]) -> None:
        change(document["components"]["schemas"]["GptImage2Request"])

    _, submission = next(load_contract(changed_contract(folder, change_branch)).submissions())
    return RequestValidator(submission)


def test_a_contract_may_refuse_unknown_fields(tmp_path: Path) -> None:
    validator = judged(tmp_path, lambda branch: branch.update(additionalProperties=False))
    validator.validate(request())
    assert faults(validator, request(size=1, imageCount=2)) == {
        "size": ["Size is not a known field"],
        "imageCount": ["Image count is not a known field"],
    }


def test_a_rule_about_the_whole_body_is_told_apart_from_those_of_fields(tmp_path: Path) -> None:
    validator = judged(tmp_path, lambda branch: branch.update(minProperties=3))
    validator.validate(request(aspectRatio="auto"))
    with pytest.raises(InvalidRequest) as refused:
        validator.validate({"model": "gpt-image-2"})
    assert refused.value.form == ("The body breaks the rule 'minProperties'",)
    assert refused.value.fields == {"prompt": ["Prompt is required"]}


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer", "minimum": 2}, 1, "Extra must be at least 2"),
        ({"type": "integer", "maximum": 2}, 3, "Extra must be at most 2"),
        ({"type": "integer"}, 1.5, "Extra must be a whole number"),
        ({"type": "integer"}, True, "Extra must be a whole number"),
        ({"type": "number"}, "1", "Extra must be a number"),
        ({"type": "number"}, float("inf"), "Extra must be a number"),
        ({"type": "number", "maximum": 9}, 10**400, "Extra must be at most 9"),
        ({"type": "boolean"}, 1, "Extra must be true or false"),
        ({"type": "string", "nullable": True}, 1, "Extra must be text"),
        ({"type": "string", "minLength": 3}, "ab", "Extra must have at least 3 characters"),
        ({"type": "string", "minLength": 3}, "", "Extra is required"),
        ({"type": "array", "minItems": 1, "items": {}}, [], "Extra must have at least 1 items"),
        ({"type": "integer", "enum": [4, 8]}, 6, "Extra must be one of 4, 8"),
        ({"type": "integer", "multipleOf": 2}, 3, "Extra breaks the rule 'multipleOf'"),
        ({"type": "object", "required": ["deep"]}, {}, "Extra deep is required"),
        (
            {"type": "object", "properties": {"wide": {}}, "additionalProperties": False},
            {"deep": 1},
            "Extra deep is not a known field",
        ),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, [], "Extra breaks the rule 'oneOf'"),
        ({"allOf": [{"maximum": 2}, {"type": "integer", "maximum": 2}]}, 3, "Extra must be at most 2"),
    ],
    ids=str,
)
def test_any_rule_of_json_schema_has_a_message(tmp_path: Path, schema: Any, value: Any, message: str) -> None:
    validator = judged(tmp_path, lambda branch: branch["properties"].update(extra=schema))
    assert faults(validator, request(extra=value)) == {"extra": [message]}


def test_a_nullable_field_may_be_null(tmp_path: Path) -> None:
    nullable = {"type": "string", "nullable": True}
    validator = judged(tmp_path, lambda branch: branch["properties"].update(extra=nullable))
    validator.validate(request(extra=None))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("prompt", "Prompt"),
        ("inputImageUrls", "Input image urls"),
        ("aspect_ratio", "Aspect ratio"),
        ("imageURL", "Image url"),
        ("URLList", "Url list"),
        ("n", "N"),
        ("", ""),
        ("___", ""),
        ("größe", "Größe"),
    ],
)
def test_a_field_name_reads_as_words(name: str, words: str) -> None:
    assert title(name) == words


@given(name=st.text())
def test_any_name_of_a_field_can_be_read(name: str) -> None:
    assert len(title(name)) <= 2 * len(name)


def test_a_list_that_is_far_too_long_gets_no_message_for_each_item(validator: RequestValidator) -> None:
    found = faults(validator, request(inputImageUrls=["x"] * 100_000))
    assert "Input image urls must have at most 4 items" in found["inputImageUrls"]
    assert len(found["inputImageUrls"]) < 20
