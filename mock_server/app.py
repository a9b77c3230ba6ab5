"""The mock as an ASGI application: connexion routes, authenticates and validates, `Play` does the rest.

    CORS -> encoded separators -> connexion (errors -> routing -> preferences -> security -> validation) -> Play

Of connexion only what a contract needs is in the stack, by its own option `middlewares`. What its middlewares would
make anew for each request is made once for each operation.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import jsonschema_rs
from connexion.exceptions import BadRequestProblem, OAuthProblem, UnsupportedMediaTypeProblem
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.main import API, ConnexionMiddleware
from connexion.middleware.request_validation import (
    RequestValidationAPI,
    RequestValidationMiddleware,
    RequestValidationOperation,
)
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityAPI, SecurityMiddleware
from connexion.operations import AbstractOperation
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification
from connexion.validators.parameter import ParameterValidator
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, cookie_parser
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.model import Contract, SecurityScheme
from contract.reader import JSON, parameter_nodes
from mock_server.answers import Answer, Errors
from mock_server.body import parse_body
from mock_server.intake import Intake
from mock_server.invalid import InvalidRequest
from mock_server.outer import EncodedSeparators, header, note, note_error
from mock_server.play import BODY, CALLER, PREFERENCES, Play, operation_id, respond
from mock_server.prefer import PreferenceError, forced_answer, read_preferences
from mock_server.scenarios import Scenarios
from mock_server.service import Service
from mock_server.store import Store
from mock_server.transmit import hang_up, pause


def build_app(
    contract: Contract,
    service: Service,
    store: Store,
    *,
    public_url: str | None = None,
    max_body_bytes: int,
) -> ASGIApp:
    """Make the application.

    Raises:
        ContractError: for an operation that the mock has no behaviour for, or a security scheme that it cannot check.
    """
    errors = Errors(contract)
    play = Play(contract, service, errors, public_url=public_url, store=store)
    stack: list[Any] = [
        ExceptionMiddleware,
        Routing,
        _preferring(contract, service.scenarios),
        _security(contract, store, play),
        _validation(service, max_body_bytes),
    ]
    middleware = ConnexionMiddleware(
        play,
        middlewares=stack,
        resolver=Resolver(_behaviours(contract).__getitem__),
    )
    specification = _Checked(copy.deepcopy(contract.document.data))  # type: ignore[no-untyped-call]  # as connexion is
    middleware.apis.append(API(specification, base_path=None, **vars(middleware.options)))
    _handle_errors(middleware, errors)
    return CrossOrigin(
        EncodedSeparators(middleware),
        allow_origins=["*"],
        allow_methods=["*"],
        allow_headers=["*"],
        allow_credentials=True,
        allow_private_network=True,
        expose_headers=["*"],
    )


class _Checked(OpenAPISpecification):
    """A contract that its reader has checked already, in a tenth of the time that connexion would need."""

    @classmethod
    def _validate_spec(cls, _spec: Any) -> None:
        pass


class CrossOrigin(CORSMiddleware):
    """Starlette's, which takes its time also for a request that comes from no other origin."""

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        if "origin" in request_headers:
            await super().simple_response(scope, receive, send, request_headers)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":  # a cache must not give the answer to another origin
                message["headers"] = [*message.get("headers", ()), (b"vary", b"Origin")]
            await send(message)

        await self.app(scope, receive, sending)


def _behaviours(contract: Contract) -> dict[str, Callable[[], None]]:
    """Connexion wants a function for each operation; the mock finds the behaviour by the task, so there must be one."""
    for operation in contract.operations.values():
        if operation.task is None:
            raise operation.node.error(
                f"the mock has no behaviour for the operation {operation.id!r}",
                "x-task, which says what the operation does with a task",
            )
        if not operation.security:
            raise operation.node.error(
                f"nobody would own the tasks of the operation {operation.id!r}", "security, which says whose they are"
            )
        for name in operation.security:
            _secret_of(contract.security_schemes[name])
        for parameter in parameter_nodes(operation.node):
            schema = parameter.get("schema")
            if parameter.need("in").value == "path" and (schema is None or "type" not in schema.value):
                raise parameter.error(
                    "the mock cannot read a parameter of the path whose type is not said", "a type in its schema"
                )
    return dict.fromkeys(contract.operations, lambda: None)


