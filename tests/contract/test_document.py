"""YAML becomes JSON values that know their line; what JSON cannot hold is refused."""

import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.document import MAX_DEPTH, MAX_NODES, Document, escape, load_document, parse_document, unescape
from contract.errors import ContractError
from contract.model import Contract

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
KEYS = st.text(string.ascii_letters + "/~ -_*0123456789", min_size=1, max_size=30)
TREES = st.recursive(
    st.integers(), lambda inner: st.lists(inner, min_size=1) | st.dictionaries(KEYS, inner, min_size=1), max_leaves=20
)


class Quoting(yaml.SafeDumper):
    """Puts every string into quotes, so that none can be read as anything else."""


Quoting.add_representer(str, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"'))


def parsed(text: str) -> Document:
    return parse_document(text.encode(), "spec.yaml")


def value(text: str) -> Any:
    """What a scalar means."""
    return parsed(f"key: {text}").data["key"]


def fault(text: str | bytes) -> ContractError:
    with pytest.raises(ContractError) as caught:
        parse_document(text.encode() if isinstance(text, str) else text, "spec.yaml")
    assert "\n" not in str(caught.value)
    return caught.value


# --- what a scalar means ---


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("+7", 7),
        ("-7", -7),
        ("010", 10),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1e3", -1000.0),
        ('"7"', "7"),
        ("!!str 7", "7"),
        ('!!int "7"', 7),
        ("!!null x", None),
        ("! 7", 7),
    ],
)
def test_a_scalar_means_what_yaml_1_2_says(text: str, meaning: object) -> None:
    assert value(text) == meaning
    assert type(value(text)) is type(meaning)


@pytest.mark.parametrize(
    "text",
    [
        *("on", "off", "yes", "No", "y", "tRUE"),
        *("2026-03-02", "2026-03-02T09:15:00Z", "4:5", "16:9", "190:20:30"),
        *("1_000", "0x1f", "0b1", ".inf", "-.INF", ".nan", "=", "<<", ".", "1K", "2K"),
    ],
)
def test_what_only_yaml_1_1_reads_differently_stays_a_string(text: str) -> None:
    assert value(text) == text
    assert value(f"[{text}]") == [text]


def test_an_empty_item_and_an_empty_value_are_null() -> None:
    assert parsed("a:\nb: {c, d: }\ne:\n  -\n").data == {"a": None, "b": {"c": None, "d": None}, "e": [None]}


def test_every_key_is_a_string() -> None:
    assert parsed("{200: a, true: b, null: c, 1.5: d, ~: e, on: f}").data == {
        "200": "a",
        "true": "b",
        "null": "c",
        "1.5": "d",
        "~": "e",
        "on": "f",
    }


def test_a_merge_key_is_a_plain_key() -> None:
    assert parsed("a: &a {b: 1}\nc: {<<: *a}").data["c"] == {"<<": {"b": 1}}


def test_an_alias_repeats_its_anchor() -> None:
    assert parsed("a: &a [1, {b: 2}]\nc: *a").data["c"] == [1, {"b": 2}]


