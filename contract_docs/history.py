"""The changelog of the contract: what each commit changed in it, by the history of git, newest first.

The history is that of the branch: what a merge brought in is told as one change, as it was for who followed the branch.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from contract.check import check_document
from contract.diff.compare import compare
from contract.diff.markdown import markdown
from contract.document import parse_document
from contract.errors import ContractError
from contract.git import GitMissingError, git
from contract.markup import plain
from contract.model import Contract

TITLE = "# Changelog\n\n"


class HistoryError(Exception):
    """The history of the contract cannot be told, and why."""


def changelog(spec: Path) -> str:
    """The page.

    Raises:
        HistoryError: if there is no history, or git does not show it.
    """
    return TITLE + "\n".join(_changes(spec))


def _changes(spec: Path) -> list[str]:
    if _git(spec, "rev-parse", "--is-shallow-repository").strip() != "false":
        raise HistoryError("the clone is shallow: `git fetch --unshallow` brings the past")
    log = _git(
        spec,
        "log",
        "--first-parent",
        "--diff-merges=first-parent",
        "--follow",
        "--name-only",
        "--format=%x01%h%x00%as%x00%s",
        "--",
        spec.name,
    )
    revisions = []
    for entry in log.split("\x01")[1:]:
        head, _, file = entry.strip().partition("\n")
        revision, day, subject = head.split("\0")
        title = f"## {day} {plain(subject)}\n\nCommit `{revision}`.\n"
        revisions.append((title, _read(spec, revision, file.strip())))
    if not revisions:
        raise HistoryError(f"no commit holds {spec.name}")
    changes = [f"{title}\n{_difference(old, new)}" for (title, new), (_, old) in pairwise(revisions)]
    return [*changes, f"{revisions[-1][0]}\nThe contract's first version.\n"]


def _read(spec: Path, revision: str, file: str) -> Contract | ContractError:
    text = _git(spec, "show", f"{revision}:{file}")
    try:
        return check_document(parse_document(text.encode(), f"{revision}:{file}"))[0]
    except ContractError as error:
        return error


def _difference(old: Contract | ContractError, new: Contract | ContractError) -> str:
    for side in (new, old):
        if isinstance(side, ContractError):
            return f"Not compared: by today's rules this is no sound contract. {plain(str(side))}\n"
    if isinstance(old, Contract) and isinstance(new, Contract):
        return "\n".join(_folded(markdown(compare(old, new)))) + "\n"
    raise AssertionError(old, new)


def _folded(text: str) -> Iterator[str]:
    """The diff with its folded parts read as Markdown."""
    for line in text.splitlines():
        yield line.replace("<details>", '<details markdown="1">')


def _git(spec: Path, *arguments: str) -> str:
    try:
        said = git(spec.resolve().parent, *arguments)
    except GitMissingError as error:
        raise HistoryError(str(error)) from error
    if said.returncode:
        raise HistoryError(said.stderr.decode("utf-8", "replace").strip())
    return said.stdout.decode("utf-8", "replace")
