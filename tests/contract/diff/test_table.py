"""Small changes with their verdicts, forwards and backwards.

A verdict is the headings of a change and whom it breaks. A change that is there in one direction only has no verdict in
the other. Behind each ID stands the first of the clauses that share the place.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from contract.diff.change import Heading
from tests.contract.diff.harness import REAL, SMALL, Edit, difference, edited, verdicts

NONE = ""
BREAKS = "breaking client"
BINDS = "compatible implementation"
BOTH = "breaking client implementation"
EASY = "compatible"
MONEY = "billing money"
PRICE = "billing"
DEAR = "breaking+billing client money"
LIFE = "lifecycle"
LIFE_BREAKS = "breaking+lifecycle client"
LIFE_BINDS = "lifecycle implementation"
LIFE_BOTH = "breaking+lifecycle client implementation"
OTHER = "breaking+other client implementation"
SOURCE = "provenance"
WORDS = "documentation"


class Verdict(NamedTuple):
    id: str
    forwards: str
    backwards: str


class Row(NamedTuple):
    name: str
    file: Path
    edits: tuple[Edit, ...]
    verdicts: tuple[Verdict, ...]


def real(name: str, *parts: Edit | tuple[str, str, str]) -> Row:
    return row(name, REAL, parts)


def small(name: str, *parts: Edit | tuple[str, str, str]) -> Row:
    return row(name, SMALL, parts)


def row(name: str, file: Path, parts: tuple[Edit | tuple[str, str, str], ...]) -> Row:
    """Two texts are an edit, three are a verdict."""
    edits = tuple(part for part in parts if len(part) == 2)
    return Row(name, file, edits, tuple(Verdict(*part) for part in parts if len(part) == 3))


PRO = "generateImage.nano-banana-pro"
TWO = "generateImage.nano-banana-2"
GPT = "generateImage.gpt-image-2"
PRO_TIERS = "{2K: 12, 4K: 20}"
SAMPLE = "{type: array, items: {type: string}}"
STOPPED = "".join(
    f"        {name}: {{type: string}}\n" for name in ("task", "text", "paid", "back", "born", "seen", "code", "why")
)
CODEC = "codec: {type: string, enum: [mp3, ogg], default: mp3}"

REQUESTS = [
    real("a cap is lowered", ("maxLength: 10000", "maxLength: 9000"), (f"{PRO}.prompt.maxLength", BREAKS, BINDS)),
    real("fewer references", ("maxItems: 14", "maxItems: 13"), (f"{TWO}.inputImageUrls.maxItems", BREAKS, BINDS)),
    real(
        "a value of an enum goes",
        (', "5:4", "21:9"]', ', "5:4"]'),
        (f"{GPT}.aspectRatio.enum", BREAKS, BINDS),
    ),
    real(
        "one value goes, another comes",
        (', "5:4", "21:9"]', ', "5:4", "9:21"]'),
        (f"{GPT}.aspectRatio.enum", BREAKS, BINDS),
        (f"{GPT}.aspectRatio.enum", BINDS, BREAKS),
    ),
    real("an enum in another order", ("enum: [png, jpeg, webp]", "enum: [webp, png, jpeg]")),
    real(
        "a format for every model",
        ("enum: [png, jpeg, webp]", "enum: [png, jpeg, webp, gif]"),
        (f"{GPT}.outputFormat.enum", BINDS, BREAKS),
    ),
    real(
        "a pattern changes",
        ('pattern: "^https?://[^/?#]"', 'pattern: "^https://[^/?#]"'),
        (f"{GPT}.inputImageUrls.*.pattern", BOTH, BOTH),
    ),
    small(
        "a shortest length",
        ("text: {type: string, maxLength: 50}", "text: {type: string, minLength: 2, maxLength: 50}"),
        ("speak.bass.text.minLength", BREAKS, BINDS),
    ),
    small(
        "a longer shortest length",
        ("minLength: 1, maxLength: 100", "minLength: 2, maxLength: 100"),
        ("speak.alto.text.minLength", BREAKS, BINDS),
    ),
    small(
        "no longest length",
        ("text: {type: string, maxLength: 50}", "text: {type: string}"),
        ("speak.bass.text.maxLength", BINDS, BREAKS),
    ),
    small(
        "a field is required",
        ("required: [model, text]\n", "required: [model, text, codec]\n"),
        ("speak.bass.codec.required", BREAKS, BINDS),
    ),
    small("required fields in another order", ("required: [model, text]\n", "required: [text, model]\n")),
    small(
        "an optional field comes",
        ("codec: {type: string, enum: [mp3]}", "codec: {type: string, enum: [mp3]}\n        mute: {type: boolean}"),
        ("speak.bass.mute", BINDS, BREAKS),
    ),
    small(
        "a required field comes",
        ("required: [model, text]\n", "required: [model, text, mute]\n"),
        ("codec: {type: string, enum: [mp3]}", "codec: {type: string, enum: [mp3]}\n        mute: {type: boolean}"),
        ("speak.bass.mute", BREAKS, BREAKS),
    ),
    small(
        "an integer becomes a number",
        ("extra: {type: object", "count: {type: number}\n        extra: {type: object"),
        ("speak.alto.count", BINDS, BREAKS),
    ),
    small(
        "a number becomes an integer",
        ("speed: {type: number", "speed: {type: integer"),
        ("speak.alto.speed.type", BREAKS, BINDS),
    ),
    small(
        "another type",
        ("speed: {type: number, minimum: 0, exclusiveMinimum: true, maximum: 4}", "speed: {type: string}"),
        ("speak.alto.speed.type", BOTH, BOTH),
        ("speak.alto.speed.minimum", BINDS, BREAKS),
        ("speak.alto.speed.maximum", BINDS, BREAKS),
        ("speak.alto.speed.exclusiveMinimum", BINDS, BREAKS),
    ),
    small(
        "a lower minimum",
        ("minimum: 0, exclusiveMinimum", "minimum: -1, exclusiveMinimum"),
        ("speak.alto.speed.minimum", BINDS, BREAKS),
    ),
    small(
        "the minimum itself is allowed",
        ("exclusiveMinimum: true, ", ""),
        ("speak.alto.speed.exclusiveMinimum", BINDS, BREAKS),
    ),
    small(
        "a switch that is off is as good as none",
        ("exclusiveMinimum: true, maximum: 4", "exclusiveMinimum: true, exclusiveMaximum: false, maximum: 4"),
    ),
    small("a lower maximum", ("maximum: 4}", "maximum: 3}"), ("speak.alto.speed.maximum", BREAKS, BINDS)),
    small("one number written in two ways", ("maximum: 4}", "maximum: 4.0}")),
    small(
        "null is allowed",
        ("speed: {type: number", "speed: {nullable: true, type: number"),
        ("speak.alto.speed.nullable", BINDS, BREAKS),
    ),
    small("null is not allowed, as before", ("speed: {type: number", "speed: {nullable: false, type: number")),
    small("items may repeat", ("uniqueItems: true, ", ""), ("speak.alto.sample.uniqueItems", BINDS, BREAKS)),
    small(
        "items have a format",
        (SAMPLE, "{type: array, items: {type: string, format: uri}}"),
        ("speak.bass.sample.*.format", BREAKS, BINDS),
    ),
    small(
        "the format of items changes",
        ("items: {type: string, format: uri}}", "items: {type: string, format: email}}"),
        ("speak.alto.sample.*.format", BOTH, BOTH),
    ),
    small(
        "other fields are refused",
        ("additionalProperties: true", "additionalProperties: false"),
        ("speak.alto.additionalProperties", BREAKS, BINDS),
    ),
    small("other fields are ignored, said or not", ("      additionalProperties: true\n", "")),
    small(
        "other fields are held to a schema",
        ("additionalProperties: {type: string, maxLength: 9}", "additionalProperties: {type: string, maxLength: 8}"),
        ("speak.alto.extra.*.maxLength", BREAKS, BINDS),
    ),
    small(
        "other fields are free",
        ("additionalProperties: {type: string, maxLength: 9}", "additionalProperties: {}"),
        ("speak.alto.extra.additionalProperties", BINDS, BREAKS),
    ),
    small(
        "one more alternative",
        ("{type: string, enum: [any]}]", "{type: string, enum: [any]}, {type: boolean}]"),
        ("speak.alto.seed.2", BINDS, BREAKS),
    ),
    small(
        "alternatives in another order",
        ("[{type: integer}, {type: string, enum: [any]}]", "[{type: string, enum: [any]}, {type: integer}]"),
    ),
    small(
        "an alternative admits more", ("enum: [any]}]", "enum: [any, all]}]"), ("speak.alto.seed.1.enum", BINDS, BREAKS)
    ),
    small(
        "one more demand", ("{minLength: 2}]", "{minLength: 2}, {maxLength: 8}]"), ("speak.alto.tag.2", BREAKS, BINDS)
    ),
    small(
        "a default of no price changes",
        (CODEC, CODEC.replace("default: mp3", "default: ogg")),
        ("speak.alto.codec.default", BREAKS, BREAKS),
    ),
    small(
        "a default comes",
        ("codec: {type: string, enum: [mp3]}", "codec: {type: string, enum: [mp3], default: mp3}"),
        ("speak.bass.codec.default", BREAKS, BREAKS),
    ),
    small(
        "a field is only shown",
        ("speed: {type: number", "speed: {readOnly: true, type: number"),
        ("speak.alto.speed.readOnly", BOTH, BOTH),
    ),
    small(
        "a field is only sent, as this one is",
        ("speed: {type: number", "speed: {writeOnly: true, type: number"),
        ("speak.alto.speed.writeOnly", EASY, EASY),
    ),
    small(
        "a field is deprecated",
        ("speed: {type: number", "speed: {deprecated: true, type: number"),
        ("speak.alto.speed.deprecated", EASY, EASY),
    ),
    small(
        "a keyword that no rule knows",
        ("speed: {type: number", "speed: {xml: {name: s}, type: number"),
        ("speak.alto.speed.xml", OTHER, OTHER),
    ),
    small(
        "a parameter comes",
        (
            "        - {name: X-Trace",
            "        - {name: size, in: query, schema: {type: integer}}\n        - {name: X-Trace",
        ),
        ("voices.size", BINDS, BREAKS),
    ),
    small(
        "a parameter comes and must be given",
        (
            "        - {name: X-Trace",
            "        - {name: size, in: query, required: true, schema: {type: integer}}\n        - {name: X-Trace",
        ),
        ("voices.size", BREAKS, BREAKS),
    ),
    small(
        "a parameter must be given",
        ("{name: page, in: query,", "{name: page, in: query, required: true,"),
        ("voices.page.required", BREAKS, BINDS),
    ),
    small("a parameter's limit", ("maximum: 50", "maximum: 60"), ("voices.page.maximum", BINDS, BREAKS)),
    small(
        "a parameter's style",
        ("{name: page, in: query,", "{name: page, in: query, allowEmptyValue: true,"),
        ("voices.page.allowEmptyValue", OTHER, OTHER),
    ),
    small(
        "the name of a header in other letters", ("name: X-Trace", "name: x-trace"), ("voices.x-trace.name", EASY, EASY)
    ),
    small(
        "the name of a path's parameter",
        ("/tasks/{task}:", "/tasks/{id}:"),
        ("{reads: task}", "{reads: id}"),
        ("- {name: task,", "- {name: id,"),
        ("parameters: {task:", "parameters: {id:"),
        ("listen.id.name", EASY, NONE),
        ("listen.task.name", NONE, EASY),
    ),
    small(
        "the body may be left out",
        ("        required: true\n        content", "        content"),
        ("speak.requestBody.required", BINDS, BREAKS),
    ),
    small(
        "another content type is read",
        (
            "          application/json:\n            schema:\n              discriminator",
            "          application/cbor: {schema: {type: object}}\n          application/json:\n            schema:\n              discriminator",
        ),
        ("speak.content-type", BINDS, BREAKS),
    ),
]

ANSWERS = [
    real(
        "a required field may be missing",
        ("required: [taskId, status, creditsUsed]", "required: [taskId, status]"),
        ("generateImage.200.creditsUsed.required", BREAKS, BINDS),
    ),
    real(
        "an error may be of another text",
        ("enum: [Unauthorized]", "enum: [Unauthorized, Forbidden]"),
        ("generateImage.401.error.enum", BREAKS, BINDS),
    ),
    small(
        "a field of an answer goes",
        ("                  paid: {type: integer}\n", ""),
        ("speak.202.paid", BREAKS, BINDS),
    ),
    small(
        "a field of an answer comes, and is always there",
        ("                required: [voices]\n", "                required: [voices, more]\n"),
        (
            "                additionalProperties: false",
            "                  more: {type: boolean}\n                additionalProperties: false",
        ),
        ("voices.200.more", BINDS, BREAKS),
    ),
    small(
        "an answer's value is new",
        ("enum: [calm, loud]", "enum: [calm, loud, sad]"),
        ("voices.200.voices.*.mood.enum", BREAKS, BINDS),
    ),
    small(
        "an answer's text may be longer",
        ("maxLength: 20", "maxLength: 30"),
        ("voices.200.voices.*.name.maxLength", BREAKS, BINDS),
    ),
    small(
        "an answer may be null",
        ("name: {type: string, maxLength: 20}", "name: {type: string, nullable: true, maxLength: 20}"),
        ("voices.200.voices.*.name.nullable", BREAKS, BINDS),
    ),
    small(
        "an answer's integer becomes a number",
        ("age: {type: integer, nullable: true}", "age: {type: number, nullable: true}"),
        ("voices.200.voices.*.age.type", BREAKS, BINDS),
    ),
    small(
        "an answer's default is a word",
        ("age: {type: integer, nullable: true}", "age: {type: integer, nullable: true, default: 3}"),
        ("voices.200.voices.*.age.default", WORDS, WORDS),
    ),
    small(
        "an answer has other fields",
        ("                additionalProperties: false\n", ""),
        ("voices.200.additionalProperties", BREAKS, BINDS),
    ),
    small(
        "a header of an answer may be missing",
        ("Retry-After: {required: true, schema", "Retry-After: {schema"),
        ("speak.202.headers.Retry-After.required", BREAKS, BINDS),
    ),
    small(
        "a header of an answer goes",
        ("          headers:\n            Retry-After: {required: true, schema: {type: integer, minimum: 1}}\n", ""),
        ("speak.202.headers.Retry-After", BREAKS, BINDS),
    ),
    small(
        "an answer comes",
        (
            "          description: The voices.\n",
            '          description: The voices.\n          content: {application/json: {schema: {type: object}}}\n        "204":\n          description: The voices.\n',
        ),
        ("voices.204", BREAKS, BREAKS),
        ("voices.200.additionalProperties", BREAKS, BINDS),
        ("voices.200.voices", BREAKS, BINDS),
    ),
    small(
        "an answer in one more content type",
        (
            'schema: {$ref: "#/components/schemas/Task"}',
            'schema: {$ref: "#/components/schemas/Task"}\n            text/plain: {schema: {type: string}}',
        ),
        ("listen.200.content-type", BREAKS, BREAKS),
    ),
    real(
        "an error has another status",
        (
            '        "404": {$ref: "#/components/responses/TaskNotFound"}',
            '        "410": {$ref: "#/components/responses/TaskNotFound"}',
        ),
        ("getTask.404", BREAKS, BREAKS),
        ("getTask.410", BREAKS, BREAKS),
    ),
    real(
        "another error wins",
        ("{when: invalid, order: 2, details", "{when: invalid, order: 3, details"),
        ("order: 3, price", "order: 2, price"),
        ("generateImage.order.400-402", BOTH, BOTH),
    ),
    real(
        "the ranks are other numbers, in the same order",
        ("{when: invalid, order: 2, details", "{when: invalid, order: 20, details"),
        ("order: 3, price", "order: 30, price"),
    ),
    real(
        "no field states the price",
        ("order: 3, price: required}", "order: 3}"),
        ("generateImage.402.required", BREAKS, BINDS),
    ),
    real(
        "no field has the details",
        ("order: 2, details: details}", "order: 2}"),
        ("generateImage.400.details", BREAKS, BINDS),
    ),
]

WHOLE = [
    small(
        "an operation comes",
        (
            "  /voices:\n",
            '  /health: {get: {operationId: health, security: [], responses: {"200": {description: Well.}}}}\n  /voices:\n',
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
        "credentials where none were asked for",
        ("      security: []\n", ""),
        (
            '        "200":\n          description: The voices.',
            '        "401": {$ref: "#/components/responses/Stranger"}\n        "200":\n          description: The voices.',
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
            "description: What to draw, or what to change. Counted in Unicode code points.\n        inputImageUrls:\n          type: array\n          maxItems: 14",
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
            "    OutputFormat:\n      type: string\n      enum: [png, jpeg, webp]\n      description: The file format of the result.\n      x-provenance: assumed",
            "    OutputFormat:\n      type: string\n      enum: [png, jpeg, webp]\n      description: The file format of the result.\n      x-provenance: docs",
        ),
        ("    - id: output-format\n      kind: assumed", "    - id: output-format\n      kind: contradiction"),
        (f"{GPT}.outputFormat.type", SOURCE, SOURCE),
        (f"{GPT}.outputFormat.enum", SOURCE, SOURCE),
        ("question.output-format", WORDS, WORDS),
    ),
]

BILLING = [
    real("a tier is dearer", (PRO_TIERS, "{2K: 13, 4K: 20}"), (f"{PRO}.price.2K", MONEY, MONEY)),
    real(
        "a tier and its price go",
        ("tiers: {1K: 4, 2K: 6, 4K: 8}", "tiers: {1K: 4, 2K: 6}"),
        ("enum: [1K, 2K, 4K]", "enum: [1K, 2K]"),
        (f"{TWO}.resolution.enum", BREAKS, BINDS),
        (f"{TWO}.price.4K", PRICE, PRICE),
    ),
    real("another tier by default", ("default: 1K", "default: 2K"), (f"{TWO}.resolution.default", DEAR, DEAR)),
    small("a flat price", ("{flat: 7}", "{flat: 8}"), ("speak.bass.price", MONEY, MONEY)),
    small("a price by two fields", ("high: 4}", "high: 5}"), ("speak.alto.price.10.high", MONEY, MONEY)),
    small(
        "the fields of a price in another order",
        (
            "{by: [seconds, quality], tiers: {5: {low: 1, high: 2}, 10: {low: 3, high: 4}}}",
            "{by: [quality, seconds], tiers: {low: {5: 1, 10: 3}, high: {5: 2, 10: 4}}}",
        ),
    ),
    small(
        "a flat price that becomes tiers of that price",
        ("{flat: 7}", "{by: [codec], tiers: {mp3: 7}}"),
        ("codec: {type: string, enum: [mp3]}", "codec: {type: string, enum: [mp3], default: mp3}"),
        ("speak.bass.codec.default", DEAR, DEAR),
    ),
    small(
        "a flat price that becomes tiers",
        ("{flat: 7}", "{by: [codec], tiers: {mp3: 9}}"),
        ("required: [model, text]\n", "required: [model, text, codec]\n"),
        ("speak.bass.codec.required", BREAKS, BINDS),
        ("speak.bass.price.mp3", MONEY, MONEY),
    ),
    small(
        "a model and its price go",
        ('alto: "#/components/schemas/Alto", ', ""),
        ('                - $ref: "#/components/schemas/Alto"\n', ""),
        ("speak.model", BREAKS, BINDS),
        *[(f"speak.alto.price.{tier}", PRICE, PRICE) for tier in ("5.low", "5.high", "10.low", "10.high")],
    ),
    small("nothing is paid back", (", refund: full", ""), ("lifecycle.broken.refund", MONEY, MONEY)),
]

LIVES = [
    small(
        "a transition comes",
        ("next: [running, broken]", "next: [running, broken, done]"),
        ("lifecycle.transitions", LIFE_BREAKS, LIFE_BINDS),
    ),
    small("transitions in another order", ("next: [running, broken]", "next: [broken, running]")),
    small(
        "a state comes",
        ("          done: {status: d", "          paused: {status: p, next: [running]}\n          done: {status: d"),
        ("next: [running, broken]", "next: [running, broken, paused]"),
        ("lifecycle.transitions", LIFE_BREAKS, LIFE_BINDS),
        ("enum: [q, r]", "enum: [q, r, p]"),
        ("lifecycle.paused", LIFE_BREAKS, LIFE_BINDS),
        ("listen.200.Open.state.enum", BREAKS, BINDS),
    ),
    small(
        "a state has another status",
        ("{status: r,", "{status: w,"),
        ("enum: [q, r]", "enum: [q, w]"),
        ("lifecycle.running", LIFE_BREAKS, LIFE_BINDS),
        ("lifecycle.running", LIFE_BINDS, LIFE_BREAKS),
        ("lifecycle.transitions", LIFE_BREAKS, LIFE_BINDS),
        ("lifecycle.transitions", LIFE_BINDS, LIFE_BREAKS),
        ("listen.200.Open.state.enum", BREAKS, BINDS),
        ("listen.200.Open.state.enum", BINDS, BREAKS),
    ),
    small(
        "a state has another name",
        ("          running: {", "          working: {"),
        ("next: [running, broken]", "next: [working, broken]"),
        ("lifecycle.working", WORDS, NONE),
        ("lifecycle.running", NONE, WORDS),
    ),
    small(
        "an ending goes on",
        (
            "done: {status: d, carries: result}",
            "done: {status: d, next: [kept]}\n          kept: {status: k, carries: result}",
        ),
        ("enum: [d]", "enum: [d, k]"),
        ("lifecycle.done.final", LIFE_BOTH, LIFE_BOTH),
        ("lifecycle.kept", LIFE_BREAKS, LIFE_BINDS),
        ("listen.200.Done.state.enum", BREAKS, BINDS),
    ),
    real(
        "a longer deadline",
        ("deadlineSeconds: 180", "deadlineSeconds: 240"),
        ("lifecycle.deadline", LIFE_BREAKS, LIFE_BINDS),
    ),
    real("polling is slower", ("pollSeconds: 2", "pollSeconds: 3"), ("lifecycle.poll", LIFE_BREAKS, LIFE_BINDS)),
    real(
        "a field is not repeated",
        ("echoes: [model, prompt]", "echoes: [model]"),
        ("lifecycle.echo.prompt", LIFE_BREAKS, LIFE_BINDS),
    ),
    real(
        "an error code comes",
        ("          STORAGE_ERROR:", "          TIMEOUT: It took too long.\n          STORAGE_ERROR:"),
        ("lifecycle.errorCodes.TIMEOUT", LIFE, LIFE),
    ),
    small(
        "another field shows the error",
        ("errorMessage: why}", "errorMessage: text}"),
        ("lifecycle.fields.errorMessage", LIFE_BOTH, LIFE_BOTH),
    ),
    small(
        "a task begins in another state",
        ("initial: queued", "initial: running"),
        ("next: [done, broken]", "next: [done, broken, queued]"),
        ("lifecycle.transitions", LIFE_BREAKS, LIFE_BINDS),
        ("lifecycle.initial", LIFE_BOTH, LIFE_BOTH),
    ),
    small(
        "a shape comes",
        (
            '        - $ref: "#/components/schemas/Failed"\n    Open:',
            '        - $ref: "#/components/schemas/Failed"\n        - $ref: "#/components/schemas/Stopped"\n    Stopped:\n      type: object\n      required: [state, kind]\n      properties:\n        state: {type: string, enum: [b]}\n        kind: {type: string, enum: [voice]}\n'
            + STOPPED
            + "    Open:",
        ),
        ("listen.200.Stopped", BREAKS, BINDS),
    ),
    small(
        "an empty list counts as one", ("empty: absent}", "empty: present}"), ("speak.x-task.modes.empty", BOTH, BOTH)
    ),
    small(
        "the modes have other names", ("absent: stock", "absent: plain"), ("speak.x-task.modes.absent", WORDS, WORDS)
    ),
]

TABLE = [*REQUESTS, *ANSWERS, *WHOLE, *BILLING, *LIVES]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_a_change_has_its_verdict_in_both_directions(row: Row) -> None:
    old = row.file.read_text("utf-8")
    new = edited(old, *row.edits)
    assert old != new
    assert verdicts(difference(old, new)) == sorted((v.id, v.forwards) for v in row.verdicts if v.forwards)
    assert verdicts(difference(new, old)) == sorted((v.id, v.backwards) for v in row.verdicts if v.backwards)
