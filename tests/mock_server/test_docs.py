"""The document as it is, and a reference whose requests go to this mock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from starlette.routing import Mount, Router
from starlette.testclient import TestClient

from contract.resources import default_contract
from contract.site import Stamp, fingerprint
from mock_server.docs.pages import docs_pages
from mock_server.site import Site
from tests.mock_server.harness import RICH, Process, bearer, changed_contract, request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("mock"), ("--no-control",)) as process:
        yield process


def test_the_document_is_served_as_it_is(mock: Process, contract: Any) -> None:
    response = mock.client.get("/openapi.yaml")
    assert response.headers["content-type"] == "application/yaml"
    assert response.content == default_contract().read_bytes()
    response = mock.client.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == contract.document.data


def test_the_reference_reads_a_copy_whose_only_server_is_this_mock(mock: Process) -> None:
    copy, document = mock.client.get("/docs/api/openapi.json").json(), mock.client.get("/openapi.json").json()
    assert copy["servers"] == [{"url": "/"}]
    assert {**copy, "servers": 0} == {**document, "servers": 0}


def test_all_that_the_reference_loads_is_there_and_its_own(mock: Process) -> None:
    response = mock.client.get("/docs")
    assert (response.status_code, response.headers["location"]) == (307, "/docs/")
    text = mock.client.get("/docs/api/").text
    loaded = re.findall(r'(?:<script src|<link rel="\w+" href)="([^"]*)"', text)
    assert len(loaded) == 5
    for name in loaded:
        assert mock.client.get(f"/docs/api/{name}").status_code == 200
    assert not re.search(r"<script(?![^>]* src=)", text)
    assert "http" not in text
    assert "persistAuthorization: false" in mock.client.get("/docs/api/start.js").text


@pytest.mark.parametrize(
    "path", ["/docs", "/docs/", "/docs/api/", "/docs/api/start.js", "/openapi.yaml", "/openapi.json"]
)
def test_scripts_come_from_the_mock_alone(mock: Process, path: str) -> None:
    response = mock.client.get(path)
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert mock.client.head(path).status_code == response.status_code
    assert mock.client.post(path).status_code == 405


def test_what_the_reference_tries_is_tried_here(mock: Process) -> None:
    headers = {**bearer(RICH), "Origin": mock.url}
    assert mock.client.post("/api/ai/image/generate", json=request(), headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/docs/x", "/docs/../openapi.yaml", "/openapi", "/docs/static/start.js"])
def test_other_paths_are_the_apis(mock: Process, path: str) -> None:
    response = httpx.get(f"{mock.url}{path.replace('..', '%2e%2e')}")
    assert (response.status_code, response.json()) == (404, {"error": "Not found"})


def document_path(path: str, moved: str = "/api/ai/tasks/{id}") -> Any:
    """Let the contract's reading operation stand at another path."""

    def change(document: dict[str, Any]) -> None:
        document["paths"] = {path if old == moved else old: item for old, item in document["paths"].items()}

    return change


@pytest.mark.parametrize(
    ("path", "gone", "there"),
    [
        ("/docs/{id}", ["/docs", "/docs/", "/docs/api/openapi.json"], ["/openapi.yaml", "/openapi.json"]),
        ("/{id}", ["/docs", "/openapi.yaml", "/openapi.json"], []),
        ("/{id}/of", [], ["/docs/api/", "/openapi.yaml", "/openapi.json"]),
    ],
)
def test_the_contract_wins(tmp_path: Path, path: str, gone: list[str], there: list[str]) -> None:
    spec = changed_contract(tmp_path, document_path(path))
    with Process(tmp_path, ("--spec", str(spec))) as mock:
        for page in gone:
            assert mock.client.get(page, headers=bearer(RICH)).json()["error"] in ("Task not found", "Not found")
        for page in there:
            assert mock.client.get(page).status_code == 200


def test_servers_of_paths_and_operations_are_not_tried(tmp_path: Path) -> None:
    elsewhere = [{"url": "https://elsewhere.example"}]

    def change(document: dict[str, Any]) -> None:
        for item in document["paths"].values():
            item["servers"] = elsewhere
            for method in item.keys() & {"get", "post"}:
                item[method]["servers"] = elsewhere

    spec = changed_contract(tmp_path, change)
    with Process(tmp_path, ("--spec", str(spec))) as mock:
        assert "elsewhere.example" in mock.client.get("/openapi.yaml").text
        assert "elsewhere.example" not in mock.client.get("/docs/api/openapi.json").text


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A finished site about the project's own contract."""
    site = tmp_path / "site"
    (site / "api").mkdir(parents=True)
    (site / "index.html").write_text("<p>made of the contract", "utf-8")
    (site / "api" / "index.html").write_text("<p>a stand-in", "utf-8")
    Stamp(fingerprint(default_contract().read_bytes()), ("'sha256-x'",)).write(site)
    return site


def test_a_site_built_from_this_contract_is_served_and_may_run_its_own_scripts(contract: Any, built: Path) -> None:
    client = TestClient(Router([Mount("/", Site(Response(), {}, docs_pages(contract, default_contract(), built)))]))
    response = client.get("/docs/")
    assert (response.url.path, response.text) == ("/docs/index.html", "<p>made of the contract")
    assert "script-src 'self' 'sha256-x';" in response.headers["content-security-policy"]
    reference = client.get("/docs/api/")
    assert "swagger-ui-bundle.js" in reference.text
    assert client.get("/docs/api/index.html").text == reference.text


def test_a_site_built_from_another_contract_is_not_served(contract: Any, built: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_bytes(default_contract().read_bytes() + b"\n")
    pages = docs_pages(contract, other, built)
    assert "/docs/index.html" not in pages
    assert "/docs/api/" in pages


def test_the_greeting_says_what_is_at_docs_and_why(tmp_path: Path, built: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_bytes(default_contract().read_bytes() + b"\n")
    nothing = f"--docs={tmp_path}/nothing"
    for options, said in {
        (f"--docs={built}",): "Documentation at {url}/docs, to try it out at {url}/docs/api/",
        (f"--docs={built}", f"--spec={other}"): "Reference at {url}/docs (site was built from another contract: ",
        (nothing,): "Reference at {url}/docs\n",
    }.items():
        with Process(tmp_path, options) as mock:
            assert said.format(url=mock.url) in mock.greeting
