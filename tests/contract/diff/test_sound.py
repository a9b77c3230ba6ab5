"""Whatever `contract check` calls sound is compared, and what cannot be is refused in a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.cli import main
from tests.contract.diff.harness import SMALL, difference, edited, verdicts
from tests.contract.diff.rows import BINDS, BREAKS, WORDS

TEXT = SMALL.read_text("utf-8")
CBOR = (
    "        required: true\n        content:\n",
    "        required: true\n        content:\n          application/cbor:\n            schema:\n"
    "              oneOf: [{$ref: '#/components/schemas/Alto'}, {$ref: '#/components/schemas/Bass'}]\n",
)
CIRCLE = (
    "    Error: {type",
    "    Rec: {type: object, properties: {x: {$ref: '#/components/schemas/Rec'}}}\n    Error: {type",
)


def test_a_circle_that_nothing_uses_is_no_change() -> None:
    assert difference(TEXT, edited(TEXT, CIRCLE)).empty
    assert difference(edited(TEXT, CIRCLE), TEXT).empty


@pytest.mark.parametrize(
    "value", ["{error: no, $ref: '#/nowhere'}", "{error: no, more: {$ref: 5}}", "{error: no, $ref: 'http://x/y'}"]
)
def test_a_reference_in_an_example_is_data(value: str) -> None:
    new = edited(TEXT, ("example: {error: no}", f"example: {value}"))
    assert {verdict for _, verdict in verdicts(difference(TEXT, new))} == {WORDS}
    assert difference(new, new).empty


@pytest.mark.parametrize("value", ["{$ref: 'http://x/y'}", "{$ref: '#/nowhere'}", "{$ref: 5}"])
def test_a_reference_in_a_default_is_data(value: str) -> None:
    conf = f"conf: {{type: object, default: {value}, enum: [{value}, {{}}]}}\n        speed: {{type: number"
    old = edited(TEXT, ("speed: {type: number", conf))
    new = edited(old, (f"default: {value}", "default: {}"))
    assert verdicts(difference(old, new)) == [("speak.alto.conf.default", BREAKS)]


def test_a_field_may_be_called_as_a_reference_is() -> None:
    field = ("codec: {type: string, enum: [mp3]}", "codec: {type: string, enum: [mp3]}\n        $ref: {type: boolean}")
    assert verdicts(difference(TEXT, edited(TEXT, field))) == [("speak.bass.$ref", BINDS)]


def test_every_content_type_of_a_submission_has_the_rules_of_its_own_schema() -> None:
    old = edited(TEXT, CBOR)
    new = edited(old, ("text: {type: string, maxLength: 50}", "text: {type: string, maxLength: 40}"))
    ids = {"speak.bass.text.maxLength", "speak.Bass.text.maxLength"}
    assert {(id in ids, verdict) for id, verdict in verdicts(difference(old, new))} == {(True, BREAKS)}
    assert {(id in ids, verdict) for id, verdict in verdicts(difference(new, old))} == {(True, BINDS)}


def test_what_leads_back_to_itself_outside_of_schemas_is_refused(tmp_path: Path) -> None:
    back = "      operationId: praise\n      callbacks: {again: {'{$url}': {$ref: '#/paths/~1praise'}}}\n"
    path = tmp_path / "circle.yaml"
    path.write_text(edited(TEXT, ("      operationId: praise\n", back)), "utf-8")
    result = CliRunner().invoke(main, ["diff", str(SMALL), str(path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "this contains itself" in result.stderr


@pytest.mark.parametrize("name", ["x" * 300, "v1:" + "x/" * 3000])
def test_a_name_that_no_file_can_have_is_no_file(name: str) -> None:
    result = CliRunner().invoke(main, ["diff", name])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("contract: '")
