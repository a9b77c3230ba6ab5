"""The console as an ASGI application: the page, what its forms do, the events that keep it up to date.

A form is answered with the page as it is now and a message. A browser with scripts takes the page's main part and the
message out of it; without scripts it shows all of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from contract.model import Contract
from mock_server.console.chart import HEIGHT, WIDTH
from mock_server.console.events import changes
from mock_server.console.forms import Forms
from mock_server.console.views import View, Views
from mock_server.control import Control, ControlError
from mock_server.exchanges import Exchanges
from mock_server.headers import PageHeaders
from mock_server.outer import UNUSABLE, note_error
from mock_server.store import StoreError
from mock_server.transmit import ENDING
from mock_server.urls import CONSOLE, EVENTS

_HERE: Final = Path(__file__).parent
_LARGEST_FORM: Final = 64 * 1024

Form = Mapping[str, str]


def console_app(
    contract: Contract,
    control: Control,
    exchanges: Exchanges,
    document: Mapping[str, Any],
    *,
    replaced: Callable[[], bool],
) -> ASGIApp:
    """Make the application.

    Args:
        document: the parsed description of the control API.
        replaced: whether another console has taken the place of this one.
    """
    console = _Console(Views(contract, control, exchanges.journal), _Actions(control, Forms(document)), replaced)
    posts = [Route(f"{CONSOLE}{path}", partial(console.act, path), methods=["POST"]) for path in console.actions.known]
    app = Starlette(
        routes=[
            Route(CONSOLE, console.show),
            Route(EVENTS, console.events),
            *posts,
            Mount(f"{CONSOLE}/static", StaticFiles(directory=_HERE / "static")),
        ],
        exception_handlers={StoreError: _unusable},
    )
    return PageHeaders(app, more={"Cache-Control": "no-cache"})


class _Console:
    """Answers requests."""

    def __init__(self, views: Views, actions: _Actions, replaced: Callable[[], bool]) -> None:
        self._views = views
        self.actions = actions
        self._replaced = replaced
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        templates.globals |= {"chart_width": WIDTH, "chart_height": HEIGHT}
        self._template = templates.get_template

    async def show(self, request: Request) -> Response:
        """The page."""
        return await self._answer(request)

    async def act(self, path: str, request: Request) -> Response:
        """What a form asks for."""
        try:
            form = await _form(request)
            message = await run_in_threadpool(self.actions.known[path], {**form, **request.path_params})
        except ControlError as error:
            return await self._answer(request, error.status, str(error))
        return await self._answer(request, message=message)

    async def events(self, request: Request) -> Response:
        """When to look again."""
        view, seen = View.of(request.query_params), request.query_params.get("seen")
        ending: Callable[[], bool] = request.scope["extensions"].get(ENDING, lambda: False)
        stream = changes(partial(self._views.fingerprint, view), seen, lambda: ending() or self._replaced())
        events = _while_usable(request, stream)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _answer(self, request: Request, status: HTTPStatus = HTTPStatus.OK, message: str = "") -> Response:
        fragment = "hx-request" in request.headers
        return await run_in_threadpool(self._page, View.of(request.query_params), status, message, fragment)

    def _page(self, view: View, status: HTTPStatus, message: str, fragment: bool) -> Response:  # noqa: FBT001 - called in a thread
        try:
            shown = self._views.page(view)
        except ControlError as error:  # the account is gone: everything else is still there
            if not message:
                status, message = error.status, str(error)
            shown = self._views.page(replace(view, account=None, after=None))
        template = self._template("fragment.html" if fragment else "page.html")
        content = template.render(shown, message=message, failed=status is not HTTPStatus.OK)
        return HTMLResponse(content, status, {"Cache-Control": "no-store", "Vary": "HX-Request"})


class _Actions:
    """What the forms do, by their paths; each gives what to say about it."""

    def __init__(self, control: Control, forms: Forms) -> None:
        self._control = control
        self._body = forms.body
        self.known: Mapping[str, Callable[[Form], str]] = {
            "/accounts": self._create_account,
            "/credits": self._top_up,
            "/clock": self._set_clock,
            "/clock/advance": self._advance_clock,
            "/scenario": self._set_scenario,
            "/tasks/{task}/complete": self._complete_task,
            "/tasks/{task}/fail": self._fail_task,
            "/tasks/{task}/hold": self._hold_task,
            "/reset": self._reset,
        }

    def _create_account(self, form: Form) -> str:
        account, _ = self._control.create_account(self._body("createAccount", form))
        return f"The account {account['name']} has {account['balance']:,} credits."

    def _top_up(self, form: Form) -> str:
        account = self._control.top_up(form.get("account", ""), self._body("topUp", form))
        return f"The account {account['name']} has {account['balance']:,} credits now."

    def _set_clock(self, form: Form) -> str:
        return _said(self._control.set_clock(self._body("setClock", form), _account(form)))

    def _advance_clock(self, form: Form) -> str:
        return _said(self._control.advance_clock(self._body("advanceClock", form), _account(form)))

    def _set_scenario(self, form: Form) -> str:
        account = _account(form)
        now = self._control.set_scenario(self._body("setScenario", form), account)["current"]
        return f"The scenario {now} is on for {account or 'all accounts'}."

    def _complete_task(self, form: Form) -> str:
        return f"The task {self._control.complete_task(form['task'])['id']} has been completed."

    def _fail_task(self, form: Form) -> str:
        task = self._control.fail_task(form["task"], self._body("failTask", form))
        return f"The task {task['id']} has failed."

    def _hold_task(self, form: Form) -> str:
        return f"The task {self._control.hold_task(form['task'])['id']} waits until it is ended by hand."

    def _reset(self, form: Form) -> str:
        account = _account(form)
        self._control.reset(account)
        return f"{account or 'Everything'} is as it was at the beginning."


def _account(form: Form) -> str | None:
    return form.get("account") or None


def _said(clock: Mapping[str, Any]) -> str:
    pace = "stands still" if clock["speed"] == 0 else f"goes at {clock['speed']:g} times the speed of real time"
    if clock["real"]:
        pace = "is the machine's own time"
    return f"The clock {pace}: {clock['now']}."


def _unusable(request: Request, error: Exception) -> Response:
    note_error(request.scope, error)
    return PlainTextResponse(UNUSABLE, HTTPStatus.SERVICE_UNAVAILABLE)


async def _while_usable(request: Request, events: AsyncIterator[str]) -> AsyncIterator[str]:
    """These events, as long as the database can be used; the browser asks again."""
    try:
        async for event in events:
            yield event
    except StoreError as error:
        note_error(request.scope, error)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form.

    Raises:
        ControlError: if it is longer than any form of the console, or breaks off.
    """
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST_FORM:
                problem = "this is more than any form of the console holds"
                raise ControlError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, problem)
    except ClientDisconnect as error:
        raise ControlError(HTTPStatus.BAD_REQUEST, "the form broke off") from error
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: value.replace("\0", "\ufffd") for name, value in fields}  # no database could even look for a NUL
