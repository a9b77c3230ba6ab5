"""The pages as Markdown, by file name."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Mapping

from contract.clause import Clause, Kind
from contract.document import Node
from contract.markup import code, plain
from contract.model import Contract, Operation, RequestProfile, Submission
from contract_docs.drawing import credits_chart, lifecycle_drawing
from contract_docs.example import Example, Language
from contract_docs.markup import anchor, block, indented, line, prose, table, tabs, value
from contract_docs.trial import Answers

_FENCES: Mapping[Language, str] = {
    Language.CURL: "sh",
    Language.PYTHON: "python",
    Language.TYPESCRIPT: "ts",
}

_TRY = """# Try it out

Where a mock serves this documentation, a form for requests stands here in place of this text. Start one with
`mock-server --docs FOLDER`, FOLDER being where this site is, and open its `/docs/api/`.
"""
"""A mock has a page of its own at this path."""


def pages(
    contract: Contract, clauses: tuple[Clause, ...], text: str, examples: tuple[Example, ...], answers: Answers
) -> dict[str, str]:
    """Every page but the changelog, in the order of the navigation.

    Args:
        text: the contract's own.
        answers: what the examples printed.
    """
    made = {"index.md": _index(contract, clauses), "questions.md": _questions(contract)}
    for operation in contract.operations.values():
        own = [example for example in examples if example.operation == operation.id]
        made[operation_page(operation)] = "\n".join(_operation(operation, own, answers))
    made["models.md"] = "\n".join(_models(contract, clauses))
    made["lifecycle.md"] = "\n".join(_lifecycle(contract))
    made["errors.md"] = "\n".join(_errors(contract))
    made["clauses.md"] = "\n".join(_clauses(clauses))
    made["api/index.md"] = _TRY
    made["source.md"] = _source(text)
    return made


def operation_page(operation: Operation) -> str:
    """The file of an operation's page."""
    return f"operation-{anchor(operation.id)}.md"


def _described(node: Node) -> str:
    """The node's description: the contract writes Markdown there, with no HTML in it."""
    found = node.get("description")
    return html.escape(found.value, quote=False) if found else ""


def _index(contract: Contract, clauses: tuple[Clause, ...]) -> str:
    described = _described(contract.document.root.need("info"))
    counts = {kind: sum(c.provenance == kind for c in clauses) for kind in dict.fromkeys(c.provenance for c in clauses)}
    sources = table(("source", "clauses"), ((kind.value, str(n)) for kind, n in counts.items()), numbers=(1,))
    rest = (
        f"## Where the rules come from\n\n{sources}\n"
        f"[{len(contract.questions)} questions](questions.md) are open; [every clause](clauses.md) names its source.\n"
    )
    parts = [
        f"# {plain(contract.title)}\n\nVersion {plain(contract.version)}\n\n{described}\n",
        table(
            ("operation", "", "what"),
            (
                (
                    f"[{plain(o.id)}]({operation_page(o)})",
                    code(f"{o.method.upper()} {o.path}"),
                    prose(_summary(o)),
                )
                for o in contract.operations.values()
            ),
        ),
        rest,
    ]
    return "\n".join(parts)


def _summary(operation: Operation) -> str:
    found = operation.node.get("summary")
    return str(found.value) if found else operation.id


def _questions(contract: Contract) -> str:
    parts = ["# Open questions\n\nWhat somebody who knows the service has to confirm or correct.\n"]
    for question in contract.questions:
        rules = "".join(f"- {code(rule)}, line {line(contract.document.line(rule))}\n" for rule in question.rules)
        parts.append(
            f"## {plain(question.id)}\n\n*{plain(question.kind)}* · line {line(question.node.line)}\n\n"
            f"{prose(question.question)}\n\n**The contract's choice:** {prose(question.choice)}\n\n{rules}"
        )
    return "\n".join(parts)


def _operation(operation: Operation, examples: Iterable[Example], answers: Answers) -> Iterator[str]:
    yield f"# {prose(_summary(operation))}\n"
    yield f"{code(f'{operation.method.upper()} {operation.path}')} · line {line(operation.node.line)}\n"
    yield f"{_described(operation.node)}\n"
    if operation.security:
        yield f"Opened by {' or '.join(map(code, operation.security))}.\n"
    yield "## Answers\n"
    rows = (
        (code(status), prose(str(node.value.get("description", ""))), line(node.line))
        for status, node in operation.responses.items()
    )
    yield table(("status", "meaning", "line"), rows, numbers=(2,))
    if isinstance(operation.task, Submission):
        for profile in operation.task.profiles.values():
            yield from _profile(profile)
    for example in examples:
        yield f"## Example{f': {plain(example.title)}' if example.title else ''}\n"
        shown = []
        for language, program in example.programs.items():
            answer = answers[example.name, language]
            ran = f"It was run, and printed:\n\n{block('json', answer)}"
            shown.append((language.value, f"{block(_FENCES[language], program)}\n{ran}"))
        yield tabs(shown)


def _profile(profile: RequestProfile) -> Iterator[str]:
    yield f"## {plain(profile.name)}\n"
    yield f"{prose(str(profile.node.value.get('description', '')))}\n"
    rows = (
        (
            code(name),
            "required" if name in profile.required else "",
            "<br>".join(_rules(node)),
            prose(str(node.value.get("description", ""))),
            line(profile.node.document.line(f"{profile.node.pointer}/properties/{name}")),
        )
        for name, node in profile.properties.items()
    )
    yield table(("field", "", "rules", "meaning", "line"), rows, numbers=(4,))


