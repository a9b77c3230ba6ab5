"""The built documentation in a real browser, served by the mock."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from playwright.sync_api import Browser, Page

from contract.resources import default_contract
from contract_docs.build import build
from tests.mock_server.harness import Process

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    build(default_contract(), Path("build/docs"))
    with Process(tmp_path_factory.mktemp("mock")) as mock:
        yield f"{mock.url}/docs/"


@pytest.fixture
def page(browser: Browser, docs: str) -> Iterator[Page]:
    """A phone that prefers the dark, on which nothing breaks and nothing is loaded from elsewhere."""
    wrong: list[str] = []
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(docs) else wrong.append(asked.url))
    yield page
    page.close()
    assert not wrong


def test_no_link_is_broken_and_every_page_fits_a_phone(page: Page, docs: str) -> None:
    waiting, seen = [f"{docs}index.html"], set()
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 200, url
        assert page.title(), url
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))")
        targets = {urldefrag(urljoin(url, link))[0] for link in links}
        waiting += [target for target in targets if target.startswith(docs) and target.endswith(".html")]
    assert len(seen) > 5
