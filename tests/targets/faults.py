"""The named faults a target can be given, and what those faults do that are plain data.

A fault breaks one rule of the API and nothing else. Its provenance is that of the rule it breaks:

    P  the product's page for the operation
    D  the product's other public pages
    A  assumed: no source says it, the contract had to choose

`FAULTS` is the registry. Below it stand tables for the faults that can be written as a changed
value or as a small change of a document: a reader finds there what a fault does, and the server
stays free of it. All other faults are decisions, and stand in the server where it decides.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import chain
from typing import Any, Literal, get_args

Group = Literal["requests", "responses", "credits", "lifecycle", "access", "error-order", "protocol"]
Provenance = Literal["P", "D", "A"]
GROUPS: tuple[str, ...] = get_args(Group)


@dataclass(frozen=True)
class Fault:
    """One deviation from the contract; `summary` says what the faulty server does."""

    name: str
    group: Group
    summary: str
    provenance: Provenance


class Crash(Exception):
    """The bug behind a fault that answers 500."""


class Switch:
    """The one fault that is on, if any; asked wherever a decision is made."""

    def __init__(self, fault: str | None) -> None:
        """Raise `ValueError` for a name that is not in `FAULTS`."""
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"unknown fault: {fault!r}")
        self.name = fault or ""

    def on(self, name: str) -> bool:
        # The lookup is there for misspelt names: such a fault could never be switched on.
        return FAULTS[name].name == self.name

    def crash(self, name: str, when: bool = True) -> None:
        if when and self.on(name):
            raise Crash(name)


_REQUESTS = (
    Fault("prompt-cap-one-over", "requests", "gpt-image-2 accepts 20,001 characters", "P"),
    Fault("prompt-cap-refused-at-limit", "requests", "nano-banana-pro refuses 10,000", "P"),
    Fault("prompt-cap-too-wide", "requests", "google/nano-banana accepts up to 20,000", "P"),
    Fault("prompt-cap-skipped-for-edits", "requests", "an edit's prompt has no cap", "P"),
    Fault("prompt-counts-utf8-bytes", "requests", "the prompt cap counts UTF-8 bytes", "A"),
    Fault("prompt-counts-utf16-units", "requests", "the prompt cap counts UTF-16 units", "A"),
    Fault("prompt-truncated", "requests", "a prompt over the cap is cut and accepted", "P"),
    Fault("prompt-number-coerced", "requests", "a number as prompt becomes a string", "P"),
    Fault("empty-prompt-accepted", "requests", "an empty prompt is accepted", "D"),
    Fault("missing-prompt-accepted", "requests", "'untitled' replaces a missing prompt", "P"),
    Fault("prompt-optional-for-edits", "requests", "an edit may leave out the prompt", "P"),
    Fault("references-one-over", "requests", "nano-banana-pro accepts 9 references", "P"),
    Fault("references-one-under", "requests", "nano-banana-2 refuses 14 references", "P"),
    Fault("edit-refused", "requests", "google/nano-banana accepts no reference", "P"),
    Fault("empty-references-refused", "requests", "an empty inputImageUrls is refused", "A"),
    Fault("reference-scheme-unchecked", "requests", "an ftp: URL is accepted", "A"),
    Fault("reference-http-refused", "requests", "an http: URL is refused", "A"),
    Fault("references-only-first-checked", "requests", "later URLs may be anything", "A"),
    Fault("references-string-accepted", "requests", "one string passes for an array", "P"),
    Fault("aspect-ratio-refused", "requests", "gpt-image-2 refuses 4:5", "P"),
    Fault("aspect-ratio-undocumented", "requests", "gpt-image-2 accepts 9:21", "P"),
    Fault("aspect-ratio-list-misapplied", "requests", "nano-banana-2 refuses 7:3", "A"),
    Fault("aspect-ratio-zero-accepted", "requests", "google/nano-banana accepts 0:1", "A"),
    Fault("resolution-undocumented", "requests", "nano-banana-pro accepts 1K", "P"),
    Fault("resolution-refused", "requests", "nano-banana-2 refuses 4K", "P"),
    Fault("resolution-lower-case-accepted", "requests", "2k passes for 2K", "P"),
    Fault("resolution-refused-without-tiers", "requests", "gpt-image-2 refuses resolution", "A"),
    Fault("output-format-refused", "requests", "webp is refused", "A"),
    Fault("output-format-undocumented", "requests", "gif is accepted", "A"),
    Fault("model-case-insensitive", "requests", "GPT-Image-2 passes for gpt-image-2", "P"),
    Fault("model-alias-accepted", "requests", "nano-banana passes for google/nano-banana", "P"),
    Fault("model-defaulted", "requests", "a missing model means gpt-image-2", "A"),
    Fault("null-accepted", "requests", "null in an optional field means omitted", "A"),
    Fault("provider-input-keys-restricted", "requests", "unknown keys are refused", "P"),
    Fault("provider-input-nested-refused", "requests", "values must be scalars", "P"),
    Fault("provider-input-non-object", "requests", "an array or scalar is accepted", "P"),
    Fault("unknown-field-refused", "requests", "an undocumented field is refused", "A"),
    Fault("lone-surrogate-accepted", "requests", "a lone surrogate is accepted", "A"),
    Fault("invalid-utf8-accepted", "requests", "bytes that are not UTF-8 are replaced", "A"),
)

_RESPONSES = (
    Fault("details-missing", "responses", "a 400 has no details", "P"),
    Fault("details-wrong-field", "responses", "every message stands under 'input'", "P"),
    Fault("details-only-first-field", "responses", "only one broken field is named", "D"),
    Fault("details-messages-not-lists", "responses", "a field has one bare message", "P"),
    Fault("details-form-errors-missing", "responses", "details has no formErrors", "P"),
    Fault("error-plain-text", "responses", "errors are plain text", "P"),
    Fault("error-html-for-browsers", "responses", "errors are HTML for who accepts that", "P"),
    Fault("error-under-other-key", "responses", "errors say 'message', not 'error'", "P"),
    Fault("invalid-request-other-text", "responses", "a 400 says 'Validation failed'", "P"),
    Fault("insufficient-credits-other-text", "responses", "a 402 says 'Payment required'", "P"),
    Fault("unknown-task-other-text", "responses", "an unknown task's 404 says 'Not found'", "D"),
    Fault("unknown-task-200", "responses", "an unknown task's error comes with 200", "D"),
    Fault("unknown-task-html", "responses", "an unknown task's 404 is an HTML page", "P"),
    Fault("validation-422", "responses", "invalid requests get 422", "P"),
    Fault("insufficient-credits-403", "responses", "a low balance gets 403", "P"),
    Fault("content-type-wrong", "responses", "every answer is labelled text/plain", "P"),
    Fault("submission-201", "responses", "an accepted submission gets 201", "P"),
    Fault("submission-without-credits-used", "responses", "creditsUsed is missing", "P"),
    Fault("submission-without-status", "responses", "status is missing", "P"),
    Fault("snapshot-without-model", "responses", "model is missing", "A"),
    Fault("snapshot-status-as-string", "responses", 'status is "0", "1" or "2"', "D"),
    Fault("snapshot-credits-used-as-string", "responses", "creditsUsed is a string", "D"),
    Fault("snapshot-type-wrong", "responses", "an image task has type video", "D"),
    Fault("snapshot-quickstart-names", "responses", "fields are named as in the quickstart", "D"),
    Fault("prompt-echo-trimmed", "responses", "the prompt comes back without outer spaces", "D"),
    Fault("prompt-echo-nfc", "responses", "the prompt comes back in NFC", "D"),
    Fault("model-echo-shortened", "responses", "the model comes back without 'google/'", "D"),
    Fault("image-urls-relative", "responses", "imageUrls are paths without origin", "D"),
    Fault("image-urls-single-string", "responses", "imageUrls is one string", "D"),
    Fault("timestamps-without-zone", "responses", "timestamps have no zone", "D"),
    Fault("timestamps-with-offset", "responses", "timestamps are in +02:00", "D"),
    Fault("timestamps-numeric", "responses", "timestamps are epoch milliseconds", "D"),
)

_CREDITS = (
    Fault("price-tier-wrong", "credits", "nano-banana-2 costs 5 at 2K", "P"),
    Fault("price-flat-for-tiers", "credits", "nano-banana-pro costs 12 at 4K", "P"),
    Fault("price-from-sample-response", "credits", "gpt-image-2 costs 12", "P"),
    Fault("price-default-tier-dearest", "credits", "an omitted resolution costs as 4K", "A"),
    Fault("edit-costs-more", "credits", "an edit costs one credit more", "P"),
    Fault("charge-on-400", "credits", "an invalid request costs up to 3 credits", "P"),
    Fault("charge-on-402", "credits", "a 402 takes what is left of the balance", "P"),
    Fault("charge-on-read", "credits", "reading a task costs a credit", "D"),
    Fault("debit-twice", "credits", "a submission is debited twice", "P"),
    Fault("debit-differs", "credits", "one credit more than creditsUsed is debited", "P"),
    Fault("debit-missing", "credits", "nothing is ever debited", "P"),
    Fault("debit-on-completion", "credits", "the debit comes when the task completes", "P"),
    Fault("equal-requests-debited-once", "credits", "a repeated request is free", "D"),
    Fault("refund-missing", "credits", "a failed task keeps the credits", "P"),
    Fault("refund-half", "credits", "a failed task returns half, rounded down", "D"),
    Fault("refund-cheapest-tier", "credits", "the refund is the cheapest tier's price", "D"),
    Fault("refund-only-when-read", "credits", "the refund waits for the first read", "P"),
    Fault("refund-again-on-second-read", "credits", "the second read refunds again", "D"),
    Fault("refund-on-every-read", "credits", "each read of a failed task refunds again", "D"),
    Fault("refund-on-success", "credits", "a completed task returns its credits", "D"),
    Fault("refund-flag-missing", "credits", "creditsRefunded is missing", "D"),
    Fault("refund-flag-stays-false", "credits", "creditsRefunded is always false", "D"),
    Fault("completed-claims-refund", "credits", "completed tasks say creditsRefunded", "D"),
    Fault("pending-claims-refund", "credits", "pending tasks say creditsRefunded", "D"),
    Fault("snapshot-credits-used-differs", "credits", "a read shows one credit more", "D"),
    Fault("required-is-shortfall", "credits", "required is what is missing, not the price", "P"),
    Fault("required-missing", "credits", "a 402 has no required", "P"),
    Fault("exact-balance-refused", "credits", "a balance equal to the price gets 402", "D"),
    Fault("one-short-accepted", "credits", "a balance one under the price is enough", "D"),
    Fault("negative-balance", "credits", "any positive balance is enough", "D"),
    Fault("lost-updates", "credits", "concurrent debits overwrite each other", "D"),
    Fault("overspend-when-concurrent", "credits", "check and debit are not one step", "D"),
)

_LIFECYCLE = (
    Fault("never-ends", "lifecycle", "a task stays pending for ever", "D"),
    Fault("terminal-flips-to-pending", "lifecycle", "the second read is pending again", "D"),
    Fault("completed-flips-to-failed", "lifecycle", "the second read is failed", "D"),
    Fault("submission-says-completed", "lifecycle", "the submission answers status 1", "P"),
    Fault("pending-status-undocumented", "lifecycle", "a pending task has status 3", "D"),
    Fault("pending-with-image-urls", "lifecycle", "a pending task has imageUrls", "A"),
    Fault("completed-without-image-urls", "lifecycle", "imageUrls is missing", "D"),
    Fault("completed-with-empty-image-urls", "lifecycle", "imageUrls is empty", "D"),
    Fault("failed-with-image-urls", "lifecycle", "a failed task has imageUrls", "A"),
    Fault("failed-without-error-code", "lifecycle", "errorCode is missing", "D"),
    Fault("failed-without-error-message", "lifecycle", "errorMessage is missing", "D"),
    Fault("updated-before-created", "lifecycle", "updatedAt lies before createdAt", "D"),
    Fault("created-at-changes", "lifecycle", "createdAt is another on each read", "D"),
    Fault("updated-at-changes-after-end", "lifecycle", "updatedAt moves after the end", "D"),
    Fault("image-urls-change-after-end", "lifecycle", "imageUrls differ on each read", "D"),
    Fault("task-id-reused", "lifecycle", "a new task takes the ID of an ended one", "D"),
    Fault("equal-requests-one-task", "lifecycle", "a repeated request makes no new task", "D"),
    Fault("task-late-visible", "lifecycle", "a new task is 404 for half its time", "D"),
    Fault("delete-forgets-task", "lifecycle", "DELETE answers 405, and the task is gone", "D"),
    Fault("task-forgotten-after-end", "lifecycle", "an ended task can be read once", "D"),
)

_ACCESS = (
    Fault("foreign-task-visible", "access", "any account reads any task", "D"),
    Fault("foreign-task-403", "access", "a foreign task gets 403", "D"),
    Fault("foreign-task-404-reveals", "access", "a foreign task's 404 says it exists", "D"),
    Fault("any-key-accepted", "access", "any key opens the first account", "P"),
    Fault("any-cookie-accepted", "access", "any session cookie opens the first account", "P"),
    Fault("empty-key-accepted", "access", "an empty key opens the first account", "P"),
    Fault("reads-without-credentials", "access", "reading needs no credentials", "P"),
    Fault("basic-scheme-accepted", "access", "the scheme Basic is accepted with a key", "P"),
    Fault("basic-password-accepted", "access", "a key is accepted as user name of Basic", "P"),
    Fault("cookie-only-first", "access", "the session cookie must be the first one", "P"),
    Fault("bare-key-accepted", "access", "a key without a scheme is accepted", "P"),
    Fault("key-prefix-accepted", "access", "the beginning of a key is enough", "P"),
    Fault("key-suffix-ignored", "access", "anything may follow a key", "P"),
    Fault("key-case-insensitive", "access", "a key in upper case is accepted", "P"),
    Fault("cookie-refused", "access", "the session cookie is not accepted", "P"),
    Fault("cookie-refused-on-submission", "access", "the cookie opens reads only", "P"),
    Fault("invalid-key-500", "access", "an unknown key gets 500", "P"),
    Fault("unauthorized-403", "access", "missing credentials get 403", "P"),
    Fault("unauthorized-other-text", "access", "a 401 says 'Invalid API key'", "P"),
)

_ERROR_ORDER = (
    Fault("400-before-401", "error-order", "the body is validated before credentials", "A"),
    Fault("400-before-unknown-key", "error-order", "an unknown key is noticed last", "A"),
    Fault("malformed-json-before-401", "error-order", "JSON is parsed before credentials", "A"),
    Fault("402-before-400", "error-order", "the balance is checked before the body", "A"),
    Fault("402-before-options-400", "error-order", "only model and prompt come before 402", "A"),
    Fault("402-before-401", "error-order", "an unknown caller gets 402", "A"),
    Fault("404-before-401", "error-order", "an unknown caller's read gets 404", "P"),
)

_PROTOCOL = (
    Fault("malformed-json-500", "protocol", "malformed JSON gets 500", "P"),
    Fault("malformed-json-other-body", "protocol", "malformed JSON gets 'Bad JSON'", "P"),
    Fault("trailing-garbage-accepted", "protocol", "text after the JSON is ignored", "P"),
    Fault("encoded-twice-accepted", "protocol", "JSON in a JSON string is read, too", "P"),
    Fault("envelope-accepted", "protocol", "the request may stand in a field 'input'", "P"),
    Fault("empty-body-500", "protocol", "an empty body gets 500", "P"),
    Fault("array-body-500", "protocol", "an array as body gets 500", "P"),
    Fault("scalar-body-500", "protocol", "null, a number or a string as body gets 500", "P"),
    Fault("deep-nesting-500", "protocol", "a deeply nested body gets 500", "P"),
    Fault("huge-number-500", "protocol", "a number beyond a double gets 500", "P"),
    Fault("nul-in-prompt-500", "protocol", "NUL in a prompt gets 500", "P"),
    Fault("astral-in-prompt-500", "protocol", "a character beyond U+FFFF gets 500", "P"),
    Fault("lone-surrogate-500", "protocol", "a lone surrogate gets 500", "A"),
    Fault("invalid-utf8-500", "protocol", "bytes that are not UTF-8 get 500", "A"),
    Fault("other-content-type-500", "protocol", "a body labelled text/plain gets 500", "A"),
    Fault("long-task-id-500", "protocol", "a task ID over 255 characters gets 500", "D"),
    Fault("control-in-task-id-500", "protocol", "a control character in an ID gets 500", "D"),
    Fault("unknown-method-500", "protocol", "another method on a known path gets 500", "A"),
    Fault("unknown-path-500", "protocol", "an unknown path gets 500", "A"),
)

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        *_REQUESTS,
        *_RESPONSES,
        *_CREDITS,
        *_LIFECYCLE,
        *_ACCESS,
        *_ERROR_ORDER,
        *_PROTOCOL,
    )
}

Document = dict[str, Any]

_RATIOS = ["auto", "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9"]

# Faults of the catalogue: the model, and the values of it that are wrong.
CATALOGUE: dict[str, tuple[str, dict[str, Any]]] = {
    "prompt-cap-one-over": ("gpt-image-2", {"prompt_cap": 20_001}),
    "prompt-cap-refused-at-limit": ("nano-banana-pro", {"prompt_cap": 9_999}),
    "prompt-cap-too-wide": ("google/nano-banana", {"prompt_cap": 20_000}),
    "references-one-over": ("nano-banana-pro", {"references": 9}),
    "references-one-under": ("nano-banana-2", {"references": 13}),
    "edit-refused": ("google/nano-banana", {"references": 0}),
    "aspect-ratio-refused": (
        "gpt-image-2",
        {"ratios": re.compile("|".join(ratio for ratio in _RATIOS if ratio != "4:5"))},
    ),
    "aspect-ratio-undocumented": (
        "gpt-image-2",
        {"ratios": re.compile("|".join([*_RATIOS, "9:21"]))},
    ),
    "aspect-ratio-list-misapplied": ("nano-banana-2", {"ratios": re.compile("|".join(_RATIOS))}),
    "aspect-ratio-zero-accepted": (
        "google/nano-banana",
        {"ratios": re.compile("auto|(?:0|[1-9][0-9]*):(?:0|[1-9][0-9]*)")},
    ),
    "resolution-undocumented": ("nano-banana-pro", {"prices": {"2K": 12, "4K": 20, "1K": 12}}),
    "resolution-refused": ("nano-banana-2", {"prices": {"1K": 4, "2K": 6}}),
    "price-tier-wrong": ("nano-banana-2", {"prices": {"1K": 4, "2K": 5, "4K": 8}}),
    "price-flat-for-tiers": ("nano-banana-pro", {"prices": {"2K": 12, "4K": 12}}),
    "price-from-sample-response": ("gpt-image-2", {"prices": {"": 12}}),
}


def _when(fields: Document, name: str, kind: type, change: Callable[[Any], Any]) -> None:
    if isinstance(fields.get(name), kind):
        fields[name] = change(fields[name])


def _drop_nulls(fields: Document) -> None:
    for name in [name for name, value in fields.items() if value is None]:
        del fields[name]


def _default_prompt_of_edits(fields: Document) -> None:
    if fields.get("inputImageUrls"):
        fields.setdefault("prompt", "untitled")


def _empty_provider_input(fields: Document) -> None:
    if not isinstance(fields.get("providerInput", {}), dict):
        fields["providerInput"] = {}


# Faults that accept too much: they mend the body before it is validated.
LENIENT: dict[str, Callable[[Document], object]] = {
    "prompt-number-coerced": lambda fields: _when(fields, "prompt", float, lambda number: f"{number:g}"),
    "missing-prompt-accepted": lambda fields: fields.setdefault("prompt", "untitled"),
    "prompt-optional-for-edits": _default_prompt_of_edits,
    "references-string-accepted": lambda fields: _when(fields, "inputImageUrls", str, lambda url: [url]),
    "resolution-lower-case-accepted": lambda fields: _when(fields, "resolution", str, str.upper),
    "output-format-undocumented": lambda fields: _when(
        fields, "outputFormat", str, lambda name: "png" if name == "gif" else name
    ),
    "model-case-insensitive": lambda fields: _when(fields, "model", str, str.lower),
    "model-alias-accepted": lambda fields: _when(
        fields, "model", str, lambda name: f"google/{name}" if name == "nano-banana" else name
    ),
    "model-defaulted": lambda fields: fields.setdefault("model", "gpt-image-2"),
    "null-accepted": _drop_nulls,
    "provider-input-non-object": _empty_provider_input,
}

_KNOWN_FIELDS = {
    "model",
    "prompt",
    "inputImageUrls",
    "aspectRatio",
    "resolution",
    "outputFormat",
    "providerInput",
}


def _provider_input(fields: Document) -> Document:
    given = fields.get("providerInput")
    return given if isinstance(given, dict) else {}


def _urls(fields: Document) -> list[Any]:
    given = fields.get("inputImageUrls")
    return given if isinstance(given, list) else []


def _named(field: str, refused: object) -> list[str]:
    return [field] if refused else []


# Faults that refuse too much: the names of the fields that are refused without a rule.
STRICT: dict[str, Callable[[Document], list[str]]] = {
    "empty-references-refused": lambda fields: _named("inputImageUrls", fields.get("inputImageUrls") == []),
    "reference-http-refused": lambda fields: _named(
        "inputImageUrls", any(str(url).lower().startswith("http:") for url in _urls(fields))
    ),
    "resolution-refused-without-tiers": lambda fields: _named(
        "resolution",
        "resolution" in fields and fields.get("model") in ("gpt-image-2", "google/nano-banana"),
    ),
    "output-format-refused": lambda fields: _named("outputFormat", fields.get("outputFormat") == "webp"),
    "provider-input-keys-restricted": lambda fields: _named(
        "providerInput", _provider_input(fields).keys() - {"seed", "simulate"}
    ),
    "provider-input-nested-refused": lambda fields: _named(
        "providerInput",
        any(isinstance(value, dict | list) for value in _provider_input(fields).values()),
    ),
    "unknown-field-refused": lambda fields: sorted(fields.keys() - _KNOWN_FIELDS),
}


def _field_errors(body: Document, change: Callable[[Document], Document]) -> None:
    if "details" in body:
        body["details"]["fieldErrors"] = change(body["details"]["fieldErrors"])


def _bad_json(body: Document) -> None:
    if body.get("details", {}).get("formErrors") == ["Body must be valid JSON"]:
        body.clear()
        body["error"] = "Bad JSON"


def _say(old: str, new: str) -> Callable[[Document], object]:
    return lambda body: body.update(error=new if body["error"] == old else body["error"])


# Faults of error bodies.
ERROR_BODY: dict[str, Callable[[Document], object]] = {
    "details-missing": lambda body: body.pop("details", None),
    "details-wrong-field": lambda body: _field_errors(
        body, lambda errors: {"input": list(chain(*errors.values()))} if errors else {}
    ),
    "details-only-first-field": lambda body: _field_errors(body, lambda errors: dict(list(errors.items())[:1])),
    "details-messages-not-lists": lambda body: _field_errors(
        body, lambda errors: {name: messages[0] for name, messages in errors.items()}
    ),
    "details-form-errors-missing": lambda body: body.get("details", {}).pop("formErrors", None),
    "error-under-other-key": lambda body: body.update(message=body.pop("error")),
    "invalid-request-other-text": _say("Invalid request", "Validation failed"),
    "insufficient-credits-other-text": _say("Insufficient credits", "Payment required"),
    "unknown-task-other-text": _say("Task not found", "Not found"),
    "unauthorized-other-text": _say("Unauthorized", "Invalid API key"),
    "required-missing": lambda body: body.pop("required", None),
    "malformed-json-other-body": _bad_json,
}

# Faults of error statuses: the error that is meant, and the status it wrongly comes with.
ERROR_STATUS: dict[str, tuple[str, int]] = {
    "unknown-task-200": ("Task not found", 200),
    "validation-422": ("Invalid request", 422),
    "insufficient-credits-403": ("Insufficient credits", 403),
    "unauthorized-403": ("Unauthorized", 403),
}

# Faults of the answer to a submission.
SUBMISSION: dict[str, Callable[[Document], object]] = {
    "submission-without-credits-used": lambda answer: answer.pop("creditsUsed"),
    "submission-without-status": lambda answer: answer.pop("status"),
    "submission-says-completed": lambda answer: answer.update(status=1),
}


def _timestamps(snapshot: Document, change: Callable[[str], object]) -> None:
    for name in ("createdAt", "updatedAt"):
        snapshot[name] = change(snapshot[name])


def _in_berlin_summer(stamp: str) -> str:
    zone = timezone(timedelta(hours=2))
    return datetime.fromisoformat(stamp).astimezone(zone).isoformat(timespec="milliseconds")


def _rename(snapshot: Document, names: dict[str, str]) -> None:
    for old, new in names.items():
        if old in snapshot:
            snapshot[new] = snapshot.pop(old)


def _refunded(snapshot: Document, status: int) -> None:
    if snapshot["status"] == status:
        snapshot["creditsRefunded"] = True


_QUICKSTART_NAMES = {
    "taskId": "id",
    "imageUrls": "outputImageUrls",
    "updatedAt": "completedAt",
    "creditsRefunded": "creditRefunded",
}

# Faults of snapshots that need to know nothing but the snapshot.
SNAPSHOT: dict[str, Callable[[Document], object]] = {
    "snapshot-without-model": lambda it: it.pop("model"),
    "snapshot-status-as-string": lambda it: it.update(status=str(it["status"])),
    "snapshot-credits-used-as-string": lambda it: it.update(creditsUsed=str(it["creditsUsed"])),
    "snapshot-credits-used-differs": lambda it: it.update(creditsUsed=it["creditsUsed"] + 1),
    "snapshot-type-wrong": lambda it: it.update(type="video"),
    "snapshot-quickstart-names": lambda it: _rename(it, _QUICKSTART_NAMES),
    "prompt-echo-trimmed": lambda it: it.update(prompt=it["prompt"].strip()),
    "prompt-echo-nfc": lambda it: it.update(prompt=unicodedata.normalize("NFC", it["prompt"])),
    "model-echo-shortened": lambda it: it.update(model=it["model"].removeprefix("google/")),
    "image-urls-relative": lambda it: _when(
        it, "imageUrls", list, lambda urls: [re.sub("^http://[^/]*", "", url) for url in urls]
    ),
    "image-urls-single-string": lambda it: _when(it, "imageUrls", list, lambda urls: urls[0]),
    "timestamps-without-zone": lambda it: _timestamps(it, lambda stamp: stamp.removesuffix("Z")),
    "timestamps-with-offset": lambda it: _timestamps(it, _in_berlin_summer),
    "timestamps-numeric": lambda it: _timestamps(
        it, lambda stamp: round(datetime.fromisoformat(stamp).timestamp() * 1000)
    ),
    "refund-flag-missing": lambda it: it.pop("creditsRefunded"),
    "refund-flag-stays-false": lambda it: it.update(creditsRefunded=False),
    "completed-claims-refund": lambda it: _refunded(it, 1),
    "refund-on-success": lambda it: _refunded(it, 1),
    "pending-claims-refund": lambda it: _refunded(it, 0),
    "pending-status-undocumented": lambda it: it.update(status=it["status"] or 3),
    "completed-without-image-urls": lambda it: it.pop("imageUrls", None),
    "completed-with-empty-image-urls": lambda it: _when(it, "imageUrls", list, lambda _: []),
    "failed-without-error-code": lambda it: it.pop("errorCode", None),
    "failed-without-error-message": lambda it: it.pop("errorMessage", None),
    "updated-before-created": lambda it: it.update(updatedAt="2020-01-01T00:00:00.000Z"),
}
