"""One rule of a contract that can be checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from contract.document import Node
from contract.provenance import Provenance, provenance


class Kind(StrEnum):
    """What a clause is about, and so which check can exercise it."""

    # what a submission may say
    SELECTOR = "selector"
    REQUIRED = "required"
    KEYWORD = "keyword"
    UNIT = "unit"
    IGNORED = "ignored"
    PASSTHROUGH = "passthrough"
    MODE = "mode"
    EMPTY = "empty"
    TEXT = "text"
    # what it costs
    PRICE = "price"
    DEFAULT = "default"
    DEBIT = "debit"
    FREE = "free"
    ENOUGH = "enough"
    STATED_PRICE = "stated-price"
    CONCURRENT = "concurrent"
    REPEAT = "repeat"
    # what is answered
    STATUSES = "statuses"
    ERROR = "error"
    FOREIGN = "foreign"
    DETAILS = "details"
    CONTENT_TYPE = "content-type"
    BODY = "body"
    ORDER = "order"
    SECURITY = "security"
    CONVENTION = "convention"
    # how a task lives
    INITIAL = "initial"
    DEADLINE = "deadline"
    TRANSITIONS = "transitions"
    FINAL = "final"
    UNIQUE = "unique"
    IDENTITY = "identity"
    TYPE = "type"
    CREATED = "created"
    UPDATED = "updated"
    ECHO = "echo"
    CHARGED = "charged"
    REFUND = "refund"
    REFUND_FLAG = "refund-flag"
    NO_REFUND = "no-refund"


@dataclass(frozen=True)
class Clause:
    """One rule that can be checked.

    Attributes:
        id: stable and readable, such as `generateImage.gpt-image-2.prompt.maxLength`.
        kind: what it is about.
        sentence: the rule in words.
        pointer, line: where it stands in the document.
        provenance: what kind of source it has.
        operation: the operation that it concerns; None for a rule of the lifecycle or for all operations.
        profile: the request profile that it concerns, if it is about one.
        field: the field, as a dotted path, if it is about one.
        status: the documented status, if it is about one response.
        shape: the snapshot shape, if it is about one.
        keyword: the keyword of JSON Schema, if it is one.
        value: the limit, the list of values, the price, whatever the rule states.
    """

    id: str
    kind: Kind
    sentence: str
    pointer: str
    line: int
    provenance: Provenance
    operation: str | None = None
    profile: str | None = None
    field: str | None = None
    status: str | None = None
    shape: str | None = None
    keyword: str | None = None
    value: Any = None

    def to_json(self) -> dict[str, Any]:
        """The clause as plain JSON, without what it says nothing about."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def clause(node: Node, id: str, kind: Kind, sentence: str, **subject: Any) -> Clause:
    """The clause that stands at a node; `subject` is what else it says of itself."""
    return Clause(
        id=id,
        kind=kind,
        sentence=sentence,
        pointer=node.pointer,
        line=node.line,
        provenance=provenance(node.document, node.pointer),
        **subject,
    )
