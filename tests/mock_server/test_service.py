"""The service debits, runs and refunds: beside a plain model of what it should do, and rule by rule."""

import ast
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from PIL import Image

from contract.model import Contract
from contract.reader import load_contract
from mock_server.clock import machine_time
from mock_server.ledger import EntryKind, balance
from mock_server.plan import Chance, Directive, Planner
from mock_server.service import Accepted, Insufficient, Service
from mock_server.settings import MEMORY
from mock_server.store import Store
from mock_server.task import MICROSECONDS, Plan
from tests.mock_server.harness import SCENARIOS, Clock, account, add_a_state, calling, changed_contract, request, told

OPERATION = "generateImage"
URL = "https://example.com/a.png"
OPENINGS = {"broke": 0, "modest": 40, "rich": 300}


@pytest.fixture
def service(contract: Contract, store: Store, clock: Clock) -> Service:
    store.add_accounts([account(name, credits) for name, credits in OPENINGS.items()])
    return Service(contract, store, Planner(contract.lifecycle, Chance(5, 0, 0)), SCENARIOS, clock)


def submit(service: Service, name: str = "rich", **fields: Any) -> Accepted | Insufficient:
    body = request(**fields)
    service.validate(OPERATION, body)
    order = service.order(OPERATION, calling(name), body, "http://mock")
    return order.outcome(order.pay())


def accepted(service: Service, name: str = "rich", **fields: Any) -> str:
    outcome = submit(service, name, **fields)
    assert isinstance(outcome, Accepted)
    assert outcome.body["taskId"] == outcome.task.id
    return outcome.task.id


# --------------------------------------------------------- beside a plain model


@dataclass
class Known:
    """What the model knows of a task."""

    id: str
    owner: str
    price: int
    plan: Plan
    seen: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Offer:
    """A request that a client may make, with the price of the contract's table."""

    request: dict[str, Any]
    price: int


def offers(contract: Contract) -> list[Offer]:
    """Every price of every profile, in both modes."""
    modes: list[dict[str, Any]] = [{}, {"inputImageUrls": []}, {"inputImageUrls": [URL, URL]}]
    return [
        Offer(request(model=profile.name, **fields, **mode), price)
        for _, submission in contract.submissions()
        for profile in submission.profiles.values()
        for fields, price, _ in profile.price.rows()
        for mode in modes
    ]


