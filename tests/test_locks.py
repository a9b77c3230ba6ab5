"""The locks hold what pyproject.toml declares: a dependency that is declared and not locked is not installed."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[.*\])?==(?P<version>[^ ;\\]+)", re.MULTILINE)


def declared(pyproject: dict[str, Any], *groups: str) -> Iterator[Requirement]:
    """The requirements of the project and of ``groups``, with the groups that they include."""
    yield from map(Requirement, pyproject["project"]["dependencies"])
    for group in groups:
        for item in pyproject["dependency-groups"][group]:
            if isinstance(item, str):
                yield Requirement(item)
            else:
                yield from map(Requirement, pyproject["dependency-groups"][item["include-group"]])


@pytest.mark.parametrize(("lock", "groups"), [("requirements.lock", ["build"]), ("requirements-dev.lock", ["dev"])])
def test_every_declared_dependency_is_locked_within_its_range(lock: str, groups: list[str]) -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = {
        canonicalize_name(found["name"]): Version(found["version"])
        for found in PINNED.finditer((ROOT / lock).read_text(encoding="utf-8"))
    }
    missing = [
        str(requirement)
        for requirement in declared(pyproject, *groups)
        if (version := locked.get(canonicalize_name(requirement.name))) is None or version not in requirement.specifier
    ]
    assert not missing, f"run make lock: {lock} has no fitting version of {missing}"
