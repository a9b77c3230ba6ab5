"""Builds the site: tries the examples, writes the pages, lets the generator make HTML of them."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import yaml

from contract.check import check_contract
from contract.markup import plain
from contract.model import Contract
from contract.site import STAMP, Stamp, fingerprint
from contract_docs.example import examples
from contract_docs.history import TITLE, HistoryError, changelog
from contract_docs.pages import operation_page, pages
from contract_docs.trial import try_out

_GENERATOR: Final = "material"
_STATIC: Final = Path(__file__).with_name("static")
_TITLES: Final = {
    "index.md": "Overview",
    "questions.md": "Open questions",
    "models.md": "Models",
    "lifecycle.md": "Life of a task",
    "errors.md": "Errors",
    "clauses.md": "Clauses",
    "api/index.md": "Try it out",
    "changelog.md": "Changelog",
    "source.md": "The contract's text",
}
_SCRIPT: Final = re.compile(r"<script(?P<attributes>[^>]*)>(?P<text>.*?)</script>", re.DOTALL)


class BuildError(Exception):
    """The generator refused the pages."""


def build(spec: Path, target: Path) -> list[str]:
    """Build the site of a contract in a folder; what stood there is replaced when the new site is whole.

    Returns:
        what the site lacks, and why.

    Raises:
        ContractError: for a faulty contract.
        ExampleError, MockServerError: if an example fails.
        BuildError: if the generator is missing or finds fault, such as a broken link, or the folder cannot be had.
    """
    _check_target(target)
    contract, clauses = check_contract(spec)
    if find_spec(_GENERATOR) is None:
        raise BuildError("MkDocs Material is missing, which makes the pages: `pip install mkdocs-material`")
    document = spec.read_bytes()
    tried = tuple(examples(contract))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent.absolute()) as name:
        folder = Path(name)
        programs, sources, built = folder / "programs", folder / "pages", folder / "site"
        programs.mkdir()
        answers = try_out(contract, spec, tried, programs)
        written = pages(contract, clauses, document.decode("utf-8"), tried, answers)
        lacks = []
        try:
            written["changelog.md"] = changelog(spec)
        except HistoryError as error:
            lacks.append(f"no changelog: {error}")
            written["changelog.md"] = f"{TITLE}Built without the contract's history: {plain(str(error))}\n"
        sources.mkdir()
        for file, text in written.items():
            (sources / file).parent.mkdir(exist_ok=True)
            (sources / file).write_text(text, "utf-8")
        shutil.copy(_STATIC / "site.css", sources)
        generate(contract, sources, built)
        Stamp(fingerprint(document), inline_scripts(built)).write(built)
        _replace(target, built)
    return lacks


def generate(contract: Contract, sources: Path, built: Path) -> None:
    """Make HTML of the pages in a folder; any warning is an error.

    Raises:
        BuildError: with what the generator said.
    """
    config = sources.parent / "mkdocs.yml"
    config.write_text(yaml.safe_dump(_config(contract, sources, built), sort_keys=False), "utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(config)]
    # The sitemap says when the site was built; no two builds of the same contract differ by that.
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": "0",
        "NO_MKDOCS_2_WARNING": "1",
        "DISABLE_MKDOCS_2_WARNING": "true",
    }
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    if said.returncode:
        raise BuildError(f"MkDocs refused the pages:\n{said.stdout}{said.stderr}")


def _config(contract: Contract, sources: Path, built: Path) -> dict[str, Any]:
    palette = [
        {
            "media": f"(prefers-color-scheme: {media})",
            "scheme": scheme,
            "primary": "black",
            "toggle": {"icon": icon, "name": f"Switch to {other}"},
        }
        for media, scheme, icon, other in (
            ("light", "default", "material/weather-night", "dark"),
            ("dark", "slate", "material/weather-sunny", "light"),
        )
    ]
    operations = [{_title(operation.id): operation_page(operation)} for operation in contract.operations.values()]
    nav: list[dict[str, Any]] = [{title: file} for file, title in _TITLES.items()]
    nav.insert(2, {"Operations": operations})
    return {
        "site_name": _title(contract.title),
        "docs_dir": str(sources),
        "site_dir": str(built),
        "use_directory_urls": False,
        "nav": nav,
        "theme": {
            "name": "material",
            "font": False,
            "palette": palette,
            "features": [
                "search.highlight",
                "search.suggest",
                "content.code.copy",
                "content.tabs.link",
                "navigation.top",
            ],
        },
        "extra_css": ["site.css"],
        "extra": {"generator": False},
        "plugins": ["search"],
        "markdown_extensions": [
            "attr_list",
            "md_in_html",
            "tables",
            "pymdownx.details",
            "pymdownx.highlight",
            "pymdownx.superfences",
            {"pymdownx.tabbed": {"alternate_style": True}},
            {"toc": {"permalink": True, "toc_depth": "2"}},
        ],
        "validation": {"links": {"anchors": "warn", "not_found": "warn", "unrecognized_links": "warn"}},
    }


def _title(text: str) -> str:
    """A title without what could be markup: the theme puts titles into pages as they are, and some unescaped."""
    return re.sub("[<>&]+", " ", text)


def inline_scripts(site: Path) -> tuple[str, ...]:
    """The scripts that stand in a site's pages, as a content security policy names them."""
    found = set()
    for page in site.rglob("*.html"):
        for script in _SCRIPT.finditer(page.read_text("utf-8")):
            if not re.search(r"\bsrc=|application/json", script["attributes"]):
                digest = base64.b64encode(sha256(script["text"].encode()).digest()).decode()
                found.add(f"'sha256-{digest}'")
    return tuple(sorted(found))


def _check_target(target: Path) -> None:
    """Nothing but a site is replaced by one; nobody wants to hear that when all is built."""
    if target.exists() and not target.is_dir():
        raise BuildError(f"{target} is no folder: name another")
    if target.exists() and any(target.iterdir()) and not (target / STAMP).exists():
        raise BuildError(f"{target} holds something that is no built site: name another folder, or empty it")


def _replace(target: Path, built: Path) -> None:
    """Put the new site where the old one was; both are in one file system, so that neither is ever there by half."""
    if target.exists():
        target.rename(built.with_name("old"))
    built.rename(target)
