"""The example page in a real browser, against a mock in a process of its own: each state that it can be in."""

import itertools
import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from contract.model import Contract
from tests.browser.screen import Account, Screen
from tests.mock_server.harness import Process, told

RETRIES = 4
"""How often `client.js` tries a read again."""

# ------------------------------------------------------------ the good course


@pytest.mark.whole
def test_a_new_page_asks_nothing_of_anybody(screen: Screen, mock: Process) -> None:
    screen.open("sk_some").reaches("idle", "Nothing submitted yet")
    expect(screen.field("Base URL")).to_have_value(mock.url)
    expect(screen.field("Key")).to_have_value("sk_some")
    assert not screen.asked


@pytest.mark.whole
@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"Model": "gpt-image-2"}, {"model": "gpt-image-2"}),
        (
            {"Model": "gpt-image-2", "Aspect ratio": "21:9", "Output format": "webp"},
            {"model": "gpt-image-2", "aspectRatio": "21:9", "outputFormat": "webp"},
        ),
        (
            {"Model": "nano-banana-2", "Aspect ratio": "7:1", "Resolution": "1K"},
            {"model": "nano-banana-2", "aspectRatio": "7:1", "resolution": "1K"},
        ),
        (
            {"Model": "nano-banana-pro", "Resolution": "4K", "Output format": "jpeg"},
            {"model": "nano-banana-pro", "resolution": "4K", "outputFormat": "jpeg"},
        ),
        (
            {"Model": "google/nano-banana", "Reference URLs": "https://a.example/1.png\n\n  https://b.example/2.png "},
            {"model": "google/nano-banana", "inputImageUrls": ["https://a.example/1.png", "https://b.example/2.png"]},
        ),
    ],
)
def test_a_task_of_each_model_completes(screen: Screen, account: Account, fields: dict[str, str], sent: Any) -> None:
    screen.open(account.key)
    for label, value in fields.items():
        fill(screen, label, value)
    fill(screen, "Prompt", "A lighthouse, cut open")
    screen.submit().reaches("completed", "It cost")
    assert screen.submissions == [{"prompt": "A lighthouse, cut open", **sent}]
    expect(screen.picture).to_have_attribute("alt", "A lighthouse, cut open")
    screen.shows_a_picture()
    expect(screen.status).to_contain_text(f"It cost {1000 - account.balance()} credits")


@pytest.mark.whole
def test_the_fields_are_those_of_the_model(screen: Screen) -> None:
    screen.open(None)
    for model, ratio, tiers in [
        ("nano-banana-2", "input", ["left out", "1K", "2K", "4K"]),
        ("nano-banana-pro", "input", ["left out", "2K", "4K"]),
        ("google/nano-banana", "input", None),
        ("gpt-image-2", "select", None),
    ]:
        fill(screen, "Model", model)
        assert screen.field("Aspect ratio").evaluate("field => field.localName") == ratio
        if tiers is None:
            expect(screen.field("Resolution")).to_have_count(0)
        else:
            assert screen.field("Resolution").get_by_role("option").all_inner_texts() == tiers


@pytest.mark.whole
def test_a_value_that_the_next_model_lacks_is_not_sent(screen: Screen, account: Account) -> None:
    screen.open(account.key)
    fill(screen, "Model", "nano-banana-2")
    fill(screen, "Resolution", "1K")
    fill(screen, "Aspect ratio", "7:1")
    fill(screen, "Model", "nano-banana-pro")
    expect(screen.field("Resolution")).to_have_value("")
    fill(screen, "Model", "gpt-image-2")
    screen.submit().reaches("completed")
    assert screen.submissions == [{"model": "gpt-image-2", "prompt": "A fox made of folded newspaper"}]


@pytest.mark.whole
def test_a_reload_takes_up_the_task_and_pays_nothing(screen: Screen, account: Account) -> None:
    task = account.mock.new(account.key, **told(afterSeconds=3600))
    screen.open(account.key, task=task).reaches("pending", task)
    screen.page.reload()
    screen.reaches("pending", task)
    screen.open(account.key).submit().reaches("completed")
    screen.page.reload()
    screen.reaches("completed")
    assert len(screen.submissions) == 1
    assert account.balance() == 1000 - 3 - 3


