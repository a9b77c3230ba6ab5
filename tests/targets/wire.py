"""HTTP/1.1 for a target: bytes to `Request`, `Reply` to bytes, and nothing of the API."""

import contextlib
import functools
import http
import http.server
import json
import re
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

MAX_BODY = 64 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer; `body` is sent as JSON unless it is bytes."""

    status: int
    body: Any
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Reply]


class Server(socketserver.ThreadingTCPServer):
    """Serves `answer` on a free port of 127.0.0.1, a thread for each connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Answer) -> None:
        self._open: set[Any] = set()
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, answer))
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        # A short interval, because it is also the time that `shutdown` takes.
        serve = functools.partial(self.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        # Connections that clients keep alive would keep their threads, too.
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients may hang up whenever they like; that is nothing to report.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, answer: Answer, *arguments: Any) -> None:
        self.answer = answer
        self.method = ""
        super().__init__(*arguments)

    def parse_request(self) -> bool:
        # One door for all methods: which are allowed is not decided here.
        parsed = super().parse_request()
        self.method, self.command = self.command, "ANY"
        return parsed

    def do_ANY(self) -> None:
        try:
            body = self._read_body()
        except ValueError:
            self.send_error(400, "Bad request framing")
            return
        # A request target may be absolute (RFC 9112, 3.2.2).
        target = re.sub("^https?://[^/?#]*", "", self.path, flags=re.IGNORECASE)
        path = re.split("[?#]", target, maxsplit=1)[0]
        self._send(self.answer(Request(self.method, path, self.headers, body)))

    def _read_body(self) -> bytes:
        """The whole body, also of requests that are refused: the next one begins behind it."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = b""
            while size := int(self.rfile.readline(1024).split(b";")[0], 16):
                if size < 0 or len(body) + size > MAX_BODY:
                    raise ValueError("chunk too large")
                body += self._read_exactly(size)
                self.rfile.readline(3)
            while self.rfile.readline(65537).strip():
                pass
            return body
        length = self.headers.get("Content-Length", "0").strip()
        if not re.fullmatch("[0-9]{1,18}", length) or int(length) > MAX_BODY:
            raise ValueError("no usable Content-Length")
        return self._read_exactly(int(length))

    def _read_exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError
        return data

    def _send(self, reply: Reply) -> None:
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {
            "Date": self.date_time_string(),
            "Content-Type": reply.content_type,
            "Content-Length": str(len(body)),
            **reply.headers,
        }
        if self.close_connection:
            headers["Connection"] = "close"
        head = f"HTTP/1.1 {reply.status} {http.HTTPStatus(reply.status).phrase}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        # One write, so that no client waits for a second segment.
        self.wfile.write(head.encode("latin-1") + (b"" if self.method == "HEAD" else body))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What does not even parse as HTTP is answered in JSON, too, and ends the connection."""
        self.close_connection = True
        self._send(Reply(code, {"error": message or http.HTTPStatus(code).phrase}))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep quiet: a target runs inside tests."""
