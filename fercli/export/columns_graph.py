"""Models on columns as ONNX graphs, from raw features to label: preprocessing, network or yardstick, probabilities."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.export import FEATURES, LABEL, PROBABILITIES
from fercli.errors import UsageError
from fercli.export.graph import Graph
from fercli.preprocessing.foldwise import Fitted

Arrays = Mapping[str, NDArray[Any]]
LINEAR = ("lda", "logistic", "linear-svm")
# Yardsticks that are plain arithmetic on the columns. Neighbours and trees hold rows and branches instead.
YARDSTICKS = ("majority", *LINEAR, "rbf-svm", "mlp")


def bp_graph(fitted: Fitted, weights: Arrays, *, output: str, classes: Sequence[str]) -> Graph:
    """A BP network: float32 raw features (N, D) to probabilities (N, C) float32 and label (N,) text.

    weights: `w1` (d, H), `b1` (H,), `w2` (H, C), `b2` (C,). output: `sigmoid`, whose outputs are divided by their sum
    (uniform where that is 0), or `softmax`. Preprocessing is in float64, as in training, the network in its own type.
    """
    graph, columns = _preprocessed(fitted)
    kind = weights["w1"].dtype
    part = {name: graph.constant(weights[name]) for name in ("w1", "b1", "w2", "b2")}
    columns = graph.cast(columns, kind.name)
    hidden = graph.op("Sigmoid", graph.op("Add", graph.op("MatMul", columns, part["w1"]), part["b1"]))
    values = graph.op("Add", graph.op("MatMul", hidden, part["w2"]), part["b2"])
    if output == "softmax":
        shares = graph.op("Softmax", values, axis=1)
    else:
        outputs = _precise_sigmoid(graph, values, kind)
        total = graph.op("ReduceSum", outputs, graph.integers(1), keepdims=1)
        none = graph.op("Equal", total, _number(graph, 0))
        divided = graph.op("Div", outputs, graph.op("Where", none, _number(graph, 1), total))
        shares = graph.op("Where", none, _number(graph, 1 / len(classes)), divided)
    return _finished(graph, shares, classes)


def yardstick_graph(
    fitted: Fitted, model: str, arrays: Arrays, *, present: NDArray[np.int64], scale: float, classes: Sequence[str]
) -> Graph:
    """A yardstick of `YARDSTICKS`: float32 raw features (N, D) to probabilities (N, C) float32 and label (N,) text.

    arrays: what it learned. present: (c,) places of the classes that it knows, the others have probability 0.
    scale: of the scores before softmax. Raises UsageError for another model.
    """
    if model not in YARDSTICKS:
        raise UsageError(
            f"{model} holds rows or trees, not arithmetic on the columns, and is not written as ONNX",
            where="--format onnx",
            next_step=f"take --format safetensors, or a run of {', '.join(YARDSTICKS)}, train-bp or prune-bp",
        )
    graph, columns = _preprocessed(fitted)
    if model == "majority":
        zeros = graph.op("MatMul", columns, graph.constant(np.zeros((len(fitted.names), len(present)))))
        scores = graph.op("Add", zeros, graph.constant(arrays["offsets"]))
    elif model in LINEAR:
        scores = _affine(graph, columns, arrays["weights"].T, arrays["offsets"])
    elif model == "mlp":
        hidden = graph.op("Max", _affine(graph, columns, arrays["hidden"], arrays["hidden_offsets"]), _number(graph, 0))
        scores = _affine(graph, hidden, arrays["output"], arrays["output_offsets"])
    else:
        scores = _kernel_scores(graph, columns, arrays)
    shares = graph.op("Softmax", graph.op("Mul", scores, _number(graph, scale)), axis=1)
    if len(present) < len(classes):
        spread = np.zeros((len(present), len(classes)))
        spread[np.arange(len(present)), present] = 1
        shares = graph.op("MatMul", shares, graph.constant(spread))
    return _finished(graph, shares, classes)


def _preprocessed(fitted: Fitted) -> tuple[Graph, str]:
    """A graph with raw features as its input, and the name of the float64 classifier inputs (N, d)."""
    graph = Graph()
    raw = graph.cast(graph.input(FEATURES, "float32", [fitted.width]), "float64")
    parts = []
    for block, projection in zip(fitted.blocks, fitted.projections, strict=True):
        part = raw
        if (block.start, block.stop) != (0, fitted.width):
            part = graph.sliced(raw, [block.start], [block.stop], [1])
        if projection is not None:
            centred = graph.op("Sub", part, graph.constant(projection.mean))
            part = graph.op("MatMul", centred, graph.constant(projection.components.T))
        parts.append(part)
    columns = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)
    logged = fitted.log.direction != 0
    if logged.any():
        away = graph.op("Sub", columns, graph.constant(fitted.log.origin))
        distance = graph.op("Div", away, graph.constant(fitted.log.scale))
        size = graph.op("Log", graph.op("Add", graph.op("Abs", distance), _number(graph, 1)))
        changed = graph.op("Mul", graph.op("Sign", distance), size)
        columns = graph.op("Where", graph.constant(logged), changed, columns)
    centred = graph.op("Sub", columns, graph.constant(fitted.scaling.center))
    return graph, graph.op("Div", centred, graph.constant(fitted.scaling.scale))


def _precise_sigmoid(graph: Graph, values: str, kind: np.dtype[Any]) -> str:
    """1 / (1 + exp(-z)) as float64, for outputs that are divided by their sum.

    onnxruntime's Sigmoid ends at -18: where no output claims a row, the ratios of its tiny outputs would be lost.
    Below `-log(largest)` the network's own type overflows to an output of 0.
    """
    exact = graph.cast(values, "float64")
    powers = graph.op("Exp", graph.op("Mul", exact, _number(graph, -1)))
    outputs = graph.op("Div", _number(graph, 1), graph.op("Add", powers, _number(graph, 1)))
    overflown = graph.op("Less", exact, _number(graph, -float(np.log(np.float64(np.finfo(kind).max)))))
    return graph.op("Where", overflown, _number(graph, 0), outputs)


def _kernel_scores(graph: Graph, columns: str, arrays: Arrays) -> str:
    """Votes of the pairs of an RBF machine plus their squeezed confidence, as `baselines.kernel` has them."""
    support = arrays["support"]
    own = graph.op("ReduceSum", graph.op("Mul", columns, columns), graph.integers(1), keepdims=1)
    norms = graph.constant(np.einsum("sd,sd->s", support, support))
    products = graph.op("MatMul", columns, graph.constant(-2 * support.T))
    squared = graph.op("Max", graph.op("Add", graph.op("Add", own, norms), products), _number(graph, 0))
    kernel = graph.op("Exp", graph.op("Mul", squared, _number(graph, -float(arrays["gamma"][0]))))
    decisions = _affine(graph, kernel, arrays["weights"], arrays["offsets"])
    pairs = len(arrays["offsets"])
    if pairs == 1:
        return graph.op("MatMul", decisions, graph.constant(np.array([[0.0, -1.0]])))
    count = round((1 + np.sqrt(1 + 8 * pairs)) / 2)
    first, second = np.zeros((pairs, count)), np.zeros((pairs, count))
    for place, (one, other) in enumerate(combinations(range(count), 2)):
        first[place, one] = second[place, other] = 1
    # A decision of exactly 0 is a vote for the first of the pair.
    lost = graph.cast(graph.op("Less", decisions, _number(graph, 0)), "float64")
    votes = _affine(graph, lost, second - first, first.sum(axis=0))
    confidence = graph.op("MatMul", decisions, graph.constant(first - second))
    size = graph.op("Add", graph.op("Abs", confidence), _number(graph, 1))
    squeezed = graph.op("Div", confidence, graph.op("Mul", size, _number(graph, 3)))
    return graph.op("Add", votes, squeezed)


def _affine(graph: Graph, value: str, weights: NDArray[Any], offsets: NDArray[Any]) -> str:
    return graph.op("Add", graph.op("MatMul", value, graph.constant(weights)), graph.constant(offsets))


def _number(graph: Graph, value: float) -> str:
    return graph.constant(np.array(value, dtype=np.float64))


def _finished(graph: Graph, shares: str, classes: Sequence[str]) -> Graph:
    single = graph.cast(shares, "float32")
    best = graph.op("ArgMax", single, axis=1, keepdims=0)
    graph.output(graph.op("Gather", graph.constant(np.array(classes)), best), LABEL, "str", [])
    graph.output(single, PROBABILITIES, "float32", [len(classes)])
    return graph
