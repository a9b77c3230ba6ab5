"""Runs git, which may be missing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class GitMissingError(Exception):
    """There is no git on this machine."""


def git(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder; whether it did what was asked for, the caller has to see.

    Args:
        given: its standard input.

    Raises:
        GitMissingError: if there is none.
    """
    found = shutil.which("git")
    if found is None:
        raise GitMissingError("git is not installed")
    command = [found, "-C", str(folder), *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=False)  # noqa: S603 - no shell reads it
