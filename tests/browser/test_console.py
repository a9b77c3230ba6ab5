"""The console in a real browser: what somebody sees and does there."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page

from tests.mock_server.harness import RICH, Process, told

CONSOLE = "/_mock/console"


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", "3600")) as process:
        yield process


@pytest.fixture
def page(browser: Browser, mock: Process) -> Iterator[Page]:
    """A page of the console; whatever it complains about fails the test."""
    assert mock.client.post("/_mock/reset").status_code == 204
    context = browser.new_context(base_url=mock.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    def close(dialog: Dialog) -> None:
        complaints.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", close)
    page.on("request", lambda sent: None if sent.url.startswith((mock.url, "data:")) else complaints.append(sent.url))
    yield page
    context.close()
    assert [text for text in complaints if "status of 4" not in text] == []


def look(page: Page, query: str = "") -> None:
    page.goto(f"{CONSOLE}{query}")
    page.wait_for_selector("body[data-live=live]")


def status(page: Page) -> Any:
    return page.get_by_role("status")


def focused(page: Page) -> Any:
    return page.evaluate("document.activeElement.id")


def test_a_task_is_failed_by_its_button_and_the_refund_appears(mock: Process, page: Page) -> None:
    task = mock.new()
    look(page, "?account=rich")
    page.get_by_label(f"Error code for {task}").fill("EMPTY_RESULT")
    page.get_by_role("button", name=f"Fail {task}").click()
    page.locator("#ledger tbody tr").nth(1).wait_for()
    assert page.locator("#ledger .badge").all_inner_texts() == ["refund", "debit"]
    assert page.locator(".balance strong").inner_text() == "1,000,000"
    assert page.locator(f"#{task} .code").inner_text() == "EMPTY_RESULT"
    assert status(page).inner_text() == f"The task {task} has failed."
    assert mock.read(task)["errorCode"] == "EMPTY_RESULT"
    page.locator(f"#{task}:focus").wait_for()


@pytest.mark.whole
def test_it_follows_what_others_do(mock: Process, page: Page) -> None:
    look(page)
    task = mock.new(prompt="a lighthouse", **told(afterSeconds=1))
    page.locator(f"#{task}", has_text="pending").wait_for()
    page.locator(f"#{task}", has_text="completed").wait_for()
    picture = page.locator(f"#{task} img")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 64
    assert page.locator("#exchanges li").count() == 1


def test_the_clock_is_frozen_and_advanced(mock: Process, page: Page) -> None:
    look(page)
    page.get_by_role("button", name="Freeze").click()
    page.get_by_text("frozen", exact=True).wait_for()
    task = mock.new(**told(afterSeconds=30))
    left = page.locator(f"#{task} .left")
    left.wait_for()
    assert left.inner_text() == "30 s left"
    page.get_by_role("button", name="+5 s").click()
    page.get_by_text("25 s left").wait_for()
    page.get_by_role("button", name="+30 s").click()
    page.locator(f"#{task}", has_text="completed").wait_for()
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Freeze").wait_for()
    page.get_by_role("button", name="Real time").click()
    page.get_by_text("real time", exact=True).wait_for()


@pytest.mark.whole
def test_an_exchange_is_read(mock: Process, page: Page) -> None:
    mock.submit("sk_test_poor", model="nano-banana-pro", prompt="too dear")
    look(page)
    page.get_by_role("link", name=re.compile("402 POST")).click()
    inspector = page.get_by_role("article")
    inspector.wait_for()
    assert "insufficient credits" in inspector.inner_text()
    assert '"prompt": "too dear"' in inspector.inner_text()
    assert "sk_test_poor" not in inspector.inner_text()
    page.locator("#inspector:focus").wait_for()
    inspector.get_by_text("headers").first.click()
    assert "[credentials]" in inspector.inner_text()
    address = page.url
    assert "exchange=" in address
    # a refresh leaves the inspector where it is, and what is opened in it open
    mock.new()
    page.locator("#exchanges li").nth(1).wait_for()
    assert page.url == address
    assert inspector.locator("details[open]").count() == 1
    inspector.get_by_role("link", name="Close").click()
    inspector.wait_for(state="detached")
    page.go_back()
    inspector.wait_for()


@pytest.mark.whole
def test_everything_is_reset_after_a_confirmation(mock: Process, page: Page) -> None:
    task = mock.new()
    look(page)
    reset = page.get_by_role("button", name="Yes, reset everything")
    assert not reset.is_visible()
    page.get_by_text("Reset everything…").click()
    reset.click()
    page.locator(f"#{task}").wait_for(state="detached")
    assert not reset.is_visible()
    assert status(page).inner_text() == "Everything is as it was at the beginning."
    assert mock.client.get("/_mock/tasks").json()["tasks"] == []


@pytest.mark.whole
def test_a_prompt_that_is_a_script_is_shown_and_not_run(mock: Process, page: Page) -> None:
    script = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    look(page)
    task = mock.new(prompt=script)
    page.locator(f"#{task}").wait_for()
    assert page.locator(f"#{task} .text").inner_text() == script
    page.get_by_role("link", name=re.compile("200 POST")).click()
    page.get_by_role("article").wait_for()
    assert script in page.get_by_role("article").inner_text()
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.whole
def test_what_is_wrong_is_said_and_what_was_typed_stays(page: Page) -> None:
    look(page, "?account=poor")
    field = page.get_by_role("textbox", name="Top up")
    field.fill("0")
    page.get_by_role("button", name="Add credits").click()
    page.get_by_text("credits: 0 is less than the minimum of 1").wait_for()
    assert field.input_value() == "0"
    field.fill("10")
    field.press("Enter")
    page.get_by_text("The account poor has 12 credits now.").wait_for()
    assert field.input_value() == ""


@pytest.mark.whole
def test_a_refresh_disturbs_nobody_who_is_typing_or_choosing(mock: Process, page: Page) -> None:
    task = mock.new()
    look(page)
    page.get_by_text("New account…").click()
    page.locator("#scenario-name").select_option("provider-down")
    page.locator(f"#code-{task}").fill("SOME_CODE")
    page.locator("#create-credits").press_sequentially("12")
    mock.new()
    page.locator("#tasks li").nth(1).wait_for()
    assert focused(page) == "create-credits"
    page.keyboard.type("3")
    assert page.locator("#create-credits").input_value() == "123"
    assert page.locator(f"#code-{task}").input_value() == "SOME_CODE"
    assert page.locator("#scenario-name").input_value() == "provider-down"
    page.get_by_role("button", name="Create").click()
    page.get_by_text(re.compile(r"The account account-\w+ has 123 credits.")).wait_for()
    assert page.locator("#create[open]").count() == 0
    page.get_by_role("button", name="Switch").click()
    page.get_by_text("The scenario provider-down is on for all accounts.").wait_for()
    assert page.locator("#scenario-name").input_value() == "provider-down"


@pytest.mark.whole
def test_a_task_is_held_and_completed_with_the_keyboard_alone(mock: Process, page: Page) -> None:
    task = mock.new()
    look(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    tab_to(page, f"hold-now-{task}")
    page.keyboard.press("Enter")
    page.get_by_text("held", exact=True).wait_for()
    page.locator(f"#{task}:focus").wait_for()  # its button is gone, so it has the focus itself
    tab_to(page, f"complete-now-{task}")
    page.keyboard.press("Space")
    page.locator(f"#{task}:focus", has_text="completed").wait_for()
    assert mock.read(task)["status"] == 1


def tab_to(page: Page, id: str, key: str = "Tab") -> None:
    """Go on with the keyboard to an element, each stop on the way having a focus that can be seen."""
    for _ in range(60):
        page.keyboard.press(key)
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", focused(page)
        if focused(page) == id:
            return
    raise AssertionError(f"the keyboard does not get to {id}")


@pytest.mark.whole
@pytest.mark.parametrize("query", ["", "?account=rich", "?account=rich&exchange={}"])
def test_on_a_phone_nothing_is_wider_than_the_page(mock: Process, page: Page, query: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    mock.new(prompt="unbroken" * 200)
    mock.new(**told("failed", afterSeconds=0, errorCode="A_VERY_LONG_CODE_" * 11))
    mock.client.get("/" + "long/" * 60)
    assert mock.client.post("/_mock/accounts", json={"credits": 10**15, "name": "n" * 100}).status_code == 201
    newest = mock.client.get("/_mock/exchanges").json()["exchanges"][0]["id"]
    look(page, query.format(newest))
    for details in page.locator("summary").all():
        details.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.whole
def test_it_is_dark_where_that_is_preferred(page: Page) -> None:
    look(page)
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.append(sum(map(int, re.findall(r"\d+", ground))))
    assert grounds[0] > 600
    assert grounds[1] < 150


@pytest.mark.whole
def test_a_console_says_that_its_mock_is_gone_and_follows_the_next_one(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.set_default_timeout(20_000)
    with Process(tmp_path) as mock:
        page.goto(f"{mock.url}{CONSOLE}")
        page.wait_for_selector("body[data-live=live]")
        mock.end(signal.SIGINT)
    page.get_by_text("The connection to the mock is lost.").wait_for()
    page.get_by_role("button", name="Freeze").click()
    page.get_by_text("The mock does not answer.").wait_for()
    with Process(tmp_path, ("--port", str(mock.address[1]))) as mock:
        page.wait_for_selector("body[data-live=live]")
        page.locator(f"#{mock.new()}").wait_for()
        page.close()


@pytest.mark.whole
def test_a_request_is_tried_in_the_reference_and_its_key_is_not_kept(mock: Process, page: Page) -> None:
    page.goto("/docs/api/")
    page.get_by_role("button", name="Authorize").click()
    page.locator(".modal-ux input").first.fill(RICH)
    page.locator(".modal-ux .authorize").first.click()
    page.get_by_role("button", name="Close").first.click()
    page.locator(".opblock-post .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").wait_for()
    assert len(mock.client.get("/_mock/tasks", params={"account": "rich"}).json()["tasks"]) == 1
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


@pytest.mark.whole
@pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="SCREENSHOTS names no folder for pictures of the console")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_pictures_of_the_console(browser: Browser, mock: Process, scheme: Any, width: int) -> None:
    """What README shows."""
    mock.client.post("/_mock/reset")
    for prompt in ("A fox made of folded newspaper", "A lighthouse in the fog", "A paper boat on a pond"):
        task = mock.new(prompt=prompt)
        if "lighthouse" in prompt:
            mock.client.post(f"/_mock/tasks/{task}/fail", json={"errorCode": "CONTENT_REJECTED"})
        if "fox" in prompt:
            mock.client.post(f"/_mock/tasks/{task}/complete")
    context = browser.new_context(
        base_url=mock.url, viewport={"width": width, "height": 900}, color_scheme=scheme, device_scale_factor=1
    )
    page = context.new_page()
    look(page, "?account=rich")
    page.locator("img").first.evaluate("picture => picture.decode()")
    page.screenshot(path=Path(os.environ["SCREENSHOTS"]) / f"console-{scheme}-{width}.png")
    context.close()
