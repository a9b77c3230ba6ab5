"""The two sides of a comparison: each a file, or a file as it was in a revision of git."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from contract.document import Document, load_document, parse_document
from contract.git import GitMissingError, git


class RevisionError(Exception):
    """A side that cannot be had: what was asked for, and what to do instead."""


def read_side(name: str, path: Path) -> Document:
    """The document that a name means.

    Args:
        name: a file; or a revision, whose file at `path` is meant; or `REVISION:FILE`. A file wins.
        path: the file to take out of a revision that names none.

    Raises:
        RevisionError: if the name is neither, or the revision has no such file.
        ContractError: if the file is no document.
    """
    if exists(Path(name)):
        return load_document(Path(name))
    revision, file = _parts(name)
    taken = path if file is None else Path(file)
    return parse_document(_show(revision, taken), f"{revision}:{taken}")


def exists(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have, such as one too long, is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _parts(name: str) -> tuple[str, str | None]:
    """A revision and its file: parted by the first colon outside of braces, as git does (`HEAD@{12:30:00}:FILE`)."""
    depth = 0
    for index, character in enumerate(name):
        if character == ":" and depth == 0:
            return name[:index], name[index + 1 :]
        depth = max(0, depth + (character == "{") - (character == "}"))
    return name, None


def _show(revision: str, path: Path) -> bytes:
    folder, below = path.parent, path.name
    while not exists(folder):  # it may have been there once
        folder, below = folder.parent, f"{folder.name}/{below}"
    inside = _git(folder, "rev-parse", "--is-inside-work-tree")
    if inside.returncode:
        raise RevisionError(f"{revision!r} is no file, and {str(folder)!r} is in no git repository: give two files")
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = found.stdout.decode().strip()
    if not re.fullmatch("[0-9a-f]+", commit):  # `^HEAD` is what to leave out
        raise RevisionError(f"{revision!r} is neither a file nor a revision of this git repository")
    asked = f"{commit}:./{below}\n".encode(errors="surrogateescape")
    shown = _git(folder, "cat-file", "--batch", "--follow-symlinks", given=asked).stdout
    head, _, text = shown.partition(b"\n")
    if not re.fullmatch(rb"[0-9a-f]+ blob [0-9]+", head):
        raise RevisionError(f"the revision {revision!r} has no file {str(path)!r}: name it with --path, or as REV:FILE")
    return text.removesuffix(b"\n")


def _git(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return git(folder, *arguments, given=given)
    except GitMissingError as error:
        raise RevisionError(f"{error}, and so there are no revisions: give two files") from error
