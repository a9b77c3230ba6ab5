"""A target is right without a fault, and wrong with one in just the way the fault says.

Everything goes over HTTP. The first part checks the rules on a target without a fault. The second
part holds one demonstration for each fault: a probe, and what it finds on a right and on the
faulty target. A new fault needs a line in `DEMOS`; a test fails for a fault that has none.
"""

import contextlib
import http.client
import json
import re
import socket
import struct
import threading
import time
import unicodedata
import urllib.request
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from .faults import CATALOGUE, ERROR_BODY, ERROR_STATUS, FAULTS, GROUPS, LENIENT, SNAPSHOT, STRICT
from .server import EMPTY, OTHER, POOR, RICH, Target

# Long enough to be read while it is pending however slow the machine, as nobody waits for its end.
ENDLESS = 60.0
SHORT = 0.03

SUBMIT = "/api/ai/image/generate"
URL = "https://example.com/a.png"
OMIT: Any = object()
FAILURE = {"simulate": "failure"}
DETAILS = {"formErrors": [], "fieldErrors": {"prompt": ["Prompt is required"]}}
GPT, NANO_2, NANO_PRO, NANO = (
    "gpt-image-2",
    "nano-banana-2",
    "nano-banana-pro",
    "google/nano-banana",
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> tuple[int, Any]:
        return self.status, self.json


class Api:
    """A client of one target, on one connection that is kept alive."""

    def __init__(self, target: Target, seconds: float) -> None:
        self.target = target
        self.seconds = seconds
        self._connection = http.client.HTTPConnection(target.url.removeprefix("http://"))

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        self._connection.request(method, path, body, headers or {})
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def post(self, body: bytes, key: str | None = RICH, **headers: str) -> Answer:
        return self.call("POST", SUBMIT, body, {**bearer(key), **headers})

    def submit(self, key: str | None = RICH, **fields: Any) -> Answer:
        fields = {"model": GPT, "prompt": "a cat", **fields}
        body = {name: value for name, value in fields.items() if value is not OMIT}
        return self.post(json.dumps(body).encode(), key)

    def new(self, key: str = RICH, **fields: Any) -> str:
        answer = self.submit(key, **fields)
        assert answer.status in (200, 201), answer
        return str(answer.json["taskId"])

    def read(self, task_id: str, key: str | None = RICH) -> Answer:
        return self.call("GET", f"/api/ai/tasks/{task_id}", None, bearer(key))

    def pass_time(self) -> None:
        """Wait until every task has ended, without looking at any."""
        time.sleep(self.seconds + 0.01)

    def ended(self, key: str = RICH, **fields: Any) -> Answer:
        """The first read of a new task after its end."""
        task_id = self.new(key, **fields)
        self.pass_time()
        return self.read(task_id, key)

    def open_account(self, credits: int) -> str:
        body = json.dumps({"credits": credits}).encode()
        return str(self.call("POST", "/_admin/accounts", body).json["key"])

    def balance(self, key: str) -> int:
        return int(self.call("GET", f"/_admin/accounts/{key}").json["balance"])

    def submit_at_once(self, key: str, times: int) -> int:
        """How many of so many concurrent submissions were accepted."""
        together = threading.Barrier(times)

        def submit(_: int) -> int:
            with contextlib.closing(Api(self.target, self.seconds)) as api:
                api.balance(key)  # The connection stands before the race begins.
                together.wait()
                return api.submit(key).status

        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(submit, range(times))).count(200)

    def close(self) -> None:
        self._connection.close()


