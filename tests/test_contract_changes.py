"""A change of the contract is a change of its document alone: the mock plays a changed copy with no code edited."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from contract.check import check_contract
from tests.mock_server.harness import (
    EMPTY,
    GENERATE,
    READ,
    RICH,
    SUBMIT,
    TASKS,
    Change,
    Documented,
    Mock,
    account,
    bearer,
    changed_contract,
    run,
    serving,
    told,
)

SUBMIT_VIDEO = "/api/ai/video/generate"
GENERATE_VIDEO = "generateVideo"
URL = "https://example.com/a.png"


@contextmanager
def playing(folder: Path, change: Change) -> Iterator[tuple[Mock, Documented]]:
    """A mock that plays a changed copy of the contract, and what that copy documents."""
    contract, _ = check_contract(changed_contract(folder, change))
    with serving(contract) as mock:
        yield mock, Documented(contract)


def add_branch(schemas: dict[str, Any], body: str, name: str, branch: dict[str, Any]) -> None:
    """Give a request body one more branch."""
    (model,) = branch["properties"]["model"]["enum"]
    schemas[name] = branch
    schemas[body]["oneOf"].append({"$ref": f"#/components/schemas/{name}"})
    schemas[body]["discriminator"]["mapping"][model] = f"#/components/schemas/{name}"


# --------------------------------------------------------------- a fifth model


def add_a_model(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    branch = {
        "type": "object",
        "x-provenance": "page",
        "x-credits": {"by": ["quality"], "tiers": {"draft": 1, "good": 5, "best": 50}},
        "required": ["model", "prompt"],
        "properties": {
            "model": {"type": "string", "enum": ["fifth/model"]},
            "prompt": {"type": "string", "minLength": 1, "maxLength": 7},
            "inputImageUrls": {"type": "array", "maxItems": 2, "items": {"$ref": "#/components/schemas/InputImageUrl"}},
            "quality": {"type": "string", "enum": ["draft", "good", "best"], "default": "good"},
            "outputFormat": {"$ref": "#/components/schemas/OutputFormat"},
            "providerInput": {"$ref": "#/components/schemas/ProviderInput"},
        },
    }
    add_branch(schemas, "GenerateImageRequest", "FifthRequest", branch)


def test_a_fifth_model_has_its_own_caps_and_its_own_prices(tmp_path: Path) -> None:
    with playing(tmp_path, add_a_model) as (mock, documented):
        fifth = {"model": "fifth/model", "prompt": "a fox"}

        documented(GENERATE, mock.submit(**{**fifth, "prompt": "1234567"}), 200)
        refused = documented(GENERATE, mock.submit(**{**fifth, "prompt": "12345678"}), 400)
        assert refused["details"]["fieldErrors"] == {"prompt": ["Prompt must have at most 7 characters"]}
        documented(GENERATE, mock.submit(**fifth, inputImageUrls=[URL] * 2), 200)
        refused = documented(GENERATE, mock.submit(**fifth, inputImageUrls=[URL] * 3), 400)
        assert refused["details"]["fieldErrors"] == {"inputImageUrls": ["Input image urls must have at most 2 items"]}
        refused = documented(GENERATE, mock.submit(**fifth, quality="worst"), 400)
        assert refused["details"]["fieldErrors"] == {"quality": ["Quality must be one of draft, good, best"]}

        for fields, price in (({"quality": "draft"}, 1), ({"quality": "good"}, 5), ({"quality": "best"}, 50), ({}, 5)):
            for mode in ({}, {"inputImageUrls": [URL]}):
                asked: dict[str, Any] = {**fifth, **fields, **mode}
                assert documented(GENERATE, mock.submit(**asked), 200)["creditsUsed"] == price
                assert documented(GENERATE, mock.submit(EMPTY, **asked), 402)["required"] == price

        mock.store.add_accounts([account("exact", 56)])
        for quality in ("best", "good", "draft"):
            documented(GENERATE, mock.submit("exact", **fifth, quality=quality), 200)
        assert mock.store.balance("exact", mock.clock) == 0

        unknown = documented(GENERATE, mock.submit(model="sixth"), 400)
        assert "fifth/model" in unknown["details"]["fieldErrors"]["model"][0]
        documented(GENERATE, mock.submit(prompt="12345678"), 200)  # the other models are as they were


# --------------------------------------------------------------- a changed price


def test_a_changed_price_is_what_is_debited_refunded_and_required(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["components"]["schemas"]["GptImage2Request"]["x-credits"] = {"flat": 11}

    with playing(tmp_path, change) as (mock, documented):
        mock.store.add_accounts([account("purse", 11)])
        assert documented(GENERATE, mock.submit(EMPTY), 402)["required"] == 11
        accepted = documented(GENERATE, mock.submit("purse", **told("failed")), 200)
        assert accepted["creditsUsed"] == 11
        assert mock.store.balance("purse", mock.clock) == 0
        mock.clock.advance(5)
        snapshot = mock.read(accepted["taskId"], "purse")
        assert (snapshot["creditsUsed"], snapshot["creditsRefunded"]) == (11, True)
        assert mock.store.balance("purse", mock.clock) == 11


def test_a_price_that_becomes_a_table_is_read_from_the_table(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        branch = document["components"]["schemas"]["GptImage2Request"]
        branch["x-credits"] = {"by": ["outputFormat"], "tiers": {"png": 2, "jpeg": 1, "webp": 9}}
        branch["properties"]["outputFormat"] = {"type": "string", "enum": ["png", "jpeg", "webp"], "default": "webp"}

    with playing(tmp_path, change) as (mock, documented):
        for kind, price in (("png", 2), ("jpeg", 1), ("webp", 9)):
            assert documented(GENERATE, mock.submit(outputFormat=kind), 200)["creditsUsed"] == price
        accepted = documented(GENERATE, mock.submit(), 200)
        assert accepted["creditsUsed"] == 9
        mock.clock.advance(5)
        assert mock.read(accepted["taskId"])["imageUrls"][0].endswith(".webp")


# ------------------------------------------------- a second submitting operation


def add_an_operation(document: dict[str, Any]) -> None:
    """Videos: another type, a price by two fields of which one is an integer, and one URL as the result."""
    schemas = document["components"]["schemas"]
    schemas["ClipRequest"] = {
        "type": "object",
        "x-provenance": "docs",
        "x-credits": {
            "by": ["resolution", "durationSeconds"],
            "tiers": {"480p": {4: 10, 8: 18}, "720p": {4: 20, 8: 36}},
        },
        "required": ["model", "prompt", "durationSeconds"],
        "properties": {
            "model": {"type": "string", "enum": ["clip-1"]},
            "prompt": {"type": "string", "minLength": 1, "maxLength": 300},
            "resolution": {"type": "string", "enum": ["480p", "720p"], "default": "480p"},
            "durationSeconds": {"type": "number", "enum": [4, 8]},
            "aspectRatio": {"$ref": "#/components/schemas/FreeAspectRatio"},
            "providerInput": {"$ref": "#/components/schemas/ProviderInput"},
        },
    }
    schemas["GenerateVideoRequest"] = {
        "x-provenance": "docs",
        "discriminator": {"propertyName": "model", "mapping": {"clip-1": "#/components/schemas/ClipRequest"}},
        "oneOf": [{"$ref": "#/components/schemas/ClipRequest"}],
    }

    shape = copy.deepcopy(schemas["CompletedImageTask"])
    shape["required"] = [{"imageUrls": "videoUrl"}.get(name, name) for name in shape["required"]]
    shape["x-provenance"] = {"*": "docs", "required": "assumed", "required/videoUrl": "docs"}
    shape["properties"]["type"]["enum"] = ["video"]
    shape["properties"]["imageUrls"] = {"$ref": "#/components/schemas/NoImageUrls"}
    shape["properties"]["videoUrl"] = {"type": "string", "format": "uri"}
    schemas["CompletedVideoTask"] = shape
    schemas["TaskSnapshot"]["oneOf"].append({"$ref": "#/components/schemas/CompletedVideoTask"})
    questions = {question["id"]: question for question in document["info"]["x-open-questions"]}
    questions["snapshot-required"]["rules"].append("/components/schemas/CompletedVideoTask")

    operation = copy.deepcopy(document["paths"][SUBMIT]["post"])
    operation["operationId"] = GENERATE_VIDEO
    operation["x-provenance"] = "docs"
    operation["x-task"] = {
        "submits": "video",
        "idempotent": False,
        "result": {"field": "videoUrl", "aspect": "aspectRatio", "tier": "resolution"},
        "passthrough": "providerInput",
    }
    operation["requestBody"]["content"] = {
        "application/json": {"schema": {"$ref": "#/components/schemas/GenerateVideoRequest"}}
    }
    document["paths"][SUBMIT_VIDEO] = {"post": operation}


CLIP = {"model": "clip-1", "prompt": "a fox runs", "durationSeconds": 4}


def test_a_second_operation_is_played_from_its_description(tmp_path: Path) -> None:
    with playing(tmp_path, add_an_operation) as (mock, documented):

        def submit(key: str = RICH, **fields: Any) -> httpx.Response:
            return mock.client.post(SUBMIT_VIDEO, json={**CLIP, **fields}, headers=bearer(key))

        # the price by two fields
        for resolution, seconds, price in (
            ("480p", 4, 10),
            ("480p", 8, 18),
            ("720p", 4, 20),
            ("720p", 8, 36),
            ("720p", 8.0, 36),  # the same number in JSON
            (None, 8, 18),
        ):
            fields: dict[str, Any] = {"durationSeconds": seconds}
            fields |= {"resolution": resolution} if resolution else {}
            accepted = documented(GENERATE_VIDEO, submit(**fields), 200)
            assert (accepted["status"], accepted["creditsUsed"]) == (0, price)
            assert documented(GENERATE_VIDEO, submit(EMPTY, **fields), 402)["required"] == price

        # its own rules
        refused = documented(GENERATE_VIDEO, submit(durationSeconds=5, resolution="4K", prompt=""), 400)
        assert refused["details"]["fieldErrors"] == {
            "prompt": ["Prompt is required"],
            "resolution": ["Resolution must be one of 480p, 720p"],
            "durationSeconds": ["Duration seconds must be one of 4, 8"],
        }
        body = {name: value for name, value in CLIP.items() if name != "durationSeconds"}
        refused = documented(GENERATE_VIDEO, mock.client.post(SUBMIT_VIDEO, json=body, headers=bearer(RICH)), 400)
        assert refused["details"]["fieldErrors"] == {"durationSeconds": ["Duration seconds is required"]}
        documented(GENERATE_VIDEO, submit(model="gpt-image-2"), 400)
        documented(GENERATE, mock.submit(model="clip-1"), 400)
        documented(GENERATE_VIDEO, submit("nobody"), 401)

        # its own result, by the same endpoint
        task_id = documented(GENERATE_VIDEO, submit(resolution="720p", aspectRatio="16:9"), 200)["taskId"]
        failing = documented(GENERATE_VIDEO, submit(**told("failed", errorCode="NO_FOX")), 200)["taskId"]
        pictured = mock.new()
        pending = mock.read(task_id)
        assert (pending["type"], pending["status"], "videoUrl" in pending) == ("video", 0, False)
        mock.clock.advance(5)
        completed = documented(READ, mock.client.get(f"{TASKS}/{task_id}", headers=bearer(RICH)), 200)
        assert (completed["type"], completed["status"], completed["creditsUsed"]) == ("video", 1, 20)
        assert "imageUrls" not in completed
        with Image.open(io.BytesIO(httpx.get(completed["videoUrl"]).content)) as image:
            assert image.size == (1280, 720)
        failed = documented(READ, mock.client.get(f"{TASKS}/{failing}", headers=bearer(RICH)), 200)
        assert (failed["type"], failed["status"], failed["errorCode"]) == ("video", 2, "NO_FOX")
        assert failed["creditsRefunded"] is True

        # and the first operation is as it was
        image_task = documented(READ, mock.client.get(f"{TASKS}/{pictured}", headers=bearer(RICH)), 200)
        assert (image_task["type"], len(image_task["imageUrls"]), "videoUrl" in image_task) == ("image", 1, False)


def test_both_operations_draw_on_one_balance(tmp_path: Path) -> None:
    with playing(tmp_path, add_an_operation) as (mock, documented):
        mock.store.add_accounts([account("purse", 15)])
        response = mock.client.post(SUBMIT_VIDEO, json={**CLIP, **told("failed")}, headers=bearer("purse"))
        documented(GENERATE_VIDEO, response, 200)
        documented(GENERATE, mock.submit("purse"), 200)
        documented(GENERATE, mock.submit("purse"), 402)
        mock.clock.advance(5)
        assert mock.store.balance("purse", mock.clock) == 12


# ------------------------------------------------------ an operation of no kind


def test_an_operation_that_says_nothing_of_tasks_stops_the_start(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        idle = copy.deepcopy(document["paths"][SUBMIT]["post"])
        del idle["x-task"]
        document["paths"][f"{SUBMIT}/more"] = {"post": {**idle, "operationId": "idle"}}

    ended = run("--spec", str(changed_contract(tmp_path, change)), "--port", "0")
    assert (ended.returncode, ended.stdout) == (1, "")
    (message,) = ended.stderr.splitlines()
    assert message.startswith(f"mock-server: {tmp_path}/openapi.yaml:")
    assert "the mock has no behaviour for the operation 'idle'; expected x-task" in message
