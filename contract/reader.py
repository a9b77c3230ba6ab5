"""From a document to the contract: reads every part, and checks that the parts fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from contract.document import Document, Node, load_document
from contract.lifecycle import read_lifecycle
from contract.model import (
    Carries,
    Contract,
    Conventions,
    ErrorResponse,
    Fallback,
    Lifecycle,
    Modes,
    OpenQuestion,
    Operation,
    Reading,
    RequestProfile,
    Result,
    SecurityScheme,
    Submission,
    When,
)
from contract.pricing import read_price
from contract.structure import check_structure

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
JSON = "application/json"


def load_contract(path: Path) -> Contract:
    """Read and check a contract.

    Raises:
        ContractError: for the first thing that is wrong with it.
    """
    return read_contract(load_document(path))


def read_contract(document: Document) -> Contract:
    """Read and check a contract from its parsed document; see `load_contract`."""
    check_structure(document)
    root = document.root
    operations: dict[str, Operation] = {}
    schemes = {name: _scheme(node) for name, node in root.items("components", "securitySchemes")}
    lifecycle = _lifecycle(root)
    _check_paths(root.need("paths"))
    for path, method, node in operation_nodes(document):
        operation = _operation(node, path, method, schemes, lifecycle)
        if operation.id in operations:
            raise operation.node.need("operationId").error(
                f"the operation {operation.id!r} stands here again", "a name of its own"
            )
        operations[operation.id] = operation
    contract = Contract(
        document=document,
        title=root.need("info", "title").value,
        version=root.need("info", "version").value,
        operations=operations,
        security_schemes=schemes,
        lifecycle=lifecycle,
        conventions=_conventions(root.need("x-conventions")),
        questions=tuple(_question(node) for node in root.children("info", "x-open-questions")),
    )
    for operation, submission in contract.submissions():
        _check_link(operation, submission, contract)
        _check_fields(submission, lifecycle)
    return contract


def path_shape(path: str) -> str:
    """A path without the names of its parameters, which no request shows."""
    return re.sub("{[^}]*}", "{}", path)


def _check_paths(paths: Node) -> None:
    """No request can tell two paths apart that differ in the names of their parameters alone."""
    first: dict[str, str] = {}
    for path in paths.steps():
        other = first.setdefault(path_shape(path), path)
        if other != path:
            raise paths.child(path).error(
                f"{path} is {other} with another name of a parameter", "one path, with the operations of both"
            )


def _lifecycle(root: Node) -> Lifecycle:
    nodes = [node for node in root.children("components", "schemas") if node.get("x-lifecycle")]
    if len(nodes) != 1:
        place = nodes[1].need("x-lifecycle") if nodes else root
        raise place.error(f"{len(nodes)} schemas have an x-lifecycle", "exactly one, the task snapshot")
    return read_lifecycle(nodes[0])


def _scheme(node: Node) -> SecurityScheme:
    type_ = node.need("type").value
    value = node.value
    scheme = value.get("scheme")
    return SecurityScheme(
        name=node.name,
        type=type_,
        scheme=scheme.lower() if scheme else None,
        location=value.get("in"),
        parameter=value.get("name"),
        node=node,
    )


def _conventions(node: Node) -> Conventions:
    def fallback(key: str) -> Fallback:
        value = node.value[key]
        return Fallback(value["status"], value["body"])

    return Conventions(
        unknown_path=fallback("unknownPath"),
        unknown_method=fallback("unknownMethod"),
        invalid_text=node.value["invalidText"]["status"],
        node=node,
    )


def _question(node: Node) -> OpenQuestion:
    value = node.value
    return OpenQuestion(
        id=value["id"],
        kind=value["kind"],
        question=" ".join(value["question"].split()),
        choice=" ".join(value["choice"].split()),
        rules=tuple(value["rules"]),
        places=tuple(map(_rule_place, node.need("rules").children())),
        node=node,
    )


def _rule_place(rule: Node) -> str:
    """Where a question's rule stands, which may name an item of a list by its value."""
    parent, _, last = rule.value.rpartition("/")
    node = rule.document.at(parent, origin=rule.pointer)
    if isinstance(node.value, list) and last in map(str, node.value):
        return f"{parent}/{[str(item) for item in node.value].index(last)}"
    rule.document.at(rule.value, origin=rule.pointer)
    place: str = rule.value
    return place


def operation_nodes(document: Document) -> Iterator[tuple[str, str, Node]]:
    """The path, the method and the node of each operation."""
    for path, item in document.root.need("paths").items():
        for method in METHODS:
            node = item.get(method)
            if node is not None:
                yield path, method, node


