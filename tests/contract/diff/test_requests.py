"""What may be asked: small changes with their verdicts, forwards and backwards."""

from __future__ import annotations

import pytest

from tests.contract.diff.rows import BINDS, BOTH, BREAKS, EASY, NONE, OTHER, WORDS, Row, check, real, small

PRO = "generateImage.nano-banana-pro"
TWO = "generateImage.nano-banana-2"
GPT = "generateImage.gpt-image-2"
CODEC_ONLY = "codec: {type: string, enum: [mp3]}"
SAMPLE = "{type: array, items: {type: string}}"
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
        "alternatives where there were none",
        (
            "      x-credits: {flat: 7}\n",
            "      x-credits: {flat: 7}\n      anyOf: [{required: [sample]}, {required: [codec]}]\n",
        ),
        ("speak.bass.anyOf", BREAKS, BINDS),
    ),
    small(
        "demands where there were none",
        ("text: {type: string, maxLength: 50}", "text: {type: string, maxLength: 50, allOf: [{minLength: 2}]}"),
        ("speak.bass.text.allOf", BREAKS, BINDS),
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
            "        required: true\n        content:\n",
            "        required: true\n        content:\n          application/cbor: {schema: {type: object}}\n",
        ),
        ("speak.content-type", BINDS, BREAKS),
    ),
    small(
        "another content type has alternatives of its own",
        (
            "        required: true\n        content:\n",
            "        required: true\n        content:\n          application/cbor:\n            schema:\n"
            "              oneOf: [{$ref: '#/components/schemas/Stars'}, {$ref: '#/components/schemas/Bass'}]\n",
        ),
        ("speak.content-type", BINDS, BREAKS),
    ),
    small(
        "the body must be given",
        ("requestBody:\n        content:", "requestBody:\n        required: true\n        content:"),
        ("praise.requestBody.required", BREAKS, BINDS),
    ),
    small(
        "a choice has another name",
        ("{stars: Stars,", "{points: Stars,"),
        ("praise.stars", BREAKS, BINDS),
        ("praise.points", BINDS, BREAKS),
    ),
    small(
        "a choice has the name of its component",
        ("{stars: Stars, words: Words}", "{words: Words}"),
        ("praise.stars", BREAKS, BINDS),
        ("praise.Stars", BINDS, BREAKS),
    ),
    small(
        "a choice has one more name",
        ("{stars: Stars,", "{stars: Stars, points: Stars,"),
        ("praise.points", BINDS, BREAKS),
    ),
    small(
        "a choice has one more name, and says more",
        ("{stars: Stars,", "{stars: Stars, points: Stars,"),
        ("stars: {type: integer}", "stars: {type: integer, maximum: 5}"),
        ("praise.points", BINDS, BREAKS),
        ("praise.stars.stars.maximum", BREAKS, BINDS),
    ),
    small(
        "a choice takes over a name of another",
        ("{stars: Stars, words: Words}", "{stars: Stars, points: Stars, words: Words}"),
        ('                - $ref: "#/components/schemas/Words"\n', ""),
        ("words: Words}", "words: Stars}"),
        ("praise.words", BREAKS, BINDS),
        ("praise.points", BINDS, BREAKS),
        ("praise.words", BINDS, BREAKS),
    ),
    small(
        "a choice that leads nowhere here",
        ("{stars: Stars,", "{stars: Stars, voice: Voice,"),
        ("praise.discriminator.mapping", OTHER, OTHER),
    ),
    small("the choices are named by their references", ("{stars: Stars,", "{stars: '#/components/schemas/Stars',")),
    small(
        "another field chooses",
        ("propertyName: kind,", "propertyName: sort,"),
        ("praise.discriminator.propertyName", BOTH, BOTH),
    ),
]

