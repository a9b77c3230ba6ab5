"""Parts of a contract that do not fit together are refused where one of them stands."""

import copy
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from contract.check import check_contract
from contract.clause import Kind
from contract.document import Document, unescape
from contract.errors import ContractError
from contract.model import Contract, Modes, When
from contract.reader import load_contract, read_contract

Refused = Callable[..., ContractError]

GENERATE = "/paths/~1api~1ai~1image~1generate/post"
READ = "/paths/~1api~1ai~1tasks~1{id}/get"
BRANCHES = "/components/schemas/GenerateImageRequest"


# --- what is read ---


def test_the_projects_contract_is_loaded(text: str, tmp_path: Path) -> None:
    path = tmp_path / "copy.yaml"
    path.write_text(text, "utf-8")
    assert list(load_contract(path).operations) == ["generateImage", "getTask"]


def test_a_request_finds_its_profile(contract: Contract) -> None:
    ((_, submission),) = contract.submissions()
    assert submission.profile_of({"model": "nano-banana-pro"}).name == "nano-banana-pro"
    with pytest.raises(KeyError):
        submission.profile_of({"model": "dall-e"})


@pytest.mark.parametrize(
    ("empty", "request_", "mode"),
    [
        ("absent", {}, "draw"),
        ("absent", {"urls": []}, "draw"),
        ("absent", {"urls": ["u"]}, "edit"),
        ("present", {}, "draw"),
        ("present", {"urls": []}, "edit"),
        ("present", {"urls": ["u"]}, "edit"),
    ],
)
def test_the_mode_hangs_on_the_presence_of_one_field(empty: str, request_: dict[str, Any], mode: str) -> None:
    assert Modes(field="urls", absent="draw", present="edit", empty=empty).of(request_) == mode


def test_an_operation_may_be_open_to_everybody(edited: Callable[..., Path]) -> None:
    path = edited(("      x-task: {reads: id}\n", "      x-task: {reads: id}\n      security: []\n"))
    operations = load_contract(path).operations
    assert [operation.security for operation in operations.values()] == [("bearerAuth", "sessionCookie"), ()]


def test_an_operation_may_have_nothing_to_do_with_tasks(edited: Callable[..., Path]) -> None:
    ping = """
  /ping:
    get:
      operationId: ping
      security: []
      responses:
        "204": {description: Here.}
"""
    contract = load_contract(edited(("\ncomponents:\n", f"{ping}\ncomponents:\n")))
    assert contract.operations["ping"].task is None
    assert not contract.operations["ping"].errors


def test_a_submission_needs_neither_modes_nor_options_for_the_provider(edited: Callable[..., Path]) -> None:
    path = edited(
        ("        modes: {field: inputImageUrls, absent: text-to-image, present: image-to-image, empty: absent}\n", ""),
        (
            "        result: {field: imageUrls, format: outputFormat, aspect: aspectRatio, tier: resolution}\n",
            "        result: {field: imageUrls}\n",
        ),
        ("        passthrough: providerInput\n", ""),
        (", x-task/modes/empty: assumed", ""),
        ("        - /paths/~1api~1ai~1image~1generate/post/x-task/modes/empty\n", ""),
    )
    contract, clauses = check_contract(path)
    assert not {clause.kind for clause in clauses} & {Kind.MODE, Kind.EMPTY, Kind.PASSTHROUGH}
    ((_, submission),) = contract.submissions()
    assert (submission.modes, submission.passthrough) == (None, None)
    assert (submission.result.format, submission.result.aspect, submission.result.tier) == (None, None, None)


def test_a_result_may_be_one_url(edited: Callable[..., Path]) -> None:
    path = edited(
        ("        result: {field: imageUrls,", "        result: {field: videoUrl,"),
    )
    ((_, submission),) = load_contract(path).submissions()
    assert (submission.result.field, submission.result.many) == ("videoUrl", False)


