"""What a browser records of the example page's traffic is held to the contract: `contract check-traffic`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Route

from contract_tests.traffic.cli import check_traffic
from tests.browser.screen import Account, Screen
from tests.browser.test_page import fill
from tests.mock_server.harness import Process

pytestmark = pytest.mark.whole
Recording = Callable[..., Screen]


def checked(har: Path, mock: Process, report: Path) -> tuple[int, str, dict[str, Any]]:
    done = CliRunner().invoke(check_traffic, [str(har), "--url", mock.url, "--report", str(report)])
    assert (report / "report.json").exists(), done.output
    return done.exit_code, done.output, json.loads((report / "report.json").read_text("utf-8"))


@pytest.mark.parametrize("content", ["embed", "attach", "omit"])
def test_a_browsers_recording_of_a_correct_server_is_clean(
    new_screen: Recording, account: Account, mock: Process, tmp_path: Path, content: str
) -> None:
    har = tmp_path / "browser.har"
    screen = new_screen(record_har_path=har, record_har_content=content)
    screen.open(account.key)
    fill(screen, "Model", "nano-banana-pro")
    fill(screen, "Prompt", "A lighthouse, cut open \U0001f5fc")
    screen.submit().reaches("completed", "It cost")
    screen.shows_a_picture()
    account.play("provider-down")
    screen.submit().reaches("failed")
    screen.page.context.close()

    status, said, report = checked(har, mock, tmp_path / "report")
    assert status == (0 if content == "embed" else 2), said  # without bodies, nothing can be checked
    assert "other servers were left out" in said  # the page's own files
    assert account.key not in said
    assert account.key not in (tmp_path / "report" / "traffic.har").read_text("utf-8")
    held = {clause["id"] for clause in report["clauses"] if clause["outcome"] == "held"}
    if content == "embed":
        assert report["spent"] == 2 * report["refunded"] > 0
        assert held > {"lifecycle.transitions", "lifecycle.charged", "lifecycle.failed.refund-flag"}
    else:
        assert "not checked: the recording has no body of the answer" in said
        assert "no exchange in it could be checked: it names " in said


def test_a_browsers_recording_of_a_faulty_server_names_what_it_broke(
    new_screen: Recording, account: Account, mock: Process, tmp_path: Path
) -> None:
    def cheaper(route: Route) -> None:
        if route.request.method != "POST":  # the browser asks first whether it may
            return route.continue_()
        answer = route.fetch()
        return route.fulfill(response=answer, json={**answer.json(), "creditsUsed": answer.json()["creditsUsed"] - 1})

    har = tmp_path / "browser.har"
    screen = new_screen(record_har_path=har, record_har_content="embed")
    screen.page.route(
        "**/generate", lambda route: cheaper(route) if route.request.method == "POST" else route.continue_()
    )
    screen.open(account.key)
    fill(screen, "Prompt", "A lighthouse, cut open")
    screen.submit().reaches("completed", "It cost")
    screen.page.context.close()

    status, said, report = checked(har, mock, tmp_path / "report")
    assert status == 1, said
    broken = {finding["clause"] for finding in report["findings"]}
    assert any(".price" in clause for clause in broken), broken
    assert account.key not in json.dumps(report)
