"""openapi.yaml says what is known of the API. The numbers here are the known ones, written a second time."""

import re
from typing import Any

import openapi_spec_validator
import pytest

from contract.check import examples
from contract.clause import Clause
from contract.document import Node
from contract.model import Carries, Contract, Reading, RequestProfile, Submission, When
from contract.provenance import Provenance, provenance
from contract.schema import json_schema
from contract.structure import check_example

MODELS = ("gpt-image-2", "nano-banana-2", "nano-banana-pro", "google/nano-banana")
SNAPSHOT_FIELDS = (
    "taskId",
    "type",
    "status",
    "model",
    "prompt",
    "imageUrls",
    "videoUrl",
    "errorCode",
    "errorMessage",
    "creditsUsed",
    "creditsRefunded",
    "createdAt",
    "updatedAt",
)
ALWAYS = [name for name in SNAPSHOT_FIELDS if name not in {"imageUrls", "videoUrl", "errorCode", "errorMessage"}]


@pytest.fixture
def submission(contract: Contract) -> Submission:
    ((_, submission),) = contract.submissions()
    return submission


@pytest.fixture
def reading(contract: Contract) -> Reading:
    ((_, reading),) = contract.readings()
    return reading


def body_examples(contract: Contract, operation: str, status: str | None = None) -> dict[str, Any]:
    """The values of the examples of a request, or of an answer."""
    node = contract.operations[operation].node
    owner = node.need("requestBody") if status is None else node.need("responses", status)
    items = owner.items("content", "application/json", "examples")
    return {name: item.need("value").value for name, item in items}


def schema_of(profile: RequestProfile, field: str) -> dict[str, Any]:
    return json_schema(profile.properties[field])


# --- the document ---


def test_openapi_yaml_is_valid_openapi(contract: Contract) -> None:
    openapi_spec_validator.validate(contract.document.data, cls=openapi_spec_validator.OpenAPIV30SpecValidator)


def test_it_is_openapi_3_0_with_a_licence(contract: Contract) -> None:
    assert contract.document.data["openapi"] == "3.0.3"
    assert (contract.title, contract.version) == ("Image task API", "1.0.0")
    assert contract.document.data["info"]["license"]["name"] == "MIT"


def test_production_is_the_only_server(contract: Contract) -> None:
    assert [server["url"] for server in contract.document.data["servers"]] == ["https://gptimage2api.org"]


# --- operations ---


def test_there_are_two_operations_and_no_video_yet(contract: Contract) -> None:
    assert [(o.id, o.method, o.path) for o in contract.operations.values()] == [
        ("generateImage", "POST", "/api/ai/image/generate"),
        ("getTask", "GET", "/api/ai/tasks/{id}"),
    ]


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("generateImage", ["200", "400", "401", "402", "500"]),
        ("getTask", ["200", "401", "404", "500"]),
    ],
)
def test_each_operation_documents_its_statuses(contract: Contract, operation: str, statuses: list[str]) -> None:
    assert list(contract.operations[operation].responses) == statuses


def test_a_submission_makes_an_image_and_is_accepted_with_200(submission: Submission) -> None:
    assert (submission.type, submission.accepted, submission.selector) == ("image", 200, "model")
    assert submission.node.value["idempotent"] is False


def test_an_accepted_submission_answers_task_id_status_0_and_the_credits_used(submission: Submission) -> None:
    assert submission.answer.value["required"] == ["taskId", "status", "creditsUsed"]
    assert list(submission.answer.value["properties"]) == ["taskId", "status", "creditsUsed"]
    assert submission.answer.need("properties", "status").value["enum"] == [0]
    assert submission.answer.need("properties", "creditsUsed").value["type"] == "integer"


def test_a_task_is_read_by_the_id_of_its_submission(
    contract: Contract, submission: Submission, reading: Reading
) -> None:
    assert (reading.parameter, reading.found, submission.reads) == ("id", 200, "getTask")
    (parameter,) = contract.operations["getTask"].node.need("parameters").children()
    assert (parameter.value["in"], parameter.value["required"]) == ("path", True)
    assert parameter.value["schema"] == {"type": "string", "minLength": 1}
    link = contract.operations["generateImage"].node.need("responses", "200", "links", "getTask")
    assert link.value["operationId"] == "getTask"
    assert link.value["parameters"] == {"id": "$response.body#/taskId"}


# --- the request ---


