"""The implementation under test, as something that takes requests and gives exchanges.

One event loop in a thread of its own does the talking, so that a deadline holds for a whole exchange: against a target
that sends a byte a second, a time-out for each read would never run out. Redirects are not followed, since none is
documented; an answer that never ends is cut.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from unittest import SkipTest
from urllib.parse import urlsplit

import httpx

from contract_tests.wire import Answer, Exchange, NoAnswer, Request

LARGEST_ANSWER: Final = 8 * 1024 * 1024
_BACK_OFF: Final = frozenset({429, 503})
_SHORTEST_WAIT: Final = 0.05
_LONGEST_WAIT: Final = 60.0
_MOST_WAITS: Final = 5
LOSSES: Final = 5
"""This many requests in a row without an answer, or turned away again and again, mean that the target is lost."""


class TargetLostError(SkipTest):  # so that Hypothesis does not look for the smallest example of it
    """The target has stopped answering."""


class Target:
    """Sends requests to one base URL."""

    def __init__(
        self, url: str, *, timeout: float, rate: float | None = None, watch: Callable[[Exchange], None] = lambda _: None
    ) -> None:
        """Open the target.

        Args:
            url: its base URL.
            timeout: seconds in which a request must be answered completely.
            rate: at most this many requests in a second.
            watch: is told of every exchange.
        """
        self.url = url.rstrip("/")
        self._path = urlsplit(self.url).path
        self._timeout = timeout
        self._pause = 1 / rate if rate else 0.0
        self._next = 0.0
        self._watch = watch
        self._losses = 0
        self.waited = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=2.0)
        self._client = httpx.AsyncClient(
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            limits=limits,
            headers={"user-agent": "contract-tests", "accept-encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a request has the credentials it is given
        )

    def close(self) -> None:
        """Close every connection."""
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def send(self, request: Request) -> Exchange:
        """Send one request.

        Raises:
            TargetLostError: if the target has stopped answering altogether.
        """
        return self.send_all([request])[0]

    def send_all(self, requests: Sequence[Request]) -> list[Exchange]:
        """Send requests at the same time.

        Raises:
            TargetLostError: if the target has stopped answering altogether.
        """
        exchanges = asyncio.run_coroutine_threadsafe(self._gather(requests), self._loop).result()
        for exchange in exchanges:
            self._watch(exchange)
            lost = isinstance(exchange.answer, NoAnswer) or _retry_after(exchange) is not None
            self._losses = self._losses + 1 if lost else 0
        if self._losses >= LOSSES:
            raise TargetLostError(
                f"{self.url} has not answered {self._losses} requests in a row: {exchanges[-1].came()}"
            )
        return exchanges

    async def _gather(self, requests: Sequence[Request]) -> list[Exchange]:
        return list(await asyncio.gather(*map(self._exchange, requests)))

    async def _exchange(self, request: Request) -> Exchange:
        exchange = await self._once(request)
        for _ in range(_MOST_WAITS):
            wait = _retry_after(exchange)
            if wait is None:
                break
            self.waited += wait
            await asyncio.sleep(wait)
            exchange = await self._once(request)
        return exchange

    async def _once(self, request: Request) -> Exchange:
        now = time.monotonic()
        self._next = max(self._next, now) + self._pause
        if self._next - self._pause > now:
            await asyncio.sleep(self._next - self._pause - now)
        started, clock = time.time(), time.perf_counter()
        answer: Answer | NoAnswer
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._talk(request)
        except TimeoutError:
            answer = NoAnswer(f"no complete answer within {self._timeout:g} seconds")
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            answer = NoAnswer(f"no complete answer: {str(error) or type(error).__name__}")
        return Exchange(request, answer, started, time.perf_counter() - clock)

    async def _talk(self, request: Request) -> Answer | NoAnswer:
        message = self._client.build_request(
            request.method,
            self.url,
            headers=_encoded(request.headers),
            content=request.body,
            extensions={"target": (self._path + request.path).encode("ascii")},  # as it is, odd escapes included
        )
        response = await self._client.send(message, stream=True)
        coding = response.headers.get("content-encoding", "identity")
        try:
            if coding != "identity":  # a few bytes could unpack to any size
                return NoAnswer(f"no complete answer: its content coding is {coding!r}, though none was asked for")
            body = b""
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    return NoAnswer(f"the answer is larger than {LARGEST_ANSWER:,} bytes")
        finally:
            await response.aclose()
        return Answer(response.status_code, dict(response.headers), body)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers.items()]


def _retry_after(exchange: Exchange) -> float | None:
    """How long a gateway asks to wait; None if this is no gateway's answer."""
    answer = exchange.answer
    if not isinstance(answer, Answer) or answer.status not in _BACK_OFF or "retry-after" not in answer.headers:
        return None
    value = answer.headers["retry-after"]
    try:
        wait = float(value)
    except ValueError:
        try:
            wait = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(wait, _LONGEST_WAIT) if wait > _SHORTEST_WAIT else _SHORTEST_WAIT