VIDEO = """
  /api/ai/video/generate:
    post:
      operationId: generateVideo
      summary: Submit a video task
      x-provenance: docs
      x-task:
        submits: video
        idempotent: false
        result: {field: videoUrl}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/GenerateVideoRequest"}
      responses:
        "200":
          description: Accepted and paid.
          content:
            application/json:
              schema: {$ref: "#/components/schemas/TaskAccepted"}
          links:
            getTask:
              operationId: getTask
              parameters: {id: $response.body#/taskId}
        "400": {$ref: "#/components/responses/InvalidRequest"}
        "401": {$ref: "#/components/responses/Unauthorized"}
        "402": {$ref: "#/components/responses/InsufficientCredits"}
        "500": {$ref: "#/components/responses/ServerError"}
"""
VIDEO_SCHEMAS = """
    GenerateVideoRequest:
      x-provenance: docs
      discriminator: {propertyName: model, mapping: {veo: "#/components/schemas/VeoRequest"}}
      oneOf: [{$ref: "#/components/schemas/VeoRequest"}]
    VeoRequest:
      type: object
      x-provenance: docs
      x-credits:
        by: [quality, seconds]
        tiers: {draft: {5: 10, 10: 20}, final: {5: 30, 10: 60}}
      required: [model, prompt, quality]
      properties:
        model: {type: string, enum: [veo]}
        prompt: {type: string}
        quality: {type: string, enum: [draft, final]}
        seconds: {type: integer, enum: [5, 10], default: 5}
    CompletedVideoTask:
      type: object
      x-provenance: docs
      required: [taskId, type, status, model, prompt, videoUrl, creditsUsed, creditsRefunded, createdAt, updatedAt]
      properties:
        taskId: {$ref: "#/components/schemas/TaskId"}
        type: {type: string, enum: [video]}
        status: {type: integer, enum: [1]}
        model: {$ref: "#/components/schemas/TaskModel"}
        prompt: {$ref: "#/components/schemas/TaskPrompt"}
        videoUrl: {type: string, format: uri}
        creditsUsed: {$ref: "#/components/schemas/CreditsUsed"}
        creditsRefunded: {$ref: "#/components/schemas/NotRefunded"}
        createdAt: {$ref: "#/components/schemas/CreatedAt"}
        updatedAt: {$ref: "#/components/schemas/UpdatedAt"}
"""
IMAGE_BRANCH = '        - $ref: "#/components/schemas/CompletedImageTask"\n'
VIDEO_BRANCH = '        - $ref: "#/components/schemas/CompletedVideoTask"\n'
VIDEO_EDITS = (
    ("\ncomponents:\n", f"{VIDEO}\ncomponents:\n"),
    ("\n    PendingTask:\n", f"{VIDEO_SCHEMAS}\n    PendingTask:\n"),
    (IMAGE_BRANCH, IMAGE_BRANCH + VIDEO_BRANCH),
)


def test_a_second_submitting_operation_is_a_change_of_the_document_alone(edited: Callable[..., Path]) -> None:
    contract, clauses = check_contract(edited(*VIDEO_EDITS))
    image, video = (submission for _, submission in contract.submissions())
    assert (image.type, video.type) == ("image", "video")
    assert (video.result.field, video.result.many, video.reads) == ("videoUrl", False, "getTask")
    request = {"model": "veo", "prompt": "x", "quality": "final", "seconds": 10}
    assert video.profile_of(request).price.of(request) == 60
    found = {clause.id: clause for clause in clauses}
    assert found["generateVideo.veo.price.draft.10"].sentence == (
        "veo costs 20 credits with `quality` draft and `seconds` 10."
    )
    assert found["generateVideo.veo.seconds.default"].sentence == "veo without `seconds` costs what `seconds` 5 costs."
    assert "generateVideo.veo.quality.default" not in found
    assert "generateVideo.veo.additionalProperties" not in found
    assert found["getTask.200.CompletedVideoTask.videoUrl.format"].shape == "CompletedVideoTask"


# --- operations ---


def test_a_duplicate_operation_id_is_refused(refused: Refused) -> None:
    refused(
        ("      operationId: getTask\n      tags", "      operationId: generateImage\n      tags"),
        at=f"{READ}/operationId",
        line="      operationId: generateImage",
        says="the operation 'generateImage' stands here again",
        expected="a name of its own",
    )