class Routing(RoutingMiddleware):
    """connexion's routing, without the redirect of a path that ends with a slash too many: that path is unknown."""

    def add_api(self, *args: Any, **kwargs: Any) -> None:
        super().add_api(*args, **kwargs)
        self.router.redirect_slashes = False
        for route in self.router.routes:
            if isinstance(route, Mount) and isinstance(route.app, Router):
                route.app.redirect_slashes = False
                if not route.path:  # there is nothing to find out in the router around it
                    self.router = route.app


# -------------------------------------------------------------- preferences


def _preferring(contract: Contract, scenarios: Scenarios) -> Callable[[ASGIApp], ASGIApp]:
    """A middleware that gives the answers that are asked for, before anything is looked at."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def prefer(scope: Scope, receive: Receive, send: Send) -> None:
            operation = operation_id(scope)
            said = [value.decode("latin-1") for name, value in scope["headers"] if name == b"prefer"]
            if not said or operation is None:
                await app(scope, receive, send)
                return
            try:
                preferences = read_preferences(",".join(said), scenarios.known)
                forced = forced_answer(contract.operations[operation], preferences) if preferences.forced else None
            except PreferenceError as error:
                note(scope, operation=operation, refused=str(error))
                await respond(Answer(HTTPStatus.BAD_REQUEST, {"error": str(error)}))(scope, receive, send)
                return
            if forced is None:
                scope["extensions"][PREFERENCES] = preferences
                await app(scope, receive, send)
                return
            note(scope, operation=operation, forced=forced.status)
            if preferences.delay and not await pause(preferences.delay, scope, receive):
                await hang_up(scope, receive)
                return
            await respond(forced)(scope, receive, send)

        return prefer

    return middleware


# ----------------------------------------------------------------- security

Secret = Callable[[Scope], str | None]


def _secret_of(scheme: SecurityScheme) -> Secret:
    """How to find the secret of a scheme in a request; the function gives None where there is none."""
    if scheme.type == "http" and scheme.scheme == "bearer":
        return _bearer_token
    if scheme.type == "apiKey":
        name = str(scheme.parameter)
        if scheme.location == "header":
            return partial(header, name=name.lower().encode("latin-1"))
        if scheme.location == "query":
            return lambda scope: HTTPConnection(scope).query_params.get(name)
        return lambda scope: cookie_parser(header(scope, b"cookie") or "").get(name)
    raise scheme.node.error(
        f"the mock cannot check credentials of the scheme {scheme.name!r}", "http bearer, or apiKey"
    )


def _bearer_token(scope: Scope) -> str | None:
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _security(contract: Contract, store: Store, play: Play) -> type:
    """The middleware that connexion authenticates with, which would inspect a signature for each request."""

    class Operation:
        def __init__(self, next_app: ASGIApp, schemes: Sequence[str]) -> None:
            self._next_app = next_app
            self._secrets = [(scheme, _secret_of(contract.security_schemes[scheme])) for scheme in schemes]

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            for scheme, secret_of in self._secrets:
                secret = secret_of(scope)
                caller = None if secret is None else await play.call(store.caller, scheme, secret)
                if caller is not None:
                    scope["extensions"][CALLER] = caller
                    await self._next_app(scope, receive, send)
                    return
            raise OAuthProblem

    class API(SecurityAPI):
        def make_operation(self, operation: Any) -> Any:
            return Operation(self.next_app, contract.operations[operation.operation_id].security)

    class Security(SecurityMiddleware):
        api_cls = API

    return Security


# --------------------------------------------------------------- validation


_AS_JSON = (b"content-type", JSON.encode())
"""How most requests say it; the contract's reader sees to it that a body may be JSON."""


