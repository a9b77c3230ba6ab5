"""The console over HTTP: what it shows, what its forms do, what it never does."""

from __future__ import annotations

import asyncio
import html
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message

from contract.model import Contract
from mock_server.accounts import load_accounts
from mock_server.console import events
from mock_server.console.chart import ledger_chart
from mock_server.console.forms import Forms
from mock_server.console.page import console_app
from mock_server.console.views import View, duration
from mock_server.control import Control, ControlError
from mock_server.control_app import control_document
from mock_server.exchanges import Exchanges
from mock_server.headers import STRICT
from mock_server.ids import new_task_id
from mock_server.ledger import Entry, entries_of
from mock_server.mock import Mock
from mock_server.plan import Chance, Planner
from mock_server.service import Service
from mock_server.settings import MEMORY, Settings
from mock_server.store import Journal, Store
from mock_server.task import MICROSECONDS, Plan, Task
from tests.mock_server.harness import GENERATE, OTHER, PATIENCE, RICH, SCENARIOS, Process, at, bearer, request, told

CONSOLE, EVENTS = "/_mock/console", "/_mock/events"
SCRIPT = "<script>alert(1)</script>"
PACKAGE = Path(events.__file__).parent


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("mock"), ("--task-seconds", "3600")) as process:
        yield process


@pytest.fixture(autouse=True)
def reset(mock: Process) -> None:
    assert mock.client.post("/_mock/reset").status_code == 204


def page(mock: Process, query: str = "", status: int = 200) -> str:
    response = mock.client.get(f"{CONSOLE}{query}")
    assert response.status_code == status, response.text
    return response.text


def act(mock: Process, path: str, status: int = 200, **fields: str) -> str:
    """Send a form as the page does; gives what is said about it."""
    response = mock.client.post(f"{CONSOLE}{path}", data=fields, headers={"HX-Request": "true", "Origin": mock.url})
    assert response.status_code == status, response.text
    assert '<main id="main"' in response.text
    said = re.search(r'<div hx-swap-oob="innerHTML:#status">(.*)</div>', response.text)
    assert said
    return html.unescape(re.sub("</?strong>", "", said[1]))


def get(mock: Process, path: str) -> Any:
    response = mock.client.get(f"/_mock{path}")
    assert response.status_code == 200
    return response.json()


# ------------------------------------------------------------------ the page


def test_it_shows_accounts_tasks_and_exchanges(mock: Process) -> None:
    task = mock.new(prompt="a lighthouse")
    text = page(mock)
    assert "Image task API 1.0.0" in text
    assert "999,997" in text
    assert task in text
    assert "a lighthouse" in text
    assert "left</span>" in text
    assert "POST /api/ai/image/generate" in text


def test_it_has_landmarks_headings_and_a_polite_status(mock: Process) -> None:
    text = page(mock)
    for tag in ("<header>", "<main ", '<nav aria-label="Sections">', "<h1>"):
        assert text.count(tag) == 1
    sections = re.findall(r'<section id="\w+" aria-labelledby="([\w-]+)">', text)
    assert sections == ["controls-title", "accounts-title", "tasks-title", "exchanges-title"]
    for title in sections:
        assert f'<h2 id="{title}">' in text
    assert '<p id="status" role="status" aria-live="polite">' in text
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert not set(re.findall(r'<label for="([^"]*)"', text)) - set(ids)


@pytest.mark.parametrize(
    "path", [CONSOLE, f"{CONSOLE}?account=nobody", f"{CONSOLE}/static/console.css", f"{CONSOLE}/x"]
)
def test_every_answer_forbids_what_the_console_does_not_need(mock: Process, path: str) -> None:
    headers = mock.client.get(path).headers
    assert headers["content-security-policy"] == STRICT
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_it_keeps_to_its_own_policy(mock: Process) -> None:
    mock.new()
    text = page(mock, "?account=rich&exchange=1")
    assert not re.search(r"<[^>]*\s(style|on\w+)=", text)
    assert not re.search(r"<script(?![^>]* src=)", text)
    assert "<style" not in text
    assert not re.search(r'(?:src|href|action)="(?!/|#)', text)


