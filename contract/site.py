"""What the build of the documentation leaves beside its pages, so that nobody shows them for another contract."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

STAMP: Final = "built.json"


@dataclass(frozen=True)
class Stamp:
    """What a site was built from.

    Attributes:
        contract: the fingerprint of the contract's text.
        scripts: the sources, as a content security policy names them, of the scripts that stand in the pages.
    """

    contract: str
    scripts: tuple[str, ...]

    def write(self, site: Path) -> None:
        """Leave it in the folder of a site."""
        (site / STAMP).write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


def read_stamp(site: Path) -> Stamp | None:
    """The stamp of a site; None if no finished site is there, but perhaps something else of the same name."""
    try:
        stamp = json.loads((site / STAMP).read_text("utf-8"))
        return Stamp(str(stamp["contract"]), tuple(map(str, stamp["scripts"])))
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def fingerprint(text: bytes) -> str:
    """What tells one contract's text from another's."""
    return sha256(text).hexdigest()
