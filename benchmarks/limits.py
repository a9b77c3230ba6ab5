"""Two applications to measure the mock against: connexion as it comes, and the server with next to nothing on it.

uvicorn --app-dir benchmarks limits:stock
uvicorn --app-dir benchmarks limits:bare
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from connexion import AsyncApp
from connexion.mock import MockResolver
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SPEC = Path(__file__).parent.parent / "openapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(SPEC.read_bytes())


class AnyCredentials:
    """Lets everybody in who shows credentials of a kind that the contract knows."""

    def get_fn(self, _scheme: dict[str, Any], _scopes: list[str]) -> Any:
        """The function that connexion calls with each request."""

        async def verify(request: Any) -> Any:
            return {"sub": "anybody"} if "authorization" in request.headers else None

        return verify


def _stock() -> AsyncApp:
    app = AsyncApp(__name__)
    app.add_api(
        DOCUMENT,
        resolver=MockResolver(mock_all=True),  # type: ignore[no-untyped-call]  # connexion is not typed
        security_map=dict.fromkeys(("bearer", "apiKey"), AnyCredentials),
    )
    return app


def _bare() -> Starlette:
    async def submit(request: Request) -> JSONResponse:
        await request.json()
        return JSONResponse({"taskId": "tsk_0000000000000000", "status": "pending"})

    async def read(request: Request) -> JSONResponse:
        return JSONResponse({**request.path_params, "status": "pending"})

    submits, reads = DOCUMENT["paths"]
    return Starlette(routes=[Route(submits, submit, methods=["POST"]), Route(reads, read, methods=["GET"])])


stock = _stock()
bare = _bare()
