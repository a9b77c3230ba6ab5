"""Everything that is wrong is told at once: with its rule, its line, and what to do."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.cli import main
from contract.lint import lint
from contract.lint_style import STYLE
from contract.resources import default_contract

Edited = Callable[..., Path]
TAGGED = "    description: Submit a task, then poll it until it has completed or failed.\n"


def test_the_projects_contract_has_nothing_that_is_wrong() -> None:
    assert lint(default_contract()) == ()


@pytest.mark.parametrize(
    ("old", "new", "rule", "line", "problem"),
    [
        ("openapi: 3.0.3\n", "openapi: 3.1.0\n", "form", "openapi: 3.1.0", "the OpenAPI version is '3.1.0'"),
        ("openapi: 3.0.3\n", "openapi: [\n", "document", "", ""),
        ("x-credits: {flat: 3}", "x-credit: {flat: 3}", "form", "x-credit:", "unknown extension 'x-credit'"),
        ("  - name: tasks\n", "  - name: tasks\n  - name: tasks\n", "openapi", "", "Duplicate tag name 'tasks'"),
        ("2K: 6, 4K: 8}", "2K: 6}", "price", "tiers:", "resolution '4K' has no price"),
        ("taskId: tsk_01K7E9V4TQ2M8N5R3W6Y1Z0ABC, status: 0,", "taskId: 1, status: 0,", "example", "value:", "fit"),
        ("components:\n", "  /api/ai/tasks/{x}: {}\ncomponents:\n", "meaning", "tasks/{x}:", "with another name"),
        ("        - name: id\n", "        - name: task\n", "parameter", "    get:", "'id' is not declared"),
        (
            "  /api/ai/tasks/{id}:\n",
            "  /api/ai/tasks/{id}:\n    parameters:\n      - {name: more, in: query, schema: {type: string}}\n",
            "description",
            "name: more",
            "'more' is not described",
        ),
        ("enum: [2K, 4K]", "enum: [2K, 4K, 2K]", "openapi", "enum: [2K, 4K, 2K]", "non-unique"),
        ("required: [model, prompt]", "required: [model, promt]", "required", "promt", "no property of it"),
        (
            "        required/errorCode: docs\n",
            "        required/none: docs\n",
            "source",
            "required/none",
            "leads nowhere",
        ),
        ("  - sessionCookie: []\n", "", "unused-name", "    sessionCookie:", "nothing asks for 'sessionCookie'"),
        (
            TAGGED,
            "",
            "description",
            "name: tasks",
            "'tasks' is not described",
        ),
        (
            "  - name: tasks\n",
            "  - {name: more, description: More.}\n  - name: tasks\n",
            "unused-name",
            "more",
            "no operation has the tag 'more'",
        ),
    ],
)
def test_a_fault_has_its_rule_and_its_line(
    edited: Edited, text: str, old: str, new: str, rule: str, line: str, problem: str
) -> None:
    path = edited((old, new)) if text.count(old) == 1 else _first(edited, text, old, new)
    found = lint(path)
    assert rule in [finding.rule for finding in found]
    told = next(finding for finding in found if finding.rule == rule and problem in finding.problem)
    assert line in path.read_text("utf-8").splitlines()[told.line - 1]
    assert told.file == str(path)


def _first(edited: Edited, text: str, old: str, new: str) -> Path:
    path = edited()
    path.write_text(text.replace(old, new, 1), "utf-8")
    return path


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


SCHEMA = "  schemas:\n"


@pytest.mark.parametrize(
    ("added", "rule", "problem"),
    [
        ("    Lonely: {type: string}\n", "unused", "nothing uses 'Lonely'"),
        (
            "    Lonely: {type: object, properties: {below: {$ref: '#/components/schemas/Lonely'}}}\n",
            "unused",
            "nothing uses 'Lonely'",
        ),
    ],
)
def test_what_nothing_leads_to_is_told(tmp_path: Path, text: str, added: str, rule: str, problem: str) -> None:
    path = written(tmp_path / "more.yaml", text.replace(SCHEMA, SCHEMA + added, 1))
    assert [(finding.rule, finding.problem) for finding in lint(path)] == [(rule, problem)]


def test_every_missing_source_and_every_fault_is_told_at_once(tmp_path: Path, text: str) -> None:
    lines = [line for line in text.splitlines() if "x-provenance: assumed" not in line]
    broken = "\n".join(lines).replace("summary: Accepted; the price is debited", "summary: ''", 1)
    found = lint(written(tmp_path / "broken.yaml", broken))
    sources = [finding for finding in found if finding.rule == "source"]
    assert len(sources) > 5
    assert all(finding.problem == "no source is given for this rule" for finding in sources)
    assert [finding.line for finding in found] == sorted(finding.line for finding in found)


def test_an_error_without_the_common_shape_is_told(tmp_path: Path, text: str) -> None:
    start = text.index("    UnauthorizedError:\n")
    end = text.index("    InsufficientCreditsError:\n")
    changed = text[:start] + text[start:end].replace("error", "fault") + text[end:]
    found = lint(written(tmp_path / "shape.yaml", changed))
    assert [finding.rule for finding in found if "need not have the field 'error'" in finding.problem] == [
        "error-shape"
    ]


def test_a_profile_without_an_example_is_told(tmp_path: Path, text: str) -> None:
    changed = text.replace("model: google/nano-banana\n", "model: gpt-image-2\n")
    found = lint(written(tmp_path / "examples.yaml", changed))
    assert ("example-missing", "no example is for model 'google/nano-banana'") in [(f.rule, f.problem) for f in found]


@pytest.mark.parametrize("key", ["operationId", "summary", "description"])
def test_an_operation_says_what_it_is_called_and_for(tmp_path: Path, text: str, key: str) -> None:
    before, paths, after = text.partition("\npaths:\n")
    without = re.sub(rf"^      {key}:.*\n(?:        .*\n|\n)*", "", after, count=1, flags=re.MULTILINE)
    found = lint(written(tmp_path / "names.yaml", before + paths + without))
    assert ("operation-name", f"the operation has no {key}") in [(f.rule, f.problem) for f in found]


def test_the_command_tells_in_three_ways_and_fails_where_anything_is_wrong(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "more.yaml", text.replace(SCHEMA, SCHEMA + "    Lonely: {type: string}\n", 1))
    number = text[: text.index(SCHEMA)].count("\n") + 2

    def run(*options: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["lint", str(path), *options])
        return result.exit_code, result.stdout

    wants = "a reference to it, or not to have it"
    assert run() == (1, f"{path}:{number}: unused: nothing uses 'Lonely'; expected {wants}\n")
    assert run("--format", "github") == (
        1,
        f"::error file={path},line={number},title=unused::nothing uses 'Lonely'; expected {wants}\n",
    )
    status, out = run("--format", "json")
    assert status == 1
    assert json.loads(out) == [
        {
            "rule": "unused",
            "file": str(path),
            "line": number,
            "pointer": "/components/schemas/Lonely",
            "problem": "nothing uses 'Lonely'",
            "remedy": wants,
        }
    ]
    assert CliRunner().invoke(main, ["lint"]).exit_code == 0


def test_every_rule_of_style_has_a_test() -> None:
    tested = Path(__file__).read_text("utf-8")
    assert [rule for rule in STYLE if f'"{rule}"' not in tested] == []