@pytest.mark.whole
def test_waiting_can_be_stopped_and_taken_up_again(screen: Screen, account: Account) -> None:
    task = account.mock.new(account.key, **told(afterSeconds=3600))
    screen.page.clock.install()
    screen.open(account.key, task=task).reaches("pending")
    screen.button("Stop waiting").click()
    screen.reaches("idle", "You stopped waiting", task)
    expect(screen.page.locator("#headline")).to_be_focused()  # the button that was pressed is gone
    before = screen.reads
    screen.page.clock.fast_forward(60_000)
    assert screen.reads == before
    screen.button("Read the task again").click()
    screen.reaches("pending", task)


@pytest.mark.whole
def test_it_waits_as_the_contract_says(screen: Screen, contract: Contract) -> None:
    timing = contract.lifecycle.timing
    times = screen.open(None).page.evaluate("async () => (await import('./client.js')).TIMES")
    assert (times["poll"], times["longest"]) == (timing.poll, timing.deadline)

    # Each read shows another number, so that the test sees when the page waits for the next one.
    numbers = itertools.count(1)

    def answer(route: Route) -> None:
        answering(200, pending(creditsUsed=next(numbers)))(route)

    screen.page.route("**/api/ai/**", answer)
    screen.page.clock.install(time=0)
    screen.page.clock.pause_at(1000)
    poll = round(timing.poll * 1000)
    screen.open("sk_any", task="tsk_any", poll=timing.poll).reaches("pending", "It took 1 credits")
    for number in range(2, 6):
        screen.page.clock.run_for(poll - 1)
        assert screen.reads == number - 1
        screen.page.clock.run_for(1)
        screen.reaches("pending", f"It took {number} credits")
    screen.page.clock.fast_forward(round(timing.deadline * 1000))
    screen.reaches("timeout", f"Not ended after {timing.deadline:g} seconds", "may still end")


@pytest.mark.whole
def test_after_the_longest_wait_the_task_can_be_read_again(screen: Screen, account: Account) -> None:
    task = account.mock.new(account.key, **told(afterSeconds=2))
    screen.open(account.key, task=task, longest=0.3).reaches("timeout", task)
    expect(screen.picture).to_have_count(0)
    while screen.main.get_attribute("data-state") != "completed":
        screen.button("Read the task again").click()
        expect(screen.main).to_have_attribute("data-state", re.compile("timeout|completed"))
    expect(screen.picture).to_be_visible()


# ---------------------------------------------------------- documented errors


@pytest.mark.whole
def test_what_is_invalid_is_said_beside_each_field(screen: Screen, account: Account) -> None:
    screen.open(account.key)
    fill(screen, "Model", "nano-banana-2")
    fill(screen, "Prompt", "")
    fill(screen, "Aspect ratio", "wide")
    fill(screen, "Reference URLs", "ftp://example.com/a.png")
    screen.submit().reaches("invalid", "Invalid request", "Nothing was charged")
    assert screen.messages("Prompt") == ["Prompt is required"]
    assert len(screen.messages("Aspect ratio")) == 1
    assert len(screen.messages("Reference URLs")) == 1
    assert screen.messages("Model") == []
    expect(screen.field("Prompt")).to_be_focused()
    assert account.balance() == 1000

    fill(screen, "Prompt", "A fox")
    screen.submit().reaches("invalid")
    expect(screen.field("Aspect ratio")).to_be_focused()
    assert screen.messages("Prompt") == []


@pytest.mark.whole
def test_messages_that_are_about_no_field_of_the_form_are_said_too(screen: Screen) -> None:
    details = {"formErrors": ["The body as a whole"], "fieldErrors": {"providerInput": ["Too deep"]}}
    screen.page.route("**/api/ai/**", answering(400, {"error": "Invalid request", "details": details}))
    screen.open("sk_any").submit().reaches("invalid")
    texts = screen.page.locator("#form-errors li").all_inner_texts()
    assert texts == ["The body as a whole", "providerInput: Too deep"]


