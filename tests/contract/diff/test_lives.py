"""How a task lives: small changes with their verdicts, forwards and backwards."""

from __future__ import annotations

import pytest

from tests.contract.diff.rows import (
    BINDS,
    BOTH,
    BREAKS,
    LIFE,
    LIFE_BINDS,
    LIFE_BOTH,
    LIFE_BREAKS,
    NONE,
    WORDS,
    Row,
    check,
    real,
    small,
)

STOPPED = "".join(
    f"        {name}: {{type: string}}\n" for name in ("task", "text", "paid", "back", "born", "seen", "code", "why")
)

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
            '        - $ref: "#/components/schemas/Failed"\n'
            '        - $ref: "#/components/schemas/Stopped"\n    Stopped:\n      type: object\n'
            "      required: [state, kind]\n      properties:\n"
            "        state: {type: string, enum: [b]}\n        kind: {type: string, enum: [voice]}\n"
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
    small(
        "modes go",
        ("        modes: {field: sample, absent: stock, present: cloned, empty: absent}\n", ""),
        ("speak.x-task.modes", BREAKS, BINDS),
    ),
    small(
        "a field decides what the result looks like",
        ("result: {field: url, format: codec}", "result: {field: url}"),
        ("speak.x-task.result.format", BOTH, BOTH),
    ),
    small(
        "an error code is explained otherwise",
        ("MUTE: Nothing was heard.", "MUTE: Silence."),
        ("lifecycle.errorCodes.MUTE", WORDS, WORDS),
    ),
]


@pytest.mark.parametrize("row", LIVES, ids=lambda row: row.name)
def test_a_change_has_its_verdict_in_both_directions(row: Row) -> None:
    check(row)