def test_there_are_four_models(submission: Submission) -> None:
    assert tuple(submission.profiles) == MODELS
    for name, profile in submission.profiles.items():
        assert profile.properties["model"].value["enum"] == [name]


def test_a_submission_needs_a_body(contract: Contract) -> None:
    assert contract.operations["generateImage"].node.need("requestBody").value["required"] is True


def test_the_discriminator_leads_each_model_to_its_branch(contract: Contract) -> None:
    schema = contract.document.at("/components/schemas/GenerateImageRequest").value
    assert schema["discriminator"]["propertyName"] == "model"
    assert list(schema["discriminator"]["mapping"]) == list(MODELS)
    assert list(schema["discriminator"]["mapping"].values()) == [branch["$ref"] for branch in schema["oneOf"]]


@pytest.mark.parametrize(
    ("model", "fields", "credits"),
    [
        ("gpt-image-2", {}, 3),
        ("nano-banana-2", {}, 4),
        ("nano-banana-2", {"resolution": "1K"}, 4),
        ("nano-banana-2", {"resolution": "2K"}, 6),
        ("nano-banana-2", {"resolution": "4K"}, 8),
        ("nano-banana-pro", {}, 12),
        ("nano-banana-pro", {"resolution": "2K"}, 12),
        ("nano-banana-pro", {"resolution": "4K"}, 20),
        ("google/nano-banana", {}, 3),
    ],
)
@pytest.mark.parametrize("urls", [None, [], ["https://example.com/a.png"]], ids=["none", "empty", "edit"])
def test_an_edit_costs_what_a_generation_costs(
    submission: Submission, model: str, fields: dict[str, str], credits: int, urls: list[str] | None
) -> None:
    request = {"model": model, "prompt": "x", **fields} | ({} if urls is None else {"inputImageUrls": urls})
    assert submission.profile_of(request).price.of(request) == credits


@pytest.mark.parametrize(
    ("model", "combinations"), [("gpt-image-2", 1), ("nano-banana-2", 3), ("nano-banana-pro", 2), (MODELS[3], 1)]
)
def test_there_is_no_other_price(submission: Submission, model: str, combinations: int) -> None:
    assert len(list(submission.profiles[model].price.rows())) == combinations


@pytest.mark.parametrize(
    ("model", "cap"),
    [("gpt-image-2", 20_000), ("nano-banana-2", 20_000), ("nano-banana-pro", 10_000), ("google/nano-banana", 5_000)],
)
def test_a_prompt_is_not_empty_and_capped(submission: Submission, model: str, cap: int) -> None:
    assert schema_of(submission.profiles[model], "prompt") == {"type": "string", "minLength": 1, "maxLength": cap}


def test_model_and_prompt_are_required_and_nothing_else(submission: Submission) -> None:
    for profile in submission.profiles.values():
        assert profile.required == ("model", "prompt")


@pytest.mark.parametrize(
    ("model", "most"), [("gpt-image-2", 4), ("nano-banana-2", 14), ("nano-banana-pro", 8), ("google/nano-banana", 10)]
)
def test_the_number_of_references_is_capped(submission: Submission, model: str, most: int) -> None:
    schema = schema_of(submission.profiles[model], "inputImageUrls")
    assert (schema["type"], schema["maxItems"]) == ("array", most)
    assert "minItems" not in schema


def test_only_the_references_switch_from_generation_to_editing(submission: Submission) -> None:
    modes = submission.modes
    assert modes is not None
    assert modes.field == "inputImageUrls"
    assert modes.of({}) == "text-to-image"
    assert modes.of({"inputImageUrls": []}) == "text-to-image"
    assert modes.of({"inputImageUrls": ["https://example.com/a.png"]}) == "image-to-image"


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://example.com/a.png", True),
        ("http://a", True),
        ("ftp://example.com/a.png", False),
        ("/a.png", False),
        ("//example.com/a.png", False),
        ("https://", False),
        ("https:///a.png", False),
        ("data:image/png;base64,AAAA", False),
        ("", False),
    ],
)
def test_a_reference_is_an_absolute_http_or_https_url(submission: Submission, url: str, *, fits: bool) -> None:
    for profile in submission.profiles.values():
        items = schema_of(profile, "inputImageUrls")["items"]
        assert (items["type"], items["format"]) == ("string", "uri")
        assert bool(re.search(items["pattern"], url)) is fits