@pytest.mark.whole
@pytest.mark.parametrize("key", [None, "sk_wrong"])
def test_a_missing_or_wrong_key(screen: Screen, key: str | None, account: Account) -> None:
    screen.open(key).submit().reaches("unauthenticated", "missing or not valid", "Nothing was charged")
    expect(screen.field("Key")).to_be_focused()

    task = account.mock.new(account.key)
    screen.open(key, task=task).reaches("unauthenticated", "was not read")
    fill(screen, "Key", account.key)
    screen.button("Read the task again").click()
    screen.reaches("completed")


@pytest.mark.whole
def test_a_balance_under_the_price(screen: Screen, mock: Process) -> None:
    account = Account.new(mock, credits=11)
    screen.open(account.key)
    fill(screen, "Model", "nano-banana-pro")
    screen.submit().reaches("insufficient", "this costs 12", "Nothing was charged")
    assert account.balance() == 11


@pytest.mark.whole
def test_the_task_of_another_account(screen: Screen, account: Account, mock: Process) -> None:
    task = mock.new(Account.new(mock, credits=10).key)
    screen.open(account.key, task=task).reaches("not-found", task)
    assert screen.reads == 1


# ----------------------------------------------------------------- no answers


@pytest.mark.whole
def test_no_server(screen: Screen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    screen.open("sk_any", api=f"http://127.0.0.1:{port}").submit()
    screen.reaches("unreachable", "the server is not there", "you may pay twice", problem="network")


@pytest.mark.whole
def test_another_server_than_the_api(screen: Screen, site: str) -> None:
    screen.open("sk_any", api=site).submit().reaches("unreachable", "not JSON", problem="not-json")


@pytest.mark.whole
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, {"error": "Slow down"}),
        (200, {"status": 0}),
        (200, {"taskId": 7, "status": 0}),
        (200, []),
        (200, None),
        (400, {"error": "Invalid request"}),
        (402, {"error": "Insufficient credits"}),
        (500, {"message": "An error of another kind"}),
    ],
)
def test_an_answer_that_no_contract_knows(screen: Screen, status: int, body: Any) -> None:
    screen.page.route("**/api/ai/**", answering(status, body))
    screen.open("sk_any").submit().reaches("unreachable", "none that the contract knows", problem="undocumented")
    screen.result.get_by_text("The last answer").click()
    expect(screen.page.locator("#answer")).to_contain_text(f"status {status}")


@pytest.mark.whole
@pytest.mark.parametrize("body", [{"status": 3}, {"status": 1}, {"status": 1, "imageUrls": None}, {"status": 2}])
def test_a_snapshot_that_no_contract_knows(screen: Screen, body: Any) -> None:
    screen.page.route("**/api/ai/**", answering(200, body))
    screen.open("sk_any", task="tsk_any").reaches("unreachable", problem="undocumented")
    for retry in range(1, RETRIES + 1):
        assert screen.was("pending", f"retry {retry} of {RETRIES}", problem="undocumented")
    assert screen.reads == 1 + RETRIES


@pytest.mark.whole
@pytest.mark.parametrize("api", ["", "localhost:8000", "example.com", "ftp://example.com", "/api"])
def test_what_can_be_no_base_url(screen: Screen, api: str) -> None:
    screen.open("sk_any")
    fill(screen, "Base URL", api)
    screen.submit().reaches("invalid", "Nothing was sent")
    assert screen.messages("Base URL") == ["The base URL must begin with http:// or https://"]
    expect(screen.field("Base URL")).to_be_focused()
    assert not screen.asked


@pytest.mark.whole
def test_what_can_be_no_key(screen: Screen) -> None:
    screen.open("sk_ключ").submit().reaches("invalid", "Nothing was sent")
    assert len(screen.messages("Key")) == 1
    assert not screen.asked