def _rules(node: Node) -> Iterator[str]:
    for key, found in node.value.items():
        if key in ("description", "example", "items") or key.startswith("x-"):
            continue
        yield f"{plain(key)} " + (", ".join(map(value, found)) if isinstance(found, list) else value(found))


def _models(contract: Contract, clauses: tuple[Clause, ...]) -> Iterator[str]:
    yield "# Models\n"
    for operation, submission in contract.submissions():
        profiles = submission.profiles
        yield f"## {prose(_summary(operation))}\n"
        if submission.modes:
            modes = submission.modes
            yield (
                f"Every model has two modes: {plain(modes.present)} with {code(modes.field)}, "
                f"{plain(modes.absent)} without it.\n"
            )
        capped: dict[str, dict[str, Clause]] = {}
        for clause in clauses:
            if clause.operation == operation.id and clause.profile and clause.kind is Kind.KEYWORD and clause.field:
                is_cap = clause.keyword in ("maxLength", "maxItems", "maximum") and "*" not in clause.field
                if is_cap:
                    capped.setdefault(f"{clause.field} {clause.keyword}", {})[clause.profile] = clause
        head = ("model", *(code(cap) for cap in capped), "credits", "line")
        yield table(
            head,
            ((_of(p, capped, operation)) for p in profiles.values()),
            numbers=range(1, len(head)),
        )
        yield f"\n### Credits\n\n{credits_chart(submission)}"
        tiers = (
            (
                code(p.name),
                ", ".join(f"{code(k)} {value(v)}" for k, v in fields.items()) or "flat",
                str(n),
                line(at.line),
            )
            for p in profiles.values()
            for fields, n, at in p.price.rows()
        )
        yield table(("model", "tier", "credits", "line"), tiers, numbers=(2, 3))


def _of(profile: RequestProfile, capped: Mapping[str, Mapping[str, Clause]], operation: Operation) -> tuple[str, ...]:
    caps = (f"{by[profile.name].value:,}" if profile.name in by else "-" for by in capped.values())
    least = min(profile.price.credits.values())
    most = profile.price.most
    link = f"[{code(profile.name)}]({operation_page(operation)})"
    return (link, *caps, str(most) if least == most else f"{least} to {most}", line(profile.node.line))


def _lifecycle(contract: Contract) -> Iterator[str]:
    life = contract.lifecycle
    timing = life.timing
    yield f"# Life of a task\n\n{lifecycle_drawing(life)}"
    rows = (
        (
            plain(state.name) + (" (first)" if state is life.initial else ""),
            f"{code(life.fields.status)} {value(state.status)}",
            ", ".join(map(plain, state.next)) or "end",
            plain(state.carries or ""),
            "in full" if state.refund else "",
            line(state.node.line),
        )
        for state in life.states.values()
    )
    yield table(("state", "status", "then", "carries", "refund", "line"), rows, numbers=(5,))
    ends = " or ".join(f"{value(state.status)} ({plain(state.name)})" for state in life.terminal)
    yield "\n## Polling\n"
    yield (
        f"1. Read the task every {timing.poll:g} seconds. The service asks its provider at most every "
        f"{timing.recheck:g} seconds, so reading faster shows nothing sooner.\n"
        f"2. Stop as soon as {code(life.fields.status)} is {ends}: such a snapshot never changes again.\n"
        f"3. Give up after {timing.deadline:g} seconds: no task takes longer.\n"
    )
    yield "## Error codes\n"
    yield table(("code", "meaning"), ((code(key), plain(text)) for key, text in life.error_codes.items()))


def _errors(contract: Contract) -> Iterator[str]:
    yield "# Errors\n\nWhere several errors apply at once, the one with the lowest number is answered.\n"
    for operation in contract.operations.values():
        yield f"## {prose(_summary(operation))}\n"
        ranked = sorted(operation.errors.values(), key=lambda e: (e.order is None, e.order or 0, e.status))
        rows = (
            (str(e.order) if e.order is not None else "-", str(e.status), _words(e.when), line(e.node.line))
            for e in ranked
        )
        yield table(("order", "status", "when", "line"), rows, numbers=(0, 1, 3))
        for error in ranked:
            yield f'??? example "{error.status}"\n\n{indented(block("json", _pretty(error.example)))}'


def _words(camel: str) -> str:
    return plain("".join(f" {c.lower()}" if c.isupper() else c for c in camel))


def _pretty(example: Mapping[str, object]) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False)


def _clauses(clauses: Iterable[Clause]) -> Iterator[str]:
    yield "# Clauses\n\nEvery rule that can be checked, with its source and where it stands.\n"
    group = ""
    for clause in clauses:
        found = clause.profile or clause.operation or "Every task and every operation"
        if clause.profile and clause.operation:
            found = f"{clause.operation}, {clause.profile}"
        if found != group:
            group = found
            yield f"## {plain(group)}\n"
        source = clause.provenance.value
        yield (
            f"### {code(clause.id)} {{ #{anchor(clause.id)} .clause }}\n\n{prose(clause.sentence)}\n\n"
            f'<span class="from {source}">{source}</span> · line {line(clause.line)}\n'
        )


def _source(text: str) -> str:
    lines = "\n".join(
        f'<a id="L{number}" href="#L{number}">{number:>5}</a>  {html.escape(one)}'
        for number, one in enumerate(text.splitlines(), 1)
    )
    return f'---\nsearch:\n  exclude: true\n---\n\n# The contract\n\n<pre class="source">{lines}</pre>\n'