def test_all_that_it_loads_is_there_and_its_own(mock: Process) -> None:
    loaded = re.findall(r'(?:<script src|<link rel="\w+" href)="([^"]*)"', page(mock))
    assert len(loaded) == 6
    for path in loaded:
        assert mock.client.get(path).status_code == 200
    for own in (PACKAGE / "static" / "console.css", PACKAGE / "static" / "console.js"):
        assert "//" not in re.sub("(?m)^ *//.*$", "", own.read_text())


def test_the_scripts_of_others_say_what_they_are() -> None:
    vendor = PACKAGE / "static" / "vendor"
    readme = (vendor / "README.md").read_text()
    scripts = sorted(path.name for path in vendor.glob("*.js"))
    assert len(scripts) == 3
    for name in (*scripts, *(path.name for path in vendor.glob("*.LICENSE"))):
        assert f"`{name}`" in readme
    version = re.search(r'version:"([\d.]+)"', (vendor / "htmx.min.js").read_text())
    assert version
    assert f"| {version[1]} |" in readme


def test_a_prompt_is_shown_and_never_markup(mock: Process) -> None:
    mock.new(prompt=SCRIPT, **told("failed", afterSeconds=0, errorCode=SCRIPT, errorMessage='"><img src=x>'))
    newest = get(mock, "/exchanges")["exchanges"][0]["id"]
    text = page(mock, f"?account=rich&exchange={newest}")
    assert html.escape(SCRIPT) in text
    assert SCRIPT not in text
    assert "<img src=x>" not in text


def test_what_is_typed_into_the_address_or_a_form_is_never_markup(mock: Process) -> None:
    for query in (f"?account={SCRIPT}", f"?exchange={SCRIPT}", f"?after={SCRIPT}", f"?accounts={SCRIPT}"):
        assert SCRIPT not in mock.client.get(f"{CONSOLE}{query}").text
    assert SCRIPT not in mock.client.post(f"{CONSOLE}/credits", data={"account": SCRIPT, "credits": "1"}).text


def test_a_thumbnail_is_a_path_whatever_host_the_task_was_submitted_by(mock: Process) -> None:
    response = mock.client.post(
        "/api/ai/image/generate",
        json=request(**told(afterSeconds=0)),
        headers={**bearer(RICH), "Host": "mock.example:99"},
    )
    task = response.json()["taskId"]
    assert mock.read(task)["imageUrls"][0].startswith("http://mock.example:99/")
    found = re.search(r'<img src="(/_mock/pictures/[^"]*)"[^>]* loading="lazy"', page(mock))
    assert found
    assert mock.client.get(found[1]).headers["content-type"] == "image/png"


def test_one_account_has_its_ledger_and_a_chart_of_it(mock: Process) -> None:
    mock.new(**told("failed", afterSeconds=0))
    mock.new(OTHER)
    text = page(mock, "?account=rich")
    assert "sk_test_rich" in text
    assert re.findall(r'<path class="dot ([\w-]+)"', text) == ["debit", "refund"]
    assert re.findall(r'<td class="number">([^<]*)</td>', text) == ["+3", "1,000,000", "-3", "999,997"]
    assert text.count('class="task"') == 1
    assert text.count('<a id="exchange-') == 1


def test_an_account_that_is_not_there_is_said_and_the_rest_is_shown(mock: Process) -> None:
    text = html.unescape(page(mock, "?account=nobody", status=404))
    assert "no account 'nobody'" in text
    assert "All accounts" not in text
    assert "Controls of all accounts" in text


