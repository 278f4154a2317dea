"""The three losses on output units: their value per row, and their slope at the units' net inputs."""

import numpy as np
from numpy.typing import NDArray

from fercli.bp.network import Loss, Output

SMALLEST = 1e-12


def row_losses(outputs: NDArray[np.floating], targets: NDArray[np.int64], loss: Loss) -> NDArray[np.floating]:
    """(…,) loss of each row in the dtype of outputs (…, C), which lie in [0, 1]; targets (…,) are class indices.

    mse: mean over classes of the squared difference to the one-hot target (`torch.nn.MSELoss`). bce: mean over
    classes of the binary cross entropy (`torch.nn.BCELoss`). ce: minus log of the target's probability, where
    probabilities are outputs divided by their sum (for softmax outputs `torch.nn.CrossEntropyLoss`).
    Logarithms are taken no lower than at 1e-12. NaN outputs give NaN.
    """
    classes = outputs.shape[-1]
    truth = np.take_along_axis(outputs, targets[..., None], axis=-1)[..., 0]
    ones = np.ones(classes, dtype=outputs.dtype)  # a product with ones sums short rows many times faster than sum()
    if loss == "mse":
        return (np.square(outputs) @ ones - 2 * truth + 1) / classes
    likely = np.log(np.maximum(truth, SMALLEST))
    if loss == "bce":
        rest = np.log(np.maximum(1 - outputs, SMALLEST))
        at_truth = np.log(np.maximum(1 - truth, SMALLEST))
        return -(likely + rest @ ones - at_truth) / classes
    return np.log(np.maximum(outputs @ ones, SMALLEST)) - likely


def output_slopes(
    outputs: NDArray[np.floating],
    one_hot: NDArray[np.floating],
    classes: int,
    loss: Loss,
    output: Output,
    out: NDArray[np.floating],
    scratch: NDArray[np.floating],
) -> float:
    """Write into `out` (…, O) the slope of each row's loss at the output units' net inputs, up to a factor.

    The factor (2/C for mse, 1/C for bce, 1 for ce) is given back, because the caller multiplies by 1/rows anyway.
    `outputs`, `one_hot`, `out`, `scratch`: same shape, O at least C (`classes`): columns that fill up have output and
    target 0, and get slope 0. `scratch` is overwritten.
    """
    np.subtract(outputs, one_hot, out=out)
    if loss == "bce":
        return 1 / classes
    if loss == "mse":
        if output == "sigmoid":
            out *= outputs
            np.subtract(1, outputs, out=scratch)
            out *= scratch
        else:
            np.multiply(out, outputs, out=scratch)
            out -= scratch.sum(axis=-1, keepdims=True)
            out *= outputs
        return 2 / classes
    if output == "sigmoid":
        # -[c = t](1 - o_t) + o_c (1 - o_c) / sum(o): the division by the sum is part of the model.
        total = np.maximum(outputs.sum(axis=-1, keepdims=True), SMALLEST)
        np.subtract(1, outputs, out=scratch)
        np.divide(outputs, total, out=out)
        out -= one_hot
        out *= scratch
    return 1.0
