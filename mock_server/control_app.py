"""The control API as an ASGI application: connexion serves `control.yaml`, `Control` does what is asked."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from connexion import AsyncApp, request
from connexion.datastructures import MediaTypeDict
from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware.context import ContextMiddleware
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.request_validation import RequestValidationMiddleware
from connexion.resolver import Resolver
from connexion.validators.json import JSONRequestBodyValidator
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.document import load_document
from contract.reader import JSON
from mock_server.app import Routing
from mock_server.body import parse_body
from mock_server.control import Control, ControlError
from mock_server.invalid import InvalidRequest
from mock_server.outer import UNUSABLE, note_error
from mock_server.store import StoreError
from mock_server.urls import CONTROL

_MOST_BYTES: Final = 64 * 1024 * 1024
_DOCUMENT: Final = Path(__file__).with_name("control.yaml")


@lru_cache(maxsize=1)
def control_document() -> tuple[str, dict[str, Any]]:
    """The description of the control API: as it is written, and parsed."""
    return _DOCUMENT.read_text("utf-8"), load_document(_DOCUMENT).data


def control_app(control: Control, public_url: str | None = None) -> ASGIApp:
    """Make the application.

    Args:
        public_url: the beginning of every URL handed out; None takes how the mock was reached.
    """
    text, document = control_document()
    app = AsyncApp(
        "mock_server",
        middlewares=[ExceptionMiddleware, Routing, RequestValidationMiddleware, ContextMiddleware],
    )
    app.add_api(
        document,
        resolver=Resolver(_handlers(control, public_url).__getitem__),
        strict_validation=True,
        validator_map={"body": MediaTypeDict({"*/*": _BodyValidator})},
    )
    for error in (ControlError, InvalidRequest, ProblemException, HTTPException, Exception):
        app.add_error_handler(error, _answer)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == CONTROL:
            scope = {**scope, "path": f"{CONTROL}/", "raw_path": f"{CONTROL}/".encode()}
        if scope["path"] == f"{CONTROL}/openapi.yaml":
            await PlainTextResponse(text, media_type="application/yaml")(scope, receive, send)
            return
        try:
            body = await _read(receive)
        except ClientDisconnect:
            return  # what has not arrived as a whole is not carried out, and nobody is there to be told
        if body is None:
            await JSONResponse({"error": f"more than {_MOST_BYTES:,} bytes are too many"}, 413)(scope, receive, send)
            return
        await app(_as_json(scope, len(body)), _replay(body, receive), send)

    return serve


def _handlers(control: Control, public_url: str | None) -> dict[str, Callable[..., Any]]:
    """The method of each operation, by the operation's ID."""

    def who_am_i() -> Any:
        headers: Mapping[str, str] = request.headers  # type: ignore[attr-defined]  # a proxy without types
        return control.who_am_i(headers.get("authorization", ""))

    methods = [name for name in vars(Control) if not name.startswith("_")]
    named = {re.sub("_(.)", lambda part: part[1].upper(), name): getattr(control, name) for name in methods}

    def import_state(body: dict[str, Any]) -> Any:
        # pictures are this mock's from now on, as its caller reaches it
        base_url = (public_url or _base_url()).rstrip("/")
        tasks = [{**task, "base_url": base_url} if isinstance(task, dict) else task for task in body["tasks"]]
        return control.import_state({**body, "tasks": tasks})

    return {**named, "whoAmI": who_am_i, "importState": import_state}


def _base_url() -> str:
    """How the caller of this request reaches the mock."""
    url: URL = request.url  # type: ignore[attr-defined]  # a proxy without types
    return f"{url.scheme}://{url.netloc}"


class _BodyValidator(JSONRequestBodyValidator):
    """connexion's own, but what is no JSON, or no text, is refused before anybody has to store it."""

    async def _parse(self, stream: AsyncGenerator[bytes, None], scope: Scope) -> Any:  # noqa: ARG002 - as connexion has it
        raw = b"".join([chunk async for chunk in stream])
        return parse_body(raw) if raw.strip() else None


def _as_json(scope: Scope, size: int) -> Scope:
    """A body is JSON, whatever it is called: curl calls it a form unless it is told otherwise.

    Its size is always announced, since connexion takes a body that comes in chunks for none.
    """
    told = (b"content-type", b"content-length", b"transfer-encoding")
    headers = [(name, value) for name, value in scope["headers"] if name not in told]
    return {**scope, "headers": [*headers, (told[0], JSON.encode()), (told[1], str(size).encode())]}


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None if it is too large.

    Raises:
        ClientDisconnect: if it breaks off.
    """
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _MOST_BYTES:
            return None
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """What gives a body that has been read already."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _answer(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
    """The answer to a request that cannot be carried out."""
    status, message = HTTPStatus.INTERNAL_SERVER_ERROR, "something unexpected happened in the mock; its log says what"
    headers: dict[str, str] = {}
    if isinstance(error, ControlError):
        status, message = error.status, str(error)
    elif isinstance(error, StoreError):
        message = UNUSABLE
    elif isinstance(error, InvalidRequest):
        messages = [*error.form, *(message for field in error.fields.values() for message in field)]
        status, message = HTTPStatus.BAD_REQUEST, "; ".join(messages)
    elif isinstance(error, ProblemException):
        status, message = HTTPStatus(error.status), str(error.detail).partition("\n")[0]
    elif isinstance(error, HTTPException):
        status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
        message = f"{status.phrase}; the control API is described at {CONTROL}/openapi.yaml"
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        note_error(request.scope, error)
    return ConnexionResponse(  # type: ignore[no-untyped-call]  # connexion is not typed
        status_code=status,
        content_type=JSON,
        body=json.dumps({"error": message}, ensure_ascii=False).encode(),
        headers=headers,
    )