def test_an_exchange_can_be_inspected(mock: Process) -> None:
    mock.submit("sk_test_poor", model="nano-banana-pro")
    newest = get(mock, "/exchanges")["exchanges"][0]["id"]
    text = html.unescape(page(mock, f"?exchange={newest}"))
    assert '<article id="inspector"' in text
    assert "<dd>insufficient credits</dd>" in text
    assert '"required": 12' in text
    assert '"prompt": "a red fox"' in text
    assert "sk_test_poor" not in text
    for gone in ("999999", "x"):
        assert f"Exchange {gone} is not kept" in page(mock, f"?exchange={gone}")


def test_a_refresh_gets_the_main_part_alone(mock: Process) -> None:
    response = mock.client.get(CONSOLE, headers={"HX-Request": "true"})
    assert response.text.startswith('<main id="main"')
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["vary"] == "HX-Request"


# ------------------------------------------------------------------ the forms


def test_a_task_is_failed_and_the_refund_is_in_the_ledger(mock: Process) -> None:
    task = mock.new()
    assert act(mock, f"/tasks/{task}/fail?account=rich", errorCode="EMPTY_RESULT") == f"The task {task} has failed."
    assert mock.read(task)["errorCode"] == "EMPTY_RESULT"
    kinds = [(entry["kind"], entry["amount"]) for entry in get(mock, "/accounts/rich/ledger")["entries"]]
    assert kinds == [("debit", -3), ("refund", 3)]
    assert mock.client.get(CONSOLE).text.count(f"fail-{task}") == 0


def test_without_a_code_a_task_fails_with_the_contracts_first(mock: Process, contract: Contract) -> None:
    task = mock.new()
    act(mock, f"/tasks/{task}/fail", errorCode=" ")
    assert mock.read(task)["errorCode"] == next(iter(contract.lifecycle.error_codes))


def test_a_task_is_completed_or_held(mock: Process) -> None:
    one, other = mock.new(), mock.new()
    act(mock, f"/tasks/{one}/complete")
    assert mock.read(one)["status"] == 1
    act(mock, f"/tasks/{other}/hold")
    assert get(mock, f"/tasks/{other}")["held"]
    text = page(mock)
    assert f"hold-{other}" not in text
    assert f"complete-{other}" in text


def test_credits_are_added(mock: Process) -> None:
    said = act(mock, "/credits?account=poor", account="poor", credits="10")
    assert said == "The account poor has 12 credits now."
    assert get(mock, "/accounts/poor")["balance"] == 12
    assert "top-up" in page(mock, "?account=poor")


def test_an_account_is_made(mock: Process) -> None:
    assert act(mock, "/accounts", name="fresh", credits="7") == "The account fresh has 7 credits."
    assert re.fullmatch(r"The account account-\w+ has 0 credits.", act(mock, "/accounts", name="", credits="0"))


def test_the_clock_is_turned(mock: Process) -> None:
    task = mock.new()
    assert act(mock, "/clock", speed="0").startswith("The clock stands still")
    before = get(mock, "/clock")["now"]
    act(mock, "/clock/advance", seconds="180")
    assert get(mock, "/clock")["now"] > before
    assert get(mock, "/clock")["speed"] == 0
    assert "frozen" in page(mock)
    assert act(mock, "/clock", speed="60").startswith("The clock goes at 60 times the speed of real time")
    act(mock, "/clock/advance", seconds="3600")
    assert mock.read(task)["status"] == 1
    assert act(mock, "/clock", real="true").startswith("The clock is the machine's own time")
    assert get(mock, "/clock")["real"]


def test_the_clock_and_the_scenario_of_one_account_are_its_own(mock: Process) -> None:
    act(mock, "/clock?account=rich", account="rich", speed="0")
    assert act(mock, "/scenario?account=rich", account="rich", name="provider-down") == (
        "The scenario provider-down is on for rich."
    )
    assert get(mock, "/clock")["real"]
    account = get(mock, "/accounts/rich")
    assert (account["clock"]["own"], account["scenario"]) == (True, "provider-down")
    assert "own clock" in page(mock)
    assert '<option value="provider-down" selected>' in page(mock, "?account=rich")


def test_a_scenario_is_switched(mock: Process) -> None:
    assert act(mock, "/scenario", name="provider-down") == "The scenario provider-down is on for all accounts."
    assert get(mock, "/scenarios")["current"] == "provider-down"