def test_an_operation_without_an_id_is_refused(refused: Refused) -> None:
    refused(
        ("      operationId: getTask\n      tags", "      tags"),
        at=READ,
        line="    get:",
        says="'operationId' is missing",
        expected="a node 'operationId' here",
    )


def test_an_error_without_a_reason_is_refused(refused: Refused) -> None:
    refused(
        ("      x-error: {when: unknownTask}\n", ""),
        at="/components/responses/TaskNotFound",
        line="    TaskNotFound:",
        says="nothing says when this error is given",
        expected="x-error",
    )


def test_two_responses_for_one_reason_are_refused(refused: Refused) -> None:
    refused(
        ('        "404": {$ref', '        "403": {$ref: "#/components/responses/Unauthorized"}\n        "404": {$ref'),
        at="/components/responses/Unauthorized/x-error/when",
        line="x-error: {when: unauthenticated",
        says="unauthenticated is answered with 401 already",
        expected="one response for each reason",
    )


def test_two_errors_of_one_rank_are_refused(refused: Refused) -> None:
    refused(
        ("x-error: {when: insufficient, order: 3", "x-error: {when: insufficient, order: 2"),
        at="/components/responses/InsufficientCredits/x-error/order",
        line="x-error: {when: insufficient, order: 2",
        says="another error has this rank",
        expected="a rank of its own",
    )


@pytest.mark.parametrize("status", ["4XX", "default"])
def test_an_error_without_a_status_of_its_own_is_refused(refused: Refused, status: str) -> None:
    refused(
        ('        "404": {$ref', f'        "{status}": {{$ref'),
        at="/components/responses/TaskNotFound/x-error",
        line="x-error: {when: unknownTask}",
        says=f"the response stands under '{status}'",
        expected="one status of an error, such as 400",
    )


def test_an_error_that_is_a_success_is_refused(refused: Refused) -> None:
    snippet = "          description: The snapshot. A completed or failed one never changes again.\n"
    refused(
        (snippet, snippet + "          x-error: {when: invalid}\n"),
        at=f"{READ}/responses/200/x-error",
        line="x-error: {when: invalid}",
        says="the response stands under '200'",
        expected="one status of an error, such as 400",
    )


@pytest.mark.parametrize(
    ("edit", "at", "line", "when"),
    [
        (
            ('        "402": {$ref: "#/components/responses/InsufficientCredits"}\n', ""),
            f"{GENERATE}/responses",
            "      responses:",
            "insufficient",
        ),
        (
            ('        "400": {$ref: "#/components/responses/InvalidRequest"}\n', ""),
            f"{GENERATE}/responses",
            "      responses:",
            "invalid",
        ),
        (
            ('        "404": {$ref: "#/components/responses/TaskNotFound"}\n', ""),
            f"{READ}/responses",
            "      responses:",
            "unknownTask",
        ),
        (
            ("x-error: {when: unexpected}", "x-error: {when: unknownTask}"),
            f"{GENERATE}/responses",
            "      responses:",
            "unexpected",
        ),
        (
            (
                '"401": {$ref: "#/components/responses/Unauthorized"}\n        "404"',
                '"404"',
            ),
            f"{READ}/responses",
            "      responses:",
            "unauthenticated",
        ),
    ],
)
def test_a_missing_reason_is_refused(refused: Refused, edit: tuple[str, str], at: str, line: str, when: str) -> None:
    refused(
        edit,
        at=at,
        line=line,
        says=f"no response says what happens when {when}",
        expected=f"a response with x-error when: {when}",
    )


@pytest.mark.parametrize(("key", "name"), [("price", "InsufficientCredits"), ("details", "InvalidRequest")])
def test_a_field_that_the_body_of_an_error_lacks_is_refused(refused: Refused, key: str, name: str) -> None:
    schema = f"/components/schemas/{name}Error/properties"
    value = {"price": "required", "details": "details"}[key]
    refused(
        (f"{key}: {value}}}\n      content:", f"{key}: somethingElse}}\n      content:"),
        at=schema,
        line="      properties:",
        says="'somethingElse' is missing",
        expected="a node 'somethingElse' here",
    )


NOT_FOUND_EXAMPLES = """\
          examples:
            notFound:
              summary: Unknown, or not yours
              value: {error: Task not found}
"""


