"""One mock: its store, and the application that is made of the contract and the fixtures, again when they change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.model import Contract
from contract.reader import load_contract
from mock_server.accounts import load_accounts
from mock_server.app import build_app
from mock_server.control import Control
from mock_server.docs.pages import docs_pages
from mock_server.exchanges import Exchanges, Recorder
from mock_server.guard import Guard
from mock_server.metrics import Counted, Metrics
from mock_server.outer import RequestLog
from mock_server.plan import Chance, Planner
from mock_server.scenarios import load_scenarios
from mock_server.service import Service
from mock_server.settings import Settings
from mock_server.site import Later, Site
from mock_server.store import Journal, Store
from mock_server.urls import CONSOLE, CONTROL, EVENTS, PICTURES


class Mock:
    """A mock that can be served."""

    def __init__(self, settings: Settings, store: Store, log: Callable[[str], None], *, joins: bool = False) -> None:
        """Read the contract and the fixtures, and make the application of them.

        Args:
            log: is given a line for each request.
            joins: whether it is one of several that share the accounts, which have been made already.

        Raises:
            ContractError: for a faulty contract, or a faulty file of fixtures.
            StoreError: for a database that cannot be written to.
        """
        self._settings = settings
        self.store = store
        self._journal = Journal(store)
        self._exchanges: Exchanges | None = None
        self._joins = joins
        self._log = log
        self._control: Control | None = None
        self.load()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def load(self) -> None:
        """Read everything again; whatever is wrong with it changes nothing.

        Requests that are at work go on with what they began with. Accounts, tasks and exchanges stay.

        Raises:
            ContractError, StoreError: as for a new mock.
        """
        settings = self._settings
        contract = load_contract(settings.spec)
        accounts = load_accounts(settings.accounts, contract, settings.credits)
        scenarios = load_scenarios(settings.scenarios, contract, settings.scenario)
        chance = Chance(settings.task_seconds, settings.failure_rate, settings.seed)
        service = Service(contract, self.store, Planner(contract.lifecycle, chance), scenarios)
        app = build_app(
            contract,
            service,
            self.store,
            public_url=settings.public_url,
            max_body_bytes=settings.max_body_bytes,
        )
        asyncio.run(_try_out(app))
        exchanges = self._exchanges or Exchanges(contract, self._journal)
        control = Control(contract, self.store, service, exchanges, lambda: self.accounts)
        rooms: dict[str, ASGIApp] = {PICTURES: app}
        if settings.control:
            console = partial(
                _make_console, contract, control, exchanges, replaced=lambda: self._control is not control
            )
            token = settings.control_token
            rooms[CONTROL] = Guard(Later(partial(_make_control, control, settings.public_url)), token)
            rooms |= dict.fromkeys((CONSOLE, EVENTS), Guard(Later(console), token))
        metrics = Metrics(contract, self._journal, service.machine)
        pages = {**docs_pages(contract, settings.spec, settings.docs), **metrics.pages()}
        api = Counted(Recorder(app, exchanges) if settings.control else app, metrics)
        site = Site(api, rooms, pages)
        if not self._joins:
            self.store.add_accounts(accounts)
        self._joins = False  # accounts that are new in a file that has changed are made by whoever sees it first
        exchanges.hide_credentials_of(contract)
        self.contract, self.accounts = contract, accounts
        self._exchanges, self._control = exchanges, control
        self._app = RequestLog(site, self._log)

    def close(self) -> None:
        """Write down what was served."""
        self._journal.close()

    def report(self, problem: str) -> None:
        """Let the control API show what is wrong with the files, until they have been loaded again."""
        if self._control is not None:
            self._control.problem = problem


def _make_control(control: Control, public_url: str | None) -> ASGIApp:
    from mock_server.control_app import control_app  # noqa: PLC0415 - the first answer needs none of it

    return control_app(control, public_url)


def _make_console(
    contract: Contract, control: Control, exchanges: Exchanges, *, replaced: Callable[[], bool]
) -> ASGIApp:
    from mock_server.console.page import console_app  # noqa: PLC0415 - as above
    from mock_server.control_app import control_document  # noqa: PLC0415 - as above

    _, document = control_document()
    return console_app(contract, control, exchanges, document, replaced=replaced)


async def _try_out(app: ASGIApp) -> None:
    """Make a request of an application: connexion reads most of the contract at the first one."""
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "extensions": {},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(_message: Message) -> None:
        pass

    await app(scope, receive, send)