def test_a_reset_forgets_everything_or_one_account(mock: Process) -> None:
    mock.new()
    mock.new(OTHER)
    assert act(mock, "/reset?account=rich", account="rich") == "rich is as it was at the beginning."
    assert [task["account"] for task in get(mock, "/tasks")["tasks"]] == ["other"]
    act(mock, "/accounts", name="fresh", credits="7")
    assert act(mock, "/reset?account=fresh") == "Everything is as it was at the beginning."
    assert get(mock, "/tasks")["tasks"] == []
    assert [account["name"] for account in get(mock, "/accounts")["accounts"]] == ["empty", "other", "poor", "rich"]


def test_without_scripts_a_form_is_answered_with_the_whole_page(mock: Process) -> None:
    response = mock.client.post(f"{CONSOLE}/credits?account=poor", data={"account": "poor", "credits": "1"})
    assert response.text.startswith("<!doctype html>")
    assert "The account poor has 3 credits now.</p>" in response.text
    response = mock.client.post(f"{CONSOLE}/credits?account=poor", data={"account": "poor", "credits": "0"})
    assert response.status_code == 400
    assert 'class="failed">credits: ' in response.text


@pytest.mark.parametrize(
    ("path", "fields", "status", "said"),
    [
        ("/accounts", {}, 400, '"credits" is a required property'),
        ("/accounts", {"credits": "many"}, 400, 'credits: "many" is not of type "integer"'),
        ("/accounts", {"credits": "-1"}, 400, "credits: -1 is less than the minimum of 0"),
        ("/accounts", {"credits": "9" * 5000}, 400, "credits: "),
        ("/accounts", {"credits": "1", "name": "a b"}, 400, 'name: "a b" does not match'),
        ("/accounts", {"credits": "1", "name": "rich"}, 409, "there is an account 'rich' already"),
        ("/credits", {"account": "nobody", "credits": "1"}, 404, "no account 'nobody'"),
        ("/credits", {"credits": "1"}, 404, "no account ''"),
        ("/credits", {"account": "rich", "credits": "0"}, 400, "credits: 0 is less than the minimum of 1"),
        ("/clock", {}, 400, "less than 1 property"),
        ("/clock", {"speed": "nan"}, 400, 'speed: "nan" is not of type "number"'),
        ("/clock", {"speed": "-1"}, 400, "speed: -1"),
        ("/clock", {"real": "no"}, 400, "real: false"),
        ("/clock", {"account": "nobody", "speed": "0"}, 404, "no account 'nobody'"),
        ("/clock/advance", {"seconds": "1e300"}, 400, "seconds: 1e"),
        ("/scenario", {"name": "none"}, 400, "there is no scenario 'none'; there are everything-works"),
        ("/tasks/x/fail", {}, 404, "no task 'x'"),
        ("/tasks/x/complete", {}, 404, "no task 'x'"),
        ("/tasks/x/hold", {}, 404, "no task 'x'"),
        ("/tasks/x/fail", {"errorCode": "x" * 201}, 400, "errorCode: "),
        ("/reset", {"account": "nobody"}, 404, "no account 'nobody'"),
        ("/accounts", {"name": "x" * 70_000}, 413, "this is more than any form of the console holds"),
    ],
)
def test_what_cannot_be_done_is_said(mock: Process, path: str, fields: dict[str, str], status: int, said: str) -> None:
    assert said in act(mock, path, status, **fields)
    assert [account["balance"] for account in get(mock, "/accounts")["accounts"]] == [0, 1_000_000, 2, 1_000_000]


def test_what_has_ended_stays(mock: Process) -> None:
    task = mock.new(**told(afterSeconds=0))
    for action in ("complete", "fail", "hold"):
        said = act(mock, f"/tasks/{task}/{action}", 409)
        assert said == f"the task {task} has ended, and what has ended stays"