def test_gpt_image_2_takes_the_published_aspect_ratios_and_no_other(submission: Submission) -> None:
    schema = schema_of(submission.profiles["gpt-image-2"], "aspectRatio")
    assert schema["enum"] == ["auto", "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9"]


@pytest.mark.parametrize("model", MODELS[1:])
@pytest.mark.parametrize(
    ("ratio", "fits"),
    [
        ("auto", True),
        ("16:9", True),
        ("7:1000", True),
        ("0:1", False),
        ("1:0", False),
        ("01:1", False),
        ("1:-1", False),
        ("1.5:1", False),
        ("1", False),
        ("automatic", False),
        ("", False),
    ],
)
def test_the_other_models_take_auto_or_two_positive_integers(
    submission: Submission, model: str, ratio: str, *, fits: bool
) -> None:
    schema = schema_of(submission.profiles[model], "aspectRatio")
    assert "enum" not in schema
    assert bool(re.search(schema["pattern"], ratio)) is fits


@pytest.mark.parametrize(
    ("model", "tiers", "default"),
    [("nano-banana-2", ["1K", "2K", "4K"], "1K"), ("nano-banana-pro", ["2K", "4K"], "2K")],
)
def test_two_models_have_resolution_tiers_and_the_cheapest_is_the_default(
    submission: Submission, model: str, tiers: list[str], default: str
) -> None:
    profile = submission.profiles[model]
    field = profile.properties["resolution"].value
    assert (field["enum"], field["default"]) == (tiers, default)
    prices = {fields["resolution"]: credits for fields, credits, _ in profile.price.rows()}
    assert prices[default] == min(prices.values())


@pytest.mark.parametrize("model", ["gpt-image-2", "google/nano-banana"])
def test_the_models_with_a_flat_price_have_no_resolution(submission: Submission, model: str) -> None:
    assert "resolution" not in submission.profiles[model].properties


@pytest.mark.parametrize("model", MODELS)
def test_each_model_has_these_fields_and_ignores_others(submission: Submission, model: str) -> None:
    profile = submission.profiles[model]
    common = {"model", "prompt", "inputImageUrls", "aspectRatio", "outputFormat", "providerInput"}
    assert set(profile.properties) - {"resolution"} == common
    assert profile.node.value["additionalProperties"] is True
    assert schema_of(profile, "outputFormat")["enum"] == ["png", "jpeg", "webp"]


@pytest.mark.parametrize("model", MODELS)
def test_the_providers_options_are_an_object_and_pass_through(submission: Submission, model: str) -> None:
    assert submission.passthrough == "providerInput"
    schema = schema_of(submission.profiles[model], "providerInput")
    assert schema == {"type": "object", "additionalProperties": True}


def test_the_result_is_a_list_of_pictures_that_the_request_shapes(submission: Submission) -> None:
    result = submission.result
    assert (result.field, result.many) == ("imageUrls", True)
    assert (result.format, result.aspect, result.tier) == ("outputFormat", "aspectRatio", "resolution")


# --- the snapshot and its life ---


@pytest.mark.parametrize(
    ("name", "status", "terminal", "carries", "refund", "follow"),
    [
        ("pending", 0, False, None, False, ("completed", "failed")),
        ("completed", 1, True, Carries.RESULT, False, ()),
        ("failed", 2, True, Carries.ERROR, True, ()),
    ],
)
def test_a_task_is_pending_completed_or_failed(
    reading: Reading,
    name: str,
    status: int,
    carries: Carries | None,
    follow: tuple[str, ...],
    *,
    terminal: bool,
    refund: bool,
) -> None:
    state = reading.lifecycle.states[name]
    assert (state.status, state.terminal, state.carries, state.refund) == (status, terminal, carries, refund)
    assert state.next == follow


def test_a_task_begins_as_pending_and_there_are_three_states(reading: Reading) -> None:
    assert reading.lifecycle.initial.name == "pending"
    assert list(reading.lifecycle.states) == ["pending", "completed", "failed"]
    assert [state.name for state in reading.lifecycle.terminal] == ["completed", "failed"]


def test_polling_takes_2_seconds_rechecking_30_and_the_longest_task_180(reading: Reading) -> None:
    timing = reading.lifecycle.timing
    assert (timing.poll, timing.recheck, timing.deadline) == (2, 30, 180)


