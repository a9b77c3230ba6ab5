"""Where the contract and the fixtures are: beside the code in an installed package, at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent


def default_contract() -> Path:
    """The path of `openapi.yaml`."""
    return _first(_PACKAGE / "openapi.yaml", _CHECKOUT / "openapi.yaml")


def fixtures() -> Path:
    """The folder `fixtures`."""
    return _first(_PACKAGE / "fixtures", _CHECKOUT / "fixtures")


def site() -> Path:
    """The folder of the built documentation, where there is one."""
    return _first(_PACKAGE / "site", _CHECKOUT / "build" / "docs")


def _first(installed: Path, checkout: Path) -> Path:
    return installed if installed.exists() else checkout


def near(path: Path) -> Path:
    """The path as somebody in this folder would say it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