def test_a_json_document_is_a_yaml_document() -> None:
    assert parsed('{"a": [1, 2.5, null, true, "\\u00e9\\n"]}').data == {"a": [1, 2.5, None, True, "é\n"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_encoding_of_yaml_is_read(encoding: str) -> None:
    assert parse_document("a: é😀".encode(encoding), "spec.yaml").data == {"a": "é😀"}


@settings(max_examples=50)
@given(VALUES, st.booleans())
def test_a_dumped_value_is_parsed_as_itself(dumped: object, allow_unicode: bool) -> None:
    text = yaml.dump(dumped, Dumper=Quoting, allow_unicode=allow_unicode)
    assert parsed(text).data == dumped


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: [1\nc: 2\n", 3, "while parsing a flow sequence did not find expected ',' or ']'"),
        ("a: 1\nb:\n\tc: 1\n", 3, "while scanning for the next token found character that cannot start any token"),
        ("a: 1\nb: c: d\n", 2, "mapping values are not allowed in this context"),
        ("a: 1\nb: *c\n", 2, "found undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, "expected a single document in the stream but found another document"),
        ('a: 1\nb: "\\ud800"\n', 2, "while parsing a quoted scalar found invalid Unicode character escape code"),
        ("", 1, "the file is empty"),
        ("# nothing but a comment\n", 1, "the file is empty"),
    ],
)
def test_broken_yaml_is_refused_with_its_line(text: str, line: int, problem: str) -> None:
    error = fault(text)
    assert (error.pointer, error.line, error.problem) == ("", line, f"not valid YAML: {problem}")
    assert error.expected == "a YAML document"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (bytes(range(256)), 1, "control characters are not allowed"),
        (b"\x89PNG\r\n\x1a\n\0\0", 1, "invalid leading UTF-8 octet"),
        (b"a: 1\nb: 2\nc: \xe9 latin\n", 3, "invalid trailing UTF-8 octet"),
        (b"a: 1\nb: \x07\n", 2, "control characters are not allowed"),
        (b"a: !<%ED%A0%80> 5", 1, "'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte"),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(text: bytes, line: int, problem: str) -> None:
    error = fault(text)
    assert (error.pointer, error.line, error.problem) == ("", line, f"not valid YAML: {problem}")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "missing.yaml"
    with pytest.raises(ContractError) as caught:
        load_document(path)
    assert str(caught.value) == f"{path}:1: cannot be read: No such file or directory; expected a readable YAML file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        load_document(tmp_path)
    assert str(caught.value) == f"{tmp_path}:1: cannot be read: Is a directory; expected a readable YAML file"


def test_a_duplicate_key_is_refused_with_both_lines() -> None:
    error = fault("a: 1\nb:\n  c/d: 1\n  e: 2\n  c/d: 3\n")
    assert (error.pointer, error.line) == ("/b/c~1d", 5)
    assert error.problem == "'c/d' stands here again (first in line 3)"


def test_a_key_is_a_duplicate_however_it_is_written() -> None:
    assert fault('200: a\n"200": b\n').problem == "'200' stands here again (first in line 1)"


def test_a_key_that_is_no_scalar_is_refused() -> None:
    error = fault("a:\n  ? [b]\n  : 1\n")
    assert (error.pointer, error.line, error.problem) == ("/a", 2, "a key that is no scalar")
    assert error.expected == "a string as the key"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("!!binary aGk=", "tag:yaml.org,2002:binary"),
        ("!!timestamp 2026-03-02", "tag:yaml.org,2002:timestamp"),
        ("!colour red", "!colour"),
        ("!!set {b}", "tag:yaml.org,2002:set"),
        ("!!omap [b: 1]", "tag:yaml.org,2002:omap"),
        ("!!str [b]", "tag:yaml.org,2002:str"),
        ("!!python/name:os.system x", "tag:yaml.org,2002:python/name:os.system"),
        ("!colour {b: 1}", "!colour"),
    ],
)
def test_a_tag_that_json_does_not_know_is_refused(text: str, tag: str) -> None:
    error = fault(f"x: 1\na: {text}\n")
    assert (error.pointer, error.line) == ("/a", 2)
    assert (error.problem, error.expected) == (f"the YAML tag {tag}", "a plain JSON value")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("!!int seven", "'seven' is no int"),
        ("!!int ''", "'' is no int"),
        ("!!float x", "'x' is no float"),
        ("!!bool x", "'x' is no bool"),
        ("1e400", "'1e400' is no float"),
        ("!!float nan", "'nan' is no float"),
        ("9" * 5000, f"'{'9' * 40}' is no int"),
    ],
)
def test_a_number_that_json_cannot_hold_is_refused(text: str, problem: str) -> None:
    error = fault(f"x: 1\na: {text}\n")
    assert (error.pointer, error.line) == ("/a", 2)
    assert (error.problem, error.expected) == (problem, "a value that JSON can hold")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 1\nb: &b [*b]\n", id="sequence"),
        pytest.param("a: 1\nb: &b {c: *b}\n", id="mapping"),
        pytest.param("a: 1\nb: &b [*b, *b]\n", id="twice"),
    ],
)
def test_an_alias_that_contains_itself_is_refused(text: str) -> None:
    error = fault(text)
    assert error.pointer.startswith("/b/")
    assert (error.line, error.problem, error.expected) == (2, "nested more than 100 deep", "a finite tree")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), id="one-too-many"),
        pytest.param("[" * 1_000_000, id="more-than-the-stack-holds"),
        pytest.param("- " * 100_000, id="block"),
        pytest.param("{a: " * 100_000, id="mappings"),
    ],
)
def test_too_deep_nesting_is_refused(text: str) -> None:
    error = fault(text)
    assert (error.line, error.problem) == (1, "nested more than 100 deep")


