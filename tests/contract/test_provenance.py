"""The nearest mark decides, and there the longest path."""

from collections.abc import Callable

import pytest

from contract.document import Document, parse_document
from contract.errors import ContractError
from contract.provenance import Provenance, check_provenance, provenance

Refused = Callable[..., ContractError]

DOCUMENT = """\
x-provenance: {"*": page, a/list: docs, required/name: assumed}
required: [id, name]
a:
  here: 1
  list: [{b: 1}, 2]
  own:
    x-provenance: assumed
    c: {d: 1}
    inner:
      x-provenance: {e: docs, e/f: page}
      e: {f: 1, g: 2}
      h: 3
"""


@pytest.fixture
def document() -> Document:
    return parse_document(DOCUMENT.encode(), "spec.yaml")


@pytest.mark.parametrize(
    ("pointer", "mark"),
    [
        ("", "page"),
        ("/a", "page"),
        ("/a/here", "page"),
        ("/a/list", "docs"),
        ("/a/list/0", "docs"),
        ("/a/list/0/b", "docs"),
        ("/a/list/1", "docs"),
        ("/required", "page"),
        ("/required/0", "page"),
        ("/required/1", "assumed"),
        ("/a/own", "assumed"),
        ("/a/own/c/d", "assumed"),
        ("/a/own/inner", "assumed"),
        ("/a/own/inner/e", "docs"),
        ("/a/own/inner/e/f", "page"),
        ("/a/own/inner/e/g", "docs"),
        ("/a/own/inner/h", "assumed"),
    ],
)
def test_a_place_has_the_mark_of_the_nearest_node_that_says_something(
    document: Document, pointer: str, mark: str
) -> None:
    assert provenance(document, pointer) is Provenance(mark)


def test_a_mark_is_one_of_three() -> None:
    assert [mark.value for mark in Provenance] == ["page", "docs", "assumed"]


def test_a_rule_without_any_mark_is_refused() -> None:
    document = parse_document(b"a: 1\nb:\n  x-provenance: {c: page}\n  d: 1\n", "spec.yaml")
    with pytest.raises(ContractError) as caught:
        provenance(document, "/b/d")
    assert str(caught.value) == (
        "spec.yaml:4: /b/d: no source is given for this rule; expected x-provenance here or on a node above"
    )


def test_a_rule_of_the_contract_without_a_mark_is_refused(refused: Refused) -> None:
    refused(
        ("      x-provenance: page\n    sessionCookie:", "    sessionCookie:"),
        at="/components/securitySchemes/bearerAuth",
        line="    bearerAuth:",
        says="no source is given for this rule",
        expected="x-provenance here or on a node above",
    )


@pytest.mark.parametrize("path", ["a", "a/here", "a/list/2", "required/name", "*"])
def test_a_path_leads_to_a_key_or_to_an_item_by_its_value(path: str) -> None:
    text = DOCUMENT.replace("a/list: docs", f'"{path}": docs', 1).replace("required/name: assumed", "a/own: docs", 1)
    text = text.replace('"*": page, ', "", 1)
    check_provenance(parse_document(text.encode(), "spec.yaml").root)


@pytest.mark.parametrize("path", ["b", "a/there", "a/list/0", "required/0", "required/nobody", "a/here/1", "/a"])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    document = parse_document(DOCUMENT.replace("a/list", path, 1).encode(), "spec.yaml")
    with pytest.raises(ContractError) as caught:
        check_provenance(document.root)
    assert (caught.value.line, caught.value.problem) == (1, f"{path!r} leads nowhere")
    assert caught.value.expected == "'*' or a path below #"


@pytest.mark.parametrize(
    ("edit", "at", "path", "below"),
    [
        (
            ("        required: assumed\n        required/imageUrls: docs", "        required/imageUrl: assumed"),
            "/components/schemas/CompletedImageTask/x-provenance/required~1imageUrl",
            "required/imageUrl",
            "/components/schemas/CompletedImageTask",
        ),
        (
            ("states/failed/refund: page", "states/broken/refund: page"),
            "/components/schemas/TaskSnapshot/x-lifecycle/x-provenance/states~1broken~1refund",
            "states/broken/refund",
            "/components/schemas/TaskSnapshot/x-lifecycle",
        ),
        (
            (
                "x-conventions:\n  x-provenance: assumed\n",
                'x-conventions:\n  x-provenance: {"*": assumed, unit: docs}\n',
            ),
            "/x-conventions/x-provenance/unit",
            "unit",
            "/x-conventions",
        ),
    ],
)
def test_a_path_of_the_contract_that_leads_nowhere_is_refused(
    refused: Refused, edit: tuple[str, str], at: str, path: str, below: str
) -> None:
    refused(edit, at=at, line=path, says=f"{path!r} leads nowhere", expected=f"'*' or a path below #{below}")