@pytest.mark.whole
def test_a_refund_that_is_still_to_come(screen: Screen) -> None:
    screen.page.route("**/api/ai/**", answering(200, failed(creditsRefunded=False)))
    screen.open("sk_any", task="tsk_any").reaches("failed", "not back yet")
    screen.page.unroute("**/api/ai/**")
    screen.page.route("**/api/ai/**", answering(200, failed(creditsRefunded=True)))
    screen.button("Read the task again").click()
    screen.reaches("failed", "were refunded")
    expect(screen.button("Read the task again")).to_have_count(0)


@pytest.mark.whole
def test_texts_of_the_api_are_texts(screen: Screen) -> None:
    evil = "<img src=x onerror=alert(1)>"
    screen.page.route("**/api/ai/**", answering(200, failed(errorCode=evil, errorMessage=evil)))
    screen.open("sk_any", task="tsk_any").reaches("failed", f"Failed: {evil}", evil)
    expect(screen.picture).to_have_count(0)


@pytest.mark.whole
def test_several_pictures_of_which_one_does_not_load(screen: Screen, mock: Process, account: Account) -> None:
    good = mock.url + "/_mock/pictures/" + done(mock, account) + ".png"
    urls = [good, "http://127.0.0.1:1/gone.png"]
    screen.page.route("**/api/ai/**", answering(200, completed(imageUrls=urls)))
    screen.open("sk_any", task="tsk_any").reaches("completed")
    expect(screen.picture).to_have_count(2)
    expect(screen.result).to_contain_text("could not be loaded from http://127.0.0.1:1/gone.png")


# ------------------------------------------------------------------ scenarios


@pytest.mark.parametrize(
    ("scenario", "state", "text"),
    [
        ("everything-works", "completed", "It cost 3 credits"),
        ("provider-down", "failed", "The 3 credits were refunded"),
        ("storage-errors", "failed", "Failed: STORAGE_ERROR"),
        ("out-of-credits", "insufficient", "this costs 3"),
    ],
)
def test_scenario(screen: Screen, account: Account, scenario: str, state: str, text: str) -> None:
    account.play(scenario)
    screen.open(account.key).submit().reaches(state, text)
    assert account.balance() == (997 if state == "completed" else 1000)


@pytest.mark.whole
def test_the_slow_provider_takes_longer_than_anybody_waits(screen: Screen, account: Account) -> None:
    account.play("slow-provider")
    screen.open(account.key, longest=0.5).submit().reaches("timeout", "may still end")


@pytest.mark.whole
def test_of_many_tasks_some_fail_and_the_others_complete(screen: Screen, mock: Process) -> None:
    account = Account.new(mock, credits=1000, name="one-in-five")  # the name decides which tasks fail
    account.play("one-in-five-fails")
    screen.open(account.key)
    ends = set[str | None]()
    for _ in range(30):
        screen.submit()
        expect(screen.main).to_have_attribute("data-state", re.compile("completed|failed"))
        ends.add(screen.main.get_attribute("data-state"))
        if ends == {"completed", "failed"}:
            break
    assert ends == {"completed", "failed"}


LOST = [
    ("server-hangs-up", "unreachable", "network", "No answer"),
    ("body-cut-in-half", "unreachable", "broken-off", "broke off"),
    ("slow-trickle", "unreachable", "too-slow", "No whole answer in 1 seconds"),
]
SUBMISSIONS = [("server-errors", "server-error", "", "The server had an error"), *LOST]
READS = [("server-errors-on-reads", "server-error", "", "The server had an error"), *LOST]


@pytest.mark.whole
@pytest.mark.parametrize(("scenario", "state", "problem", "text"), SUBMISSIONS)
def test_a_submission_is_never_sent_again_by_itself(
    screen: Screen, account: Account, scenario: str, state: str, problem: str, text: str
) -> None:
    account.play(scenario)
    screen.open(account.key, slow=0.2, patience=1).submit()
    screen.reaches(state, text, "Submissions are not idempotent", "you may pay twice", problem=problem)
    expect(screen.button("Generate")).to_have_count(0)
    assert len(screen.submissions) == 1

    account.play("everything-works")
    screen.button("Send again, and perhaps pay twice").click()
    screen.reaches("completed")
    expect(screen.button("Generate")).to_be_visible()
    assert len(screen.submissions) == 2