def test_nesting_may_be_as_deep_as_the_limit() -> None:
    data = parsed("[" * MAX_DEPTH + "]" * MAX_DEPTH).data
    depth = 1
    while data:
        (data,) = data
        depth += 1
    assert depth == MAX_DEPTH


def test_aliases_that_multiply_are_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    error = fault(bomb)
    assert error.problem == f"more than {MAX_NODES:,} nodes"
    assert error.expected == "aliases that do not multiply"


# --- where everything stands ---


@given(st.text())
def test_a_pointer_step_is_escaped_and_unescaped_without_loss(key: str) -> None:
    step = escape(key)
    assert "/" not in step
    assert unescape(step) == key


@pytest.mark.parametrize(("key", "step"), [("a/b", "a~1b"), ("a~b", "a~0b"), ("~1", "~01"), ("", ""), ("é", "é")])
def test_a_pointer_step_is_written_as_rfc_6901_says(key: str, step: str) -> None:
    assert (escape(key), unescape(step)) == (step, key)


@settings(max_examples=50)
@given(TREES, st.booleans())
def test_every_pointer_leads_to_a_line_with_its_key(tree: object, flow: bool) -> None:
    text = yaml.dump(tree, Dumper=Quoting, default_flow_style=flow)
    document = parsed(text)
    lines = text.splitlines()
    for pointer, line in document.lines.items():
        node = document.at(pointer)
        parent = document.at(pointer.rpartition("/")[0])
        if isinstance(parent.value, dict) and pointer:
            assert f'"{node.name}"' in lines[line - 1]
        elif not node.steps():
            assert str(node.value) in lines[line - 1]


def test_every_pointer_of_openapi_yaml_leads_to_a_line_with_its_key(contract: Contract, text: str) -> None:
    lines = text.splitlines()
    document = contract.document
    assert len(document.lines) > 1000
    for pointer, line in document.lines.items():
        parent = document.at(pointer.rpartition("/")[0])
        if pointer and isinstance(parent.value, dict):
            assert document.at(pointer).name in lines[line - 1], pointer


def test_a_place_that_does_not_exist_has_the_line_of_the_nearest_around_it() -> None:
    document = parsed("a: 1\nb:\n  c: [2,\n    3]\n")
    assert [document.line(pointer) for pointer in ("/a", "/b", "/b/c", "/b/c/1")] == [1, 2, 3, 4]
    assert [document.line(pointer) for pointer in ("", "/x", "/b/x/y", "/b/c/9")] == [1, 1, 2, 3]


def test_lines_count_from_the_top_of_the_file() -> None:
    document = parsed("# a comment\n\n- a\n- b: 1\n")
    assert (document.line(""), document.line("/0"), document.line("/1/b")) == (3, 3, 4)


# --- walking ---

DOCUMENT = """\
definitions:
  a/b: {c: [10, 20]}
  again: {$ref: "#/definitions/a~1b"}
  twice: {$ref: "#/definitions/again"}
  loop: {$ref: "#/definitions/loop2"}
  loop2: {$ref: "#/definitions/loop"}
  lost: {$ref: "#/nowhere/at/all"}
  abroad: {$ref: "other.yaml#/a"}
  number: {$ref: 5}
list:
  - $ref: "#/definitions/a~1b"
  - {d: 1}
"""


@pytest.fixture
def walked() -> Document:
    return parsed(DOCUMENT)


