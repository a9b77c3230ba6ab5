"""The documentation's pages, each at its path, as far as the contract leaves these paths to the mock.

Swagger UI comes from the package `swagger-ui-bundle`: nothing is loaded from elsewhere. The reference reads a copy of
the document that names no server but this one, so that what is tried is tried here. Where the documentation was built
from this very contract, it stands before the reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from swagger_ui_bundle import swagger_ui_path

from contract.model import Contract
from contract.reader import JSON
from contract.site import Stamp, fingerprint, read_stamp
from mock_server.headers import PageHeaders, policy

_STATIC: Final = Path(__file__).with_name("static")
_FILES: Final = {
    "": _STATIC / "index.html",
    "index.html": _STATIC / "index.html",
    "start.js": _STATIC / "start.js",
    "page.css": _STATIC / "page.css",
    "icon.png": swagger_ui_path / "favicon-32x32.png",
    "swagger-ui.css": swagger_ui_path / "swagger-ui.css",
    "swagger-ui-bundle.js": swagger_ui_path / "swagger-ui-bundle.js",
}
_LOOSER: Final[Mapping[str, Sequence[str]]] = {"styles": ("'unsafe-inline'",), "images": ("data:",)}
"""Swagger UI writes style attributes, and has its symbols in its style sheet."""

Answer = Callable[[], Response]


def docs_pages(contract: Contract, file: Path, site: Path) -> Mapping[str, ASGIApp]:
    """The pages that the contract leaves room for, by path.

    Args:
        file: the contract's file.
        site: the folder of the documentation, if any was built.
    """
    stamp = stamp_of(site, file)
    pages: list[dict[str, Answer]] = [
        {"/openapi.yaml": partial(Response, file.read_bytes(), media_type="application/yaml")},
        {"/openapi.json": _json(contract.document.data)},
        {
            "/docs": partial(RedirectResponse, "/docs/"),
            "/docs/": partial(RedirectResponse, "/docs/index.html" if stamp else "/docs/api/"),
            "/docs/api": partial(RedirectResponse, "/docs/api/"),
            "/docs/api/openapi.json": _json(_at_home(contract.document.data)),
            **{f"/docs/api/{name}": partial(FileResponse, path) for name, path in _FILES.items()},
        },
    ]
    made = {
        path: _page(path, answer)
        for together in pages
        if not any(_is_the_contracts(path, contract) for path in together)
        for path, answer in together.items()
    }
    if stamp and "/docs/" in made:
        files = _headed(Router([Mount("/docs", StaticFiles(directory=site))]), stamp.scripts)
        paths = {f"/docs/{name}" for name in _names(site)} - made.keys()  # the site has a stand-in for the reference
        made |= {path: files for path in paths if not _is_the_contracts(path, contract)}
    return made


def stamp_of(site: Path, file: Path) -> Stamp | None:
    """The stamp of a built site, if it is about the contract in this file."""
    stamp = read_stamp(site)
    return stamp if stamp and stamp.contract == fingerprint(file.read_bytes()) else None


def _names(folder: Path) -> Iterator[str]:
    """The files of a site, as a URL's path names them."""
    return (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _page(path: str, answer: Answer) -> ASGIApp:
    return _headed(Router([Route(path, lambda _: answer())]))


def _headed(app: ASGIApp, scripts: Sequence[str] = ()) -> ASGIApp:
    return PageHeaders(app, policy(scripts=scripts, **_LOOSER), {"Cache-Control": "no-cache"})


def _json(document: Any) -> Answer:
    return partial(Response, json.dumps(document, ensure_ascii=False), media_type=JSON)


def _is_the_contracts(path: str, contract: Contract) -> bool:
    return any(pattern.fullmatch(path) for pattern in _patterns(contract))


def _patterns(contract: Contract) -> Iterator[re.Pattern[str]]:
    for template in {operation.path for operation in contract.operations.values()}:
        literals = re.split(r"\{[^}]*\}", template)
        yield re.compile("[^/]+".join(map(re.escape, literals)))


def _at_home(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with this server in place of all that it names."""
    servers = document.get("servers") or [{"url": "/"}]
    paths = {
        path: {
            name: _without_servers(part) if isinstance(part, dict) else part
            for name, part in item.items()
            if name != "servers"
        }
        for path, item in document["paths"].items()
    }
    return {**document, "servers": [{"url": urlsplit(servers[0]["url"]).path or "/"}], "paths": paths}


def _without_servers(operation: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in operation.items() if name != "servers"}
