"""The clauses about a task's life, and about what holds for every operation."""

from __future__ import annotations

from collections.abc import Iterator

from contract.clause import Clause, Kind, clause
from contract.keywords import either
from contract.model import Contract, State


def lifecycle_clauses(contract: Contract) -> Iterator[Clause]:
    """How a task begins, goes on and ends, and what its snapshots repeat."""
    life = contract.lifecycle
    fields = life.fields
    node = life.node
    deadline = f"{life.timing.deadline:g}"
    parts = node.need("fields")
    yield clause(
        node.need("initial"),
        "lifecycle.initial",
        Kind.INITIAL,
        f"A task is answered as {life.initial.name} ({fields.status} {life.initial.status}) when it is accepted.",
        value=life.initial.status,
    )
    yield clause(
        node.need("timing", "deadlineSeconds"),
        "lifecycle.deadline",
        Kind.DEADLINE,
        f"A task ends within {deadline} seconds.",
        value=life.timing.deadline,
    )
    yield clause(
        node.need("states"),
        "lifecycle.transitions",
        Kind.TRANSITIONS,
        "A task changes its state only along the declared transitions: "
        + "; ".join(f"{s.name} to {either(list(s.next))}" for s in life.states.values() if s.next)
        + ".",
    )
    for part, kind, sentence in (
        ("id", Kind.UNIQUE, f"No two tasks have the same `{fields.id}`."),
        (
            "id",
            Kind.IDENTITY,
            f"A task is read by the `{fields.id}` of its submission, and shows it.",
        ),
        (
            "type",
            Kind.TYPE,
            f"`{fields.type}` says what the operation that submitted the task makes.",
        ),
        ("created", Kind.CREATED, f"`{fields.created}` never changes."),
        (
            "updated",
            Kind.UPDATED,
            f"`{fields.updated}` is never before `{fields.created}`, and never goes back.",
        ),
        (
            "credits",
            Kind.CHARGED,
            f"`{fields.credits}` of every snapshot is what the submission was charged.",
        ),
    ):
        yield clause(parts.need(part), f"lifecycle.{kind}", kind, sentence)
    for echo in node.children("echoes"):
        yield clause(
            echo,
            f"lifecycle.echo.{echo.value}",
            Kind.ECHO,
            f"Every snapshot repeats `{echo.value}` of the submission exactly.",
            field=echo.value,
        )
    for state in life.terminal:
        yield from _ending(state, fields.refunded)


def _ending(state: State, flag: str) -> Iterator[Clause]:
    prefix = f"lifecycle.{state.name}"
    yield clause(
        state.node,
        f"{prefix}.final",
        Kind.FINAL,
        f"The snapshot of a {state.name} task never changes again.",
        value=state.name,
    )
    if not state.refund:
        yield clause(
            state.node,
            f"{prefix}.no-refund",
            Kind.NO_REFUND,
            f"A {state.name} task is never refunded.",
            value=state.name,
        )
        return
    yield clause(
        state.node.need("refund"),
        f"{prefix}.refund",
        Kind.REFUND,
        f"A {state.name} task is refunded in full, exactly once, however often it is read.",
        value=state.name,
    )
    yield clause(
        state.node.need("refund"),
        f"{prefix}.refund-flag",
        Kind.REFUND_FLAG,
        f"The refund of a {state.name} task shows as `{flag}`.",
        field=flag,
        value=state.name,
    )


def convention_clauses(contract: Contract) -> Iterator[Clause]:
    """What holds for every operation."""
    node = contract.conventions.node
    yield clause(
        node.need("invalidText"),
        "conventions.invalidText",
        Kind.TEXT,
        f"Text that is not valid Unicode (a lone surrogate) is refused with {contract.conventions.invalid_text}.",
        status=str(contract.conventions.invalid_text),
    )
    for key, what in (
        ("unknownPath", "An unknown path"),
        ("unknownMethod", "Another method on a known path"),
        ("otherMediaType", "A body of another content type"),
    ):
        yield clause(
            node.need(key),
            f"conventions.{key}",
            Kind.CONVENTION,
            f"{what} is no reason for a 5xx; the contract assumes {node.value[key]['status']}.",
            value=key,
        )