def test_two_error_codes_are_known_and_any_other_is_allowed(contract: Contract, reading: Reading) -> None:
    assert set(reading.lifecycle.error_codes) == {"EMPTY_RESULT", "STORAGE_ERROR"}
    code = contract.document.at("/components/schemas/FailedTask/properties/errorCode").value
    assert "enum" not in code
    assert code["minLength"] == 1


def test_the_snapshot_has_the_names_of_the_reference_page(reading: Reading) -> None:
    fields = reading.lifecycle.fields
    assert (fields.id, fields.type, fields.status) == ("taskId", "type", "status")
    assert (fields.credits, fields.refunded) == ("creditsUsed", "creditsRefunded")
    assert (fields.created, fields.updated) == ("createdAt", "updatedAt")
    assert (fields.error_code, fields.error_message) == ("errorCode", "errorMessage")
    assert reading.lifecycle.echoes == ("model", "prompt")


@pytest.mark.parametrize(
    ("shape", "statuses", "types", "more"),
    [
        ("PendingTask", (0,), ("image", "video"), set()),
        ("CompletedImageTask", (1,), ("image",), {"imageUrls"}),
        ("FailedTask", (2,), ("image", "video"), {"errorCode", "errorMessage"}),
    ],
)
def test_each_shape_has_all_fields_and_requires_these(
    reading: Reading, shape: str, statuses: tuple[int, ...], types: tuple[str, ...], more: set[str]
) -> None:
    (found,) = (s for s in reading.lifecycle.shapes if s.name == shape)
    assert (found.statuses, found.types) == (statuses, types)
    assert list(found.node.value["properties"]) == list(SNAPSHOT_FIELDS)
    assert set(found.node.value["required"]) == {*ALWAYS, *more}


def test_a_completed_task_has_at_least_one_url(contract: Contract) -> None:
    urls = contract.document.at("/components/schemas/CompletedImageTask/properties/imageUrls").value
    assert urls["minItems"] == 1
    assert urls["items"] == {"type": "string", "format": "uri"}


def test_a_pending_and_a_failed_task_have_no_url(reading: Reading) -> None:
    for shape in reading.lifecycle.shapes:
        if shape.name != "CompletedImageTask":
            schema = json_schema(shape.node.need("properties", "imageUrls"))
            assert schema == {"type": ["array", "null"], "maxItems": 0, "items": {"type": "string"}}


@pytest.mark.parametrize(
    ("shape", "fields"),
    [
        ("PendingTask", ["videoUrl", "errorCode", "errorMessage"]),
        ("CompletedImageTask", ["videoUrl", "errorCode", "errorMessage"]),
        ("FailedTask", ["videoUrl"]),
    ],
)
def test_what_does_not_apply_is_absent_or_null(reading: Reading, shape: str, fields: list[str]) -> None:
    (found,) = (s for s in reading.lifecycle.shapes if s.name == shape)
    for field in fields:
        schema = json_schema(found.node.need("properties", field))
        assert schema == {"type": ["string", "null"], "enum": [None]}


def test_only_a_failed_task_may_be_refunded(reading: Reading) -> None:
    for shape in reading.lifecycle.shapes:
        schema = json_schema(shape.node.need("properties", "creditsRefunded"))
        assert schema == {"type": "boolean"} | ({} if shape.name == "FailedTask" else {"enum": [False]})


@pytest.mark.parametrize("field", ["createdAt", "updatedAt"])
@pytest.mark.parametrize(
    ("moment", "fits"),
    [
        ("2026-03-02T09:15:00Z", True),
        ("2026-03-02T09:15:00.123+00:00", True),
        ("2026-03-02T09:15:00+01:00", False),
        ("2026-03-02T09:15:00", False),
    ],
)
def test_times_are_in_utc(reading: Reading, field: str, moment: str, *, fits: bool) -> None:
    for shape in reading.lifecycle.shapes:
        schema = json_schema(shape.node.need("properties", field))
        assert schema["format"] == "date-time"
        assert bool(re.search(schema["pattern"], moment)) is fits


def test_the_credits_used_are_an_integer(reading: Reading) -> None:
    for shape in reading.lifecycle.shapes:
        schema = json_schema(shape.node.need("properties", "creditsUsed"))
        assert schema == {"type": "integer", "minimum": 0}


def test_the_form_of_a_task_id_is_not_promised(contract: Contract) -> None:
    assert json_schema(contract.document.at("/components/schemas/TaskId")) == {"type": "string", "minLength": 1}


# --- errors ---


