"""Which step of `info.version` a diff demands, and whether it was taken (semver)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from contract.diff.change import Bump, Change, Party, Topic
from contract.diff.pair import Pair

_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_STEPS = ("major", "minor", "patch", "none")


def demanded(changes: Sequence[Change]) -> str:
    """The step that changes demand: what breaks clients or money is major, words alone are a patch."""
    if any(change.breaking or Party.MONEY in change.breaks for change in changes):
        return "major"
    if any(change.topic not in (Topic.DOCUMENTATION, Topic.PROVENANCE) for change in changes):
        return "minor"
    return "patch" if changes else "none"


def judge_version(pair: Pair, changes: Sequence[Change]) -> Bump:
    """What became of the version, a pair of two texts, and whether that is right."""
    before, after = str(pair.before), str(pair.after)
    step = demanded(changes)
    return Bump(before, after, step, _problem(before, after, step), *pair.places)


def _problem(before: str, after: str, step: str) -> str | None:
    old, new = _SEMVER.fullmatch(before), _SEMVER.fullmatch(after)
    if old is None or new is None:
        if before == after and step == "none":
            return None
        return f"{before if old is None else after!r} is no semantic version, such as 1.2.3"
    numbers = [tuple(int(part) for part in match.groups()[:3]) for match in (old, new)]
    if numbers[1] < numbers[0] or (numbers[1] == numbers[0] and _rank(new[4]) < _rank(old[4])):
        return f"it went back from {before} to {after}"
    if numbers[0][0] == numbers[1][0] == 0:  # before 1.0.0 a minor step may break
        step = {"major": "minor", "minor": "patch"}.get(step, step)
    if old[4] and numbers[0] == numbers[1] and after != before:
        return None  # from one pre-release to the next, or to the release
    taken = next((s for s, a, b in zip(_STEPS, *numbers, strict=False) if a != b), "none")
    if _STEPS.index(taken) > _STEPS.index(step):
        return f"the changes demand a {step} step, but it went from {before} to {after}"
    return None


def _rank(label: str | None) -> tuple[bool, list[tuple[bool, int, str]]]:
    parts = label.split(".") if label else []
    return label is None, [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts]
