"""Reading `x-lifecycle`, and holding it against the snapshot schema it stands on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contract.document import Node
from contract.model import Carries, Fields, Lifecycle, Shape, State, Timing


def read_lifecycle(snapshot: Node) -> Lifecycle:
    """Read the lifecycle of a snapshot schema.

    Raises:
        ContractError: if a state, a transition or a field does not fit the rest of the document.
    """
    node = snapshot.get("x-lifecycle")
    if node is None:
        raise snapshot.error("the snapshot has no lifecycle", "x-lifecycle")
    names = node.need("fields").value
    states = {name: _read_state(state) for name, state in node.need("states").items()}
    timing = node.need("timing").value
    lifecycle = Lifecycle(
        fields=Fields(
            id=names["id"],
            type=names["type"],
            status=names["status"],
            credits=names["credits"],
            refunded=names["refunded"],
            created=names["created"],
            updated=names["updated"],
            error_code=names["errorCode"],
            error_message=names["errorMessage"],
        ),
        echoes=tuple(node.need("echoes").value),
        initial=_initial(node, states),
        states=states,
        timing=Timing(timing["pollSeconds"], timing["recheckSeconds"], timing["deadlineSeconds"]),
        error_codes=node.need("errorCodes").value,
        shapes=tuple(_read_shapes(snapshot, names["status"], names["type"])),
        node=node,
    )
    _check_states(lifecycle)
    _check_shapes(lifecycle)
    return lifecycle


def _read_state(node: Node) -> State:
    carries = node.value.get("carries")
    return State(
        name=node.name,
        status=node.value["status"],
        next=tuple(node.value.get("next", ())),
        carries=Carries(carries) if carries else None,
        refund="refund" in node.value,
        node=node,
    )


def _initial(node: Node, states: Mapping[str, State]) -> State:
    place = node.need("initial")
    if place.value not in states:
        raise place.error(f"there is no state {place.value!r}", _one_of(states))
    return states[place.value]


def _read_shapes(snapshot: Node, status: str, type_: str) -> list[Shape]:
    nodes = list(snapshot.children("oneOf")) or [snapshot]
    shapes = []
    for node in nodes:
        types = node.get("properties", type_, "enum")
        shapes.append(
            Shape(
                name=node.name,
                node=node,
                statuses=tuple(node.need("properties", status, "enum").value),
                types=tuple(types.value) if types else None,
            )
        )
    return shapes


def _check_states(lifecycle: Lifecycle) -> None:
    states = lifecycle.states
    for state in states.values():
        for follower in state.node.children("next"):
            if follower.value not in states:
                raise follower.error(f"there is no state {follower.value!r}", _one_of(states))
        if lifecycle.of_status(state.status) is not state:
            raise state.node.need("status").error("another state has this status", "a status of its own")
        if state.terminal != (state.carries is not None):
            raise state.node.error(
                "a state either ends the task and carries something, or is followed by others",
                "`carries` or `next`",
            )
        if state.refund and state.carries is not Carries.ERROR:
            raise state.node.error("only a state that carries an error can refund", "no `refund`")
        try:
            lifecycle.path_to(state.name)
        except KeyError:
            raise state.node.error(
                f"no transition leads to {state.name!r}", "it in the `next` of another state"
            ) from None
    for carries in Carries:
        if sum(state.carries is carries for state in states.values()) != 1:
            raise lifecycle.node.need("states").error(
                f"not exactly one terminal state carries the {carries}", f"one `carries: {carries}`"
            )


def _check_shapes(lifecycle: Lifecycle) -> None:
    known = {str(status): shape for shape in lifecycle.shapes for status in shape.statuses}
    for state in lifecycle.states.values():
        if str(state.status) not in known:
            raise state.node.need("status").error(
                f"the schema knows no {lifecycle.fields.status} {state.status!r}", _one_of(known)
            )
    for shape in lifecycle.shapes:
        enum = shape.node.need("properties", lifecycle.fields.status, "enum")
        for status in shape.statuses:
            if lifecycle.of_status(status) is None:
                statuses = [state.status for state in lifecycle.states.values()]
                raise enum.error(f"no state has the status {status!r}", _one_of(statuses))
        always = {key: name for key, name in vars(lifecycle.fields).items() if "error" not in key}
        for name in (*always.values(), *lifecycle.echoes):
            shape.node.need("properties", name)
        failed = lifecycle.ending(Carries.ERROR)
        for status in shape.statuses:
            if status == failed.status:
                shape.node.need("properties", lifecycle.fields.error_code)
                shape.node.need("properties", lifecycle.fields.error_message)


def _one_of(values: Iterable[object]) -> str:
    return "one of " + ", ".join(map(str, values))