@pytest.mark.parametrize(
    ("operation", "when", "status", "order"),
    [
        ("generateImage", When.UNAUTHENTICATED, 401, 1),
        ("generateImage", When.INVALID, 400, 2),
        ("generateImage", When.INSUFFICIENT, 402, 3),
        ("generateImage", When.UNEXPECTED, 500, None),
        ("getTask", When.UNAUTHENTICATED, 401, 1),
        ("getTask", When.UNKNOWN_TASK, 404, None),
        ("getTask", When.UNEXPECTED, 500, None),
    ],
)
def test_each_reason_has_its_status_and_rank(
    contract: Contract, operation: str, when: When, status: int, order: int | None
) -> None:
    error = contract.operations[operation].errors[when]
    assert (error.status, error.order) == (status, order)


def test_401_wins_over_400_and_400_over_402(contract: Contract) -> None:
    errors = contract.operations["generateImage"].errors.values()
    ranked = sorted((error.order, error.status) for error in errors if error.order is not None)
    assert [status for _, status in ranked] == [401, 400, 402]


@pytest.mark.parametrize(
    ("operation", "status", "body"),
    [
        (
            "generateImage",
            "400",
            {
                "error": "Invalid request",
                "details": {"formErrors": [], "fieldErrors": {"prompt": ["Prompt is required"]}},
            },
        ),
        ("generateImage", "401", {"error": "Unauthorized"}),
        ("generateImage", "402", {"error": "Insufficient credits", "required": 12}),
        ("getTask", "401", {"error": "Unauthorized"}),
        ("getTask", "404", {"error": "Task not found"}),
    ],
)
def test_each_error_has_the_documented_body_as_its_example(
    contract: Contract, operation: str, status: str, body: dict[str, Any]
) -> None:
    assert list(body_examples(contract, operation, status).values()) == [body]
    (error,) = (e for e in contract.operations[operation].errors.values() if str(e.status) == status)
    assert error.example == body


@pytest.mark.parametrize(
    ("schema", "text", "required"),
    [
        ("InvalidRequestError", "Invalid request", ["error", "details"]),
        ("UnauthorizedError", "Unauthorized", ["error"]),
        ("InsufficientCreditsError", "Insufficient credits", ["error", "required"]),
        ("TaskNotFoundError", "Task not found", ["error"]),
    ],
)
def test_the_text_of_each_error_is_fixed(contract: Contract, schema: str, text: str, required: list[str]) -> None:
    node = contract.document.at(f"/components/schemas/{schema}")
    assert node.value["required"] == required
    assert node.need("properties", "error").value["enum"] == [text]


def test_the_text_of_an_unexpected_error_is_free(contract: Contract) -> None:
    node = contract.document.at("/components/schemas/ServerErrorBody")
    assert json_schema(node) == {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}},
    }


def test_the_errors_say_what_is_wrong_and_what_it_costs(contract: Contract) -> None:
    errors = contract.operations["generateImage"].errors
    assert (errors[When.INVALID].details, errors[When.INSUFFICIENT].price) == ("details", "required")
    price = contract.document.at("/components/schemas/InsufficientCreditsError/properties/required")
    assert json_schema(price) == {"type": "integer", "minimum": 1}
    details = contract.document.at("/components/schemas/InvalidRequestError/properties/details")
    assert details.value["required"] == ["formErrors", "fieldErrors"]
    strings = {"type": "array", "items": {"type": "string"}}
    assert json_schema(details)["properties"] == {
        "formErrors": strings,
        "fieldErrors": {"type": "object", "additionalProperties": {**strings, "minItems": 1}},
    }


# --- credentials, and what no operation says ---


def test_a_bearer_key_and_a_session_cookie_are_the_two_schemes(contract: Contract) -> None:
    bearer, cookie = contract.security_schemes.values()
    assert (bearer.name, bearer.type, bearer.scheme) == ("bearerAuth", "http", "bearer")
    assert (cookie.name, cookie.type, cookie.location) == ("sessionCookie", "apiKey", "cookie")
    assert cookie.parameter == "session"


def test_either_scheme_opens_every_operation(contract: Contract) -> None:
    for operation in contract.operations.values():
        assert operation.security == ("bearerAuth", "sessionCookie")


def test_the_conventions_are_404_405_400_and_code_points(contract: Contract) -> None:
    conventions = contract.conventions
    assert conventions.unknown_path.status == 404
    assert conventions.unknown_method.status == 405
    assert conventions.invalid_text == 400
    value = conventions.node.value
    assert (value["character"], value["unknownMethod"]["header"]) == ("code point", "Allow")
    assert value["otherMediaType"] == {"status": 400}


