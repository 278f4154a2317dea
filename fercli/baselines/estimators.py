"""From preprocessed training rows to a fitted yardstick, by scikit-learn."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC

from fercli.baselines.arrays import Arrays
from fercli.baselines.fitted import FittedBaseline
from fercli.baselines.kernel import from_svc
from fercli.baselines.layers import from_mlp
from fercli.baselines.lda import from_scatter
from fercli.baselines.linear import from_linear, from_priors
from fercli.baselines.neighbors import from_neighbors
from fercli.baselines.trees import from_forest
from fercli.config.baseline import Parameters, TrainBaselineConfig

MAX_ITERATIONS = 2000


def fit_model(
    x: NDArray[np.float64],
    targets: NDArray[np.int64],
    classes: int,
    parameters: Parameters,
    config: TrainBaselineConfig,
    *,
    seed: int,
    threads: int = 1,
) -> FittedBaseline:
    """Fit `config.model` with `parameters` on rows x (n, d) of classes targets (n,), 0..classes-1.

    seed: of what scikit-learn draws. Of a single class every model is
    its prior. Scale is 1: see `choice.py` for the temperature of support vector machines.
    """
    present, places = np.unique(targets, return_inverse=True)
    if len(present) == 1 or config.model == "majority":
        return FittedBaseline("majority", classes, present, from_priors(targets), 1.0, parameters)
    with warnings.catch_warnings():
        # Reaching the iteration limit is how the MLP is meant to stop, and harmless in the others: the test of a
        # yardstick is its held-out score.
        warnings.filterwarnings("ignore", message=".*(did not converge|failed to converge|hasn't converged).*")
        # Histograms that sum to 1 make collinear columns, which the SVD of LDA handles.
        warnings.filterwarnings("ignore", message="Variables are collinear")
        arrays = _fit(x, places.reshape(-1).astype(np.int64), parameters, config, seed=seed, threads=threads)
    return FittedBaseline(config.model, classes, present, arrays, 1.0, parameters)


def _fit(
    x: NDArray[np.float64],
    places: NDArray[np.int64],
    parameters: Parameters,
    config: TrainBaselineConfig,
    *,
    seed: int,
    threads: int,
) -> Arrays:
    if config.model == "knn":
        return from_neighbors(x, places, int(parameters["neighbors"]))
    if config.model == "lda" and x.shape[0] > x.shape[1]:
        return from_scatter(x, places)
    if config.model == "rbf-svm":
        gamma = parameters["gamma"] / x.shape[1]
        return from_svc(estimator(config, parameters, columns=x.shape[1], seed=seed).fit(x, places), gamma)
    fitted = estimator(config, parameters, columns=x.shape[1], seed=seed, threads=threads).fit(x, places)
    if config.model == "forest":
        return from_forest(fitted)
    return from_mlp(fitted) if config.model == "mlp" else from_linear(fitted)


def estimator(
    config: TrainBaselineConfig, parameters: Parameters, *, columns: int, seed: int = 0, threads: int = 1
) -> Any:
    """The scikit-learn classifier behind a yardstick (not for majority), unfitted."""
    if config.model == "lda":
        return LinearDiscriminantAnalysis()
    if config.model == "logistic":
        return LogisticRegression(C=parameters["C"], max_iter=MAX_ITERATIONS)
    if config.model == "linear-svm":
        return LinearSVC(C=parameters["C"], dual="auto", max_iter=MAX_ITERATIONS, random_state=seed)
    if config.model == "rbf-svm":
        return SVC(C=parameters["C"], gamma=parameters["gamma"] / columns, break_ties=True, cache_size=500)
    if config.model == "knn":
        return KNeighborsClassifier(n_neighbors=int(parameters["neighbors"]), algorithm="brute")
    if config.model == "forest":
        return RandomForestClassifier(config.trees, random_state=seed, n_jobs=threads)
    # tol 0 and no patience: every fold trains for the same epochs, and no part of the rows is held back.
    return MLPClassifier(
        (config.hidden,),
        max_iter=config.epochs,
        tol=0.0,
        n_iter_no_change=config.epochs,
        random_state=seed,
    )
