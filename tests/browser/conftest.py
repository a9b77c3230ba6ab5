"""A browser, the example page on a web server, and a mock in a process of its own.

Where there is no browser the tests are skipped; with REQUIRE_BROWSER in the environment they fail.
"""

import functools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.screen import WEB, Account, Screen
from tests.mock_server.harness import Process

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
REQUIRED: Final = "REQUIRE_BROWSER"

# Without a sandbox, since a container has no user for it; with no services of the browser's maker.
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        missing = f"no browser on PATH, none of {', '.join(BROWSERS)}; on Debian: apt-get install chromium"
        if os.environ.get(REQUIRED):
            pytest.fail(f"{missing} ({REQUIRED} is set)")
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The URL of the example page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=WEB)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A mock whose tasks take a moment."""
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", "0.3")) as mock:
        # The mock closes a connection that was idle for as long as a client keeps it. A test that waits for a state may
        # ask again in just that moment, and be hung up on; so no connection is used twice.
        mock.client.close()
        with httpx.Client(base_url=mock.url, limits=httpx.Limits(max_keepalive_connections=0)) as mock.client:
            yield mock


@pytest.fixture
def account(mock: Process) -> Account:
    """An account that no other test uses."""
    return Account.new(mock, credits=1000)


@pytest.fixture
def new_screen(browser: Browser, site: str, mock: Process) -> Iterator[Callable[..., Screen]]:
    """Opens an empty screen, with options of Playwright's `new_context`; no script of the page may break."""
    errors: list[str] = []
    contexts = []

    def new(**options: Any) -> Screen:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return Screen(page, site, mock)

    yield new
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture
def screen(new_screen: Callable[..., Screen]) -> Screen:
    return new_screen()
