"""A frozen TensorFlow graph (`.pb`): the constants of a GraphDef, by the names of their nodes.

Kernels are stored as [y, x, input, output], matrices as [input, output]. Only constants are read;
what the graph computes is not looked at.
"""

from micrograph.weights.readers.common import LARGEST_SPLAT, Damaged, Tensors, add
from micrograph.weights.readers.protobuf import BYTES, Value, fields, text
from micrograph.weights.readers.tf_tensor import Budget, tensor_of

MOST_NODES = 100_000
"""Real graphs have some thousand."""


def read(data: memoryview) -> Tensors:
    """All numeric constants of the graph."""
    tensors: Tensors = {}
    budget = Budget(LARGEST_SPLAT)
    for count, (number, kind, node) in enumerate(fields(data)):
        if count >= MOST_NODES:
            raise Damaged(f"it is a graph of more than {MOST_NODES} nodes")
        if number != 1 or kind != BYTES:
            continue
        name, op, attributes = _node(node)
        if op != "Const":
            continue
        for key, value in attributes:
            if key == "value":
                found = tensor_of(value, budget)
                if found is not None:
                    add(tensors, name, found)
    return tensors


def looks_like_it(data: memoryview) -> bool:
    """Whether a message begins as a GraphDef does: with a node that has a name and an op."""
    try:
        for number, kind, node in fields(data):
            if number == 1:
                name, op, _ = _node(node)
                return kind == BYTES and name != "" and op != ""
    except Damaged:
        pass
    return False


def _node(data: Value) -> tuple[str, str, list[tuple[str, Value]]]:
    """Name, op, and the tensors among the attributes, of a NodeDef."""
    name = op = ""
    attributes = []
    for number, kind, value in fields(data):
        if number == 1 and kind == BYTES:
            name = text(value)
        elif number == 2 and kind == BYTES:
            op = text(value)
        elif number == 5:
            entry = {n: v for n, _, v in fields(value)}
            if 1 in entry and 2 in entry:
                key = text(entry[1])
                attributes += [(key, v) for n, _, v in fields(entry[2]) if n == 8]
    return name, op, attributes