def parameter_nodes(operation: Node) -> Iterator[Node]:
    """The parameters of an operation: those of its path, then its own."""
    around = operation.document.at(operation.pointer.rpartition("/")[0])
    yield from around.children("parameters")
    yield from operation.children("parameters")


def _operation(
    node: Node,
    path: str,
    method: str,
    schemes: Mapping[str, SecurityScheme],
    lifecycle: Lifecycle,
) -> Operation:
    responses = dict(node.need("responses").items())
    errors: dict[When, ErrorResponse] = {}
    for status, response in responses.items():
        for error in _error(response, status):
            if error.when in errors:
                raise response.need("x-error", "when").error(
                    f"{error.when} is answered with {errors[error.when].status} already",
                    "one response for each reason",
                )
            if error.order and error.order in {other.order for other in errors.values()}:
                raise response.need("x-error", "order").error("another error has this rank", "a rank of its own")
            errors[error.when] = error
    operation = Operation(
        id=node.need("operationId").value,
        method=method.upper(),
        path=path,
        security=_security(node, schemes),
        errors=errors,
        responses=responses,
        task=_task(node, path, lifecycle),
        node=node,
    )
    for when in _reasons(operation):
        if when not in errors:
            raise node.need("responses").error(
                f"no response says what happens when {when}",
                f"a response with x-error when: {when}",
            )
    return operation


def _reasons(operation: Operation) -> Iterator[When]:
    """The reasons for which an operation must document an error."""
    if operation.security:
        yield When.UNAUTHENTICATED
    if isinstance(operation.task, Submission):
        yield from (When.INVALID, When.INSUFFICIENT, When.UNEXPECTED)
    if isinstance(operation.task, Reading):
        yield from (When.UNKNOWN_TASK, When.UNEXPECTED)


def _security(node: Node, schemes: Mapping[str, SecurityScheme]) -> tuple[str, ...]:
    requirements = node.get("security") or node.document.root.get("security")
    names = []
    for requirement in requirements.children() if requirements else ():
        if len(requirement.value) != 1:
            raise requirement.error("a combination of security schemes is not supported", "one scheme in each item")
        (name,) = requirement.value
        if name not in schemes:
            raise requirement.error(f"there is no security scheme {name!r}", ", ".join(schemes))
        names.append(name)
    return tuple(names)


def _error(response: Node, status: str) -> Iterator[ErrorResponse]:
    node = response.get("x-error")
    if node is None and status.startswith("2"):
        return
    if node is None:
        raise response.error("nothing says when this error is given", "x-error")
    if not re.fullmatch("[345][0-9][0-9]", status):
        raise node.error(f"the response stands under {status!r}", "one status of an error, such as 400")
    value = node.value
    media = response.need("content", JSON)
    for key in ("price", "details"):
        if key in value:
            media.need("schema", "properties", value[key])
    yield ErrorResponse(
        when=When(value["when"]),
        status=int(status),
        order=value.get("order"),
        price=value.get("price"),
        details=value.get("details"),
        example=_example(media),
        node=response,
    )


def _example(media: Node) -> Mapping[str, object]:
    examples = [item.need("value") for item in media.children("examples")]
    node = examples[0] if examples else media.need("example")
    if not isinstance(node.value, dict):
        raise node.error("the example of an error is not an object", "a JSON object")
    return node.value


def _success(node: Node) -> tuple[int, Node]:
    for status, response in node.need("responses").items():
        if re.fullmatch("2[0-9][0-9]", status):
            return int(status), response
    raise node.need("responses").error("no response says that all went well", "a 2xx response")


def _task(node: Node, path: str, lifecycle: Lifecycle) -> Submission | Reading | None:
    task = node.get("x-task")
    if task is None:
        return None
    if "reads" in task.value:
        return _reading(node, task, path, lifecycle)
    return _submission(node, task, lifecycle)


def _reading(node: Node, task: Node, path: str, lifecycle: Lifecycle) -> Reading:
    parameter = task.need("reads")
    if "{" + parameter.value + "}" not in path:
        raise parameter.error(f"the path has no parameter {parameter.value!r}", f"a parameter of {path}")
    status, response = _success(node)
    schema = response.need("content", JSON, "schema")
    if schema.get("x-lifecycle") is None:
        raise schema.error("the operation reads a task, but this schema has no lifecycle", "x-lifecycle")
    return Reading(parameter.value, status, lifecycle, task)