@pytest.mark.whole
@pytest.mark.parametrize(("scenario", "state", "problem", "text"), READS)
def test_a_read_is_tried_again_by_itself_and_then_by_hand(
    screen: Screen, account: Account, scenario: str, state: str, problem: str, text: str
) -> None:
    task = account.mock.new(account.key)
    account.play(scenario)
    screen.open(account.key, task=task, slow=0.2, patience=1)
    screen.reaches(state, text, "could not be read", "costs nothing", problem=problem)
    for retry in range(1, RETRIES + 1):
        assert screen.was("pending", text, f"retry {retry} of {RETRIES}", problem=problem)
    assert screen.reads == 1 + RETRIES

    account.play("everything-works")
    screen.button("Read the task again").click()
    screen.reaches("completed")
    assert not screen.submissions


@pytest.mark.whole
@pytest.mark.parametrize("scenario", [name for name, *_ in READS])
def test_a_service_that_recovers_is_read_on_as_if_nothing_had_been(
    screen: Screen, account: Account, scenario: str
) -> None:
    task = account.mock.new(account.key)
    account.play(scenario)
    screen.open(account.key, task=task, poll=0.5, slow=0.2, patience=1).reaches("pending", "Trying again")
    account.play("everything-works")
    screen.reaches("completed")


@pytest.mark.whole
def test_a_slow_answer_is_said_to_be_slow(screen: Screen, account: Account) -> None:
    account.play("slow-trickle")
    screen.open(account.key, slow=0.1).submit()
    expect(screen.main).to_have_attribute("data-slow", "")
    expect(screen.status).to_contain_text("The answer takes long")


# ---------------------------------------------------------------- its manners


@pytest.mark.whole
def test_the_keyboard_is_enough(screen: Screen, account: Account) -> None:
    page = screen.open(None).page
    screen.field("Base URL").focus()
    for label in ["Base URL", "Key", "Model", "Prompt", "Aspect ratio", "Output format", "Reference URLs"]:
        expect(screen.field(label)).to_be_focused()
        assert outlined(page), label
        if label == "Key":
            page.keyboard.type(account.key)
        if label == "Model":
            page.keyboard.press("End")
            expect(screen.field("Model")).to_have_value("google/nano-banana")
        page.keyboard.press("Tab")
    expect(screen.button("Generate")).to_be_focused()
    assert outlined(page)
    page.keyboard.press("Enter")
    screen.reaches("completed")
    expect(screen.button("Generate")).to_be_focused()


@pytest.mark.whole
def test_a_second_press_pays_nothing(screen: Screen, account: Account) -> None:
    screen.open(account.key)
    screen.button("Generate").dblclick()
    screen.reaches("completed")
    assert len(screen.submissions) == 1


@pytest.mark.whole
def test_every_field_has_a_name_and_every_change_is_announced(screen: Screen) -> None:
    page = screen.open(None).page
    unnamed = "[...document.querySelectorAll('input, select, textarea')].filter(field => field.labels.length !== 1)"
    assert page.evaluate(f"{unnamed}.length") == 0
    dangling = (
        "[...document.querySelectorAll('[aria-describedby]')].flatMap(field => field.ariaDescribedByElements.length"
        " === field.getAttribute('aria-describedby').split(' ').length ? [] : [field.id])"
    )
    assert page.evaluate(dangling) == []
    expect(screen.status).to_have_count(1)
    expect(screen.status.get_by_role("heading")).to_have_text("Nothing submitted yet")


@pytest.mark.whole
def test_the_browser_keeps_the_connection_but_not_that_of_the_address(screen: Screen, mock: Process) -> None:
    screen.open("sk_from_the_address")
    screen.page.goto(screen.site)
    expect(screen.field("Key")).to_have_value("")
    expect(screen.field("Base URL")).to_have_value("http://localhost:8000")
    fill(screen, "Key", "sk_typed")
    fill(screen, "Base URL", mock.url)
    screen.field("Model").focus()
    screen.page.goto(screen.site)
    expect(screen.field("Key")).to_have_value("sk_typed")
    expect(screen.field("Base URL")).to_have_value(mock.url)


