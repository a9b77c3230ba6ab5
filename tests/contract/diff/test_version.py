"""Which step of the version a change demands."""

from __future__ import annotations

import pytest

from tests.contract.diff.harness import SMALL, difference, edited

DEFINED = "version: 1.0.0"
BREAKING = ("{flat: 7}", "{flat: 8}")
ADDED = ("enum: [mp3, ogg]", "enum: [mp3, ogg, wav]")
WORDS = ("title: Voices", "title: All voices")


@pytest.mark.parametrize(
    ("edit", "demanded"),
    [(BREAKING, "major"), (("maximum: 4}", "maximum: 3}"), "major"), (ADDED, "minor"), (WORDS, "patch")],
)
def test_each_kind_of_change_demands_its_step(edit: tuple[str, str], demanded: str) -> None:
    old = SMALL.read_text("utf-8")
    bump = difference(old, edited(old, edit)).bump
    assert bump.demanded == demanded
    assert bump.problem == f"the changes demand a {demanded} step, but it went from 1.0.0 to 1.0.0"


@pytest.mark.parametrize(
    ("before", "after", "edit", "right"),
    [
        ("1.0.0", "2.0.0", BREAKING, True),
        ("1.0.0", "1.1.0", BREAKING, False),
        ("1.0.0", "1.1.0", ADDED, True),
        ("1.0.0", "1.0.1", ADDED, False),
        ("1.0.0", "2.0.0", ADDED, True),
        ("1.0.0", "1.0.1", WORDS, True),
        ("1.0.0", "1.0.0", WORDS, False),
        ("1.2.3", "1.2.2", WORDS, False),
        ("2.0.0", "1.9.9", BREAKING, False),
        ("1.9.0", "1.10.0", ADDED, True),
        ("0.3.0", "0.4.0", BREAKING, True),
        ("0.3.0", "0.3.1", BREAKING, False),
        ("0.3.0", "0.3.1", ADDED, True),
        ("0.3.0", "1.0.0", BREAKING, True),
        ("2.0.0-rc.1", "2.0.0", BREAKING, True),
        ("2.0.0-rc.2", "2.0.0-rc.10", BREAKING, True),
        ("2.0.0-rc.10", "2.0.0-rc.2", BREAKING, False),
        ("2.0.0", "2.0.0-rc.1", BREAKING, False),
        ("2.0.0-rc.1", "2.0.0-rc.1", BREAKING, False),
        ("1.0.0", "2.0.0+build", BREAKING, True),
        ("1.0", "2.0.0", BREAKING, False),
        ("1.0.0", "two", BREAKING, False),
    ],
)
def test_a_step_is_right_or_a_finding(before: str, after: str, edit: tuple[str, str], right: bool) -> None:
    text = SMALL.read_text("utf-8")
    old = edited(text, (DEFINED, f'version: "{before}"'))
    new = edited(text, (DEFINED, f'version: "{after}"'), edit)
    assert (difference(old, new).bump.problem is None) is right


def test_a_version_alone_is_no_change_but_not_nothing() -> None:
    old = SMALL.read_text("utf-8")
    diff = difference(old, edited(old, (DEFINED, "version: 1.0.1")))
    assert (diff.changes, diff.empty, diff.bump.problem) == ((), False, None)


def test_what_is_no_version_is_no_finding_while_nothing_changes() -> None:
    text = edited(SMALL.read_text("utf-8"), (DEFINED, 'version: "2026-11"'))
    diff = difference(text, text)
    assert (diff.empty, diff.bump.problem) == (True, None)
    assert "'2026-11' is no semantic version" in str(difference(text, edited(text, WORDS)).bump.problem)