def test_the_fallbacks_look_like_every_other_error(contract: Contract) -> None:
    assert contract.conventions.unknown_path.body == {"error": "Not found"}
    assert contract.conventions.unknown_method.body == {"error": "Method not allowed"}


# --- where the rules come from ---

GENERATE = "/paths/~1api~1ai~1image~1generate/post"
REQUESTS = ("GptImage2Request", "NanoBanana2Request", "NanoBananaProRequest", "GoogleNanoBananaRequest")
TIERED = ("NanoBanana2Request", "NanoBananaProRequest")
ERRORS = ("InvalidRequestError", "UnauthorizedError", "InsufficientCreditsError", "ServerErrorBody")
SHAPES = ("PendingTask", "CompletedImageTask", "FailedTask")


@pytest.mark.parametrize(
    ("mark", "pointer"),
    [
        *(("page", f"/components/schemas/{name}/properties/model/enum") for name in REQUESTS),
        *(("assumed", f"/components/schemas/{name}/required/0") for name in REQUESTS),
        *(("page", f"/components/schemas/{name}/required/1") for name in REQUESTS),
        *(("docs", f"/components/schemas/{name}/properties/prompt/minLength") for name in REQUESTS),
        *(("page", f"/components/schemas/{name}/properties/prompt/maxLength") for name in REQUESTS),
        *(("page", f"/components/schemas/{name}/properties/inputImageUrls/maxItems") for name in REQUESTS),
        *(("page", f"/components/schemas/{name}/x-credits") for name in REQUESTS),
        *(("assumed", f"/components/schemas/{name}/additionalProperties") for name in REQUESTS),
        *(("page", f"/components/schemas/{name}/properties/resolution/enum") for name in TIERED),
        *(("assumed", f"/components/schemas/{name}/properties/resolution/type") for name in TIERED),
        *(("assumed", f"/components/schemas/{name}/properties/resolution/default") for name in TIERED),
        ("page", "/components/schemas/GptImage2Request/properties/aspectRatio/enum"),
        ("assumed", "/components/schemas/FreeAspectRatio/pattern"),
        ("assumed", "/components/schemas/InputImageUrl/pattern"),
        ("assumed", "/components/schemas/OutputFormat/enum"),
        ("page", "/components/schemas/ProviderInput/additionalProperties"),
        ("page", f"{GENERATE}/x-task/modes/present"),
        ("assumed", f"{GENERATE}/x-task/modes/empty"),
        ("docs", f"{GENERATE}/x-task/idempotent"),
        ("page", f"{GENERATE}/x-task/submits"),
        ("page", f"{GENERATE}/responses"),
        ("docs", "/paths/~1api~1ai~1tasks~1{id}/get/x-task"),
        ("docs", "/paths/~1api~1ai~1tasks~1{id}/get/responses"),
        ("assumed", "/x-conventions/character"),
        ("assumed", "/x-conventions/invalidText"),
        ("assumed", "/x-conventions/unknownPath"),
        ("assumed", "/x-conventions/unknownMethod"),
        ("assumed", "/x-conventions/otherMediaType"),
        ("page", "/components/securitySchemes/bearerAuth"),
        ("page", "/components/securitySchemes/sessionCookie"),
        ("assumed", "/components/securitySchemes/sessionCookie/name"),
        ("page", "/components/schemas/TaskAccepted/required"),
        ("page", "/components/schemas/CreditsUsed/type"),
        ("page", "/components/schemas/TaskId/minLength"),
        *(("docs", f"/components/schemas/{name}/properties/status/enum") for name in SHAPES),
        *(("assumed", f"/components/schemas/{name}/required/0") for name in SHAPES),
        ("docs", "/components/schemas/CompletedImageTask/required/5"),
        ("docs", "/components/schemas/CompletedImageTask/properties/imageUrls/minItems"),
        ("docs", "/components/schemas/FailedTask/required/5"),
        ("docs", "/components/schemas/FailedTask/required/6"),
        ("docs", "/components/schemas/CreatedAt/pattern"),
        ("assumed", "/components/schemas/NoImageUrls/maxItems"),
        ("assumed", "/components/schemas/NoVideoUrl/enum"),
        ("assumed", "/components/schemas/NoErrorCode/enum"),
        ("assumed", "/components/schemas/NoErrorMessage/enum"),
        ("docs", "/components/schemas/TaskSnapshot/x-lifecycle/timing/deadlineSeconds"),
        ("docs", "/components/schemas/TaskSnapshot/x-lifecycle/states/completed"),
        ("page", "/components/schemas/TaskSnapshot/x-lifecycle/states/failed/refund"),
        ("docs", "/components/schemas/TaskSnapshot/x-lifecycle/errorCodes"),
        ("page", "/components/responses/InvalidRequest/x-error/details"),
        ("page", "/components/responses/InsufficientCredits/x-error/price"),
        *(("assumed", f"/components/responses/{name}/x-error/order") for name in ("Unauthorized", "InvalidRequest")),
        ("assumed", "/components/responses/InsufficientCredits/x-error/order"),
        ("page", "/components/responses/Unauthorized/x-error/when"),
        ("docs", "/components/responses/TaskNotFound/x-error/when"),
        ("docs", "/components/schemas/TaskNotFoundError/properties/error/enum"),
        *(("page", f"/components/schemas/{name}/required") for name in ERRORS),
        ("page", "/components/responses/ServerError/x-error/when"),
    ],
)
def test_each_rule_says_where_it_comes_from(contract: Contract, mark: str, pointer: str) -> None:
    contract.document.at(pointer)
    assert provenance(contract.document, pointer) == mark


