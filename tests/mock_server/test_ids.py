"""Task IDs look like the documented example, sort by time, and are never made twice."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.model import Contract
from mock_server.ids import may_be_task_id, new_task_id

MOMENTS = st.integers(0, 2**47 * 1000)  # a ULID has 48 bits for milliseconds


@given(now=MOMENTS)
def test_a_new_id_has_the_form_of_one(now: int) -> None:
    task_id = new_task_id(now)
    assert task_id.startswith("tsk_")
    assert len(task_id) == 30
    assert set(task_id[4:]) <= set(string.digits + string.ascii_uppercase) - set("ILOU")
    assert may_be_task_id(task_id)


@given(moments=st.lists(MOMENTS, min_size=2, max_size=2, unique_by=lambda moment: moment // 1000))
def test_later_ids_sort_after_earlier_ones(moments: list[int]) -> None:
    earlier, later = sorted(moments)
    assert new_task_id(earlier) < new_task_id(later)


def test_ids_of_one_moment_differ() -> None:
    assert len({new_task_id(0) for _ in range(10_000)}) == 10_000


def test_the_documented_example_has_the_form(contract: Contract) -> None:
    for operation, reading in contract.readings():
        (parameter,) = operation.node.children("parameters")
        assert parameter.value["name"] == reading.parameter
        assert may_be_task_id(parameter.value["example"])


@pytest.mark.parametrize(
    "text",
    ["", "tsk_", "tsk_x", "TSK_{}", "tsk_{}\n", " tsk_{}", "tsk_{}0", "tsk-{}", "tsk_{}/", "\0tsk_{}", "{}"],
)
def test_other_texts_have_not(text: str) -> None:
    ulid = new_task_id(0).removeprefix("tsk_")
    assert not may_be_task_id(text.format(ulid))


@given(text=st.text())
def test_no_text_by_chance_has(text: str) -> None:
    assert not may_be_task_id(text)
    assert not may_be_task_id("tsk_" + text[:25])


def test_letters_that_a_ulid_leaves_out_are_refused() -> None:
    for letter in "ILOUabc":
        assert not may_be_task_id("tsk_" + letter * 26)
