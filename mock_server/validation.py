"""Does a submission keep the rules of its request profile?

The profile is chosen first, by the field that the contract says chooses it; then that branch alone judges the request,
and every fault becomes a message for the field it is in. Nothing here knows a rule: they are all in the contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from contract.model import RequestProfile, Submission
from contract.schema import json_schema
from mock_server.invalid import InvalidRequest

_TYPES: Mapping[str, str] = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


class _Branch:
    """The compiled rules of one profile."""

    def __init__(self, profile: RequestProfile) -> None:
        self._validator = jsonschema_rs.Draft4Validator(json_schema(profile.node), validate_formats=True)
        capped = {name: node.get("maxItems") for name, node in profile.properties.items()}
        self._caps = {name: cap.value for name, cap in capped.items() if cap is not None}

    def faults(self, body: Mapping[str, Any]) -> _Faults:
        """What is wrong with a request.

        A list that is too long is judged up to its first item too many: that is fault enough, and a client must not
        keep the mock busy with a message for each of a million items.
        """
        cut = {name: body[name][: cap + 1] for name, cap in self._caps.items() if isinstance(body.get(name), list)}
        faults: _Faults = {}
        for error in self._validator.iter_errors({**body, **cut}):
            for field, message in _describe(error):
                faults.setdefault(field, {})[message] = None
        return faults


class RequestValidator:
    """The compiled rules of one submitting operation."""

    def __init__(self, submission: Submission) -> None:
        self._submission = submission
        self._branches = {profile.name: _Branch(profile) for profile in submission.profiles.values()}

    def validate(self, body: Any) -> RequestProfile:
        """Judge a request body.

        Returns:
            the profile whose rules it keeps.

        Raises:
            InvalidRequest: with a message for each rule that it breaks.
        """
        if not isinstance(body, dict):
            raise InvalidRequest("The body must be a JSON object")
        selector = self._submission.selector
        chosen = body.get(selector)
        profile = self._submission.profiles.get(chosen) if isinstance(chosen, str) else None
        if profile is None:
            raise _refusal({selector: {self._no_profile(body): None}, **self._common(body)})
        faults = self._branches[profile.name].faults(body)
        if faults:
            raise _refusal(faults)
        return profile

    def _no_profile(self, body: Mapping[str, Any]) -> str:
        selector = self._submission.selector
        if selector not in body:
            return f"{title(selector)} is required"
        return f"{title(selector)} must be one of {', '.join(self._submission.profiles)}"

    def _common(self, body: Mapping[str, Any]) -> _Faults:
        """What is wrong whichever profile was meant: the faults that all branches find."""
        selector = self._submission.selector
        others = {name: value for name, value in body.items() if name != selector}
        found = [branch.faults(others) for branch in self._branches.values()]
        common: _Faults = {}
        for field, messages in found[0].items():
            shared = {message: None for message in messages if all(message in other.get(field, ()) for other in found)}
            if shared and field != selector:
                common[field] = shared
        return common


_Faults = dict[str | None, dict[str, None]]
"""Messages by field, each once and in order; those about the body as a whole have none."""


def _refusal(faults: _Faults) -> InvalidRequest:
    return InvalidRequest(
        *faults.get(None, ()), fields={field: list(faults[field]) for field in faults if field is not None}
    )


def _describe(error: jsonschema_rs.ValidationError) -> Iterator[tuple[str | None, str]]:
    """The field that a fault is in, and a message for it; a fault may be in several fields."""
    path = list(error.instance_path)
    said = error.kind.as_dict()
    match error.kind.name:
        case "required":
            path.append(said["property"])
            yield str(path[0]), f"{_name(path)} is required"
        case "additionalProperties":
            for name in said["unexpected"]:
                yield str([*path, name][0]), f"{_name([*path, name])} is not a known field"
        case keyword:
            rule = _rule(keyword, getattr(error.kind, "value", None), error.instance)
            yield (str(path[0]), f"{_name(path)} {rule}") if path else (None, f"The body {rule}")


def _rule(keyword: str, limit: Any, value: Any) -> str:
    if keyword == "type":
        types = [type_ for type_ in ([limit] if isinstance(limit, str) else limit) if type_ != "null"]
        return f"must be {' or '.join(_TYPES.get(type_, type_) for type_ in types)}"
    if keyword == "minLength" and value == "":
        return "is required"
    return _RULES.get(keyword, f"breaks the rule {keyword!r}").format(
        ", ".join(map(str, limit)) if isinstance(limit, list) else limit
    )


_RULES: Mapping[str, str] = {
    "enum": "must be one of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "pattern": "must match {}",
    "format": "must be a valid {}",
}


def _name(path: list[Any]) -> str:
    words = title(str(path[0]))
    for step in path[1:]:
        words += f", item {step + 1}," if isinstance(step, int) else f" {step}"
    return words


def title(field: str) -> str:
    """A field's name as words: `inputImageUrls` is "Input image urls"."""
    words: Iterator[str] = iter(re.findall(r"[A-Z]?[^A-Z_]+|[A-Z]+(?![a-z])", field))
    text = " ".join(word.lower() for word in words)
    return text[:1].upper() + text[1:]