FORMS = ["accounts", "credits", "clock", "clock/advance", "scenario", "reset", "tasks/x/fail", "tasks/x/complete"]


@pytest.mark.parametrize("path", [*FORMS, "tasks/x/hold"])
def test_a_form_is_only_posted(mock: Process, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        response = mock.client.request(method, f"{CONSOLE}/{path}")
        assert (response.status_code, response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("origin", ["https://example.com", "http://localhost:3000", "null"])
def test_other_sites_pages_can_neither_look_nor_act(mock: Process, origin: str) -> None:
    headers = {"Origin": origin}
    for path in FORMS:
        assert mock.client.post(f"{CONSOLE}/{path}", data={"credits": "1"}, headers=headers).status_code == 403
    for path in (CONSOLE, EVENTS, f"{CONSOLE}/static/console.css"):
        assert mock.client.get(path, headers=headers).status_code == 403
    cross_site = {"Sec-Fetch-Site": "cross-site"}
    assert mock.client.post(f"{CONSOLE}/reset", headers=cross_site).status_code == 403


def test_it_is_gone_without_the_control(tmp_path: Path) -> None:
    with Process(tmp_path, ("--no-control",)) as mock:
        for path in (CONSOLE, EVENTS):
            response = mock.client.get(path)
            assert (response.status_code, response.json()) == (404, {"error": "Not found"})


def test_beyond_loopback_it_needs_the_token(tmp_path: Path) -> None:
    options = ("--host", "0.0.0.0", "--control-token", "secret")  # noqa: S104 - that is the point
    with Process(tmp_path, options) as mock:
        for path in (CONSOLE, EVENTS):
            assert mock.client.get(path).status_code == 401
        response = mock.client.get(f"{CONSOLE}?token=secret")
        assert (response.status_code, response.headers["location"]) == (303, CONSOLE)
        mock.client.cookies.update(response.cookies)
        assert mock.client.get(CONSOLE).status_code == 200


# ------------------------------------------------------------------ many of them


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory, contract: Contract) -> Iterator[Process]:
    """A mock with 1,000 tasks and 45 more accounts."""
    folder = tmp_path_factory.mktemp("crowd")
    store = Store(f"sqlite:///{folder}/crowd.db")
    store.add_accounts(load_accounts(folder_accounts(folder), contract, None))
    start = time.time_ns() // 1000 - 3600 * MICROSECONDS
    for number in range(1000):
        store.submit("crowd-00", 3, at(start + number * 1000), maker(contract, number, start + number * 1000))
    store.close()
    with Process(folder, ("--database", f"sqlite:///{folder}/crowd.db")) as process:
        yield process


def folder_accounts(folder: Path) -> Path:
    path = folder / "accounts.yaml"
    names = [f"crowd-{number:02}" for number in range(45)]
    accounts = "".join(f"  - {{name: {name}, credentials: {{bearerAuth: {name}}}}}\n" for name in names)
    path.write_text(f"defaultCredits: 5000\naccounts:\n{accounts}")
    return path


def maker(contract: Contract, number: int, now: int) -> Callable[[int, int], tuple[Task, tuple[Entry, ...]]]:
    def make(_ordinal: int, _now: int) -> tuple[Task, tuple[Entry, ...]]:
        kept = request(prompt=f"number {number}")
        outcome = contract.lifecycle.terminal[0].name
        task = Task(
            id=new_task_id(now),
            account="crowd-00",
            operation=GENERATE,
            request=kept,
            credits=3,
            created_at=now,
            base_url="http://mock",
            plan=Plan(outcome, now + MICROSECONDS),
        )
        return task, entries_of(task, contract.lifecycle)

    return make


def test_a_thousand_tasks_come_in_pages(crowd: Process) -> None:
    query, prompts, pages = "", list[str](), 0
    while True:
        text = page(crowd, query)
        pages += 1
        shown = re.findall(r'<p class="text">(.*)</p>', text)
        assert len(shown) <= 50
        prompts += shown
        older = re.search(r'<a id="older" href="/_mock/console([^"#]*)#tasks"', text)
        if older is None:
            break
        query = html.unescape(older[1])
    assert prompts == [f"number {number}" for number in reversed(range(1000))]
    assert pages in (20, 21)


def test_an_account_with_a_thousand_tasks_has_pages_and_the_newest_of_its_ledger(crowd: Process) -> None:
    text = page(crowd, "?account=crowd-00")
    assert text.count('class="task"') == 50
    assert re.search(r'id="older" href="/_mock/console\?account=crowd-00&amp;after=tsk_\w+#tasks"', text)
    assert text.count('<path class="dot debit"') == 50
    assert "2,000</strong> credits" in text
    assert page(crowd, "?account=crowd-01").count('class="task"') == 0


def test_accounts_come_in_pages(crowd: Process) -> None:
    query, names = "", list[str]()
    while True:
        text = page(crowd, query)
        names += re.findall(r'<a id="account-([^"]*)"', text)
        more = re.search(r'<a href="/_mock/console([^"#]*)#accounts">More accounts', text)
        if more is None:
            break
        query = html.unescape(more[1])
    assert names == sorted(names)
    assert len(names) == len(set(names)) == 49


# ------------------------------------------------------------------ events


def lines_of(mock: Process, query: str = "") -> Iterator[str]:
    with mock.client.stream("GET", f"{EVENTS}{query}", timeout=10) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield from response.iter_lines()


def test_a_submission_is_an_event(mock: Process) -> None:
    lines = lines_of(mock)
    assert next(lines) == ": hello"
    mock.new()
    assert "event: changed" in lines
    assert next(lines).startswith("data: ")


def test_a_change_by_the_control_is_an_event(mock: Process) -> None:
    lines = lines_of(mock)
    assert next(lines) == ": hello"
    act(mock, "/clock", speed="0")
    assert "event: changed" in lines


def test_what_happened_since_the_page_was_made_is_an_event(mock: Process) -> None:
    connect = re.search(r'sse-connect="/_mock/events([^"]*)"', page(mock, "?account=rich"))
    assert connect
    mock.new()
    assert "event: changed" in lines_of(mock, html.unescape(connect[1]))


def test_a_task_that_is_at_work_is_an_event_for_those_who_see_it(mock: Process) -> None:
    act(mock, "/clock", speed="0")
    task = mock.new()
    lines = lines_of(mock, "?account=rich")
    assert next(lines) == ": hello"
    mock.client.post(f"/_mock/tasks/{task}/complete")
    assert "event: changed" in lines


def test_the_mock_ends_while_somebody_listens(tmp_path: Path) -> None:
    with Process(tmp_path) as mock, mock.client.stream("GET", EVENTS) as response:
        assert next(response.iter_lines()) == ": hello"
        started = time.monotonic()
        status, rest = mock.end(signal.SIGINT)
        assert (status, rest.splitlines()[-1]) == (0, "mock-server: ended")
        assert time.monotonic() - started < 4


def test_who_listens_to_a_mock_that_is_loaded_anew_is_sent_away_to_come_back() -> None:
    store = Store(MEMORY)
    mock = Mock(Settings(), store, print)

    async def listen() -> None:
        begun = asyncio.Event()

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                begun.set()

        scope = {"type": "http", "method": "GET", "scheme": "http", "path": EVENTS, "query_string": b""}
        listening = asyncio.create_task(mock({**scope, "headers": [(b"host", b"localhost")]}, receive, send))
        await asyncio.wait_for(begun.wait(), PATIENCE)
        await asyncio.to_thread(mock.load)
        await asyncio.wait_for(listening, PATIENCE)

    asyncio.run(listen())
    store.close()


def heard(fingerprints: list[str], seen: str | None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent while the fingerprint takes these values in turn."""
    monkeypatch.setattr(events, "_EVERY_SECONDS", 0)
    left = iter(fingerprints)
    asked = len(fingerprints) - (seen is None)
    rounds = iter([False] * asked + [True])

    async def listen() -> list[str]:
        return [text async for text in events.changes(lambda: next(left), seen, lambda: next(rounds))]

    return asyncio.run(listen())


def test_an_event_is_sent_only_when_there_is_something_else_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    said = heard(["a", "a", "b", "b", "b", "a"], None, monkeypatch)
    assert said == [": hello\n\n", "event: changed\ndata: b\n\n", "event: changed\ndata: a\n\n"]
    assert heard(["a", "a"], "b", monkeypatch) == [": hello\n\n", "event: changed\ndata: a\n\n"]


def test_a_heartbeat_is_sent_every_fifteen_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard(["a"] * 60, "a", monkeypatch) == [": hello\n\n", ": still here\n\n", ": still here\n\n"]


# ------------------------------------------------------------------ parts


def test_a_mistake_in_the_files_is_shown_above_everything(contract: Contract, store: Store) -> None:
    service = Service(contract, store, Planner(contract.lifecycle, Chance(5, 0, 0)), SCENARIOS)
    exchanges = Exchanges(contract, Journal(store))
    control = Control(contract, store, service, exchanges, tuple)
    control.problem = f"openapi.yaml:3: {SCRIPT}"
    app = console_app(contract, control, exchanges, control_document()[1], replaced=lambda: False)

    async def look() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return (await client.get(CONSOLE)).text

    text = asyncio.run(look())
    assert 'role="alert"' in text
    assert html.escape(control.problem) in text
    assert "No accounts." in text


def test_a_view_is_kept_in_the_paths_from_it() -> None:
    view = View.of({"account": "a b", "after": "", "exchange": "3"})
    assert view.path("/clock") == "/_mock/console/clock?account=a+b&exchange=3"
    assert view.path(account=None, exchange=None) == "/_mock/console"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, None),
        (0, "0 s"),
        (0.2, "1 s"),
        (59.9, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (7325, "2 h 2 min 5 s"),
    ],
)
def test_a_time_is_said_in_words(seconds: float | None, expected: str | None) -> None:
    assert duration(seconds) == expected


def ledger(*entries: tuple[str, int, int]) -> dict[str, Any]:
    return {"entries": [{"kind": kind, "amount": amount, "balance": balance} for kind, amount, balance in entries]}


def test_a_ledger_is_drawn_in_steps() -> None:
    chart = ledger_chart(ledger(("debit", -4, 6), ("refund", 4, 10)))
    assert chart
    assert (chart.highest, chart.lowest) == (10, 6)
    assert chart.line == "M14.0 14.0H500.0V186.0H986.0V14.0"
    assert [(dot.kind, dot.y) for dot in chart.dots] == [("debit", 186.0), ("refund", 14.0)]
    assert chart.dots[0].title == "debit -4: 6 credits"
    assert chart.description == "From 10 to 10 credits in 2 entries"


def test_a_ledger_without_entries_or_movement_can_be_drawn_too() -> None:
    assert ledger_chart(ledger()) is None
    chart = ledger_chart(ledger(("debit", 0, 5)))
    assert chart
    assert chart.line == "M14.0 100.0H986.0V100.0"


def test_a_form_says_what_the_control_api_takes() -> None:
    forms = Forms(control_document()[1])
    assert forms.body("createAccount", {"credits": " 5 ", "name": "", "other": "x"}) == {"credits": 5}
    assert forms.body("setClock", {"speed": "0.5", "account": "rich"}) == {"speed": 0.5}
    assert forms.body("setClock", {"real": "true"}) == {"real": True}
    assert forms.body("failTask", {}) == {}
    with pytest.raises(ControlError):
        forms.body("advanceClock", {"seconds": "inf"})


@pytest.mark.parametrize("query", ["account=%00", "after=%00", "accounts=%00"])
def test_what_no_database_could_look_for_is_unknown(mock: Process, query: str) -> None:
    assert "\0" not in (response := mock.client.get(f"{CONSOLE}?{query}")).text
    assert response.status_code in (200, 404)
