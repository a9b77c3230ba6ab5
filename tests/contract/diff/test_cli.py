"""`contract diff` as its user runs it: files, revisions, outputs, exit statuses."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from markdown_it import MarkdownIt

from contract.cli import main
from tests.contract.diff.harness import SMALL, edited
from tests.git import git

TEXT = SMALL.read_text("utf-8")
DEARER = edited(TEXT, ("{flat: 7}", "{flat: 8}"), ("version: 1.0.0", "version: 2.0.0"))
NARROWER = edited(TEXT, ("maximum: 4}", "maximum: 3}"))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)])


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the small contract tagged `v1`, dearer in the next commit, narrower in the working file."""
    folder = tmp_path / "repository"
    (folder / "deep").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "trunk")
    (folder / "gone").mkdir()
    (folder / "gone" / "api.yaml").write_text(TEXT, "utf-8")
    (folder / "link.yaml").symlink_to("deep/api.yaml")
    (folder / "aside.yaml").symlink_to(tmp_path / "old.yaml")
    for text, tag in ((TEXT, "v1"), (DEARER, "v2")):
        for place in (folder / "openapi.yaml", folder / "deep" / "api.yaml"):
            place.write_text(text, "utf-8")
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", f"{tag}: first" if tag == "v1" else tag)
        git(folder, "tag", tag)
    shutil.rmtree(folder / "gone")
    (folder / "openapi.yaml").write_text(NARROWER, "utf-8")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The small contract, and the dearer one."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(TEXT, "utf-8")
    new.write_text(DEARER, "utf-8")
    return old, new


def found(result: Result) -> set[str]:
    assert result.exit_code == 0, result.stderr
    return {clause for change in json.loads(result.stdout)["changes"] for clause in change["clauses"]}


SPEED = "speak.alto.speed.maximum"
PRICE = "speak.bass.price"


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (["v1"], {SPEED}),
        (["v2"], {SPEED, PRICE}),
        (["v1", "v2"], {PRICE}),
        (["trunk~1", "HEAD"], {PRICE}),
        (["v2", "openapi.yaml"], {SPEED, PRICE}),
        (["openapi.yaml", "v1"], {SPEED}),
        (["v1:openapi.yaml", "v2:deep/api.yaml"], {PRICE}),
        (["v1", "deep/api.yaml"], {PRICE}),
        (["v1", "--path", "deep/api.yaml"], {PRICE}),
        (["deep/api.yaml"], {SPEED, PRICE}),
        (["v2^{/v1: fi}"], {SPEED}),
        (["trunk@{2001-01-01 12:30:00}", "v2"], {PRICE}),
        (["v1:gone/api.yaml", "v2:link.yaml"], {PRICE}),
        (["v1:gone/deep/../api.yaml", "v2"], {PRICE}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_each_side_is_a_file_or_a_revision(sides: list[str], expected: set[str]) -> None:
    assert found(run(*sides, "--format", "json")) == expected


def test_a_name_that_is_both_is_the_file(repository: Path) -> None:
    (repository / "v1").write_text(DEARER, "utf-8")
    assert found(run("v1", "v2:openapi.yaml", "--format", "json")) == set()


def test_a_file_outside_of_any_folder_of_this_one_is_found_in_its_own(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert found(run("v1", repository / "openapi.yaml", "--format", "json")) == {SPEED}


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["v9"], "'v9' is neither a file nor a revision of this git repository"),
        (["--", "--output=x"], "'--output=x' is neither a file nor a revision of this git repository"),
        (["v1; touch x"], "'v1; touch x' is neither a file nor a revision of this git repository"),
        ([":openapi.yaml"], "'' is neither a file nor a revision of this git repository"),
        (["v1:other.yaml"], "the revision 'v1' has no file 'other.yaml': name it with --path, or as REV:FILE"),
        (
            ["v1:none/api.yaml"],
            "the revision 'v1' has no file 'none/api.yaml': name it with --path, or as REV:FILE",
        ),
        (["v1:deep"], "the revision 'v1' has no file 'deep': name it with --path, or as REV:FILE"),
        (["^HEAD"], "'^HEAD' is neither a file nor a revision of this git repository"),
        (["v1..v2"], "'v1..v2' is neither a file nor a revision of this git repository"),
        (["HEAD^{/no: such}"], "'HEAD^{/no: such}' is neither a file nor a revision of this git repository"),
        (["v1:aside.yaml"], "the revision 'v1' has no file 'aside.yaml': name it with --path, or as REV:FILE"),
    ],
)
def test_a_side_that_cannot_be_had_is_one_clear_error(arguments: list[str], says: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"contract: {says}\n")
    assert not Path("x").exists()


