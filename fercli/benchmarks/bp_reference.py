"""The two obvious ways to train the networks of all folds: a PyTorch loop, and scikit-learn's MLPClassifier."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.bp.chunk import Rows, Rule
from fercli.bp.network import NetworkStack
from fercli.seeds import generator

Weights = tuple[NDArray[np.floating], ...]


def orders(rows: Rows, rule: Rule, epochs: int) -> list[NDArray[np.int64]]:
    """The row order of every epoch, as `bp.training` draws it."""
    path = ("bp.order", rows.key.repeat, rows.key.fold)
    return [generator(rule.seed, *path, epoch).permutation(len(rows.y)) for epoch in range(epochs)]


def torch_loop(stack: NetworkStack, rows: Sequence[Rows], rule: Rule, epochs: int) -> list[Weights]:
    """One network after the other with `torch.nn`, `torch.optim.Adam` and BCELoss: (w1, b1, w2, b2) of each."""
    import torch

    found = []
    for network, own in enumerate(rows):
        first = torch.nn.Linear(stack.inputs, stack.w1.shape[2])
        second = torch.nn.Linear(stack.w1.shape[2], stack.classes)
        model = torch.nn.Sequential(first, torch.nn.Sigmoid(), second, torch.nn.Sigmoid())
        with torch.no_grad():
            for layer, weight, bias in ((first, stack.w1, stack.b1), (second, stack.w2, stack.b2)):
                layer.weight.copy_(torch.from_numpy(weight[network].T.copy()))
                layer.bias.copy_(torch.from_numpy(bias[network]))
        optimizer = torch.optim.Adam(model.parameters(), lr=rule.rate)
        loss = torch.nn.BCELoss()
        x = torch.from_numpy(own.x)
        target = torch.nn.functional.one_hot(torch.from_numpy(own.y), stack.classes).to(x.dtype)
        size = rule.batch or len(x)
        for order in orders(own, rule, epochs):
            shuffled = torch.from_numpy(order)
            for start in range(0, len(x), size):
                batch = shuffled[start : start + size]
                optimizer.zero_grad()
                loss(model(x[batch]), target[batch]).backward()
                optimizer.step()
        found.append(tuple(part.detach().numpy() for layer in (first, second) for part in (layer.weight.T, layer.bias)))
    return found


def sklearn_fits(rows: Sequence[Rows], rule: Rule, hidden: int, epochs: int) -> None:
    """One `MLPClassifier.fit` after the other, as anyone would call it."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of epochs is what is timed
        for own in rows:
            _classifier(own, rule, hidden, max_iter=epochs, tol=0.0, n_iter_no_change=epochs).fit(own.x, own.y)


def sklearn_weights(stack: NetworkStack, rows: Rows, rule: Rule, epochs: int) -> Weights:
    """`MLPClassifier` from the first network's initial weights in our row order: its (w1, b1, w2, b2)."""
    model = _classifier(rows, rule, stack.w1.shape[2], shuffle=False)
    layers = iter(((stack.w1[0].copy(), stack.b1[0].copy()), (stack.w2[0].copy(), stack.b2[0].copy())))
    model._init_coef = lambda fan_in, fan_out, dtype: next(layers)
    for order in orders(rows, rule, epochs):
        model.partial_fit(rows.x[order], rows.y[order], classes=np.arange(stack.classes))
    return model.coefs_[0], model.intercepts_[0], model.coefs_[1], model.intercepts_[1]


def _classifier(rows: Rows, rule: Rule, hidden: int, **more: Any) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        hidden_layer_sizes=(hidden,),
        activation="logistic",
        solver="adam",
        alpha=0.0,
        batch_size=rule.batch or len(rows.y),
        learning_rate_init=rule.rate,
        random_state=0,
        **more,
    )