class Life(RuleBasedStateMachine):
    """A service and a model of it, through anything that clients and time may do."""

    tasks: Bundle[Known] = Bundle("tasks")

    def __init__(self, contract: Contract, database: str, offers: list[Offer]) -> None:
        super().__init__()
        self.contract = contract
        self.database = database
        self.offers = offers
        self.clock = Clock()
        self.planner = Planner(contract.lifecycle, Chance(task_seconds=5, failure_rate=0.4, seed=7))
        self.known: dict[str, list[Known]] = {name: [] for name in OPENINGS}
        self.open()

    def open(self) -> None:
        self.store = Store(self.database)
        self.store.add_accounts([account(name, credits) for name, credits in OPENINGS.items()])
        self.service = Service(self.contract, self.store, self.planner, SCENARIOS, self.clock)

    def teardown(self) -> None:
        self.store.close()

    def expected(self, name: str) -> int:
        paid = sum(task.price for task in self.known[name])
        failed = (task for task in self.known[name] if task.plan.outcome == "failed")
        return OPENINGS[name] - paid + sum(task.price for task in failed if task.plan.ends_at <= self.clock.now)

    @rule(
        target=tasks,
        name=st.sampled_from(list(OPENINGS)),
        which=st.integers(0),
        outcome=st.sampled_from([None, "completed", "failed"]),
        seconds=st.none() | st.sampled_from([0, 0.000001, 1, 3]),
    )
    def submit(self, name: str, which: int, outcome: str | None, seconds: float | None) -> Any:
        offer = self.offers[which % len(self.offers)]
        said = {"outcome": outcome, "afterSeconds": seconds}
        wish = {"providerInput": {"mock": {key: value for key, value in said.items() if value is not None}}}
        affordable = self.expected(name) >= offer.price
        order = self.service.order(OPERATION, calling(name), {**offer.request, **wish}, "http://mock")
        answer = order.outcome(order.pay())
        if not affordable:
            assert answer == Insufficient(offer.price)
            return multiple()
        assert isinstance(answer, Accepted)
        assert answer.body == {"taskId": answer.task.id, "status": 0, "creditsUsed": offer.price}
        directive = Directive(outcome=outcome, after_seconds=seconds)
        plan = self.planner.plan(directive, name, len(self.known[name]) + 1, self.clock.now)
        assert answer.task.plan == plan
        task = Known(answer.task.id, name, offer.price, plan)
        self.known[name].append(task)
        return task

    @rule(seconds=st.sampled_from([0.000001, 0.5, 2, 10]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(task=tasks, name=st.sampled_from(list(OPENINGS)))
    def read(self, task: Known, name: str) -> None:
        shown = self.service.read(calling(name), task.id)
        if name != task.owner:
            assert shown is None
            return
        assert shown is not None
        ended = task.plan.ends_at <= self.clock.now
        assert (shown["status"] in (1, 2)) == ended
        assert shown["creditsUsed"] == task.price
        assert shown["creditsRefunded"] == (ended and task.plan.outcome == "failed")
        if task.seen and task.seen[-1]["status"] in (1, 2):
            assert shown == task.seen[-1]
        task.seen.append(shown)
        assert [entry["status"] for entry in task.seen] == sorted(entry["status"] for entry in task.seen)

    @precondition(lambda self: not self.store.in_memory)
    @rule()
    def restart(self) -> None:
        self.store.close()
        self.open()

    @invariant()
    def balances_are_what_the_ledgers_sum_to(self) -> None:
        for name, opening in OPENINGS.items():
            credits, entries = self.store.balance(name, self.clock), self.store.entries(name)
            assert credits == self.expected(name) == balance(opening, entries, self.clock.now)
            assert credits >= 0
            assert [entry.kind for entry in entries].count(EntryKind.DEBIT) == len(self.known[name])
            assert len({(entry.task, entry.kind) for entry in entries}) == len(entries)


def test_no_sequence_of_events_makes_a_ledger_differ_from_a_plain_model(
    contract: Contract, new_database: Callable[[], str]
) -> None:
    known = offers(contract)

    class OneLife(Life):
        def __init__(self) -> None:
            super().__init__(contract, new_database(), known)

    run_state_machine_as_test(OneLife, settings=settings(max_examples=12, stateful_step_count=25))


# ----------------------------------------------------------------------- prices


def test_every_tier_of_every_model_costs_what_the_table_says_in_both_modes(
    contract: Contract, store: Store, clock: Clock
) -> None:
    store.add_accounts([account("table", 10_000)])
    service = Service(contract, store, Planner(contract.lifecycle, Chance(5, 0, 0)), SCENARIOS, clock)
    left = 10_000
    for offer in offers(contract):
        answer = submit(service, "table", **offer.request)
        assert isinstance(answer, Accepted)
        left -= offer.price
        assert (answer.body["creditsUsed"], store.balance("table", clock)) == (offer.price, left)


def test_an_omitted_tier_costs_what_its_default_costs(contract: Contract, service: Service) -> None:
    for _, submission in contract.submissions():
        for profile in submission.profiles.values():
            defaults = {deciding.name: deciding.default for deciding in profile.price.fields}
            outcome = submit(service, model=profile.name)
            assert isinstance(outcome, Accepted)
            assert outcome.body["creditsUsed"] == profile.price.of(defaults) == min(profile.price.credits.values())


def test_a_tier_means_nothing_to_a_model_without_tiers(service: Service) -> None:
    outcome = submit(service, resolution="4K")
    assert isinstance(outcome, Accepted)
    assert outcome.body["creditsUsed"] == 3
    assert "resolution" not in outcome.task.request


def test_a_balance_that_equals_the_price_is_enough_and_one_less_is_not(
    contract: Contract, store: Store, clock: Clock
) -> None:
    store.add_accounts([account("enough", 3), account("short", 2)])
    service = Service(contract, store, Planner(contract.lifecycle, Chance(5, 0, 0)), SCENARIOS, clock)
    assert isinstance(submit(service, "enough"), Accepted)
    assert store.balance("enough", clock) == 0
    assert submit(service, "short") == Insufficient(3)
    assert store.balance("short", clock) == 2


# -------------------------------------------------------------------- outcomes


NewService = Callable[[Chance], tuple[Service, Planner]]


@pytest.fixture(scope="module")
def contract_service(contract: Contract) -> NewService:
    """Makes a service with accounts of its own, and the planner that decides in it."""

    def make(chance: Chance) -> tuple[Service, Planner]:
        store = Store(MEMORY)
        store.add_accounts([account(name, credits) for name, credits in OPENINGS.items()])
        planner = Planner(contract.lifecycle, chance)
        return Service(contract, store, planner, SCENARIOS, Clock()), planner

    return make


@settings(max_examples=30)
@given(order=st.lists(st.sampled_from(["modest", "rich"]), max_size=20), seed=st.integers(0, 9))
def test_an_accounts_outcomes_depend_on_nobody_else(contract_service: NewService, order: list[str], seed: int) -> None:
    service, planner = contract_service(Chance(5, 0.5, seed))
    made: dict[str, list[str]] = {"modest": [], "rich": []}
    for name in order:
        outcome = submit(service, name)
        if isinstance(outcome, Accepted):
            made[name].append(outcome.task.plan.outcome)
    for name, outcomes in made.items():
        alone = [planner.plan(Directive(), name, ordinal, 0).outcome for ordinal in range(1, len(outcomes) + 1)]
        assert outcomes == alone


@pytest.mark.parametrize(("rate", "status"), [(0, 1), (1, 2)])
def test_at_the_ends_of_the_failure_rate_all_tasks_end_alike(
    contract: Contract, store: Store, clock: Clock, rate: float, status: int
) -> None:
    store.add_accounts([account("rich", 300)])
    service = Service(contract, store, Planner(contract.lifecycle, Chance(5, rate, 3)), SCENARIOS, clock)
    ids = [accepted(service) for _ in range(20)]
    assert store.balance("rich", clock) == 240
    clock.advance(5)
    for task_id in ids:
        shown = service.read(calling("rich"), task_id)
        assert shown is not None
        assert shown["status"] == status
    assert store.balance("rich", clock) == (300 if rate else 240)


def test_refunded_credits_can_be_spent_from_the_moment_of_the_failure(service: Service, clock: Clock) -> None:
    for _ in range(13):
        accepted(service, "modest", **told("failed", afterSeconds=2))
    assert submit(service, "modest") == Insufficient(3)
    clock.advance(1.999999)
    assert submit(service, "modest") == Insufficient(3)
    clock.advance(0.000001)
    for _ in range(13):
        accepted(service, "modest")
    assert submit(service, "modest") == Insufficient(3)


def test_a_task_that_ends_at_once_is_still_accepted_as_pending(service: Service, store: Store, clock: Clock) -> None:
    outcome = submit(service, **told("failed", afterSeconds=0))
    assert isinstance(outcome, Accepted)
    assert outcome.body["status"] == 0
    shown = service.read(calling("rich"), outcome.task.id)
    assert shown is not None
    assert shown["status"] == 2
    assert store.balance("rich", clock) == 300


def test_a_task_passes_through_the_states_that_the_contract_knows(store: Store, clock: Clock, tmp_path: Path) -> None:
    contract = load_contract(changed_contract(tmp_path, add_a_state))
    store.add_accounts([account("rich", 300)])
    service = Service(contract, store, Planner(contract.lifecycle, Chance(4, 0, 0)), SCENARIOS, clock)
    ids = [accepted(service), accepted(service, **told("failed"))]
    statuses = []
    for _ in range(4):
        shown = [service.read(calling("rich"), task_id) for task_id in ids]
        statuses.append([snapshot["status"] for snapshot in shown if snapshot])
        clock.advance(1.5)
    assert statuses == [[0, 0], [0, 0], [3, 3], [1, 2]]


# --------------------------------------------------------------------- reading


def test_a_task_is_nobody_elses(service: Service) -> None:
    task_id = accepted(service)
    assert service.read(calling("rich"), task_id)
    assert service.read(calling("modest"), task_id) is None
    assert service.read(calling("nobody"), task_id) is None


@pytest.mark.parametrize("text", ["", "x", "tsk_", "../x", "\0", "\ud800", "x" * 10_000, "tsk_" + "0" * 26])
def test_an_id_that_was_never_given_out_is_no_task(service: Service, text: str) -> None:
    assert service.read(calling("rich"), text) is None


def test_a_task_that_the_contract_no_longer_knows_is_not_found(
    contract: Contract, store: Store, clock: Clock, tmp_path: Path
) -> None:
    store.add_accounts([account("rich", 300)])
    planner = Planner(contract.lifecycle, Chance(5, 0, 0))
    task_id = accepted(Service(contract, store, planner, SCENARIOS, clock))
    clock.advance(5)

    def rename_operation(document: dict[str, Any]) -> None:
        document["paths"]["/api/ai/image/generate"]["post"]["operationId"] = "submitImage"

    def rename_model(document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        schemas["GptImage2Request"]["properties"]["model"]["enum"] = ["gpt-image-3"]
        mapping = schemas["GenerateImageRequest"]["discriminator"]["mapping"]
        mapping["gpt-image-3"] = mapping.pop("gpt-image-2")

    def rename_state(document: dict[str, Any]) -> None:
        lifecycle = document["components"]["schemas"]["TaskSnapshot"]["x-lifecycle"]
        lifecycle["states"]["done"] = lifecycle["states"].pop("completed")
        lifecycle["states"]["pending"]["next"] = ["done", "failed"]

    for change in (rename_operation, rename_model, rename_state):
        other = load_contract(changed_contract(tmp_path, change))
        later = Service(other, store, Planner(other.lifecycle, Chance(5, 0, 0)), SCENARIOS, clock)
        assert later.read(calling("rich"), task_id) is None
        assert later.picture(f"/_mock/pictures/{task_id}.png") is None
    assert Service(contract, store, planner, SCENARIOS, clock).read(calling("rich"), task_id)


def test_reading_changes_nothing(service: Service, store: Store, clock: Clock) -> None:
    task_id = accepted(service, **told("failed"))
    clock.advance(10)
    before = store.entries("rich"), store.task(task_id), store.balance("rich", clock)
    first = service.read(calling("rich"), task_id)
    assert all(service.read(calling("rich"), task_id) == first for _ in range(5))
    assert (store.entries("rich"), store.task(task_id), store.balance("rich", clock)) == before


@pytest.mark.parametrize("prompt", ["\0", "\r\n", "\x1b[0m", "é\u0301", "\U0001f98a", "\ufeff", "中" * 20_000, "'; --"])
def test_any_text_is_kept_exactly(service: Service, prompt: str) -> None:
    shown = service.read(calling("rich"), accepted(service, prompt=prompt))
    assert shown is not None
    assert shown["prompt"] == prompt


def test_what_is_passed_through_is_not_kept(service: Service) -> None:
    outcome = submit(service, secret="s3cret", providerInput={"token": "s3cret", "n": 10**400, "inf": float("inf")})
    assert isinstance(outcome, Accepted)
    assert outcome.task.request == request()


# -------------------------------------------------------------------- pictures


def picture_url(service: Service, clock: Clock, **fields: Any) -> str:
    task_id = accepted(service, **fields)
    clock.advance(5)
    shown = service.read(calling("rich"), task_id)
    assert shown is not None
    (url,) = shown["imageUrls"]
    assert url.startswith("http://mock/")
    path: str = url.removeprefix("http://mock")
    return path


@pytest.mark.parametrize(
    ("fields", "kind", "size"),
    [
        ({"aspectRatio": "4:5"}, "png", (816, 1020)),
        ({"aspectRatio": "4:5", "outputFormat": "jpeg"}, "jpeg", (816, 1020)),
        ({"aspectRatio": "21:9", "outputFormat": "webp"}, "webp", (1022, 438)),
        ({"aspectRatio": "auto"}, "png", (1024, 1024)),
        ({}, "png", (1024, 1024)),
        ({"model": "nano-banana-2"}, "png", (1024, 1024)),
        ({"model": "nano-banana-2", "resolution": "2K", "aspectRatio": "16:9"}, "png", (2048, 1152)),
        ({"model": "nano-banana-pro", "aspectRatio": "1:1"}, "png", (2048, 2048)),  # the default tier
    ],
    ids=str,
)
def test_a_picture_has_the_format_the_ratio_and_the_tier_of_the_request(
    service: Service, clock: Clock, fields: dict[str, Any], kind: str, size: tuple[int, int]
) -> None:
    draw = service.picture(picture_url(service, clock, **fields))
    assert draw is not None
    picture = draw()
    assert picture.media_type == f"image/{kind}"
    with Image.open(io.BytesIO(picture.content)) as image:
        assert (str(image.format).lower(), image.size) == (kind, size)


def test_a_picture_shows_the_model_the_prompt_and_the_task(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = picture_url(service, clock, prompt="a red fox\nand a hen", aspectRatio="4:5")
    monkeypatch.setattr("mock_server.drawing.draw", lambda **shown: repr(sorted(shown.items())).encode())
    draw = service.picture(path)
    assert draw is not None
    picture = draw()
    assert dict(ast.literal_eval(picture.content.decode())) == {
        "title": "gpt-image-2",
        "caption": path.rpartition("/")[2].removesuffix(".png"),
        "text": "a red fox\nand a hen",
        "size": (816, 1020),
        "format": "png",
    }


def test_there_is_no_picture_before_the_task_has_completed(service: Service, clock: Clock) -> None:
    task_id = accepted(service)
    path = f"/_mock/pictures/{task_id}.png"
    assert service.picture(path) is None
    clock.advance(4.9)
    assert service.picture(path) is None
    clock.advance(0.1)
    assert service.picture(path)


def test_there_is_no_picture_of_a_failed_task(service: Service, clock: Clock) -> None:
    task_id = accepted(service, **told("failed"))
    clock.advance(5)
    assert service.picture(f"/_mock/pictures/{task_id}.png") is None


def test_only_the_path_of_the_snapshot_leads_to_a_picture(service: Service, clock: Clock) -> None:
    path = picture_url(service, clock)
    assert service.picture(path)
    wrong = [path.replace("png", kind) for kind in ("jpg", "jpeg", "webp", "gif", "PNG", "exe", "")]
    wrong += [path + "/", path + "\n", path + ".png", path[:-4], "/" + path, path.replace("/tsk_", "/"), ""]
    wrong += ["/_mock/pictures/tsk_" + "0" * 26 + ".png", "/_mock/pictures/.png", "/_mock/pictures/"]
    for other in wrong:
        assert service.picture(other) is None, other


def test_a_format_that_cannot_be_drawn_becomes_one_that_can(store: Store, clock: Clock, tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["OutputFormat"]["enum"] = ["avif"]

    contract = load_contract(changed_contract(tmp_path, change))
    store.add_accounts([account("rich", 300)])
    service = Service(contract, store, Planner(contract.lifecycle, Chance(0, 0, 0)), SCENARIOS, clock)
    assert picture_url(service, clock, outputFormat="avif").endswith(".png")


def test_the_machine_time_counts_microseconds_since_1970() -> None:
    assert 1_700_000_000 < machine_time() / MICROSECONDS < 10_000_000_000
    assert machine_time() <= machine_time()
