"""Files of fixtures: read, and held against what may stand in them."""

from __future__ import annotations

from pathlib import Path

import jsonschema_rs

from contract.document import Node, escape, load_document


def load_fixture(path: Path, validator: jsonschema_rs.Draft4Validator) -> Node:
    """The top of a file of fixtures.

    Raises:
        ContractError: for the first thing in it that is wrong, with its line.
    """
    root = load_document(path).root
    for error in validator.iter_errors(root.value):
        pointer = "".join(f"/{escape(str(step))}" for step in error.instance_path)
        raise root.document.error(pointer, error.message)
    return root
