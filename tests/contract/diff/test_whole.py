"""Operations, credentials, servers, words, sources: small changes with their verdicts, forwards and backwards."""

from __future__ import annotations

import pytest

from tests.contract.diff.harness import REAL, difference
from tests.contract.diff.rows import BINDS, BOTH, BREAKS, EASY, NONE, OTHER, SOURCE, WORDS, Row, check, real, small

TWO = "generateImage.nano-banana-2"
GPT = "generateImage.gpt-image-2"

QUESTION = """    - id: sample-price
      kind: contradiction
      question: The primary page's sample response for the model with the flat price of 3 shows `creditsUsed` 12.
      choice: 3. The table of the same page, the pricing page and the quickstart agree on it.
      rules: [/components/schemas/GptImage2Request/x-credits]
"""

WHOLE = [
    small(
        "an operation comes",
        (
            "  /voices:\n",
            '  /health: {get: {operationId: health, security: [], responses: {"200": {description: Well.}}}}\n'
            "  /voices:\n",
        ),
        ("health", BINDS, BREAKS),
    ),
    small(
        "an operation has another path",
        ("  /voices:\n", "  /choir:\n"),
        ("voices", BREAKS, BINDS),
        ("voices", BINDS, BREAKS),
    ),
    small(
        "an operation has another ID",
        ("operationId: voices", "operationId: choir"),
        ("choir.operationId", EASY, NONE),
        ("voices.operationId", NONE, EASY),
    ),
    small(
        "an operation that a link leads to has another ID",
        ("operationId: listen\n", "operationId: hear\n"),
        ("operationId: listen,", "operationId: hear,"),
        ("hear.operationId", EASY, NONE),
        ("listen.operationId", NONE, EASY),
    ),
    small(
        "a link passes on something else",
        ("{task: $response.body#/task}}", "{task: $response.body#/task, more: 1}}"),
        ("speak.202.links.read.parameters", BOTH, BOTH),
    ),
    small(
        "credentials are something else",
        ("key: {type: http, scheme: bearer}", "key: {type: http, scheme: basic}"),
        ("security.key.scheme", BOTH, BOTH),
    ),
    small("the header of a key in other letters", ("name: X-Key", "name: x-key")),
    small("the scheme of HTTP in other letters", ("scheme: bearer", "scheme: Bearer")),
    small(
        "an operation is deprecated",
        ("operationId: voices", "operationId: voices\n      deprecated: true"),
        ("voices.deprecated", EASY, EASY),
    ),
    small(
        "credentials of one more kind",
        ("  - key: []", "  - key: []\n  - spare: []"),
        ("speak.security.spare", BINDS, BREAKS),
    ),
    small(
        "more scopes",
        ("  - key: []", "  - key: [speak]"),
        ("speak.security.key.scopes", BREAKS, BINDS),
    ),
    small(
        "other scopes",
        ("  - key: []", "  - key: [speak]\n  - spare: [read, write]"),
        ("speak.security.key.scopes", BREAKS, BINDS),
        ("speak.security.spare", BINDS, BREAKS),
    ),
    small("a choice of scopes that is none", ("  - key: []", "  - key: []\n  - key: [speak]")),
    small(
        "more scopes under another name in the document",
        ("  - key: []", "  - pass: [speak]"),
        ("    key: {type: http", "    pass: {type: http"),
        ("speak.security.pass.scopes", BREAKS, NONE),
        ("speak.security.key.scopes", NONE, BINDS),
    ),
    small(
        "a server for one path, of which a parameter has another name",
        ("/tasks/{task}:\n", "/tasks/{id}:\n    servers: [{url: 'https://tasks.example'}]\n"),
        ("{reads: task}", "{reads: id}"),
        ("- {name: task,", "- {name: id,"),
        ("parameters: {task:", "parameters: {id:"),
        ("listen.id.name", EASY, NONE),
        ("listen.task.name", NONE, EASY),
        ("paths./tasks/{id}.servers", OTHER, NONE),
        ("paths./tasks/{task}.servers", NONE, OTHER),
    ),
    small(
        "credentials where none were asked for",
        ("      security: []\n      parameters:", "      parameters:"),
        (
            '        "200":\n          description: The voices.',
            '        "401": {$ref: "#/components/responses/Stranger"}\n        "200":\n'
            "          description: The voices.",
        ),
        ("voices.security.key", BREAKS, BINDS),
        ("voices.401", BREAKS, BREAKS),
    ),
    small(
        "a scheme has another name in the document",
        ("  - key: []", "  - pass: []"),
        ("    key: {type: http", "    pass: {type: http"),
    ),
    real(
        "a cookie has another name",
        ("      name: session\n", "      name: sid\n"),
        ("security.sessionCookie.name", BOTH, BOTH),
    ),
    real(
        "a session does not count any more",
        ("security:\n  - bearerAuth: []\n  - sessionCookie: []\n", "security:\n  - bearerAuth: []\n"),
        ("generateImage.security.sessionCookie", BREAKS, BINDS),
    ),
    small(
        "a server comes",
        ("The service}", 'The service}\n  - {url: "https://more.example"}'),
        ("servers", BINDS, BREAKS),
    ),
    small("a server is described otherwise", ("The service}", "A service}"), ("servers.description", WORDS, WORDS)),
    small(
        "what is assumed outside the operations",
        ("{status: 415}", "{status: 406}"),
        ("conventions.otherMediaType", BOTH, BOTH),
    ),
    real(
        "a description",
        (
            "description: What to draw, or what to change. Counted in Unicode code points.\n"
            "        inputImageUrls:\n          type: array\n          maxItems: 14",
            "description: What to draw.\n        inputImageUrls:\n          type: array\n          maxItems: 14",
        ),
        (f"{TWO}.prompt.description", WORDS, WORDS),
    ),
    real("an example", ("prompt: Make it snow", "prompt: Let it snow"), ("generateImage.examples", WORDS, WORDS)),
    real("the title", ("title: Image task API", "title: Image tasks"), ("info.title", WORDS, WORDS)),
    real(
        "a choice of an open question",
        ("choice: session\n", "choice: The cookie is `session`.\n"),
        ("question.cookie-name", WORDS, WORDS),
    ),
    real(
        "an assumption is documented",
        (
            "    OutputFormat:\n      type: string\n      enum: [png, jpeg, webp]\n"
            "      description: The file format of the result.\n      x-provenance: assumed",
            "    OutputFormat:\n      type: string\n      enum: [png, jpeg, webp]\n"
            "      description: The file format of the result.\n      x-provenance: docs",
        ),
        ("    - id: output-format\n      kind: assumed", "    - id: output-format\n      kind: contradiction"),
        (f"{GPT}.outputFormat.type", SOURCE, SOURCE),
        (f"{GPT}.outputFormat.enum", SOURCE, SOURCE),
        ("question.output-format", WORDS, WORDS),
    ),
    real(
        "a question less",
        (QUESTION, ""),
        ("question.sample-price", WORDS, WORDS),
    ),
    real(
        "the name of the cookie is documented",
        ('x-provenance: {"*": page, name: assumed}', "x-provenance: page"),
        ("    - id: cookie-name\n      kind: assumed", "    - id: cookie-name\n      kind: contradiction"),
        ("security.sessionCookie.x-provenance", SOURCE, SOURCE),
        ("question.cookie-name", WORDS, WORDS),
    ),
]


@pytest.mark.parametrize("row", WHOLE, ids=lambda row: row.name)
def test_a_change_has_its_verdict_in_both_directions(row: Row) -> None:
    check(row)


def test_a_component_that_a_question_is_about_may_have_another_name() -> None:
    old = REAL.read_text("utf-8")
    new = old.replace("GptImage2Request", "PictureRequest")
    assert "/components/schemas/PictureRequest/required/model" in new
    assert difference(old, new).empty
    assert difference(new, old).empty
