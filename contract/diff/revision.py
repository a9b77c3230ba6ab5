"""The two sides of a comparison: each a file, or a file as it was in a revision of git."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from contract.document import Document, load_document, parse_document


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
    if Path(name).exists():
        return load_document(Path(name))
    revision, colon, file = name.partition(":")
    return parse_document(_show(revision, Path(file) if colon else path), f"{revision}:{file if colon else path}")


def _show(revision: str, path: Path) -> bytes:
    folder = path.parent
    if not folder.is_dir():
        raise RevisionError(f"there is no folder {str(folder)!r} to look for {str(path)!r} in")
    inside = _git(folder, "rev-parse", "--is-inside-work-tree")
    if inside.returncode:
        raise RevisionError(f"{revision!r} is no file, and {str(folder)!r} is in no git repository: give two files")
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found.returncode:
        raise RevisionError(f"{revision!r} is neither a file nor a revision of this git repository")
    shown = _git(folder, "show", f"{found.stdout.decode().strip()}:./{path.name}")
    if shown.returncode:
        raise RevisionError(f"the revision {revision!r} has no file {str(path)!r}: name it with --path, or as REV:FILE")
    return shown.stdout


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        raise RevisionError("git is not installed, and so there are no revisions: give two files")
    return subprocess.run([git, "-C", str(folder), *arguments], capture_output=True, check=False)  # noqa: S603 - no shell reads it