def asks_about(rule: str, node: Node) -> bool:
    """Whether a question's rule is about the place; it may name an item of a list by its value."""
    last = str(node.value) if node.name.isdigit() else node.name
    named = f"{node.pointer.rpartition('/')[0]}/{last}"
    return any(place == rule or place.startswith(f"{rule}/") for place in (node.pointer, named))


def test_every_assumed_clause_is_asked_about(contract: Contract, clauses: dict[str, Clause]) -> None:
    rules = [rule for question in contract.questions if question.kind == "assumed" for rule in question.rules]
    assumed = [clause for clause in clauses.values() if clause.provenance is Provenance.ASSUMED]
    assert len(assumed) == 100
    for clause in assumed:
        node = contract.document.at(clause.pointer)
        assert any(asks_about(rule, node) for rule in rules), clause.id


def test_the_three_contradictions_are_open_questions(contract: Contract) -> None:
    found = {question.id: question for question in contract.questions if question.kind == "contradiction"}
    assert {id: question.choice for id, question in found.items()} == {
        "sample-price": "3. The table of the same page, the pricing page and the quickstart agree on it.",
        "snapshot-names": "The names of the reference page.",
        "cookie-authentication": "Both schemes, since the primary page wins.",
    }
    assert "`creditsUsed` 12" in found["sample-price"].question
    for name in ("id", "outputImageUrls", "completedAt", "creditRefunded"):
        assert f"`{name}`" in found["snapshot-names"].question


def test_every_question_has_a_name_of_its_own(contract: Contract) -> None:
    names = [question.id for question in contract.questions]
    assert len(set(names)) == len(names) == 14


# --- examples ---


def test_every_example_fits_its_schema(contract: Contract) -> None:
    pairs = list(examples(contract.document))
    assert len(pairs) == 20
    for schema, example in pairs:
        check_example(schema, example)


@pytest.mark.parametrize("model", MODELS)
def test_each_model_has_an_example_of_a_generation_and_of_an_edit(contract: Contract, model: str) -> None:
    requests = [r for r in body_examples(contract, "generateImage").values() if r["model"] == model]
    assert sorted("inputImageUrls" in request for request in requests) == [False, True]


def test_the_accepted_example_costs_what_its_model_costs(contract: Contract) -> None:
    (accepted,) = body_examples(contract, "generateImage", "200").values()
    assert (accepted["status"], accepted["creditsUsed"]) == (0, 3)


def test_each_status_has_an_example_of_a_snapshot(contract: Contract) -> None:
    snapshots = body_examples(contract, "getTask", "200")
    assert {name: snapshot["status"] for name, snapshot in snapshots.items()} == {
        "pending": 0,
        "completed": 1,
        "failed": 2,
    }
    assert [snapshot["creditsRefunded"] for snapshot in snapshots.values()] == [False, False, True]


def test_each_error_has_an_example(contract: Contract) -> None:
    for operation in contract.operations.values():
        for error in operation.errors.values():
            assert body_examples(contract, operation.id, str(error.status))
            assert error.example["error"]