EXTRA = "extra: {type: object, additionalProperties: {type: string, maxLength: 9}}"
PAGE = "{name: page, in: query,"
TRACE = "{name: X-Trace, in: header,"
NOTHING_SAID = [
    ("sample: {type: array, items: {type: string}}", "sample: {type: array, minItems: 0, items: {type: string}}"),
    ("text: {type: string, maxLength: 50}", "text: {type: string, minLength: 0, maxLength: 50}"),
    (EXTRA, EXTRA.replace("object,", "object, minProperties: 0,")),
    ("seconds: {type: integer,", "seconds: {type: integer, multipleOf: 1,"),
    ("seconds: {type: integer,", "seconds: {type: integer, multipleOf: 1.0,"),
    ("seconds: {type: integer,", "seconds: {type: integer, nullable: true,"),
    ("seconds: {type: integer,", "seconds: {type: integer, deprecated: false,"),
    ("schema: {type: integer, minimum: 1, max", "schema: {type: integer, minimum: 0, exclusiveMinimum: true, max"),
    ("maximum: 50, default", "maximum: 51, exclusiveMaximum: true, default"),
    ("minimum: 1, maximum: 50", "minimum: 0.5, maximum: 50"),
    (PAGE, f"{PAGE} style: form, explode: true, allowReserved: false, allowEmptyValue: false, deprecated: false,"),
    (TRACE, f"{TRACE} style: simple, explode: false, required: false,"),
    ("{name: task, in: path,", "{name: task, in: path, style: simple, explode: false,"),
    (
        "Retry-After: {required: true,",
        "Retry-After: {style: simple, explode: false, deprecated: false, required: true,",
    ),
    ("operationId: praise\n", "operationId: praise\n      deprecated: false\n"),
    ("      additionalProperties: true\n", "      additionalProperties: {}\n"),
    ("codec: {type: string, enum: [mp3]}", "codec: {type: string, enum: [mp3]}\n      additionalProperties: {}"),
    (
        "application/json:\n            schema:\n              discriminator: {",
        "Application/JSON:\n            schema:\n              discriminator: {",
    ),
    ("            text/plain:", "            Text/Plain:"),
    ("            Retry-After:", "            retry-after:"),
]


@pytest.mark.parametrize(("old", "new"), NOTHING_SAID)
def test_what_holds_without_it_is_no_change(old: str, new: str) -> None:
    check(small("", (old, new)))


FURTHER = [
    small(
        "a bound that is not allowed itself, of numbers",
        ("minimum: 0, exclusiveMinimum: true, maximum: 4", "minimum: 1, maximum: 4"),
        ("speak.alto.speed.minimum", BREAKS, BINDS),
    ),
    small(
        "numbers are multiples of one",
        ("speed: {type: number", "speed: {multipleOf: 1, type: number"),
        ("speak.alto.speed.multipleOf", BREAKS, BINDS),
    ),
    small(
        "null beside an enum with it",
        ("codec: {type: string, enum: [mp3]}", "codec: {type: string, nullable: true, enum: [mp3, null]}"),
        ("speak.bass.codec.enum", BINDS, BREAKS),
        ("speak.bass.codec.nullable", BINDS, BREAKS),
    ),
    small(
        "other fields are described",
        ("      additionalProperties: true\n", "      additionalProperties: {description: Whatever.}\n"),
        ("speak.alto.additionalProperties", WORDS, WORDS),
    ),
    small(
        "a list is written otherwise",
        (PAGE, f"{PAGE} explode: false,"),
        ("voices.page.explode", OTHER, OTHER),
    ),
    small(
        "a header is written otherwise",
        (TRACE, f"{TRACE} explode: true,"),
        ("voices.x-trace.explode", OTHER, OTHER),
    ),
    small(
        "a required field comes that is only shown",
        ("required: [model, text]\n", "required: [model, text, mute]\n"),
        (CODEC_ONLY, f"{CODEC_ONLY}\n        mute: {{type: boolean, readOnly: true}}"),
        ("speak.bass.mute", EASY, EASY),
    ),
    small(
        "a field that is only shown may be longer",
        ("text: {type: string, maxLength: 50}", "text: {type: string, maxLength: 50}\n        b: {readOnly: true}"),
        ("required: [model, text]\n", "required: [model, text, b]\n"),
        ("speak.bass.b", EASY, EASY),
    ),
]


@pytest.mark.parametrize("row", FURTHER, ids=lambda row: row.name)
def test_what_is_only_nearly_nothing_is_a_change(row: Row) -> None:
    check(row)


@pytest.mark.parametrize("row", REQUESTS, ids=lambda row: row.name)
def test_a_change_has_its_verdict_in_both_directions(row: Row) -> None:
    check(row)