def test_an_error_without_an_example_is_refused(refused: Refused) -> None:
    refused(
        (
            NOT_FOUND_EXAMPLES,
            "",
        ),
        at="/components/responses/TaskNotFound/content/application~1json",
        line="        application/json:",
        says="'example' is missing",
        expected="a node 'example' here",
    )


def test_the_example_of_an_error_may_stand_alone(edited: Callable[..., Path]) -> None:
    path = edited(
        (
            NOT_FOUND_EXAMPLES,
            "          example: {error: Task not found}\n",
        )
    )
    contract, _ = check_contract(path)
    assert contract.operations["getTask"].errors[When.UNKNOWN_TASK].example == {"error": "Task not found"}


def test_an_error_whose_example_is_no_object_is_refused(refused: Refused) -> None:
    refused(
        ("              value: {error: Task not found}\n", "              value: Task not found\n"),
        at="/components/responses/TaskNotFound/content/application~1json/examples/notFound/value",
        line="value: Task not found",
        says="the example of an error is not an object",
        expected="a JSON object",
    )


def test_an_operation_without_a_success_is_refused(refused: Refused) -> None:
    refused(
        (
            '        "200":\n          description: The snapshot.',
            '        "2XX":\n          description: The snapshot.',
        ),
        at=f"{READ}/responses",
        line="      responses:",
        says="no response says that all went well",
        expected="a 2xx response",
    )


# --- credentials ---


def test_an_unknown_security_scheme_is_refused(refused: Refused) -> None:
    refused(
        ("security:\n  - bearerAuth: []\n", "security:\n  - bearer: []\n"),
        at="/security/0",
        line="  - bearer: []",
        says="there is no security scheme 'bearer'",
        expected="bearerAuth, sessionCookie",
    )


def test_a_combination_of_security_schemes_is_refused(refused: Refused) -> None:
    refused(
        ("  - bearerAuth: []\n  - sessionCookie: []\n", "  - bearerAuth: []\n    sessionCookie: []\n"),
        at="/security/0",
        line="  - bearerAuth: []",
        says="a combination of security schemes is not supported",
        expected="one scheme in each item",
    )


def test_a_security_scheme_that_is_something_else_is_refused(refused: Refused) -> None:
    refused(
        ("  securitySchemes:\n", "  securitySchemes:\n    other: {$ref: '#/info'}\n"),
        at="/info",
        line="info:",
        says="'type' is missing",
        expected="a node 'type' here",
    )


# --- submissions ---


@pytest.mark.parametrize(
    ("snippet", "key"),
    [("        propertyName: model\n", "propertyName"), ("        mapping:\n          gpt", "mapping")],
)
def test_a_submission_without_a_discriminator_is_refused(
    edited: Callable[..., Path], text: str, snippet: str, key: str
) -> None:
    start = text.index(snippet)
    end = text.index("      oneOf:", start) if key == "mapping" else start + len(snippet)
    with pytest.raises(ContractError) as caught:
        check_contract(edited((text[start:end], "")))
    assert caught.value.pointer == f"{BRANCHES}/discriminator"
    assert repr(key).strip("'") in caught.value.problem


