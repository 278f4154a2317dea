"""Models on columns as ONNX graphs, from raw features: BP networks, and every yardstick that is arithmetic."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from fercli.baselines.training import Rows, fit_fold
from fercli.bp.network import NetworkKey, NetworkStack, initial_stack
from fercli.config.baseline import BASELINES, TrainBaselineConfig
from fercli.config.preprocessing import PreprocessingConfig
from fercli.config.protocol import ProtocolConfig
from fercli.errors import UsageError
from fercli.export.columns_graph import YARDSTICKS, bp_graph, yardstick_graph
from fercli.inference.bp_model import BPModel
from fercli.inference.exported import ExportedScorer, onnx_scorer
from fercli.preprocessing.foldwise import Fitted, fit
from fercli.records import Block, Fold

CLASSES = ("happy", "sad", "überrascht")
BLOCKS = (Block("lpq", 0, 6), Block("phog", 6, 10))
NONE = np.empty(0, dtype=np.int64)


def made_features(rows: int = 90) -> np.ndarray:
    """Two blocks; the first column of each is skewed, so that the logarithm acts."""
    random = np.random.default_rng(0)
    features = random.normal(size=(rows, 10))
    features[:, [0, 6]] = np.exp(3 * features[:, [0, 6]])
    return features.astype(np.float32)


def made_fitted(pca: int | None, **more: Any) -> Fitted:
    config = PreprocessingConfig(pca=pca, **more)
    return fit(made_features(), BLOCKS, np.arange(60), config)


def scorer_of_graph(graph: Any, columns: int = 10) -> tuple[ExportedScorer, bytes]:
    facts = {
        "format": "fercli-export",
        "version": 1,
        "model": "bp",
        "classes": CLASSES,
        "input": "columns",
        "columns": columns,
        "run": "r",
        "fingerprint": "f",
        "fercli": "0",
    }
    data = graph.bytes("columns", {key: json.dumps(value) for key, value in facts.items()}, producer="0")
    return onnx_scorer(data, where="bp.onnx", threads=1), data


def bp_of(fitted: Fitted, output: Any, hidden: int = 9, dtype: Any = np.float32) -> NetworkStack:
    """Weights large enough that rows differ; hidden: the first of nine units."""
    shape = {"inputs": len(fitted.names), "hidden": 9, "classes": 3}
    stack = initial_stack([NetworkKey(0, 0)], seed=0, output=output, dtype=dtype, **shape)
    stack.w1[...] *= 3
    stack.w2[...] *= 5
    stack.b2[...] = -0.5 * stack.w2.sum(axis=1)
    stack.alive[0, hidden:] = False
    return stack.compacted(0)


def exported_bp(fitted: Fitted, stack: NetworkStack) -> tuple[ExportedScorer, bytes]:
    weights = {"w1": stack.w1[0], "b1": stack.b1[0], "w2": stack.w2[0], "b2": stack.b2[0]}
    return scorer_of_graph(bp_graph(fitted, weights, output=stack.output, classes=CLASSES))


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize(("pca", "log"), [(3, "auto"), (None, "auto"), (2, "none"), (5, "auto")])
def test_a_bp_network_from_raw_features_to_label(output, pca, log):
    fitted = made_fitted(pca, log=log)
    assert bool(np.any(fitted.log.direction)) == (log == "auto"), "the logarithm must be among what is compared"
    stack = bp_of(fitted, output)
    ours = BPModel(stack, np.arange(9), fitted, CLASSES).probabilities(made_features())
    exported, data = exported_bp(fitted, stack)
    np.testing.assert_allclose(exported.scores(made_features()), ours, atol=1e-6)
    np.testing.assert_allclose(exported.scores(made_features()[4:5]), ours[4:5], atol=1e-6)
    session = onnxruntime.InferenceSession(data)
    (labels,) = session.run(["label"], {"features": made_features()})
    assert labels.tolist() == [CLASSES[place] for place in ours.argmax(axis=1)]
    assert len(set(labels.tolist())) > 1


def test_a_network_without_hidden_units_and_one_in_float64():
    """Pruning may leave one network with none; the tool trains in float32, the format does not ask for it."""
    fitted = made_fitted(3)
    for stack in (bp_of(fitted, "sigmoid", hidden=0), bp_of(fitted, "sigmoid", dtype=np.float64)):
        ours = BPModel(stack, NONE, fitted, CLASSES).probabilities(made_features())
        np.testing.assert_allclose(exported_bp(fitted, stack)[0].scores(made_features()), ours, atol=1e-6)


@pytest.mark.parametrize("offset", [-25.0, -60.0, -87.0, -200.0])
def test_rows_that_no_output_claims_keep_the_ratio_of_tiny_outputs(offset):
    fitted = made_fitted(3)
    stack = bp_of(fitted, "sigmoid")
    stack.b2[0] = offset
    stack.b2[0, 1] += 1
    ours = BPModel(stack, NONE, fitted, CLASSES).probabilities(made_features())
    assert (np.ptp(ours) < 1e-9) == (offset == -200), "at -200 all outputs are 0 and the answer is uniform"
    np.testing.assert_allclose(exported_bp(fitted, stack)[0].scores(made_features()), ours, atol=1e-5)


def yardstick(model: str, classes: int = 3, absent: bool = False) -> tuple[Any, np.ndarray]:
    features = made_features()
    targets = np.arange(90) % classes
    features[:, 1] += 1.5 * targets
    if absent:
        targets[targets == 1] = 0
    copies = np.arange(90)
    rows = Rows(features, BLOCKS, targets, np.arange(90) // 3, copies, classes)
    plain = PreprocessingConfig(pca=3)
    config = TrainBaselineConfig.of(
        model=model, trees=5, hidden=6, epochs=5, preprocessing=plain, protocol=ProtocolConfig(monitor="none")
    )
    return fit_fold(rows, Fold(0, 0, np.arange(70), np.arange(70, 90), NONE), config), features


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("model", YARDSTICKS)
@pytest.mark.parametrize("absent", [False, True])
def test_a_yardstick_from_raw_features(model, absent):
    """absent: one class has no training row, so its probability is 0; two classes are then left."""
    fold, features = yardstick(model, absent=absent)
    fold = replace(fold, model=replace(fold.model, scale=0.7))
    assert len(fold.model.present) == (2 if absent else 3)
    exported, _ = scorer_of_graph(
        yardstick_graph(
            fold.preprocessing,
            model,
            fold.model.arrays,
            present=fold.model.present,
            scale=fold.model.scale,
            classes=CLASSES,
        )
    )
    ours = fold.probabilities(features)
    assert model == "majority" or np.ptp(ours[:, 0]) > 0.1
    np.testing.assert_allclose(exported.scores(features), ours, atol=1e-6)


@pytest.mark.parametrize("model", sorted(set(BASELINES) - set(YARDSTICKS)))
def test_rows_and_trees_are_refused_naming_what_can_be_written(model):
    fold, _ = yardstick(model)
    with pytest.raises(UsageError, match=f"{model} holds rows or trees") as caught:
        yardstick_graph(
            fold.preprocessing, model, fold.model.arrays, present=fold.model.present, scale=1.0, classes=CLASSES
        )
    assert all(name in caught.value.next_step for name in (*YARDSTICKS, "train-bp", "prune-bp", "safetensors"))


def test_raw_features_go_in_and_the_batch_is_free():
    _, data = exported_bp(made_fitted(3), bp_of(made_fitted(3), "sigmoid"))
    (given,) = onnx.load_model_from_string(data).graph.input
    assert given.name == "features"
    assert [side.dim_param or side.dim_value for side in given.type.tensor_type.shape.dim] == ["N", 10]
