"""What is answered: small changes with their verdicts, forwards and backwards."""

from __future__ import annotations

import pytest

from tests.contract.diff.rows import BINDS, BOTH, BREAKS, EASY, WORDS, Row, check, real, small

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
        "an answer has alternatives where it had none",
        ("required: [name, rank]\n", "required: [name, rank]\n      oneOf: [{required: [age]}, {required: [mood]}]\n"),
        ("voices.200.voices.*.oneOf", BINDS, BREAKS),
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
        "an answer must have a field that is only sent",
        ("required: [name, rank]\n", "required: [name, rank, word]\n"),
        (
            "age: {type: integer, nullable: true}",
            "age: {type: integer, nullable: true}\n        word: {writeOnly: true}",
        ),
        ("voices.200.voices.*.word", EASY, EASY),
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
            "          description: The voices.\n"
            '          content: {application/json: {schema: {type: object}}}\n        "204":\n'
            "          description: The voices.\n",
        ),
        ("voices.204", BREAKS, BREAKS),
        ("voices.200.content-type", BREAKS, BREAKS),
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
    small(
        "a required field that had no schema has one",
        ("name: {type: string, maxLength: 20}", "name: {type: string, maxLength: 20}\n        rank: {type: integer}"),
        ("voices.200.voices.*.rank", BINDS, BREAKS),
    ),
    small(
        "a discriminator for the shapes",
        (
            '      oneOf:\n        - $ref: "#/components/schemas/Open"',
            '      discriminator: {propertyName: state}\n      oneOf:\n        - $ref: "#/components/schemas/Open"',
        ),
        ("listen.200.discriminator.propertyName", BOTH, BOTH),
    ),
    small(
        "an answer in other words",
        ("description: Taken.", "description: Accepted."),
        ("speak.202.description", WORDS, WORDS),
    ),
]


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row.name)
def test_a_change_has_its_verdict_in_both_directions(row: Row) -> None:
    check(row)
