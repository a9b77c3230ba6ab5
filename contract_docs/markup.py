"""Pieces of Markdown: nothing that a contract says can break out of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from contract.markup import code, plain


def prose(text: str) -> str:
    """Text on one line, in which backticks mean code."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0:
        return plain(text)
    return "".join(code(part) if index % 2 else plain(part) for index, part in enumerate(parts))


def value(found: Any) -> str:
    """A JSON value as code; text without quotation marks."""
    return code(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))


def block(language: str, text: str, title: str = "") -> str:
    """A block of code, fenced by more backticks than stand in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    titled = f' title="{title}"' if title else ""
    return f"{fence}{language}{titled}\n{text.rstrip()}\n{fence}\n"


def indented(text: str) -> str:
    """Text within a tab or a note."""
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines()) + "\n"


def tabs(parts: Iterable[tuple[str, str]]) -> str:
    """Tabs of which one is seen."""
    return "\n".join(f'=== "{title}"\n\n{indented(text)}' for title, text in parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """A table; the columns `numbers` are aligned to the right."""
    rules = ("---:" if column in numbers else "---" for column in range(len(head)))
    lines = (head, tuple(rules), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def anchor(id: str) -> str:
    """A name that links lead to, and no Markdown: letters, digits, points, dashes; of all else, the number."""
    return "".join(c if (c.isascii() and c.isalnum()) or c in ".-" else f"-x{ord(c):x}-" for c in id)


def line(number: int) -> str:
    """A link to a line of the contract's text."""
    return f"[{number}](source.md#L{number})"