def bearer(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


@contextlib.contextmanager
def api_of(fault: str | None, seconds: float) -> Iterator[Api]:
    with (
        Target(fault, task_seconds=seconds) as target,
        contextlib.closing(Api(target, seconds)) as api,
    ):
        yield api


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of a right target whose tasks end soon."""
    with api_of(None, SHORT) as client:
        yield client


@pytest.fixture(scope="module")
def slow() -> Iterator[Api]:
    """A client of a right target whose tasks are pending as long as anybody looks."""
    with api_of(None, ENDLESS) as client:
        yield client


# A target without a fault


def test_submission(slow: Api) -> None:
    answer = slow.submit()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json.keys() == {"taskId", "status", "creditsUsed"}
    assert answer.json["status"] == 0
    assert answer.json["creditsUsed"] == 3
    assert re.fullmatch("tsk_[0-7][0-9A-HJKMNP-TV-Z]{25}", answer.json["taskId"])


def test_snapshot_of_a_pending_task(slow: Api) -> None:
    before = datetime.now(UTC)
    task_id = slow.new(model=NANO_PRO, prompt=" a\ncat ", resolution="4K")
    snapshot = slow.read(task_id).json
    created = snapshot.pop("createdAt")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created)
    assert abs(datetime.fromisoformat(created) - before).total_seconds() < 5
    assert snapshot == {
        "taskId": task_id,
        "type": "image",
        "status": 0,
        "model": NANO_PRO,
        "prompt": " a\ncat ",
        "creditsUsed": 20,
        "creditsRefunded": False,
        "updatedAt": created,
    }


def test_snapshot_of_a_completed_task(api: Api) -> None:
    answer = api.ended()
    snapshot = answer.json
    (image_url,) = snapshot["imageUrls"]
    assert image_url.startswith(f"{api.target.url}/_files/")
    assert (snapshot["status"], snapshot["creditsRefunded"]) == (1, False)
    assert not snapshot.keys() & {"videoUrl", "errorCode", "errorMessage"}
    assert snapshot["updatedAt"] > snapshot["createdAt"]
    time.sleep(0.01)
    assert api.read(snapshot["taskId"]).content == answer.content


def test_snapshot_of_a_failed_task(api: Api) -> None:
    answer = api.ended(providerInput=FAILURE)
    snapshot = answer.json
    assert (snapshot["status"], snapshot["creditsRefunded"]) == (2, True)
    assert (snapshot["errorCode"], snapshot["creditsUsed"]) == ("EMPTY_RESULT", 3)
    assert snapshot["errorMessage"]
    assert not snapshot.keys() & {"videoUrl", "imageUrls"}
    assert snapshot["updatedAt"] > snapshot["createdAt"]
    time.sleep(0.01)
    assert api.read(snapshot["taskId"]).content == answer.content


def test_image_is_a_valid_png(api: Api) -> None:
    with urllib.request.urlopen(api.ended().json["imageUrls"][0]) as response:
        assert response.headers["Content-Type"] == "image/png"
        rest = response.read().removeprefix(b"\x89PNG\r\n\x1a\n")
    chunks = {}
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        name, data, checksum = rest[4:8], rest[8 : 8 + length], rest[8 + length : 12 + length]
        assert struct.pack(">I", zlib.crc32(name + data)) == checksum
        chunks[name], rest = data, rest[12 + length :]
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (1, 1, 8, 0, 0, 0, 0)
    assert zlib.decompress(chunks[b"IDAT"]) == b"\x00\xff"


def test_task_ends_in_time() -> None:
    with api_of(None, 0.4) as api:
        started = time.monotonic()
        task_id = api.new()
        while api.read(task_id).json["status"] == 0:
            time.sleep(0.01)
        assert 0.4 <= time.monotonic() - started < 2


@pytest.mark.parametrize(("model", "cap"), [(GPT, 20_000), (NANO_2, 20_000), (NANO_PRO, 10_000), (NANO, 5_000)])
@pytest.mark.parametrize("character", ["a", "é", "\U0001f431", "\0"])
@pytest.mark.parametrize("urls", [[], [URL]])
def test_prompt_cap_in_code_points(api: Api, model: str, cap: int, character: str, urls: list[str]) -> None:
    fields: dict[str, Any] = {"model": model, "inputImageUrls": urls}
    answer = api.submit(prompt=character * cap, **fields)
    assert answer.status == 200
    assert api.read(answer.json["taskId"]).json["prompt"] == character * cap
    refused = api.submit(prompt=character * (cap + 1), **fields)
    assert refused.status == 400
    assert refused.json["details"]["fieldErrors"].keys() == {"prompt"}


@pytest.mark.parametrize(
    "prompt",
    [" outer spaces ", "\t\n", " ", "e\u0301\u00e9", "\ufeffx", "\U0010ffff", '"\\/', "a\u2028b"],
)
def test_prompt_comes_back_unchanged(api: Api, prompt: str) -> None:
    assert api.read(api.new(prompt=prompt)).json["prompt"] == prompt


@pytest.mark.parametrize(("model", "most"), [(GPT, 4), (NANO_2, 14), (NANO_PRO, 8), (NANO, 10)])
def test_most_references(api: Api, model: str, most: int) -> None:
    for count in range(most + 1):
        assert api.submit(model=model, inputImageUrls=[URL] * count).status == 200
    refused = api.submit(model=model, inputImageUrls=[URL] * (most + 1))
    assert refused.json["details"]["fieldErrors"].keys() == {"inputImageUrls"}


PRICES = [
    (GPT, OMIT, 3),
    (NANO, OMIT, 3),
    (NANO_2, OMIT, 4),
    (NANO_2, "1K", 4),
    (NANO_2, "2K", 6),
    (NANO_2, "4K", 8),
    (NANO_PRO, OMIT, 12),
    (NANO_PRO, "2K", 12),
    (NANO_PRO, "4K", 20),
]


@pytest.mark.parametrize(("model", "resolution", "price"), PRICES)
@pytest.mark.parametrize("urls", [OMIT, [], [URL]])
@pytest.mark.parametrize("fails", [False, True])
def test_prices(slow: Api, api: Api, model: str, resolution: Any, price: int, urls: Any, fails: bool) -> None:
    order = {
        "model": model,
        "resolution": resolution,
        "inputImageUrls": urls,
        "providerInput": FAILURE if fails else OMIT,
    }
    key = slow.open_account(2 * price - 1)
    answer = slow.submit(key, **order)
    assert (answer.status, answer.json["creditsUsed"]) == (200, price)
    assert slow.read(answer.json["taskId"], key).json["creditsUsed"] == price
    assert slow.balance(key) == price - 1
    refused = slow.submit(key, **order)
    assert refused.error == (402, {"error": "Insufficient credits", "required": price})
    assert slow.balance(key) == price - 1
    key = api.open_account(price)
    task_id = api.new(key, **order)
    api.pass_time()
    assert [api.balance(key), api.read(task_id, key).status, api.balance(key)] == (
        [price, 200, price] if fails else [0, 200, 0]
    )


def each(name: str, *values: Any, **others: Any) -> list[dict[str, Any]]:
    """Requests that differ in one field."""
    return [{**others, name: value} for value in values]


LISTED_RATIOS = ["auto", "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9"]
ANY_RATIOS = ["auto", "1:1", "7:3", "21:9", "9:21", "1000:1", f"1{'0' * 50}:1"]
NO_RATIOS = [None, "", "0:1", "1:0", "-1:1", "1.5:1", "1:1:1", "1:", "1 : 1", "१:१", "1:1\n", 1]
VALID = [
    *each("aspectRatio", *LISTED_RATIOS),
    *each("aspectRatio", *ANY_RATIOS, model=NANO_2),
    *each("aspectRatio", *ANY_RATIOS, model=NANO_PRO),
    *each("aspectRatio", *ANY_RATIOS, model=NANO),
    *each("outputFormat", "png", "jpeg", "webp"),
    *each("resolution", "1K", "8K", 5, None, {}, model=GPT),
    *each("resolution", "2K", "", [], model=NANO),
    *each(
        "inputImageUrls",
        [URL, URL],
        ["http://example.com"],
        ["https://example.com/a.png?b=c&d=%20#e"],
        ["HTTPS://EXAMPLE.COM/"],
        ["http://127.0.0.1:8080/a"],
        ["http://[::1]:80/a"],
        ["https://user:word@example.com/a"],
    ),
    *each(
        "providerInput",
        {},
        {"": None},
        {"model": 1, "n": {"a": [[{}]]}},
        {"x": 10**400},
        {"\0": "é"},
        {"simulate": ["failure"]},
    ),
    {"unknown": 1, "Model": None, "input_image_urls": "x", "": [{}], "status": 2},
]
NOT_A_MODEL = [
    OMIT,
    None,
    "",
    "gpt-image-1",
    "GPT-Image-2",
    "nano-banana",
    " gpt-image-2",
    "gpt-image-2\n",
    "google/nano-banana-2",
    5,
    True,
    [GPT],
    {},
]
NOT_REFERENCES = [
    None,
    URL,
    {},
    {"0": URL},
    True,
    [None],
    [5],
    [[URL]],
    [{"url": URL}],
    [""],
    ["a.png"],
    ["/a.png"],
    ["//example.com/a.png"],
    ["ftp://example.com/a.png"],
    ["data:image/png;base64,AAAA"],
    ["file:///a.png"],
    ["javascript:alert(1)"],
    ["http:/example.com"],
    ["http:example.com"],
    ["http://"],
    ["https:///a.png"],
    ["https://?a"],
    ["http://exa mple.com"],
    [" https://example.com"],
    ["https://example.com\n"],
    ["https://example.com/a b"],
    [URL, "a.png"],
]
INVALID = {
    "model": each("model", *NOT_A_MODEL),
    "prompt": [
        *each("prompt", OMIT, None, "", 5, True, ["a"], {}),
        *each("prompt", OMIT, "", inputImageUrls=[URL]),
    ],
    "inputImageUrls": each("inputImageUrls", *NOT_REFERENCES),
    "aspectRatio": [
        *each("aspectRatio", *NO_RATIOS, "9:21", "2:1", "AUTO", "16:9 ", "16x9", ["1:1"]),
        *each("aspectRatio", *NO_RATIOS, model=NANO_2),
        *each("aspectRatio", *NO_RATIOS, model=NANO_PRO),
        *each("aspectRatio", *NO_RATIOS, model=NANO),
    ],
    "resolution": [
        *each("resolution", None, "", "3K", "8K", "2k", "2K ", 2, ["2K"], {}, model=NANO_2),
        *each("resolution", None, "1K", "8K", "4k", 4, True, model=NANO_PRO),
    ],
    "outputFormat": each("outputFormat", None, "", "gif", "jpg", "PNG", 1, ["png"], {}),
    "providerInput": each("providerInput", None, "", 1, True, [], [{}]),
}


@pytest.mark.parametrize("fields", VALID)
def test_valid_request(api: Api, fields: dict[str, Any]) -> None:
    assert api.submit(**fields).status == 200


@pytest.mark.parametrize(("fields", "field"), [(fields, name) for name, many in INVALID.items() for fields in many])
def test_invalid_request(api: Api, fields: dict[str, Any], field: str) -> None:
    key = api.open_account(100)
    answer = api.submit(key, **fields)
    assert answer.status == 400
    assert answer.json.keys() == {"error", "details"}
    assert answer.json["error"] == "Invalid request"
    assert answer.json["details"].keys() == {"formErrors", "fieldErrors"}
    assert answer.json["details"]["formErrors"] == []
    assert answer.json["details"]["fieldErrors"].keys() == {field}
    assert all(type(text) is str for text in answer.json["details"]["fieldErrors"][field])
    assert answer.json["details"]["fieldErrors"][field]
    assert api.balance(key) == 100


def test_every_broken_field_is_named(api: Api) -> None:
    broken: dict[str, Any] = {
        "model": "x",
        "prompt": "",
        "inputImageUrls": ["x"],
        "aspectRatio": 1,
        "outputFormat": 1,
        "providerInput": 1,
    }
    answer = api.submit(**broken)
    assert answer.json["details"]["fieldErrors"].keys() == broken.keys()


@pytest.mark.parametrize("prompt", ["", OMIT])
def test_documented_body_of_a_400(api: Api, prompt: Any) -> None:
    answer = api.submit(prompt=prompt)
    assert answer.error == (400, {"error": "Invalid request", "details": DETAILS})


GOOD = json.dumps({"model": GPT, "prompt": "a cat"}).encode()
BAD_BODIES = [
    b"",
    b" ",
    b"{",
    b"nonsense",
    b"{'model': 1}",
    GOOD + b"}",
    GOOD + b" x",
    GOOD + GOOD,
    GOOD[:-1] + b",}",
    GOOD[:-1] + b', "x": NaN}',
    GOOD[:-1] + b', "x": -Infinity}',
    GOOD[:-1] + b', "x": 01}',
    GOOD.replace(b"a cat", b"a\ncat"),
    GOOD.replace(b"a cat", b"a \xff cat"),
    GOOD.replace(b"a cat", b"\xed\xa0\x80"),
    GOOD.replace(b"a cat", b"\xc0\x80"),
    GOOD.decode().encode("utf-16"),
    GOOD.decode().encode("utf-32"),
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    GOOD[:-1] + b', "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b"[]",
    b"[" + GOOD + b"]",
    b"null",
    b"true",
    b"5",
    b'"text"',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body[:40]))
def test_body_that_is_no_json_object(api: Api, body: bytes) -> None:
    answer = api.post(body)
    assert answer.status == 400
    assert answer.json["error"] == "Invalid request"
    assert answer.json["details"]["fieldErrors"] == {}
    assert len(answer.json["details"]["formErrors"]) == 1


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        (r'"prompt": "\ud800"', {"prompt"}),
        (r'"prompt": "a\udc00\ud800b"', {"prompt"}),
        (r'"providerInput": {"a": ["\ud83d"]}', {"providerInput"}),
        (r'"providerInput": {"\ud83d": 1}', {"providerInput"}),
        (r'"\ud83d": 1', set()),
    ],
)
def test_lone_surrogate(api: Api, extra: str, named: set[str]) -> None:
    answer = api.post(GOOD[:-1] + b", " + extra.encode() + b"}")
    assert (answer.status, answer.json["error"]) == (400, "Invalid request")
    assert answer.json["details"]["fieldErrors"].keys() == named
    assert bool(answer.json["details"]["formErrors"]) is not bool(named)


@pytest.mark.parametrize(
    "body",
    [
        b" \r\n\t" + GOOD + b"\n",
        GOOD.replace(b"a cat", rb"\ud83d\udc31"),
        GOOD[:-1] + b', "x": 1e400, "y": ' + b"9" * 5_000 + b"}",
        GOOD[:-1] + b', "x": ' + b"[" * 500 + b"]" * 500 + b"}",
        GOOD[:-1] + b', "providerInput": {"simulate": "failure", "simulate": 1}}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_unusual_body_that_is_valid(api: Api, body: bytes) -> None:
    assert api.post(body).status == 200


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/plain", "application/xml", ""])
def test_content_type_of_requests_does_not_matter(api: Api, content_type: str) -> None:
    assert api.post(GOOD, **{"Content-Type": content_type}).status == 200
    assert api.post(b"x", **{"Content-Type": content_type}).status == 400


def test_chunked_body(api: Api) -> None:
    assert api.call("POST", SUBMIT, iter([GOOD[:9], GOOD[9:]]), bearer(RICH)).status == 200


ACCEPTED_HEADERS = [
    {"Authorization": f"Bearer {RICH}"},
    {"Authorization": f"bearer {RICH}"},
    {"Authorization": f"BEARER  {RICH} "},
    {"Cookie": f"session={RICH}"},
    {"Cookie": f"theme=dark; session={RICH}; a=b"},
    {"Authorization": "Bearer wrong", "Cookie": f"session={RICH}"},
    {"Authorization": f"Bearer {RICH}", "Cookie": "session=wrong"},
]
REFUSED_HEADERS = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": "Bearer sk_test_unknown"},
    {"Authorization": f"Bearer {RICH[:-1]}"},
    {"Authorization": f"Bearer {RICH}x"},
    {"Authorization": f"Bearer {RICH.upper()}"},
    {"Authorization": f"Bearer {RICH} x"},
    {"Authorization": f"Bearer {RICH},"},
    {"Authorization": f"Bearer{RICH}"},
    {"Authorization": f"Basic {RICH}"},
    {"Authorization": f"Token {RICH}"},
    {"Authorization": RICH},
    {"Authorization": "Bearer \xff"},
    {"X-Api-Key": RICH},
    {"Cookie": "session="},
    {"Cookie": "session"},
    {"Cookie": f"Session={RICH}"},
    {"Cookie": f"token={RICH}"},
    {"Cookie": "session=wrong"},
]


@pytest.mark.parametrize("headers", ACCEPTED_HEADERS, ids=str)
def test_accepted_credentials(api: Api, headers: dict[str, str]) -> None:
    answer = api.call("POST", SUBMIT, GOOD, headers)
    assert answer.status == 200
    assert api.call("GET", f"/api/ai/tasks/{answer.json['taskId']}", None, headers).status == 200


@pytest.mark.parametrize("headers", REFUSED_HEADERS, ids=str)
def test_refused_credentials(api: Api, headers: dict[str, str]) -> None:
    calls = [
        ("POST", SUBMIT, GOOD),
        ("POST", SUBMIT, b"{}"),
        ("POST", SUBMIT, b"{"),
        ("GET", f"/api/ai/tasks/{api.new()}", None),
        ("GET", "/api/ai/tasks/unknown", None),
    ]
    for method, path, body in calls:
        answer = api.call(method, path, body, headers)
        assert answer.error == (401, {"error": "Unauthorized"})
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_order_of_errors(api: Api) -> None:
    assert api.submit(None, prompt="").status == 401
    for key in (EMPTY, POOR):
        assert api.submit(key, prompt="").status == 400
        assert api.submit(key, aspectRatio="x").status == 400
        assert api.submit(key).error == (402, {"error": "Insufficient credits", "required": 3})
    assert [api.balance(key) for key in (EMPTY, POOR)] == [0, 2]


@pytest.mark.parametrize(
    "task_id",
    [
        "unknown",
        "tsk_01HZZZZZZZZZZZZZZZZZZZZZZZ",
        "x" * 60_000,
        "%00",
        "%ff",
        "%",
        "a%2Fb",
        "..",
        "%F0%9F%90%B1",
    ],
    ids=lambda task_id: task_id[:40],
)
def test_unknown_task(api: Api, task_id: str) -> None:
    assert api.read(task_id).error == (404, {"error": "Task not found"})


def test_foreign_task_is_unknown(api: Api, slow: Api) -> None:
    pending, ended = slow.new(), api.ended().json["taskId"]
    assert slow.read(pending, OTHER).content == slow.read("unknown", OTHER).content
    assert slow.read(pending, OTHER).error == (404, {"error": "Task not found"})
    assert api.read(ended, OTHER).error == (404, {"error": "Task not found"})


@pytest.mark.parametrize(
    "path", ["/", "/nothing", SUBMIT + "/", "/api/ai/tasks", "/api/ai/tasks/", "/api/ai/tasks/a/b"]
)
def test_unknown_path(api: Api, path: str) -> None:
    answer = api.call("GET", path)
    assert answer.error == (404, {"error": "Not found"})
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_other_methods(api: Api, method: str) -> None:
    for path, allowed in ((SUBMIT, "POST"), ("/api/ai/tasks/x", "GET")):
        if method != allowed:
            answer = api.call(method, path, GOOD, bearer(RICH))
            assert answer.error == (405, {"error": "Method not allowed"})
            assert answer.headers["Allow"] == allowed


def test_head_has_no_body(api: Api) -> None:
    answer = api.call("HEAD", "/api/ai/tasks/x", None, bearer(RICH))
    assert (answer.status, answer.headers["Allow"], answer.content) == (405, "GET", b"")
    assert api.submit().status == 200


def test_query_and_absolute_request_target(api: Api) -> None:
    task_id = api.new()
    assert api.read(f"{task_id}?a=b").status == 200
    answer = api.call("GET", f"{api.target.url}/api/ai/tasks/{task_id}", None, bearer(RICH))
    assert answer.status == 200


def test_equal_requests_make_two_tasks_and_two_debits(slow: Api) -> None:
    key = slow.open_account(7)
    assert slow.new(key) != slow.new(key)
    assert slow.balance(key) == 1


def test_concurrent_submissions_never_spend_more_than_the_balance(slow: Api) -> None:
    key = slow.open_account(3 * 10 + 2)
    assert slow.submit_at_once(key, 20) == 10
    assert slow.balance(key) == 2


def test_refund_is_there_for_whoever_looks_first(api: Api) -> None:
    key = api.open_account(3)
    api.new(key, providerInput=FAILURE)
    api.pass_time()
    assert api.submit(key, providerInput=FAILURE).status == 200


def test_no_refund_before_the_end(slow: Api) -> None:
    key = slow.open_account(3)
    task_id = slow.new(key, providerInput=FAILURE)
    assert slow.read(task_id, key).json["creditsRefunded"] is False
    assert slow.balance(key) == 0
    assert slow.submit(key).status == 402


def test_accounts(api: Api) -> None:
    keys = {api.open_account(0) for _ in range(20)}
    assert len(keys) == 20
    assert all(re.fullmatch("sk_test_[0-9a-f]{32}", key) for key in keys)
    assert api.call("GET", "/_admin/accounts/unknown").status == 404
    for body in (b"", b"[]", b"{}", b'{"credits": -1}', b'{"credits": true}', b'{"credits": "1"}'):
        assert api.call("POST", "/_admin/accounts", body).status == 400


def test_balances_of_the_built_in_accounts() -> None:
    with api_of(None, SHORT) as api:
        balances = [api.balance(key) for key in (RICH, OTHER, POOR, EMPTY)]
    assert balances == [1_000_000, 1_000_000, 2, 0]


def raw(api: Api, request: bytes) -> bytes:
    host, port = api.target.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    ],
    ids=lambda request_bytes: repr(request_bytes[:40]),
)
def test_bad_http_is_answered_in_json(api: Api, request_bytes: bytes) -> None:
    head, _, body = raw(api, request_bytes).partition(b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.1 [45]\d\d ", head)
    assert b"Connection: close" in head
    assert json.loads(body).keys() == {"error"}


def test_pipelined_requests(api: Api) -> None:
    one = b"POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (SUBMIT.encode(), len(GOOD), GOOD)
    assert raw(api, one * 3).count(b"HTTP/1.1 401 Unauthorized") == 3


def test_clients_that_hang_up_leave_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
    with api_of(None, SHORT) as api:
        host, port = api.target.url.removeprefix("http://").split(":")
        for request in (b"", b"POST", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"):
            connection = socket.create_connection((host, int(port)))
            connection.sendall(request)
            # A reset instead of an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        assert api.submit().status == 200
    assert capfd.readouterr().err == ""


def test_a_closed_target_hangs_up() -> None:
    with contextlib.ExitStack() as stack:
        with Target() as target:
            api = stack.enter_context(contextlib.closing(Api(target, SHORT)))
            assert api.submit().status == 200
        with pytest.raises((OSError, http.client.HTTPException)):
            api.submit()
        api.close()
        with pytest.raises(ConnectionRefusedError):
            api.submit()


def test_unknown_fault() -> None:
    with pytest.raises(ValueError, match="unknown fault: 'no-such-fault'"):
        Target("no-such-fault")


# The faults


@dataclass(frozen=True)
class Demo:
    """A probe, and what it finds on a right target and on the faulty one."""

    probe: Callable[[Api], object]
    right: object
    wrong: object
    seconds: float = SHORT


def accepts(**fields: Any) -> Demo:
    return Demo(lambda api: api.submit(**fields).status, 400, 200, ENDLESS)


def refuses(**fields: Any) -> Demo:
    return Demo(lambda api: api.submit(**fields).status, 200, 400, ENDLESS)


def posting(body: bytes, right: int, wrong: int) -> Demo:
    return Demo(lambda api: api.post(body).status, right, wrong, ENDLESS)


def details_of(right: object, wrong: object, **fields: Any) -> Demo:
    return Demo(lambda api: api.submit(**fields).json.get("details"), right, wrong, ENDLESS)


def price(right: int, wrong: int, **fields: Any) -> Demo:
    return Demo(lambda api: api.submit(**fields).json["creditsUsed"], right, wrong, ENDLESS)


def shows(name: str, right: object, wrong: object, **fields: Any) -> Demo:
    """What a field of a snapshot is while the task is pending; `OMIT` for a missing field."""
    return Demo(lambda api: api.read(api.new(**fields)).json.get(name, OMIT), right, wrong, ENDLESS)


def shows_at_end(name: str, right: object, wrong: object, **fields: Any) -> Demo:
    return Demo(lambda api: api.ended(**fields).json.get(name, OMIT), right, wrong)


def carries_at_end(name: str, right: bool, wrong: bool, **fields: Any) -> Demo:
    return Demo(lambda api: name in api.ended(**fields).json, right, wrong)


def time_form(wrong: str) -> Demo:
    """The form of both timestamps, with d for a digit."""

    def probe(api: Api) -> object:
        snapshot = api.ended().json
        return {re.sub(r"\d", "d", str(snapshot[name])) for name in ("createdAt", "updatedAt")}

    return Demo(probe, {"dddd-dd-ddTdd:dd:dd.dddZ"}, {wrong})


def reads(name: str, right: list[object], wrong: list[object], **fields: Any) -> Demo:
    """A field of a snapshot in reads after the end, one for each value expected."""

    def probe(api: Api) -> object:
        task_id = api.new(**fields)
        api.pass_time()
        return [api.read(task_id).json.get(name) for _ in right]

    return Demo(probe, right, wrong)


def stable(name: str) -> Demo:
    """Whether a field is the same in two reads after the end."""

    def probe(api: Api) -> object:
        task_id = api.new()
        api.pass_time()
        first, second = (api.read(task_id).json[name] for _ in range(2))
        return first == second

    return Demo(probe, True, False)


def left(credits: int, right: int, wrong: int, seconds: float = ENDLESS, *, times: int = 1, **fields: Any) -> Demo:
    """The balance after submissions, before the end or after it."""

    def probe(api: Api) -> object:
        key = api.open_account(credits)
        for _ in range(times):
            api.submit(key, **fields)
        if seconds == SHORT:
            api.pass_time()
        return api.balance(key)

    return Demo(probe, right, wrong, seconds)


def left_after_reads(right: list[int], wrong: list[int], **fields: Any) -> Demo:
    """The balance of an account of 20 credits after its task's end, and after each read of it."""

    def probe(api: Api) -> object:
        key = api.open_account(20)
        task_id = api.new(key, **fields)
        api.pass_time()
        balances = [api.balance(key)]
        for _ in right[1:]:
            api.read(task_id, key)
            balances.append(api.balance(key))
        return balances

    return Demo(probe, right, wrong)


def with_balance(credits: int, right: object, wrong: object, **fields: Any) -> Demo:
    def probe(api: Api) -> object:
        key = api.open_account(credits)
        return api.submit(key, **fields).status, api.balance(key)

    return Demo(probe, right, wrong, ENDLESS)


def refused_for_credits(right: object, wrong: object) -> Demo:
    return Demo(lambda api: api.submit(POOR).error, (402, right), wrong, ENDLESS)


def opens(headers: dict[str, str], right: list[int], wrong: list[int]) -> Demo:
    """The statuses of a submission, and of reading a task of the first account, with `headers`."""

    def probe(api: Api) -> object:
        task = f"/api/ai/tasks/{api.new()}"
        submission = api.call("POST", SUBMIT, GOOD, headers)
        return [submission.status, api.call("GET", task, None, headers).status]

    return Demo(probe, right, wrong, ENDLESS)


def foreign(wrong: tuple[int, object]) -> Demo:
    def probe(api: Api) -> object:
        answer = api.read(api.new(), OTHER)
        return answer.status, answer.json.get("error")

    return Demo(probe, (404, "Task not found"), wrong, ENDLESS)


def order(body: bytes, headers: dict[str, str], right: int, wrong: int) -> Demo:
    return Demo(lambda api: api.call("POST", SUBMIT, body, headers).status, right, wrong, ENDLESS)


def calling(method: str, path: str, right: int, wrong: int) -> Demo:
    return Demo(lambda api: api.call(method, path, None, bearer(RICH)).status, right, wrong)


def bare_error(api: Api) -> object:
    answer = api.submit(None)
    return answer.headers["Content-Type"], answer.content


def unknown_task(api: Api) -> object:
    answer = api.read("unknown")
    return answer.status, answer.headers["Content-Type"], answer.content


NOT_FOUND = b'{"error": "Task not found"}'


def truncated(api: Api) -> object:
    answer = api.submit(prompt="a" * 20_001)
    if answer.status == 400:
        return 400
    return answer.status, len(api.read(answer.json["taskId"]).json["prompt"])


def renamed(api: Api) -> object:
    return sorted(
        api.ended().json.keys()
        & {"taskId", "imageUrls", "updatedAt", "creditsRefunded"}.union(
            {"id", "outputImageUrls", "completedAt", "creditRefunded"}
        )
    )


def relative(api: Api) -> object:
    return [url.startswith("http://") for url in api.ended().json["imageUrls"]]


def lost_updates(api: Api) -> object:
    key = api.open_account(100)
    accepted = api.submit_at_once(key, 8)
    return 100 - 3 * accepted == api.balance(key)


def overspent(api: Api) -> object:
    key = api.open_account(3)
    api.submit_at_once(key, 8)
    return api.balance(key) < 0


def pays_in_the_end(api: Api) -> object:
    key = api.open_account(3)
    api.new(key)
    early = api.balance(key)
    api.pass_time()
    return early, api.balance(key)


def differs_from_submission(api: Api) -> object:
    answer = api.submit().json
    return api.read(answer["taskId"]).json["creditsUsed"] - answer["creditsUsed"]


def status_in_time(api: Api) -> object:
    task_id = api.new()
    api.pass_time()
    time.sleep(10 * SHORT)
    return api.read(task_id).json["status"]


def updated_first(api: Api) -> object:
    snapshot = api.ended().json
    return snapshot["updatedAt"] < snapshot["createdAt"]


def steady_creation(api: Api) -> object:
    task_id = api.new()
    return len({api.read(task_id).json["createdAt"] for _ in range(3)})


def ids_in_a_row(api: Api) -> object:
    first = api.new(prompt="one")
    api.pass_time()
    return api.new(prompt="two") == first


def equal_requests(api: Api) -> object:
    key = api.open_account(10)
    return api.new(key) == api.new(key), api.balance(key)


def seen_at_once(api: Api) -> object:
    return api.read(api.new()).status


def read_twice_after_end(api: Api) -> object:
    task_id = api.new()
    api.pass_time()
    return [api.read(task_id).status for _ in range(2)]


def read_after_deletion(api: Api) -> object:
    task_id = api.new()
    api.call("DELETE", f"/api/ai/tasks/{task_id}", None, bearer(RICH))
    return api.read(task_id).status


def error_for_browsers(api: Api) -> object:
    return api.post(b"{}", None, Accept="text/html").headers["Content-Type"]


def missing_credentials_on_read(api: Api) -> object:
    return api.read(api.new(), None).status


def balance_after_400(api: Api) -> object:
    key = api.open_account(10)
    api.submit(key, prompt="")
    return api.balance(key)


def balance_after_402(api: Api) -> object:
    key = api.open_account(10)
    api.submit(key, model=NANO_PRO)
    return api.balance(key)


NO_PROMPT = json.dumps({"model": GPT}).encode()
BAD_RATIO = json.dumps({"model": GPT, "prompt": "a", "aspectRatio": "x"}).encode()
MANY = [URL] * 14
UNKNOWN_KEY = bearer("sk_test_unknown")
BAD_JSON = {
    "error": "Invalid request",
    "details": {"formErrors": ["Body must be valid JSON"], "fieldErrors": {}},
}
BROKE = {"error": "Insufficient credits", "required": 3}

DEMOS: dict[str, Demo] = {
    # requests
    "prompt-cap-one-over": accepts(prompt="a" * 20_001),
    "prompt-cap-refused-at-limit": refuses(model=NANO_PRO, prompt="a" * 10_000),
    "prompt-cap-too-wide": accepts(model=NANO, prompt="a" * 20_000),
    "prompt-cap-skipped-for-edits": accepts(prompt="a" * 20_001, inputImageUrls=[URL]),
    "prompt-counts-utf8-bytes": refuses(prompt="é" * 10_001),
    "prompt-counts-utf16-units": refuses(prompt="\U0001f431" * 10_001),
    "prompt-truncated": Demo(truncated, 400, (200, 20_000)),
    "prompt-number-coerced": accepts(prompt=5),
    "empty-prompt-accepted": accepts(prompt=""),
    "missing-prompt-accepted": accepts(prompt=OMIT),
    "prompt-optional-for-edits": accepts(prompt=OMIT, inputImageUrls=[URL]),
    "references-one-over": accepts(model=NANO_PRO, inputImageUrls=MANY[:9]),
    "references-one-under": refuses(model=NANO_2, inputImageUrls=MANY),
    "edit-refused": refuses(model=NANO, inputImageUrls=[URL]),
    "empty-references-refused": refuses(inputImageUrls=[]),
    "reference-scheme-unchecked": accepts(inputImageUrls=["ftp://example.com/a.png"]),
    "reference-http-refused": refuses(inputImageUrls=["http://example.com/a.png"]),
    "references-only-first-checked": accepts(inputImageUrls=[URL, "a.png"]),
    "references-string-accepted": accepts(inputImageUrls=URL),
    "aspect-ratio-refused": refuses(aspectRatio="4:5"),
    "aspect-ratio-undocumented": accepts(aspectRatio="9:21"),
    "aspect-ratio-list-misapplied": refuses(model=NANO_2, aspectRatio="7:3"),
    "aspect-ratio-zero-accepted": accepts(model=NANO, aspectRatio="0:1"),
    "resolution-undocumented": accepts(model=NANO_PRO, resolution="1K"),
    "resolution-refused": refuses(model=NANO_2, resolution="4K"),
    "resolution-lower-case-accepted": accepts(model=NANO_2, resolution="2k"),
    "resolution-refused-without-tiers": refuses(model=GPT, resolution="2K"),
    "output-format-refused": refuses(outputFormat="webp"),
    "output-format-undocumented": accepts(outputFormat="gif"),
    "model-case-insensitive": accepts(model="GPT-Image-2"),
    "model-alias-accepted": accepts(model="nano-banana"),
    "model-defaulted": accepts(model=OMIT),
    "null-accepted": accepts(aspectRatio=None),
    "provider-input-keys-restricted": refuses(providerInput={"style": "x"}),
    "provider-input-nested-refused": refuses(providerInput={"seed": [1]}),
    "provider-input-non-object": accepts(providerInput=["x"]),
    "unknown-field-refused": refuses(style="x"),
    "lone-surrogate-accepted": accepts(prompt="\ud800"),
    "invalid-utf8-accepted": posting(GOOD.replace(b"a cat", b"\xff"), 400, 200),
    # responses
    "details-missing": details_of(DETAILS, None, prompt=""),
    "details-wrong-field": details_of(
        DETAILS, {"formErrors": [], "fieldErrors": {"input": ["Prompt is required"]}}, prompt=""
    ),
    "details-only-first-field": Demo(
        lambda api: len(api.submit(prompt="", model="").json["details"]["fieldErrors"]), 2, 1
    ),
    "details-messages-not-lists": details_of(
        DETAILS, {"formErrors": [], "fieldErrors": {"prompt": "Prompt is required"}}, prompt=""
    ),
    "details-form-errors-missing": details_of(DETAILS, {"fieldErrors": {"prompt": ["Prompt is required"]}}, prompt=""),
    "error-plain-text": Demo(
        bare_error,
        ("application/json", b'{"error": "Unauthorized"}'),
        ("text/plain", b"Unauthorized"),
    ),
    "error-html-for-browsers": Demo(error_for_browsers, "application/json", "text/html"),
    "error-under-other-key": Demo(
        lambda api: api.submit(None).json, {"error": "Unauthorized"}, {"message": "Unauthorized"}
    ),
    "invalid-request-other-text": Demo(
        lambda api: api.submit(prompt="").json["error"], "Invalid request", "Validation failed"
    ),
    "insufficient-credits-other-text": refused_for_credits(BROKE, (402, {"error": "Payment required", "required": 3})),
    "unknown-task-other-text": Demo(
        lambda api: api.read("unknown").json, {"error": "Task not found"}, {"error": "Not found"}
    ),
    "unknown-task-200": Demo(unknown_task, (404, "application/json", NOT_FOUND), (200, "application/json", NOT_FOUND)),
    "unknown-task-html": Demo(
        unknown_task,
        (404, "application/json", NOT_FOUND),
        (404, "text/html", b"<!doctype html><h1>404</h1>"),
    ),
    "validation-422": posting(NO_PROMPT, 400, 422),
    "insufficient-credits-403": refused_for_credits(BROKE, (403, BROKE)),
    "content-type-wrong": Demo(
        lambda api: {
            answer.headers["Content-Type"] for answer in (api.submit(), api.submit(None), api.read(api.new()))
        },
        {"application/json"},
        {"text/plain"},
    ),
    "submission-201": posting(GOOD, 200, 201),
    "submission-without-credits-used": Demo(lambda api: api.submit().json.get("creditsUsed"), 3, None),
    "submission-without-status": Demo(lambda api: api.submit().json.get("status"), 0, None),
    "snapshot-without-model": shows("model", GPT, OMIT),
    "snapshot-status-as-string": shows("status", 0, "0"),
    "snapshot-credits-used-as-string": shows("creditsUsed", 3, "3"),
    "snapshot-type-wrong": shows("type", "image", "video"),
    "snapshot-quickstart-names": Demo(
        renamed,
        ["creditsRefunded", "imageUrls", "taskId", "updatedAt"],
        ["completedAt", "creditRefunded", "id", "outputImageUrls"],
    ),
    "prompt-echo-trimmed": shows("prompt", " a ", "a", prompt=" a "),
    "prompt-echo-nfc": shows("prompt", "e\u0301", unicodedata.normalize("NFC", "e\u0301"), prompt="e\u0301"),
    "model-echo-shortened": shows("model", NANO, "nano-banana", model=NANO),
    "image-urls-relative": Demo(relative, [True], [False]),
    "image-urls-single-string": Demo(lambda api: type(api.ended().json["imageUrls"]).__name__, "list", "str"),
    "timestamps-without-zone": time_form("dddd-dd-ddTdd:dd:dd.ddd"),
    "timestamps-with-offset": time_form("dddd-dd-ddTdd:dd:dd.ddd+dd:dd"),
    "timestamps-numeric": time_form("d" * 13),
    # credits
    "price-tier-wrong": price(6, 5, model=NANO_2, resolution="2K"),
    "price-flat-for-tiers": price(20, 12, model=NANO_PRO, resolution="4K"),
    "price-from-sample-response": price(3, 12),
    "price-default-tier-dearest": price(4, 8, model=NANO_2),
    "edit-costs-more": price(3, 4, inputImageUrls=[URL]),
    "charge-on-400": Demo(balance_after_400, 10, 7),
    "charge-on-402": Demo(balance_after_402, 10, 0),
    "charge-on-read": left_after_reads([17, 17, 17], [17, 16, 15]),
    "debit-twice": left(10, 7, 4),
    "debit-differs": left(10, 7, 6),
    "debit-missing": left(10, 7, 10),
    "debit-on-completion": Demo(pays_in_the_end, (0, 0), (3, 0), 0.3),
    "equal-requests-debited-once": left(10, 4, 7, times=2),
    "refund-missing": left(10, 10, 7, SHORT, providerInput=FAILURE),
    "refund-half": left(12, 12, 6, SHORT, model=NANO_PRO, providerInput=FAILURE),
    "refund-cheapest-tier": left(20, 20, 12, SHORT, model=NANO_PRO, resolution="4K", providerInput=FAILURE),
    "refund-only-when-read": left_after_reads([20, 20, 20], [17, 20, 20], providerInput=FAILURE),
    "refund-again-on-second-read": left_after_reads([20, 20, 20, 20], [20, 20, 23, 23], providerInput=FAILURE),
    "refund-on-every-read": left_after_reads([20, 20, 20], [20, 23, 26], providerInput=FAILURE),
    "refund-on-success": left(10, 7, 10, SHORT),
    "refund-flag-missing": shows("creditsRefunded", False, OMIT),
    "refund-flag-stays-false": shows_at_end("creditsRefunded", True, False, providerInput=FAILURE),
    "completed-claims-refund": shows_at_end("creditsRefunded", False, True),
    "pending-claims-refund": shows("creditsRefunded", False, True),
    "snapshot-credits-used-differs": Demo(differs_from_submission, 0, 1),
    "required-is-shortfall": refused_for_credits(BROKE, (402, {**BROKE, "required": 1})),
    "required-missing": refused_for_credits(BROKE, (402, {"error": "Insufficient credits"})),
    "exact-balance-refused": with_balance(3, (200, 0), (402, 3)),
    "one-short-accepted": with_balance(2, (402, 2), (200, 0)),
    "negative-balance": with_balance(1, (402, 1), (200, -11), model=NANO_PRO),
    "lost-updates": Demo(lost_updates, True, False),
    "overspend-when-concurrent": Demo(overspent, False, True),
    # lifecycle
    "never-ends": Demo(status_in_time, 1, 0),
    "terminal-flips-to-pending": reads("status", [1, 1], [1, 0]),
    "completed-flips-to-failed": reads("status", [1, 1], [1, 2]),
    "submission-says-completed": Demo(lambda api: api.submit().json["status"], 0, 1),
    "pending-status-undocumented": shows("status", 0, 3),
    "pending-with-image-urls": Demo(lambda api: "imageUrls" in api.read(api.new()).json, False, True, ENDLESS),
    "completed-without-image-urls": carries_at_end("imageUrls", True, False),
    "completed-with-empty-image-urls": Demo(lambda api: len(api.ended().json["imageUrls"]), 1, 0),
    "failed-with-image-urls": carries_at_end("imageUrls", False, True, providerInput=FAILURE),
    "failed-without-error-code": shows_at_end("errorCode", "EMPTY_RESULT", OMIT, providerInput=FAILURE),
    "failed-without-error-message": carries_at_end("errorMessage", True, False, providerInput=FAILURE),
    "updated-before-created": Demo(updated_first, False, True),
    "created-at-changes": Demo(steady_creation, 1, 3),
    "updated-at-changes-after-end": stable("updatedAt"),
    "image-urls-change-after-end": stable("imageUrls"),
    "task-id-reused": Demo(ids_in_a_row, False, True),
    "equal-requests-one-task": Demo(equal_requests, (False, 4), (True, 7)),
    "task-late-visible": Demo(seen_at_once, 200, 404, ENDLESS),
    "delete-forgets-task": Demo(read_after_deletion, 200, 404),
    "task-forgotten-after-end": Demo(read_twice_after_end, [200, 200], [200, 404]),
    # access
    "foreign-task-visible": foreign((200, None)),
    "foreign-task-403": foreign((403, "Forbidden")),
    "foreign-task-404-reveals": foreign((404, "Task belongs to another account")),
    "any-key-accepted": opens(UNKNOWN_KEY, [401, 401], [200, 200]),
    "any-cookie-accepted": opens({"Cookie": "session=x"}, [401, 401], [200, 200]),
    "empty-key-accepted": opens({"Authorization": "Bearer "}, [401, 401], [200, 200]),
    "reads-without-credentials": opens({}, [401, 401], [401, 200]),
    "basic-scheme-accepted": opens({"Authorization": f"Basic {RICH}"}, [401, 401], [200, 200]),
    "basic-password-accepted": opens(
        {"Authorization": f"Basic {b64encode(f'{RICH}:'.encode()).decode()}"}, [401, 401], [200, 200]
    ),
    "cookie-only-first": opens({"Cookie": f"theme=dark; session={RICH}"}, [200, 200], [401, 401]),
    "bare-key-accepted": opens({"Authorization": RICH}, [401, 401], [200, 200]),
    "key-prefix-accepted": opens(bearer(RICH[:-1]), [401, 401], [200, 200]),
    "key-suffix-ignored": opens(bearer(RICH + "x"), [401, 401], [200, 200]),
    "key-case-insensitive": opens(bearer(RICH.upper()), [401, 401], [200, 200]),
    "cookie-refused": opens({"Cookie": f"session={RICH}"}, [200, 200], [401, 401]),
    "cookie-refused-on-submission": opens({"Cookie": f"session={RICH}"}, [200, 200], [401, 200]),
    "invalid-key-500": opens(UNKNOWN_KEY, [401, 401], [500, 500]),
    "unauthorized-403": opens({}, [401, 401], [403, 403]),
    "unauthorized-other-text": Demo(
        lambda api: api.submit(None).error,
        (401, {"error": "Unauthorized"}),
        (401, {"error": "Invalid API key"}),
    ),
    # error-order
    "400-before-401": order(NO_PROMPT, {}, 401, 400),
    "400-before-unknown-key": order(NO_PROMPT, UNKNOWN_KEY, 401, 400),
    "malformed-json-before-401": order(b"{", {}, 401, 400),
    "402-before-400": order(NO_PROMPT, bearer(EMPTY), 400, 402),
    "402-before-options-400": order(BAD_RATIO, bearer(EMPTY), 400, 402),
    "402-before-401": order(GOOD, {}, 401, 402),
    "404-before-401": Demo(missing_credentials_on_read, 401, 404, ENDLESS),
    # protocol
    "malformed-json-500": posting(b"{", 400, 500),
    "malformed-json-other-body": Demo(lambda api: api.post(b"{").error, (400, BAD_JSON), (400, {"error": "Bad JSON"})),
    "trailing-garbage-accepted": posting(GOOD + b"x", 400, 200),
    "encoded-twice-accepted": posting(json.dumps(GOOD.decode()).encode(), 400, 200),
    "envelope-accepted": posting(b'{"input":' + GOOD + b"}", 400, 200),
    "empty-body-500": posting(b"", 400, 500),
    "array-body-500": posting(b"[]", 400, 500),
    "scalar-body-500": posting(b"5", 400, 500),
    "deep-nesting-500": posting(b"[" * 100_000 + b"]" * 100_000, 400, 500),
    "huge-number-500": posting(GOOD[:-1] + b', "x": 1e400}', 200, 500),
    "nul-in-prompt-500": posting(GOOD.replace(b"a cat", rb"\u0000"), 200, 500),
    "astral-in-prompt-500": posting(GOOD.replace(b"a cat", "\U0001f431".encode()), 200, 500),
    "lone-surrogate-500": posting(GOOD.replace(b"a cat", rb"\ud800"), 400, 500),
    "invalid-utf8-500": posting(GOOD.replace(b"a cat", b"\xff"), 400, 500),
    "other-content-type-500": Demo(lambda api: api.post(GOOD, **{"Content-Type": "text/plain"}).status, 200, 500),
    "long-task-id-500": calling("GET", f"/api/ai/tasks/{'x' * 256}", 404, 500),
    "control-in-task-id-500": calling("GET", "/api/ai/tasks/a%00", 404, 500),
    "unknown-method-500": calling("DELETE", "/api/ai/tasks/x", 405, 500),
    "unknown-path-500": calling("GET", "/nothing", 404, 500),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str, api: Api, slow: Api) -> None:
    assert name in DEMOS, f"no demonstration of the fault {name}"
    demo = DEMOS[name]
    shared = {SHORT: api, ENDLESS: slow}
    with contextlib.ExitStack() as stack:
        right = shared.get(demo.seconds) or stack.enter_context(api_of(None, demo.seconds))
        assert demo.probe(right) == demo.right
        assert demo.probe(stack.enter_context(api_of(name, demo.seconds))) == demo.wrong


def test_registry() -> None:
    assert FAULTS.keys() == DEMOS.keys()
    assert {fault.group for fault in FAULTS.values()} == set(GROUPS)
    assert {fault.provenance for fault in FAULTS.values()} == {"P", "D", "A"}
    for name, fault in FAULTS.items():
        assert fault.name == name
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name)
        assert fault.summary
    assert len({fault.summary for fault in FAULTS.values()}) == len(FAULTS)


@pytest.mark.parametrize("table", [CATALOGUE, LENIENT, STRICT, ERROR_BODY, ERROR_STATUS, SNAPSHOT], ids=len)
def test_tables_hold_registered_faults(table: dict[str, object]) -> None:
    assert table.keys() <= FAULTS.keys()
