"""The clauses about answers: statuses, bodies, errors and their order, access."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from contract.clause import Clause, Kind, clause
from contract.document import Node
from contract.keywords import keywords, says, subject_of
from contract.model import ErrorResponse, Operation, When

_REASONS = {
    When.UNAUTHENTICATED: "Missing or invalid credentials are",
    When.INVALID: "A body that breaks a rule is",
    When.INSUFFICIENT: "A balance under the price is",
    When.UNKNOWN_TASK: "A task that does not exist is",
    When.UNEXPECTED: "No request, whatever it says, is",
}


def answer_clauses(operation: Operation) -> Iterator[Clause]:
    """What an operation answers, when, and to whom."""
    subject = {"operation": operation.id}
    statuses = list(operation.responses)
    yield clause(
        operation.node.need("responses"),
        f"{operation.id}.statuses",
        Kind.STATUSES,
        f"Every answer has one of the documented statuses: {', '.join(statuses)}.",
        value=statuses,
        **subject,
    )
    for scheme in operation.security:
        node = operation.node.document.at(f"/components/securitySchemes/{scheme}")
        yield clause(
            node,
            f"{operation.id}.security.{scheme}",
            Kind.SECURITY,
            f"Valid credentials of the scheme {scheme} are accepted.",
            value=scheme,
            **subject,
        )
    for error in operation.errors.values():
        yield clause(
            error.node.need("x-error", "when"),
            f"{operation.id}.{error.status}",
            Kind.ERROR,
            f"{_REASONS[error.when]} answered with {error.status}.",
            status=str(error.status),
            value=error.when.value,
            **subject,
        )
        if error.details:
            yield clause(
                error.node.need("x-error", "details"),
                f"{operation.id}.{error.status}.{error.details}",
                Kind.DETAILS,
                f"`{error.details}` names every field that was wrong.",
                field=error.details,
                status=str(error.status),
                **subject,
            )
    yield from _orders(operation)
    unexpected = {str(e.status) for e in operation.errors.values() if e.when is When.UNEXPECTED}
    for status, response in operation.responses.items():
        if status not in unexpected:  # nobody can ask for one, so nobody can exercise its body
            yield from _response(operation, status, response)


def _orders(operation: Operation) -> Iterator[Clause]:
    ranked = sorted((error for error in operation.errors.values() if error.order is not None), key=_rank)
    for first, second in combinations(ranked, 2):
        yield clause(
            second.node.need("x-error", "order"),
            f"{operation.id}.order.{first.status}-{second.status}",
            Kind.ORDER,
            f"Where both apply, {first.status} is answered and not {second.status}.",
            operation=operation.id,
            value=[first.when.value, second.when.value],
        )


def _rank(error: ErrorResponse) -> int:
    return error.order or 0


def _response(operation: Operation, status: str, response: Node) -> Iterator[Clause]:
    subject = {"operation": operation.id, "status": status}
    for content_type, media in response.items("content"):
        yield clause(
            media,
            f"{operation.id}.{status}.content-type",
            Kind.CONTENT_TYPE,
            f"The body of a {status} has the content type {content_type}.",
            value=content_type,
            **subject,
        )
        schema = media.need("schema")
        branches = list(schema.children("oneOf"))
        shapes = branches or [schema]
        for shape in shapes:
            name = f".{shape.name}" if branches else ""
            where = f"a {shape.name}" if branches else f"a {status}"
            for word in keywords(shape):
                yield clause(
                    word.node,
                    f"{operation.id}.{status}{name}.{word.suffix}",
                    Kind.BODY,
                    f"In {where}, {subject_of(word.field)} {says(word)}.",
                    field=word.field,
                    keyword=word.keyword,
                    value=word.value,
                    shape=shape.name if branches else None,
                    **subject,
                )


def reading_clauses(operation: Operation) -> Iterator[Clause]:
    """What reading a task means."""
    yield clause(
        operation.node.need("x-task"),
        f"{operation.id}.free",
        Kind.FREE,
        "Reading a task costs nothing.",
        operation=operation.id,
    )
    unknown = operation.errors[When.UNKNOWN_TASK]
    yield clause(
        unknown.node.need("x-error", "when"),
        f"{operation.id}.{unknown.status}.foreign",
        Kind.FOREIGN,
        f"Another account's task is answered with {unknown.status}, as if it did not exist.",
        operation=operation.id,
        status=str(unknown.status),
    )
