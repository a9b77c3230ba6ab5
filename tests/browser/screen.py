"""What the tests of the example page share: an account of a mock, and the page as its user sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, Request, expect

from tests.mock_server.harness import BEARER, SUBMIT, Process, bearer

WEB: Final = Path(__file__).parents[2] / "examples/web"

PATIENCE: Final = 20_000
"""Milliseconds after which a state is given up; nothing that works takes nearly as long."""

# A test that waits for a state may come too late for one that does not last.
_REMEMBER: Final = """
window.past = [];
new MutationObserver(() => {
    const main = document.querySelector("main"), status = document.querySelector("[role=status]");
    if (main && status) past.push([main.dataset.state, main.dataset.problem ?? "", status.textContent]);
}).observe(document, {subtree: true, childList: true, attributes: true});
"""


@dataclass(frozen=True)
class Account:
    """An account of a mock, which can be given a scenario of its own."""

    mock: Process
    name: str
    key: str

    @classmethod
    def new(cls, mock: Process, **fields: Any) -> Self:
        made = mock.client.post("/_mock/accounts", json=fields)
        assert made.status_code == 201, made.text
        return cls(mock, made.json()["name"], made.json()["credentials"][BEARER])

    def play(self, scenario: str) -> None:
        put = self.mock.client.put("/_mock/scenario", params={"account": self.name}, json={"name": scenario})
        assert put.status_code == 200, put.text

    def balance(self) -> int:
        balance: int = self.mock.client.get("/_mock/account", headers=bearer(self.key)).json()["balance"]
        return balance


@dataclass
class Screen:
    """The page in a browser, and what it asked of the API.

    Attributes:
        asked: the page's requests of the API, in order; those that ask whether it may ask are left out.
    """

    page: Page
    site: str
    mock: Process
    asked: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_REMEMBER)
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self.asked.append(request) if "/api/ai/" in request.url else None)

    def open(
        self, key: str | None, *, api: str | None = None, task: str = "", poll: float = 0.1, **times: float
    ) -> Self:
        """Open the page, with waits that are shorter than the documented ones."""
        query = {"api": api or self.mock.url, **({} if key is None else {"key": key}), "poll": poll, **times}
        self.page.goto("about:blank")  # else only the fragment might change, which loads nothing
        self.page.goto(f"{self.site}?{urlencode(query)}" + (f"#{urlencode({'task': task})}" if task else ""))
        return self

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    @property
    def result(self) -> Locator:
        return self.page.locator("#result")

    @property
    def picture(self) -> Locator:
        return self.result.get_by_role("img")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True).and_(self.page.locator(":visible"))

    def submit(self) -> Self:
        self.button("Generate").click()
        return self

    def reaches(self, state: str, *texts: str, problem: str = "") -> Self:
        """Wait for a state; the status region must then say the texts."""
        expect(self.main).to_have_attribute("data-state", state, timeout=PATIENCE)
        if problem:
            expect(self.main).to_have_attribute("data-problem", problem, timeout=PATIENCE)
        for text in texts:
            expect(self.status).to_contain_text(text)
        return self

    def was(self, state: str, *texts: str, problem: str = "") -> bool:
        """Whether the page has been in a state since it was loaded, and said the texts then."""
        past: list[list[str]] = self.page.evaluate("past")
        return any(was == state and why == problem and all(text in said for text in texts) for was, why, said in past)

    def shows_a_picture(self) -> None:
        expect(self.picture).to_have_js_property("complete", value=True)
        assert self.picture.evaluate("image => image.naturalWidth") > 0

    def messages(self, label: str) -> list[str]:
        """The messages beside a field, which must be the field's description for those who do not see it."""
        control = self.field(label)
        ids = (control.get_attribute("aria-describedby") or "").split()
        messages = [
            text for id in ids if id.endswith("-errors") for text in self.page.locator(f"#{id} li").all_inner_texts()
        ]
        assert control.get_attribute("aria-invalid") == str(bool(messages)).lower()
        return messages

    @property
    def submissions(self) -> list[Any]:
        """The bodies of the page's submissions."""
        return [request.post_data_json for request in self.asked if request.url.endswith(SUBMIT)]

    @property
    def reads(self) -> int:
        return len(self.asked) - len(self.submissions)