@pytest.mark.parametrize(
    ("edit", "says", "expected"),
    [
        (
            (
                'nano-banana-pro: "#/components/schemas/NanoBananaProRequest"',
                'nano-banana-pro: "#/components/schemas/TaskId"',
            ),
            "the mapping of 'nano-banana-pro' does not lead to its branch",
            "#/components/schemas/NanoBananaProRequest",
        ),
        (
            (
                '          nano-banana-pro: "#/',
                '          nano-banana-pro: NanoBananaProRequest\n          nano-banana-max: "#/',
            ),
            "the mapping of 'nano-banana-pro' does not lead to its branch",
            "#/components/schemas/NanoBananaProRequest",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_its_branch_is_refused(
    refused: Refused, edit: tuple[str, str], says: str, expected: str
) -> None:
    refused(
        edit,
        at=f"{BRANCHES}/discriminator/mapping/nano-banana-pro",
        line="          nano-banana-pro: ",
        says=says,
        expected=expected,
    )


def test_a_mapping_of_an_unknown_name_is_refused(refused: Refused) -> None:
    refused(
        ("        mapping:\n", '        mapping:\n          dall-e: "#/components/schemas/TaskId"\n'),
        at=f"{BRANCHES}/discriminator/mapping/dall-e",
        line="          dall-e:",
        says="the mapping of 'dall-e' does not lead to its branch",
        expected="gpt-image-2, nano-banana-2, nano-banana-pro, google/nano-banana",
    )


def test_a_branch_that_the_mapping_leaves_out_is_refused(refused: Refused) -> None:
    refused(
        ('          nano-banana-pro: "#/components/schemas/NanoBananaProRequest"\n', ""),
        at=f"{BRANCHES}/discriminator/mapping",
        line="        mapping:",
        says="'nano-banana-pro' is missing",
        expected="a node 'nano-banana-pro' here",
    )


def test_a_submission_without_branches_is_refused(edited: Callable[..., Path], text: str) -> None:
    start = text.index("      oneOf:\n", text.index("    GenerateImageRequest:\n"))
    end = text.index("    GptImage2Request:\n", start)
    with pytest.raises(ContractError) as caught:
        check_contract(edited((text[start:end], "      oneOf: []\n\n")))
    assert caught.value.pointer == f"{BRANCHES}/oneOf"
    assert (caught.value.problem, caught.value.expected) == ("there is no request profile", "at least one branch")


@pytest.mark.parametrize("enum", ["[nano-banana-pro, nano-banana-max]", "[5]"])
def test_a_branch_that_its_model_does_not_single_out_is_refused(refused: Refused, enum: str) -> None:
    refused(
        ("          enum: [nano-banana-pro]\n", f"          enum: {enum}\n"),
        at="/components/schemas/NanoBananaProRequest/properties/model/enum",
        line=f"enum: {enum}",
        says="model does not single out one branch",
        expected="exactly one string",
    )


def test_a_selector_that_a_branch_lacks_is_refused(refused: Refused) -> None:
    refused(
        ("        propertyName: model\n", "        propertyName: engine\n"),
        at="/components/schemas/GptImage2Request/properties",
        line="      properties:",
        says="'engine' is missing",
        expected="a node 'engine' here",
    )


def test_two_branches_for_one_model_are_refused(refused: Refused) -> None:
    refused(
        ("          enum: [nano-banana-pro]\n", "          enum: [nano-banana-2]\n"),
        at="/components/schemas/NanoBananaProRequest",
        line="    NanoBananaProRequest:",
        says="a second branch for model 'nano-banana-2'",
        expected="one branch each",
    )


@pytest.mark.parametrize("key", ["format", "aspect", "tier"])
def test_a_result_that_names_an_unknown_field_is_refused(refused: Refused, key: str) -> None:
    field = {"format": "outputFormat", "aspect": "aspectRatio", "tier": "resolution"}[key]
    refused(
        (f"{key}: {field}", f"{key}: somethingElse"),
        at=f"{GENERATE}/x-task/result/{key}",
        line="        result: {",
        says="no request profile has a field 'somethingElse'",
        expected="a request field",
    )


def test_a_result_in_a_field_that_the_snapshot_lacks_is_refused(refused: Refused) -> None:
    refused(
        ("result: {field: imageUrls,", "result: {field: pictures,"),
        at="/components/schemas/CompletedImageTask/properties",
        line="      properties:",
        says="'pictures' is missing",
        expected="a node 'pictures' here",
    )


def test_a_submission_whose_completed_task_has_no_shape_is_refused(refused: Refused) -> None:
    refused(
        ("        submits: image\n", "        submits: video\n"),
        at=f"{GENERATE}/x-task/submits",
        line="        submits: video",
        says="no snapshot shape is for a completed task of the type 'video'",
        expected="a shape with that type and status",
    )


def test_a_submission_whose_new_task_has_no_shape_is_refused(refused: Refused) -> None:
    refused(
        ("      enum: [image, video]\n", "      enum: [video]\n"),
        at=f"{GENERATE}/x-task/submits",
        line="        submits: image",
        says="no snapshot shape is for a task of the type 'image' that has just begun",
        expected="a shape with that type",
    )


def test_modes_of_an_unknown_field_are_refused(refused: Refused) -> None:
    refused(
        ("modes: {field: inputImageUrls,", "modes: {field: pictures,"),
        at=f"{GENERATE}/x-task/modes/field",
        line="modes: {field: pictures,",
        says="gpt-image-2 has no field 'pictures'",
        expected="a request field",
    )


def test_a_passthrough_of_an_unknown_field_is_refused(refused: Refused) -> None:
    refused(
        ("        passthrough: providerInput\n", "        passthrough: options\n"),
        at=f"{GENERATE}/x-task/passthrough",
        line="passthrough: options",
        says="gpt-image-2 has no field 'options'",
        expected="a request field",
    )


def test_an_echo_that_is_not_required_is_refused(refused: Refused) -> None:
    refused(
        ("20}}\n      required: [model, prompt]\n", "20}}\n      required: [model]\n"),
        at="/components/schemas/TaskSnapshot/x-lifecycle/echoes/1",
        line="echoes: [model, prompt]",
        says="nano-banana-pro does not require 'prompt'",
        expected="a required request field",
    )


def test_an_answer_with_a_field_that_the_snapshot_lacks_is_refused(refused: Refused) -> None:
    start = "      required: [taskId, status, creditsUsed]\n      properties:\n"
    refused(
        (start, f"{start}        credits: {{type: integer}}\n"),
        at="/components/schemas/TaskAccepted/properties/credits",
        line="credits: {type: integer}",
        says="the snapshot has no field 'credits'",
        expected="fields of the snapshot",
    )


# --- the link ---


def test_a_submission_without_a_link_is_refused(refused: Refused) -> None:
    refused(
        (
            "              operationId: getTask\n              description",
            "              operationRef: '#/x'\n              description",
        ),
        at=f"{GENERATE}/responses/200",
        line='        "200":',
        says="the answer links to no operation that reads the task",
        expected="one link",
    )


@pytest.mark.parametrize("target", ["generateImage", "readTask"])
def test_a_link_to_an_operation_that_reads_no_task_is_refused(refused: Refused, target: str) -> None:
    refused(
        ("              operationId: getTask\n", f"              operationId: {target}\n"),
        at=f"{GENERATE}/responses/200/links/getTask/operationId",
        line=f"              operationId: {target}",
        says=f"{target!r} is no operation that reads a task",
        expected="one of getTask",
    )


@pytest.mark.parametrize("expression", ["$response.body#/id", "$request.body#/taskId"])
def test_a_link_that_does_not_carry_the_tasks_id_is_refused(refused: Refused, expression: str) -> None:
    refused(
        ("parameters: {id: $response.body#/taskId}", f"parameters: {{id: {expression}}}"),
        at=f"{GENERATE}/responses/200/links/getTask/parameters/id",
        line=f"id: {expression}",
        says=f"{expression!r} is not the task's ID",
        expected="$response.body#/taskId",
    )


def test_a_link_without_the_parameter_is_refused(refused: Refused) -> None:
    refused(
        ("parameters: {id: $response.body#/taskId}", "parameters: {task: $response.body#/taskId}"),
        at=f"{GENERATE}/responses/200/links/getTask/parameters",
        line="parameters: {task:",
        says="'id' is missing",
        expected="a node 'id' here",
    )


# --- reading, and the rest ---


def test_a_reading_by_an_unknown_parameter_is_refused(refused: Refused) -> None:
    refused(
        ("      x-task: {reads: id}\n", "      x-task: {reads: task}\n"),
        at=f"{READ}/x-task/reads",
        line="x-task: {reads: task}",
        says="the path has no parameter 'task'",
        expected="a parameter of /api/ai/tasks/{id}",
    )


def test_a_reading_of_something_without_a_lifecycle_is_refused(refused: Refused) -> None:
    refused(
        ('schema: {$ref: "#/components/schemas/TaskSnapshot"}', 'schema: {$ref: "#/components/schemas/FailedTask"}'),
        at="/components/schemas/FailedTask",
        line="    FailedTask:",
        says="the operation reads a task, but this schema has no lifecycle",
        expected="x-lifecycle",
    )


def test_a_contract_without_a_lifecycle_is_refused(edited: Callable[..., Path], text: str) -> None:
    start = text.index("      x-lifecycle:\n")
    end = text.index("      oneOf:\n", start)
    with pytest.raises(ContractError) as caught:
        check_contract(edited((text[start:end], "")))
    assert str(caught.value).endswith(":14: 0 schemas have an x-lifecycle; expected exactly one, the task snapshot")


def test_a_second_lifecycle_is_refused(edited: Callable[..., Path], text: str) -> None:
    start = text.index("      x-lifecycle:\n")
    lifecycle = text[start : text.index("      oneOf:\n", start)]
    with pytest.raises(ContractError) as caught:
        check_contract(edited(("\n    FailedTask:\n", f"\n    FailedTask:\n{lifecycle}")))
    assert caught.value.pointer == "/components/schemas/FailedTask/x-lifecycle"
    assert caught.value.problem == "2 schemas have an x-lifecycle"


def test_a_contract_without_conventions_is_refused(edited: Callable[..., Path], text: str) -> None:
    start = text.index("x-conventions:\n")
    with pytest.raises(ContractError) as caught:
        check_contract(edited((text[start : text.index("paths:\n")], "")))
    assert caught.value.problem == "'x-conventions' is missing"


def test_a_question_about_a_place_that_does_not_exist_is_refused(refused: Refused) -> None:
    refused(
        ("      rules: [/components/schemas/OutputFormat]", "      rules: [/components/schemas/Format]"),
        at="/info/x-open-questions/9/rules/0",
        line="rules: [/components/schemas/Format]",
        says="#/components/schemas/Format does not exist: there is no 'Format' in #/components/schemas",
        expected="a place in this document",
    )


def test_a_question_may_name_an_item_of_a_list_by_value_and_nothing_below(refused: Refused) -> None:
    refused(
        (
            "        - /components/schemas/GptImage2Request/required/model\n",
            "        - /components/schemas/GptImage2Request/required/modle\n",
        ),
        at="/info/x-open-questions/4/rules/0",
        line="required/modle",
        says="#/components/schemas/GptImage2Request/required/modle does not exist: "
        "there is no 'modle' in #/components/schemas/GptImage2Request/required",
        expected="a place in this document",
    )


# --- whatever stands in a document, it is read or refused ---

PROSE = {"description", "summary", "question", "choice"}
REPLACEMENTS: tuple[object, ...] = (None, "", 0, [], {})


def without(data: Any, steps: list[str], *replacement: object) -> Any:
    """A copy of the data, as far as it differs, in which one node is gone, or replaced."""
    if not steps:
        return replacement[0]
    changed = copy.copy(data)
    key = int(steps[0]) if isinstance(data, list) else steps[0]
    if len(steps) == 1 and not replacement:
        del changed[key]
    else:
        changed[key] = without(data[key], steps[1:], *replacement)
    return changed


def mutants(contract: Contract) -> Iterator[tuple[str, Document]]:
    """Each node of openapi.yaml deleted, and every eighth replaced by one of the replacements in turn."""
    document = contract.document
    pointers = [pointer for pointer in document.lines if pointer.rpartition("/")[2] not in PROSE]
    for number, pointer in enumerate(pointers):
        steps = [unescape(step) for step in pointer.split("/")[1:]]
        if steps:
            yield f"without {pointer}", Document("mutant", without(document.data, steps), document.lines)
        if number % 8 == 0:
            replacement = REPLACEMENTS[number // 8 % len(REPLACEMENTS)]
            changed = without(document.data, steps, replacement)
            yield f"{pointer} as {replacement!r}", Document("mutant", changed, document.lines)


PARTS = 4


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.whole) for part in range(1, PARTS))])
def test_a_document_with_a_node_deleted_or_replaced_is_read_or_refused(contract: Contract, part: int) -> None:
    refusals = 0
    for mutation, document in islice(mutants(contract), part, None, PARTS):
        try:
            read_contract(document)
        except ContractError as error:
            refusals += bool(error.problem)
        except Exception as error:  # noqa: BLE001 - that there is none is what is tested
            pytest.fail(f"{mutation}: {error!r}")
    assert refusals > 100
