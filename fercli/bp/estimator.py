"""The BP network with pruning as a scikit-learn classifier."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from fercli.bp.chunk import Rows
from fercli.bp.foldwise import prune_rule_of, rule_of, untrained
from fercli.bp.network import NetworkKey, forward, probabilities
from fercli.bp.pruning import PruneRecord, prune
from fercli.bp.training import EpochRecord, finish, train
from fercli.config.bp import PruneBPConfig
from fercli.config.protocol import ProtocolConfig
from fercli.errors import UsageError


class SigmoidBPClassifier(ClassifierMixin, BaseEstimator):
    """One hidden layer of sigmoid units and sigmoid (or softmax) output units, pruned after Xu (section 2.1.2).

    Parameters are those of `fer prune-bp`; `prune=False` gives the network of `fer train-bp`. Columns are taken as
    they are: put a `StandardScaler` before it. random_state: int, RandomState or None; the default 0 makes every fit
    the same. precision float64 by default, so that a row scores the same in any batch.

    After `fit`: classes_ (C,), n_features_in_, network_ (a stack of one, removed units gone), n_hidden_, n_iter_ (all
    epochs, retraining included), loss_curve_ (one per epoch), receipt_ (PruneRecords, of training rows only).
    """

    def __init__(
        self,
        *,
        hidden: int = 64,
        prune: bool = True,
        optimizer: str = "adam",
        loss: str = "ce",
        output: str = "sigmoid",
        epochs: int = 40,
        batch_size: int = 32,
        lr: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        dead: float = 0.01,
        saturated: float = 0.9,
        correlated: float = 0.9,
        criterion: str = "correlation",
        angle: float = 15.0,
        absorb: bool = False,
        all_at_once: bool = False,
        retrain_epochs: int = 5,
        precision: str = "float64",
        random_state: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.prune = prune
        self.optimizer = optimizer
        self.loss = loss
        self.output = output
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.dead = dead
        self.saturated = saturated
        self.correlated = correlated
        self.criterion = criterion
        self.angle = angle
        self.absorb = absorb
        self.all_at_once = all_at_once
        self.retrain_epochs = retrain_epochs
        self.precision = precision
        self.random_state = random_state

    def _config(self) -> PruneBPConfig:
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        values = self.get_params(deep=False)
        del values["prune"], values["random_state"]
        try:
            return PruneBPConfig.of(**values, protocol=ProtocolConfig.of(seed=int(seed)))
        except UsageError as error:
            raise ValueError(error.what.removeprefix("--")) from None

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train and prune on X (n, D) and y (n,). Raises ValueError for bad parameters, NaN or continuous targets."""
        config = self._config()
        x, labels = validate_data(self, X, y, dtype=np.dtype(config.precision))
        check_classification_targets(labels)
        self.classes_, targets = np.unique(labels, return_inverse=True)
        rows = [Rows.of(NetworkKey(0, 0), x, targets.astype(np.int64))]
        self.loss_curve_: list[float] = []
        self.receipt_: list[PruneRecord] = []
        stack = untrained(rows, len(self.classes_), config)
        stack = finish(train(stack, rows, rule_of(config), epochs=config.epochs), self._see).stack
        if self.prune:
            run = prune(stack, rows, rule_of(config), prune_rule_of(config), first_epoch=config.epochs)
            stack = finish(run, self._see).stack
        self.network_ = stack.compacted(0)
        self.n_hidden_ = int(self.network_.widths[0])
        self.n_iter_ = len(self.loss_curve_)
        return self

    def _see(self, record: EpochRecord | PruneRecord) -> None:
        if isinstance(record, PruneRecord):
            self.receipt_.append(record)
        else:
            self.loss_curve_.append(float(record.train_loss[0]))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """(n, C) outputs divided by their sum, in the order of `classes_`."""
        check_is_fitted(self, "network_")
        x = validate_data(self, X, dtype=self.network_.w1.dtype, reset=False)
        return probabilities(forward(self.network_, 0, x))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """(n,) the most probable class of each row, the first of equals."""
        scores = self.predict_proba(X)
        predicted: NDArray[Any] = self.classes_[np.argmax(scores, axis=1)]
        return predicted
