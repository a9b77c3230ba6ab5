"""Text of a contract in what is shown: nothing that it says can break out of Markdown, or steer a terminal."""

from __future__ import annotations

_MEANING = str.maketrans(
    {
        **{character: f"&#{ord(character)};" for character in "\\`*_[]|~#{}!@$"},
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
    }
)


def plain(text: str) -> str:
    """Text on one line of Markdown that means nothing but itself."""
    return printable(" ".join(text.split())).translate(_MEANING)


def code(text: str) -> str:
    """Text as code, also within a table; Markdown is read within the tags too, and so it is escaped there."""
    return f"<code>{printable(text).translate(_MEANING)}</code>"


def printable(text: str) -> str:
    """Text in which what no one sees, such as the characters that steer a terminal, is written as Python would."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
