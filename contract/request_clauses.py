"""The clauses about a submission: what it may say, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from contract.clause import Clause, Kind, clause
from contract.keywords import keywords, says, subject_of
from contract.model import Contract, Operation, RequestProfile, Submission, When
from contract.pricing import value_key


def submission_clauses(contract: Contract, operation: Operation, submission: Submission) -> Iterator[Clause]:
    """What a submission may say, profile by profile, and what it costs."""
    names = ", ".join(submission.profiles)
    yield clause(
        submission.profiles[next(iter(submission.profiles))].node.need("properties", submission.selector),
        f"{operation.id}.{submission.selector}",
        Kind.SELECTOR,
        f"`{submission.selector}` is one of {names}; any other value is refused.",
        operation=operation.id,
        field=submission.selector,
        value=list(submission.profiles),
    )
    for profile in submission.profiles.values():
        yield from _profile(contract, operation, submission, profile)
    yield from _money(operation, submission)


def _profile(
    contract: Contract, operation: Operation, submission: Submission, profile: RequestProfile
) -> Iterator[Clause]:
    prefix = f"{operation.id}.{profile.name}"
    subject = {"operation": operation.id, "profile": profile.name}
    for word in keywords(profile.node):
        if word.field in ("", submission.selector) and word.keyword != "required":
            continue  # what chooses the branch is the selector's clause
        yield clause(
            word.node,
            f"{prefix}.{word.suffix}",
            Kind.REQUIRED if word.keyword == "required" else Kind.KEYWORD,
            f"For {profile.name}, {subject_of(word.field)} {says(word)}.",
            field=word.field,
            keyword=word.keyword,
            value=word.value,
            **subject,
        )
        if word.keyword == "maxLength":
            yield clause(
                contract.conventions.node.need("character"),
                f"{prefix}.{word.field}.unit",
                Kind.UNIT,
                f"For {profile.name}, the length of `{word.field}` is counted in Unicode code points.",
                field=word.field,
                value=word.value,
                **subject,
            )
    extra = profile.node.get("additionalProperties")
    if extra is not None and extra.value is True:
        yield clause(
            extra,
            f"{prefix}.additionalProperties",
            Kind.IGNORED,
            f"For {profile.name}, a field that the contract does not know is ignored.",
            **subject,
        )
    if submission.passthrough:
        yield clause(
            profile.properties[submission.passthrough],
            f"{prefix}.{submission.passthrough}.passthrough",
            Kind.PASSTHROUGH,
            f"For {profile.name}, `{submission.passthrough}` takes any keys and any values.",
            field=submission.passthrough,
            **subject,
        )
    yield from _modes(operation, submission, profile)
    yield from _prices(operation, profile)


def _modes(operation: Operation, submission: Submission, profile: RequestProfile) -> Iterator[Clause]:
    modes = submission.modes
    if modes is None:
        return
    subject = {"operation": operation.id, "profile": profile.name, "field": modes.field}
    for key, mode, how in (("absent", modes.absent, "without"), ("present", modes.present, "with")):
        yield clause(
            submission.node.need("modes", key),
            f"{operation.id}.{profile.name}.{mode}",
            Kind.MODE,
            f"{profile.name} accepts {mode}, {how} `{modes.field}`, at the same price.",
            value=key,
            **subject,
        )
    yield clause(
        submission.node.need("modes", "empty"),
        f"{operation.id}.{profile.name}.{modes.field}.empty",
        Kind.EMPTY,
        f"For {profile.name}, an empty `{modes.field}` means the same as an {modes.empty} one.",
        value=modes.empty,
        **subject,
    )


def _prices(operation: Operation, profile: RequestProfile) -> Iterator[Clause]:
    prefix = f"{operation.id}.{profile.name}"
    subject = {"operation": operation.id, "profile": profile.name}
    for fields, credits, node in profile.price.rows():
        tier = "".join(f".{value_key(value)}" for value in fields.values())
        when = " and ".join(f"`{name}` {value_key(value)}" for name, value in fields.items())
        yield clause(
            node,
            f"{prefix}.price{tier}",
            Kind.PRICE,
            f"{profile.name} costs {credits} credits" + (f" with {when}." if when else "."),
            value={"fields": fields, "credits": credits},
            **subject,
        )
    for field in profile.price.fields:
        if field.default is not None:
            yield clause(
                profile.properties[field.name].need("default"),
                f"{prefix}.{field.name}.default",
                Kind.DEFAULT,
                f"{profile.name} without `{field.name}` costs what `{field.name}` {value_key(field.default)} costs.",
                field=field.name,
                value=field.default,
                **subject,
            )


def _money(operation: Operation, submission: Submission) -> Iterator[Clause]:
    subject = {"operation": operation.id}
    yield clause(
        submission.node.need("submits"),
        f"{operation.id}.debit",
        Kind.DEBIT,
        "An accepted submission debits its price, once, when it is accepted.",
        **subject,
    )
    yield clause(
        submission.node.need("idempotent"),
        f"{operation.id}.repeat",
        Kind.REPEAT,
        "Two equal submissions make two tasks and two debits.",
        **subject,
    )
    short = operation.errors[When.INSUFFICIENT]
    yield clause(
        short.node.need("x-error", "when"),
        f"{operation.id}.{short.status}.enough",
        Kind.ENOUGH,
        "A balance equal to the price is enough, one credit less is not.",
        status=str(short.status),
        **subject,
    )
    yield clause(
        short.node.need("x-error", "when"),
        f"{operation.id}.{short.status}.concurrent",
        Kind.CONCURRENT,
        "Concurrent submissions never spend more than the balance.",
        status=str(short.status),
        **subject,
    )
    if short.price:
        yield clause(
            short.node.need("x-error", "price"),
            f"{operation.id}.{short.status}.{short.price}",
            Kind.STATED_PRICE,
            f"`{short.price}` is the price of the refused request.",
            field=short.price,
            status=str(short.status),
            **subject,
        )
    for error in operation.errors.values():
        if error.when is not When.UNEXPECTED:
            yield clause(
                error.node,
                f"{operation.id}.{error.status}.free",
                Kind.FREE,
                f"A submission refused with {error.status} costs nothing.",
                status=str(error.status),
                **subject,
            )
