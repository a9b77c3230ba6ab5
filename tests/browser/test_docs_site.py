"""The built documentation in a real browser, served by the mock."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import pytest
from playwright.sync_api import Browser, Page

from contract.resources import default_contract
from contract_docs.build import build
from tests.mock_server.harness import Process

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mock")
    build(default_contract(), folder / "site")
    with Process(folder, ("--docs", str(folder / "site"))) as mock:
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
        assert "{ #" not in page.locator("body").inner_text(), url  # markup that is none
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), url
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))")
        targets = {urldefrag(urljoin(url, link))[0] for link in links}
        waiting += [target for target in targets if target.startswith(docs) and target.endswith(".html")]
    assert len(seen) > 5


def test_search_finds_a_clause_and_leads_to_it(page: Page, docs: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{docs}index.html")
    box = page.get_by_role("textbox", name="Search")
    box.click()
    box.press_sequentially("never refunded")  # the search listens to keys
    page.locator(".md-search-result__item a", has_text="never refunded").first.click()
    page.wait_for_url("**/clauses.html?*#*no-refund")
    assert page.locator("#lifecycle\\.completed\\.no-refund, [id*='no-refund']").first.is_visible()


def test_pictures_have_words_and_text_is_legible(page: Page, docs: str) -> None:
    for name in ("models.html", "lifecycle.html"):
        page.goto(f"{docs}{name}")
        drawings = page.locator("article svg[role=img], article img")
        assert drawings.count() > 0
        for drawing in drawings.all():
            named = drawing.get_attribute("alt") or drawing.get_attribute("aria-label")
            assert named or drawing.locator("title").count()
        size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('article')).fontSize)")
        assert size >= 14


@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS names no folder")
@pytest.mark.parametrize(("name", "scheme", "width"), [("models", "light", 1280), ("clauses", "dark", 390)])
def test_pictures_of_the_documentation(browser: Browser, docs: str, name: str, scheme: Any, width: int) -> None:
    """What README shows."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(f"{docs}{name}.html")
    page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"docs-{name}-{scheme}-{width}.png")
    page.close()
