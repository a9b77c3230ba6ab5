"""The requests that the contract alone suggests: for each profile and field what must be accepted, what refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from contract.clause import Clause, Kind
from contract.document import Node
from contract.model import Contract, Operation, RequestProfile, Submission
from contract.pricing import value_key
from contract.reader import JSON
from contract_tests import samples
from contract_tests.case import Case, encode, pairwise

UNKNOWN_FIELD = "fieldThatNobodyKnows"
ENVELOPES = ("input", "data", "body", "request", "params")
"""Fields in which other APIs want the request."""


def _filled(node: Node) -> Any:
    """A plain value that the schema allows; a list with an item in it."""
    items = node.get("items")
    one = [samples.typical(items)] if items is not None else None
    return one if one is not None and samples.allows(node, one) else samples.typical(node)


_ABSENT: Any = object()
"""Stands for a field that is not there."""


class Cases:
    """Makes the cases of one submitting operation."""

    def __init__(
        self, contract: Contract, operation: Operation, submission: Submission, clauses: Mapping[str, Clause]
    ) -> None:
        self._contract = contract
        self._operation = operation
        self.submission = submission
        self._clauses = clauses

    def cheapest(self) -> RequestProfile:
        """The profile that is cheapest to use."""
        return min(self.submission.profiles.values(), key=lambda profile: min(profile.price.credits.values()))

    def plain(self, profile: RequestProfile, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The smallest valid request of a profile, at its lowest price, with more fields set."""
        body = {name: samples.typical(profile.properties[name]) for name in profile.required}
        body[self.submission.selector] = profile.name
        cheapest, _, _ = min(profile.price.rows(), key=lambda row: row[1])
        default = profile.price.of(body) if all(f.default is not None for f in profile.price.fields) else None
        if default is None or profile.price.of(cheapest) < default:
            body |= cheapest
        return {**body, **(fields or {})}

    def full(self, profile: RequestProfile) -> dict[str, Any]:
        """A valid request with every field that the profile knows, none of them empty."""
        filled = {name: _filled(node) for name, node in profile.properties.items()}
        return {**filled, **self.plain(profile)}

    @cached_property
    def valid(self) -> tuple[Case, ...]:
        """Requests that must be accepted."""
        return tuple(self._accepted())

    @cached_property
    def invalid(self) -> tuple[Case, ...]:
        """Requests that must be refused."""
        return tuple(self._refused())

    def _accepted(self) -> Iterator[Case]:
        for profile in self.submission.profiles.values():
            for name, node in profile.properties.items():
                if name == self.submission.selector:
                    continue
                for sample in samples.valid(node):
                    clause = self._clause(profile, name, sample)
                    case = self._valid(profile, f"{name}-{sample.label}", {name: sample.value}, clause)
                    yield case
                    if isinstance(sample.value, str) and not sample.value.isascii():
                        yield replace(case, name=f"{case.name}-escaped", ascii=True)
                    if sample.keyword in ("maxLength", "maxItems", "unit"):
                        full = {**self.full(profile), name: sample.value}
                        yield self._valid(profile, f"full-{name}-{sample.label}", full, clause)
            yield from self._ignored(profile)
            yield from self._overrides(profile)
            yield from self._modes(profile)
            yield from self.prices(profile)
            yield from self._pairs(profile)
        yield from self._examples()

    def _refused(self) -> Iterator[Case]:
        for profile in self.submission.profiles.values():
            for name in profile.required:
                body = self.full(profile)
                del body[name]
                yield self._invalid(
                    profile, f"full-{name}-missing", body, f"{self._prefix(profile)}.{name}.required", {name}
                )
                body = self.plain(profile)
                del body[name]
                yield self._invalid(
                    profile, f"{name}-missing", body, f"{self._prefix(profile)}.{name}.required", {name}
                )
                if name != self.submission.selector:
                    plain = self.plain(profile)
                    for other in sorted({name.upper(), name.capitalize()} - set(profile.properties)):
                        body = {other if key == name else key: value for key, value in plain.items()}
                        yield self._invalid(
                            profile, f"{name}-as-{other}", body, f"{self._prefix(profile)}.{name}.required", {name}
                        )
            for name, node in profile.properties.items():
                if name == self.submission.selector:
                    continue
                rules: set[str] = set()
                for sample in (*samples.invalid(node), *self._others(profile, name)):
                    clause = self._clause(profile, name, sample)
                    body = self.plain(profile, {name: sample.value})
                    yield self._invalid(profile, f"{name}-{sample.label}", body, clause, {name})
                    if clause not in rules:  # each rule once more where every other field is there, and right
                        rules.add(clause)
                        body = {**self.full(profile), name: sample.value}
                        yield self._invalid(profile, f"full-{name}-{sample.label}", body, clause, {name})
            yield from self._several(profile)
        yield from self._selectors()
        yield from self._bodies()
        yield from self._text()

    # ----------------------------------------------------------------- valid

    def _valid(self, profile: RequestProfile, name: str, fields: Mapping[str, Any], clause: str) -> Case:
        """The plain request of a profile, with these fields set."""
        return self._accepted_at(profile, name, self.plain(profile, fields), clause)

    def _accepted_at(self, profile: RequestProfile, name: str, body: Any, clause: str) -> Case:
        """A request that must be accepted, at its price."""
        return Case(
            name=f"{self._operation.id}-{profile.name}-{name}",
            operation=self._operation.id,
            profile=profile.name,
            body=body,
            accepted=True,
            clause=self._known(clause, profile),
            price=profile.price.of(body),
        )

    def _ignored(self, profile: RequestProfile) -> Iterator[Case]:
        """Fields that the profile does not know, among them those of other profiles, whatever is in them."""
        if not any(c.kind is Kind.IGNORED and c.profile == profile.name for c in self._clauses.values()):
            return
        clause = f"{self._prefix(profile)}.additionalProperties"
        for name, value in self._strange().items():
            yield self._valid(profile, f"field-{name}", {name: value}, clause)
        unknown: tuple[Any, ...] = ("text", None, {"a": [1]})
        for value in unknown:
            label = "null" if value is None else type(value).__name__
            yield self._valid(profile, f"unknown-field-{label}", {UNKNOWN_FIELD: value}, clause)
        yield self._valid(profile, "fields-of-the-snapshot", self._claims(), clause)
        nonsense = {name: {"no": ["sense"]} for name in sorted(self._answered() - self._fields())}
        yield self._valid(profile, "nonsense-in-fields-of-the-snapshot", nonsense, clause)
        for other in self.submission.profiles.values():
            for name, node in other.properties.items():
                if name in profile.properties:
                    continue
                dearest: list[Any] = [item.value for item in node.children("enum")][-1:] or [samples.typical(node)]
                for label, value in (("value", dearest[0]), ("nonsense", {"no": ["sense"]})):
                    yield self._valid(profile, f"field-of-{other.name}-{name}-{label}", {name: value}, clause)

    def _strange(self) -> dict[str, Any]:
        """Fields that no profile knows, though other APIs do, or a client might think so."""
        known = self._fields()
        snakes = {re.sub("(?<=[a-z])[A-Z]", lambda capital: "_" + capital[0].lower(), name) for name in known}
        strange = {**samples.FIELDS, **{snake: {"no": ["sense"]} for snake in sorted(snakes)}}
        return {name: value for name, value in strange.items() if name not in known}

    def _claims(self) -> dict[str, Any]:
        """What only the service says of a task, said by its client."""
        life = self._contract.lifecycle
        claims = {
            life.fields.id: "chosen-by-the-client",
            life.fields.status: life.terminal[0].status,
            life.fields.credits: 0,
            life.fields.refunded: True,
            life.fields.created: "2000-01-01T00:00:00Z",
        }
        return {name: value for name, value in claims.items() if name not in self._fields()}

    def _fields(self) -> set[str]:
        """The fields that some profile knows."""
        return {name for profile in self.submission.profiles.values() for name in profile.properties}

    def _answered(self) -> set[str]:
        """The fields that some snapshot has."""
        return {name for shape in self._contract.lifecycle.shapes for name in shape.node.need("properties").steps()}

    def _overrides(self, profile: RequestProfile) -> Iterator[Case]:
        """A passthrough that holds another request, of another profile: it decides nothing."""
        field = self.submission.passthrough
        others = [other for other in self.submission.profiles.values() if other is not profile]
        if field and others:
            dearest = max(others, key=lambda other: other.price.most)
            inside = {**self.full(dearest), **max(dearest.price.rows(), key=lambda row: row[1])[0], **self._claims()}
            clause = f"{self._prefix(profile)}.{field}.passthrough"
            yield self._valid(profile, f"{field}-with-another-request", {field: inside}, clause)

    def _modes(self, profile: RequestProfile) -> Iterator[Case]:
        modes = self.submission.modes
        if modes is None:
            return
        prefix = self._prefix(profile)
        items = profile.properties[modes.field].get("items")
        yield self._valid(profile, modes.absent, {}, f"{prefix}.{modes.absent}")
        if items is not None:
            present = {modes.field: [samples.typical(items)]}
            yield self._valid(profile, modes.present, present, f"{prefix}.{modes.present}")
            yield self._valid(profile, f"{modes.field}-empty", {modes.field: []}, f"{prefix}.{modes.field}.empty")

    def prices(self, profile: RequestProfile) -> Iterator[Case]:
        """Requests for each price of a profile: each combination of tiers, in each mode."""
        modes = self.submission.modes
        for fields, _, _ in profile.price.rows():
            tier = "".join(f".{value_key(value)}" for value in fields.values())
            clause = f"{self._prefix(profile)}.price{tier}"
            yield self._valid(profile, f"price{tier}", fields, clause)
            items = profile.properties[modes.field].get("items") if modes else None
            if modes and items is not None:
                edit = {**fields, modes.field: [samples.typical(items)]}
                yield self._valid(profile, f"price{tier}-{modes.present}", edit, clause)
        for field in profile.price.fields:
            if field.default is not None:
                body = {other.name: other.values[0] for other in profile.price.fields if other is not field}
                case = self._valid(
                    profile, f"{field.name}-omitted", body, f"{self._prefix(profile)}.{field.name}.default"
                )
                case.body.pop(field.name, None)
                yield Case(**{**vars(case), "price": profile.price.of(case.body)})

    def _pairs(self, profile: RequestProfile) -> Iterator[Case]:
        """Few requests in which each value of a field meets each value of every other: what costs more in company."""
        fields = {name: self._values(profile, name) for name in profile.properties if name != self.submission.selector}
        fields = {name: values for name, values in fields.items() if len(values) > 1}
        for number, chosen in enumerate(pairwise([range(len(values)) for values in fields.values()]), 1):
            said = {name: values[index] for (name, values), index in zip(fields.items(), chosen, strict=True)}
            plain = {name: value for name, value in self.plain(profile).items() if name not in said}
            body = plain | {name: value for name, value in said.items() if value is not _ABSENT}
            yield self._accepted_at(profile, f"pairs-{number}", body, self.price_clause(body))

    def _values(self, profile: RequestProfile, name: str) -> list[Any]:
        """Some values of a field, that it is not there among them, if it may be."""
        node = profile.properties[name]
        values = [item.value for item in node.children("enum")] or [samples.typical(node), _filled(node)]
        largest = [sample.value for sample in samples.valid(node) if sample.keyword == "maxItems"]
        elsewhere = [
            item.value
            for other in self.submission.profiles.values()
            for item in (other.properties[name].children("enum") if name in other.properties else ())
            if other is not profile and samples.allows(node, item.value)
        ]
        largest += elsewhere[-2:]  # what is known of the field only from another profile
        absent = [] if name in profile.required else [_ABSENT]
        return absent + [v for i, v in enumerate(values + largest) if v not in (values + largest)[:i]]

    def _examples(self) -> Iterator[Case]:
        for node in self._operation.node.children("requestBody", "content", JSON, "examples"):
            body = node.need("value").value
            profile = self.submission.profile_of(body)
            yield Case(
                name=f"{self._operation.id}-example-{node.name}",
                operation=self._operation.id,
                profile=profile.name,
                body=body,
                accepted=True,
                clause=self._known(f"{self._prefix(profile)}.price", profile),
                price=profile.price.of(body),
            )

    # --------------------------------------------------------------- invalid

    def _invalid(self, profile: RequestProfile | None, name: str, body: Any, clause: str, wrong: set[str]) -> Case:
        return Case(
            name="-".join([self._operation.id, *([profile.name] if profile else []), name]),
            operation=self._operation.id,
            profile=profile.name if profile else None,
            body=body,
            accepted=False,
            clause=self._known(clause, profile),
            wrong=frozenset(wrong),
        )

    def _others(self, profile: RequestProfile, name: str) -> Iterator[samples.Sample]:
        """Values that another profile would take for the same field."""
        node = profile.properties[name]
        for other in self.submission.profiles.values():
            for item in other.properties[name].children("enum") if name in other.properties else ():
                if not samples.allows(node, item.value):
                    yield samples.Sample(f"of-{other.name}-{item.value}", "enum", item.value)
            if name in other.properties and node.get("enum"):
                for sample in samples.valid(other.properties[name]):
                    if sample.keyword == "pattern" and not samples.allows(node, sample.value):
                        yield samples.Sample(f"of-{other.name}-{sample.value}", "enum", sample.value)

    def _several(self, profile: RequestProfile) -> Iterator[Case]:
        """Several broken fields at once: the refusal must name them all."""
        wrong = {}
        for name, node in profile.properties.items():
            first = next(samples.invalid(node), None)
            if first and name != self.submission.selector:
                wrong[name] = first.value
        yield self._invalid(
            profile, "everything-wrong", self.plain(profile, wrong), self._of_kind(Kind.DETAILS), set(wrong)
        )

    def _selectors(self) -> Iterator[Case]:
        selector = self.submission.selector
        clause = f"{self._operation.id}.{selector}"
        profile = self.cheapest()
        names = list(self.submission.profiles)
        misses = [
            7,
            None,
            True,
            [names[0]],
            {"id": names[0]},
            "",
            "unknown-model",
            *(
                miss
                for name in names
                for miss in (
                    name.upper(),
                    name.title(),
                    f"{name} ",
                    f" {name}",
                    name[:-1],
                    f"{name}-x",
                    name.rpartition("/")[2],
                    *(other.rpartition("/")[0] + "/" + name for other in names if "/" in other),
                )
            ),
        ]
        for index, miss in enumerate(misses):
            if miss not in names:
                body = self.plain(profile, {selector: miss})
                yield self._invalid(None, f"{selector}-{index}-{miss!r}", body, clause, {selector})

    def _bodies(self) -> Iterator[Case]:
        """Bodies that are no JSON object at all."""
        good = encode(self.plain(self.cheapest()))
        for name, body in {
            "empty": b"",
            "null": b"null",
            "array": b"[" + good + b"]",
            "empty-array": b"[]",
            "string": b'"text"',
            "number": b"7",
            "true": b"true",
            "unclosed": good[:-1],
            "trailing-garbage": good + b" x",
            "two-objects": good + good,
            "trailing-comma": good[:-1] + b",}",
            "single-quotes": good.replace(b'"', b"'"),
            "no-json": b"prompt=a+paper+boat",
            "encoded-twice": encode(good.decode()),
            **{f"within-{name}": b'{"' + name.encode() + b'":' + good + b"}" for name in ENVELOPES},
            "control-in-string": good[:-1] + b',"x":"a\nb"}',
            # what Python's own parser takes for numbers
            **{f"with-{word}": good[:-1] + b',"x":' + word.encode() + b"}" for word in ("NaN", "-Infinity")},
        }.items():
            yield self._invalid(None, f"body-{name}", body, self._error_clause(), set())

    def _text(self) -> Iterator[Case]:
        """Text that is not valid Unicode."""
        profile = self.cheapest()
        text = self._of_kind(Kind.TEXT)
        good = encode(self.plain(profile))
        yield self._invalid(None, "body-invalid-utf8", good[:-1] + b',"x":"\xff\xfe"}', text, set())
        yield self._invalid(None, "body-cut-utf8", good[:-1] + b',"x":"\xe2\x82"}', text, set())
        for name in profile.required:
            if name != self.submission.selector and profile.properties[name].need("type").value == "string":
                for label, broken in (("high", "a\\ud83d b"), ("low", "a\\udc00"), ("swapped", "\\udc00\\ud83d")):
                    marker = "TEXT-THAT-IS-NO-UNICODE"
                    body = encode(self.plain(profile, {name: marker})).replace(marker.encode(), broken.encode())
                    yield self._invalid(None, f"{name}-lone-surrogate-{label}", body, text, set())

    # --------------------------------------------------------------- clauses

    def price_clause(self, body: Mapping[str, Any]) -> str:
        """The clause of the price of a valid request."""
        profile = self.submission.profile_of(body)
        tier = "".join(f".{value_key(body.get(field.name, field.default))}" for field in profile.price.fields)
        return f"{self._prefix(profile)}.price{tier}"

    def _of_kind(self, kind: Kind) -> str:
        """The clause of this kind, of this operation or of all; the one about invalid requests where there is none."""
        found = (c.id for c in self._clauses.values() if c.kind is kind and c.operation in (None, self._operation.id))
        return next(found, self._error_clause())

    def _error_clause(self) -> str:
        return next(
            c.id
            for c in self._clauses.values()
            if c.kind is Kind.ERROR and c.operation == self._operation.id and c.value == "invalid"
        )

    def _prefix(self, profile: RequestProfile) -> str:
        return f"{self._operation.id}.{profile.name}"

    def _clause(self, profile: RequestProfile, name: str, sample: samples.Sample) -> str:
        return ".".join(part for part in (self._prefix(profile), name, sample.field, sample.keyword) if part)

    def _known(self, clause: str, profile: RequestProfile | None) -> str:
        """The clause, or the nearest that there is: what was to be shown may not be a rule of this field."""
        if clause in self._clauses:
            return clause
        while profile and clause.startswith(self._prefix(profile) + "."):
            clause = clause.rpartition(".")[0]
            if clause in self._clauses:
                return clause
            if f"{clause}.type" in self._clauses:
                return f"{clause}.type"
        found = [c for c in self._clauses.values() if profile and c.profile == profile.name and c.kind is Kind.PRICE]
        return found[0].id if found else self._error_clause()