PICTURED = {("completed", "light"), ("failed", "dark")}
"""What README shows."""


@pytest.mark.whole
@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 360)])
def test_it_fits_and_is_legible(new_screen: Callable[..., Screen], account: Account, scheme: str, width: int) -> None:
    screen = new_screen(color_scheme=scheme, viewport={"width": width, "height": 900})
    folder = os.environ.get("SCREENSHOTS")
    for state, scenario in {"idle": None, "completed": "everything-works", "failed": "storage-errors"}.items():
        if scenario is None:
            screen.open(account.key).reaches(state)
        else:
            account.play(scenario)
            screen.submit().reaches(state)
        if state == "completed":
            screen.shows_a_picture()
        assert screen.page.evaluate("document.documentElement.scrollWidth") == width
        assert illegible(screen.page) == []
        if folder and (state, scheme) in PICTURED:
            screen.page.screenshot(path=Path(folder) / f"{state}-{scheme}-{width}.png", full_page=True)


# -------------------------------------------------------------------- helpers


def fill(screen: Screen, label: str, value: str) -> None:
    """Give a field a value, whatever kind of field it is."""
    control = screen.field(label)
    if control.evaluate("field => field.localName") == "select":
        control.select_option(value)
    else:
        control.fill(value)


def answering(status: int, body: Any) -> Callable[[Route], None]:
    """Gives an answer that no mock would give."""
    headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"}
    return lambda route: route.fulfill(status=status, body=json.dumps(body), headers=headers)


def pending(**fields: Any) -> dict[str, Any]:
    """The snapshot of a task at work."""
    return {
        "taskId": "tsk_any",
        "type": "image",
        "status": 0,
        "model": "gpt-image-2",
        "prompt": "A fox",
        "creditsUsed": 3,
        "creditsRefunded": False,
        "createdAt": "2026-03-02T09:15:00.000Z",
        "updatedAt": "2026-03-02T09:15:00.000Z",
        **fields,
    }


def completed(**fields: Any) -> dict[str, Any]:
    return pending(status=1, **fields)


def failed(**fields: Any) -> dict[str, Any]:
    error = {"errorCode": "EMPTY_RESULT", "errorMessage": "The provider returned no image."}
    return pending(**{"status": 2, "creditsRefunded": True, **error, **fields})


def done(mock: Process, account: Account) -> str:
    """The ID of a task that has completed."""
    task = mock.new(account.key, **told(afterSeconds=0))
    assert mock.read(task, account.key)["status"] == 1
    return task


def outlined(page: Page) -> bool:
    """Whether one sees where the focus is."""
    outline = page.evaluate(
        "(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])(getComputedStyle(document.activeElement))"
    )
    return bool(outline == ["solid", "3px"])


def illegible(page: Page) -> list[str]:
    """The texts whose contrast with their ground is under 4.5, the least that WCAG 2.2 asks for at level AA."""
    texts: list[str] = page.evaluate(
        """() => {
            const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
            const light = ([red, green, blue]) => {
                const [r, g, b] = [red, green, blue].map((value) => value / 255)
                    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = (element) => {
                const color = numbers(getComputedStyle(element).backgroundColor);
                return color[3] === 0 && element.parentElement ? ground(element.parentElement) : color;
            };
            const contrast = (element) => {
                const [dark, bright] = [numbers(getComputedStyle(element).color), ground(element)]
                    .map(light).sort((one, other) => one - other);
                return (bright + 0.05) / (dark + 0.05);
            };
            return [...document.querySelectorAll("body *")]
                .filter((element) => element.checkVisibility() && (element.value
                    || [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())))
                .filter((element) => contrast(element) < 4.5)
                .map((element) => `${element.localName}#${element.id}: ${contrast(element).toFixed(2)}`);
        }"""
    )
    return texts