class _Parameters(ParameterValidator):
    """What connexion checks parameters with, which would compile their schemas anew for each request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # connexion is not typed
        self._compiled = {
            (place, param["name"]): jsonschema_rs.Draft4Validator(param["schema"], validate_formats=True)
            for place, params in self.parameters.items()
            for param in params
            if "schema" in param
        }

    def validate_parameter(  # type: ignore[override]  # a static method, which can remember nothing
        self, parameter_type: str, value: Any, param: dict[str, Any], param_name: str | None = None
    ) -> str | None:
        compiled = self._compiled.get((parameter_type, param["name"]))
        if value is not None and compiled is not None and compiled.is_valid(value):
            return None
        problem: str | None = super().validate_parameter(parameter_type, value, param, param_name)  # type: ignore[no-untyped-call]  # as above
        return problem


def _validation(service: Service, max_bytes: int) -> type:
    """The middleware that connexion validates with, which would make anew for each request what an operation needs.

    Bodies are validated by the service: connexion cannot say which field of which branch is wrong.
    """
    intake = Intake(max_bytes)

    class Operation(RequestValidationOperation):
        def __init__(self, next_app: ASGIApp, *, operation: AbstractOperation, **kwargs: Any) -> None:
            super().__init__(next_app, operation=operation, **kwargs)
            described = operation.body_definition()
            self._parameters = _Parameters(
                operation.parameters,
                uri_parser=operation.uri_parser_class(operation.parameters, described),
                strict_validation=self.strict_validation,
                security_query_params=self.security_query_params,
            )
            self._has_body = bool(described)

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if self._parameters.parameters:
                self._parameters.validate(scope)  # type: ignore[no-untyped-call]  # connexion is not typed
            if self._has_body:
                if _AS_JSON not in scope["headers"]:
                    media_type, _ = self.extract_content_type(scope["headers"])
                    self.validate_mime_type(media_type)
                async with intake.body(receive) as raw:
                    body = parse_body(raw)
                    service.validate(str(operation_id(scope)), body)
                scope["extensions"][BODY] = body
            await self.next_app(scope, receive, send)

    class API(RequestValidationAPI):
        def make_operation(self, operation: AbstractOperation) -> RequestValidationOperation:
            return Operation(self.next_app, operation=operation, strict_validation=self.strict_validation)

    class Validation(RequestValidationMiddleware):
        api_cls = API

    return Validation


# ------------------------------------------------------------------- errors


def _handle_errors(middleware: ConnexionMiddleware, errors: Errors) -> None:
    """Give every exception that can leave the stack its documented answer."""

    def unauthenticated(operation: str | None, _error: Exception) -> Answer:
        return errors.unauthenticated(str(operation))

    def invalid(operation: str | None, error: Exception) -> Answer:
        if not isinstance(error, InvalidRequest):
            error = InvalidRequest(str(getattr(error, "detail", None) or error))
        return errors.invalid(str(operation), error)

    def media_type(operation: str | None, _error: Exception) -> Answer:
        return errors.invalid(str(operation), InvalidRequest(f"The content type must be {JSON}"))

    def http(operation: str | None, error: Exception) -> Answer:
        status = getattr(error, "status_code", None)
        if status == HTTPStatus.NOT_FOUND:
            return errors.unknown_path()
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            return errors.unknown_method(dict(getattr(error, "headers", None) or {}))
        return unexpected(operation, error)

    def unexpected(operation: str | None, _error: Exception) -> Answer:
        return errors.unexpected(operation)

    handlers: dict[type[Exception], Callable[[str | None, Exception], Answer]] = {
        OAuthProblem: unauthenticated,
        InvalidRequest: invalid,
        BadRequestProblem: invalid,
        UnsupportedMediaTypeProblem: media_type,
        HTTPException: http,
        Exception: unexpected,
    }
    for error, answer in handlers.items():
        middleware.add_error_handler(error, _error_handler(answer))


def _error_handler(
    answer: Callable[[str | None, Exception], Answer],
) -> Callable[[ConnexionRequest, Exception], Any]:
    async def handle(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        operation = operation_id(request.scope)
        given = answer(operation, error)
        note(request.scope, refused=type(error).__name__, **({"operation": operation} if operation else {}))
        if given.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            note_error(request.scope, error)
        return ConnexionResponse(  # type: ignore[no-untyped-call]  # connexion is not typed
            status_code=given.status,
            content_type=JSON,
            body=json.dumps(given.body, ensure_ascii=False, separators=(",", ":")).encode(),
            headers=dict(given.headers),
        )

    return handle