def test_a_pointer_leads_to_its_node(walked: Document) -> None:
    node = walked.at("/definitions/a~1b/c/1")
    assert (node.value, node.name, node.line, node.pointer) == (20, "1", 2, "/definitions/a~1b/c/1")
    assert walked.at("").value is walked.data


def test_the_name_of_a_node_is_its_key_unescaped(walked: Document) -> None:
    assert walked.at("/definitions/a~1b").name == "a/b"


@pytest.mark.parametrize(
    ("pointer", "missing", "around"),
    [
        ("/nowhere", "nowhere", ""),
        ("/list/2", "2", "/list"),
        ("/list/-1", "-1", "/list"),
        ("/list/x", "x", "/list"),
        ("/definitions/a~1b/c/0/d", "d", "/definitions/a~1b/c/0"),
    ],
)
def test_a_pointer_that_leads_nowhere_is_refused(walked: Document, pointer: str, missing: str, around: str) -> None:
    with pytest.raises(ContractError) as caught:
        walked.at(pointer)
    assert caught.value.problem == f"#{pointer} does not exist: there is no {missing!r} in #{around}"
    assert (caught.value.pointer, caught.value.expected) == (pointer, "a place in this document")


def test_the_place_that_names_a_lost_pointer_is_blamed(walked: Document) -> None:
    with pytest.raises(ContractError) as caught:
        walked.at("/nowhere", origin="/list/1")
    assert (caught.value.pointer, caught.value.line) == ("/list/1", 12)


def test_references_are_followed_on_the_way(walked: Document) -> None:
    twice = walked.root.need("definitions", "twice")
    assert twice.pointer == "/definitions/a~1b"
    assert walked.root.need("list", "0", "c", "0").value == 10
    found = walked.root.get("list", "0", "c")
    assert found is not None
    assert found.pointer == "/definitions/a~1b/c"
    assert [child.pointer for child in walked.root.children("list")] == ["/definitions/a~1b", "/list/1"]


def test_child_does_not_follow_a_reference(walked: Document) -> None:
    assert walked.at("/list").child("0").value == {"$ref": "#/definitions/a~1b"}


def test_what_is_missing_is_none_or_an_error(walked: Document) -> None:
    assert walked.root.get("list", "5") is None
    assert list(walked.root.items("nowhere")) == []
    with pytest.raises(ContractError) as caught:
        walked.root.need("definitions", "a/b", "x")
    assert str(caught.value) == ("spec.yaml:2: /definitions/a~1b: 'x' is missing; expected a node 'x' here")


def test_items_give_each_key_with_its_node(walked: Document) -> None:
    assert [(key, node.value) for key, node in walked.root.items("definitions", "a/b", "c")] == [("0", 10), ("1", 20)]
    assert walked.at("/definitions/a~1b/c/0").steps() == []


@pytest.mark.parametrize(
    ("name", "pointer", "problem"),
    [
        ("loop", "/definitions/loop", "$ref leads back to itself"),
        ("lost", "/definitions/lost/$ref", "#/nowhere/at/all does not exist: there is no 'nowhere' in #"),
        ("abroad", "/definitions/abroad/$ref", "$ref 'other.yaml#/a' leaves this document"),
        ("number", "/definitions/number/$ref", "$ref 5 leaves this document"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(walked: Document, name: str, pointer: str, problem: str) -> None:
    with pytest.raises(ContractError) as caught:
        walked.at(f"/definitions/{name}").resolved()
    assert (caught.value.pointer, caught.value.problem) == (pointer, problem)


# --- the message ---


def test_a_fault_names_file_line_place_problem_and_what_was_expected() -> None:
    error = ContractError(file="a.yaml", pointer="/b", line=7, problem="it is wrong", expected="it right")
    assert str(error) == "a.yaml:7: /b: it is wrong; expected it right"
    assert error.args == (str(error),)


def test_a_fault_without_place_and_expectation_is_shorter() -> None:
    error = ContractError(file="a.yaml", pointer="", line=1, problem="it is wrong", expected="")
    assert str(error) == "a.yaml:1: it is wrong"