def _submission(node: Node, task: Node, lifecycle: Lifecycle) -> Submission:
    body = node.need("requestBody", "content", JSON, "schema")
    selector = body.need("discriminator", "propertyName").value
    profiles: dict[str, RequestProfile] = {}
    for branch in body.need("oneOf").children():
        profile = _profile(branch, selector)
        if profile.name in profiles:
            raise branch.error(f"a second branch for {selector} {profile.name!r}", "one branch each")
        profiles[profile.name] = profile
    if not profiles:
        raise body.need("oneOf").error("there is no request profile", "at least one branch")
    mapping = body.need("discriminator", "mapping")
    for name in profiles:
        mapping.need(name)
    for name, reference in mapping.items():
        if name not in profiles or reference.value != f"#{profiles[name].node.pointer}":
            raise reference.error(
                f"the mapping of {name!r} does not lead to its branch",
                f"#{profiles[name].node.pointer}" if name in profiles else ", ".join(profiles),
            )
    status, response = _success(node)
    answer = response.need("content", JSON, "schema")
    links = [link for link in response.children("links") if link.get("operationId")]
    if len(links) != 1:
        raise response.error("the answer links to no operation that reads the task", "one link")
    modes = task.get("modes")
    return Submission(
        type=task.value["submits"],
        selector=selector,
        profiles=profiles,
        modes=Modes(**modes.value) if modes else None,
        result=_result(task, profiles, lifecycle),
        passthrough=task.value.get("passthrough"),
        reads=links[0].need("operationId").value,
        accepted=status,
        answer=answer,
        node=task,
    )


def _profile(branch: Node, selector: str) -> RequestProfile:
    enum = branch.need("properties", selector).need("enum")
    if len(enum.value) != 1 or not isinstance(enum.value[0], str):
        raise enum.error(f"{selector} does not single out one branch", "exactly one string")
    return RequestProfile(name=enum.value[0], node=branch, price=read_price(branch))


def _result(task: Node, profiles: Mapping[str, RequestProfile], lifecycle: Lifecycle) -> Result:
    node = task.need("result")
    type_ = task.value["submits"]
    for key in ("format", "aspect", "tier"):
        field = node.get(key)
        if field and not any(field.value in profile.properties for profile in profiles.values()):
            raise field.error(f"no request profile has a field {field.value!r}", "a request field")
    field = node.need("field")
    completed = lifecycle.ending(Carries.RESULT)
    for shape in lifecycle.shapes:
        if shape.fits(completed.status, type_):
            schema = shape.node.need("properties", field.value)
            return Result(
                field=field.value,
                many=schema.need("type").value == "array",
                format=node.value.get("format"),
                aspect=node.value.get("aspect"),
                tier=node.value.get("tier"),
            )
    raise task.need("submits").error(
        f"no snapshot shape is for a {completed.name} task of the type {type_!r}",
        f"a shape with that {lifecycle.fields.type} and {lifecycle.fields.status}",
    )


def _check_link(operation: Operation, submission: Submission, contract: Contract) -> None:
    _, response = _success(operation.node)
    (link,) = (link for link in response.children("links") if link.get("operationId"))
    reading = contract.operations.get(submission.reads)
    if reading is None or not isinstance(reading.task, Reading):
        raise link.need("operationId").error(
            f"{submission.reads!r} is no operation that reads a task",
            "one of " + ", ".join(operation.id for operation, _ in contract.readings()),
        )
    parameter = link.need("parameters", reading.task.parameter)
    expected = f"$response.body#/{contract.lifecycle.fields.id}"
    if parameter.value != expected:
        raise parameter.error(f"{parameter.value!r} is not the task's ID", expected)


def _check_fields(submission: Submission, lifecycle: Lifecycle) -> None:
    """Every field that an extension names must be one of the schemas it speaks of."""
    first = next((s for s in lifecycle.shapes if s.fits(lifecycle.initial.status, submission.type)), None)
    if first is None:
        raise submission.node.need("submits").error(
            f"no snapshot shape is for a task of the type {submission.type!r} that has just begun",
            f"a shape with that {lifecycle.fields.type}",
        )
    for name, node in submission.answer.need("properties").items():
        if first.node.get("properties", name) is None:
            raise node.error(f"the snapshot has no field {name!r}", "fields of the snapshot")
    for place in (submission.node.get("modes", "field"), submission.node.get("passthrough")):
        for profile in submission.profiles.values():
            if place and place.value not in profile.properties:
                raise place.error(f"{profile.name} has no field {place.value!r}", "a request field")
    for echo in lifecycle.node.children("echoes"):
        for profile in submission.profiles.values():
            if echo.value not in profile.required:
                raise echo.error(f"{profile.name} does not require {echo.value!r}", "a required request field")