def test_outside_a_repository_there_are_no_revisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "openapi.yaml").write_text(TEXT, "utf-8")
    result = run("v1")
    assert result.exit_code == 2
    assert result.stderr == "contract: 'v1' is no file, and '.' is in no git repository: give two files\n"


def test_without_git_there_are_no_revisions(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert found(run(*files, "--format", "json")) == {PRICE}
    result = run("v1", files[1])
    assert result.exit_code == 2
    assert result.stderr == "contract: git is not installed, and so there are no revisions: give two files\n"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (("openapi: 3.0.3", "openapi: 3.1.0"), "the OpenAPI version is '3.1.0'"),
        (("openapi: 3.0.3", 'swagger: "2.0"'), "the OpenAPI version is None"),
        (("{flat: 7}", "{flat: 0}"), "less than the minimum"),
        (("{flat: 7}", "{flat: ["), "not valid YAML"),
        (("x-credits: {flat: 7}", "x-credit: {flat: 7}"), "unknown extension 'x-credit'"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_a_broken_document_is_an_error_and_never_an_empty_diff(
    files: tuple[Path, Path], edit: tuple[str, str], says: str, turned: bool
) -> None:
    old, new = reversed(files) if turned else files
    files[1].write_text(edited(TEXT, edit), "utf-8")
    result = run(old, new, "--fail-on", "breaking")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"contract: {files[1]}:")
    assert says in result.stderr


@pytest.mark.usefixtures("repository")
def test_a_broken_document_of_a_revision_names_the_revision(repository: Path) -> None:
    (repository / "openapi.yaml").write_text("openapi: 3.1.0\n", "utf-8")
    git(repository, "commit", "-q", "-a", "-m", "broken")
    result = run("HEAD", "v1:openapi.yaml")
    assert result.exit_code == 2
    assert result.stderr.startswith("contract: HEAD:openapi.yaml:1: /openapi: the OpenAPI version is '3.1.0'")


@pytest.mark.parametrize(
    ("new", "fail_on", "status"),
    [
        (TEXT, ["any"], 0),
        (DEARER, [], 0),
        (DEARER, ["breaking"], 0),
        (DEARER, ["billing"], 1),
        (DEARER, ["breaking", "billing"], 1),
        (DEARER, ["version"], 0),
        (DEARER, ["any"], 1),
        (NARROWER, ["breaking"], 1),
        (NARROWER, ["billing"], 0),
        (NARROWER, ["version"], 1),
        (edited(TEXT, ("title: Voices", "title: All voices")), ["breaking", "billing"], 0),
        (edited(TEXT, ("title: Voices", "title: All voices")), ["any"], 1),
    ],
)
def test_a_finding_fails_the_command_where_it_is_asked_to(
    files: tuple[Path, Path], new: str, fail_on: list[str], status: int
) -> None:
    files[1].write_text(new, "utf-8")
    result = run(*files, *(word for finding in fail_on for word in ("--fail-on", finding)))
    assert (result.exit_code, result.stderr) == (status, "")


def test_an_unknown_format_is_a_mistake_of_the_caller(files: tuple[Path, Path]) -> None:
    assert run(*files, "--format", "html").exit_code == 2


def line(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_text_says_what_where_and_how_much(files: tuple[Path, Path]) -> None:
    old, new = files
    places = f"line {line(TEXT, 'flat: 7')} → {line(DEARER, 'flat: 8')}"
    assert run(*files).stdout == (
        f"{old} → {new}: 1 billing\n"
        "version: 1.0.0 → 2.0.0; the changes demand a major step\n"
        "\n"
        "Billing\n"
        "  speak.bass.price\n"
        f"    dearer: the price went up (7 → 8); breaks: money; {places}\n"
        "  speak, bass, in credits\n"
        "                   before  after\n"
        "    every request       7      8\n"
    )


def test_nothing_is_said_of_nothing(files: tuple[Path, Path]) -> None:
    files[1].write_text(TEXT, "utf-8")
    assert run(*files).stdout.splitlines() == [
        f"{files[0]} → {files[1]}: no change in meaning",
        "version: 1.0.0, as before; the changes demand no step",
    ]


def test_json_says_it_for_machines(files: tuple[Path, Path]) -> None:
    data = json.loads(run(*files, "--format", "json").stdout)
    at = line(TEXT, "flat: 7")
    assert data["summary"] == {
        "breaking": 0,
        "billing": 1,
        "lifecycle": 0,
        "other": 0,
        "compatible": 0,
        "provenance": 0,
        "documentation": 0,
    }
    assert data["changes"] == [
        {
            "clauses": ["speak.bass.price"],
            "topic": "billing",
            "headings": ["billing"],
            "breaks": ["money"],
            "what": "dearer: the price went up",
            "before": 7,
            "after": 8,
            "old": {"pointer": "/components/schemas/Bass/x-credits/flat", "line": at},
            "new": {"pointer": "/components/schemas/Bass/x-credits/flat", "line": at},
        }
    ]
    assert data["costs"] == [{"operation": "speak", "profile": "bass", "tier": {}, "before": 7, "after": 8}]
    assert data["version"]["problem"] is None


def test_markdown_begins_with_the_summary_and_folds_the_rest(files: tuple[Path, Path]) -> None:
    new = edited(
        DEARER,
        ("title: Voices", 'title: "Voices | <b>`all`</b>"'),
        ("default: low", "default: high"),
    )
    files[1].write_text(new, "utf-8")
    said = run(*files, "--format", "markdown").stdout
    first, *rest = said.splitlines()
    assert first == "**Contract: 1 breaking, 2 billing, 1 documentation**"
    assert "### Billing (2)" in rest
    assert "| quality omitted, seconds 5 | 1 | **2** |" in rest or "| seconds 5, quality omitted | 1 | **2** |" in rest
    assert "<details><summary>Documentation only (1)</summary>" in rest
    assert rest.count("</details>") == 1
    assert "<code>Voices &#124; &lt;b&gt;&#96;all&#96;&lt;/b&gt;</code>" in said
    for row in rest:
        if row.startswith("| ") and "clause" not in row and "request" not in row:
            assert row.count("|") in (4, 7)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_each_output_says_which_way_a_price_went(files: tuple[Path, Path], form: str) -> None:
    assert "dearer: the price went up" in run(*files, "--format", form).stdout
    assert "cheaper: the price went down" in run(*reversed(files), "--format", form).stdout


HOSTILE = "\x1b[2J *a* _b_ [c](http://d) `e` | <b>f</b> ~~g~~ # @h !i {j} $k$ &amp; \\\\ \u202e \u009b1A"


def test_no_output_for_people_shows_what_cannot_be_seen(files: tuple[Path, Path]) -> None:
    hostile = json.dumps(HOSTILE)
    files[1].write_text(edited(TEXT, ("title: Voices", f"title: {hostile}")), "utf-8")
    for form in ("text", "markdown"):
        said = run(*files, "--format", form).stdout
        assert all(line.isprintable() for line in said.split("\n"))
        assert "x1b" in said


def test_markdown_shows_each_text_as_it_is(files: tuple[Path, Path]) -> None:
    name = "a.*.b * _c_ | `d` <i>e</i>"
    field = f"codec: {{type: string, enum: [mp3]}}\n        {json.dumps(name)}: {{type: string}}"
    files[1].write_text(edited(TEXT, ("codec: {type: string, enum: [mp3]}", field)), "utf-8")
    said = run(*files, "--format", "markdown").stdout
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(said)
    row = next(line for line in said.splitlines() if "speak.bass" in line or "speak&" in line)
    assert row.count("|") == 7
    assert f"<code>{html.escape(f'speak.bass.{name}', quote=False)}</code>" in shown
    assert "<em>" not in shown
    assert "<i>" not in shown


def test_a_finding_on_the_version_stands_out(files: tuple[Path, Path]) -> None:
    files[1].write_text(NARROWER, "utf-8")
    problem = "version: the changes demand a major step, but it went from 1.0.0 to 1.0.0"
    assert problem in run(*files).stdout.splitlines()
    assert f"⚠️ {problem}." in run(*files, "--format", "markdown").stdout
