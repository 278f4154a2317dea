"""The loss against its definition, term by term."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from fercli.config.resnet import ResNetConfig
from fercli.errors import UsageError
from fercli.resnet.losses import Criterion, balanced_weights
from fercli.resnet.mixing import Mixture

CPU = torch.device("cpu")
TARGETS = np.array([0, 0, 0, 1, 2, 2])
LOGITS = torch.tensor([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3], [-1.0, 1.0, 0.0], [0.0, 0.0, 3.0]])
TRUTH = torch.tensor([0, 1, 2, 2])


def criterion(**values):
    return Criterion(ResNetConfig.of(**values), TARGETS, CPU)


def by_hand(truth=TRUTH, smoothing=0.0):
    logs = torch.log_softmax(LOGITS, dim=1)
    return -((1 - smoothing) * logs[torch.arange(4), truth] + smoothing * logs.mean(dim=1))


def test_plain_and_smoothed_cross_entropy_are_sums():
    torch.testing.assert_close(criterion()(LOGITS, TRUTH), by_hand().sum())
    torch.testing.assert_close(criterion(label_smoothing=0.1)(LOGITS, TRUTH), by_hand(smoothing=0.1).sum())


def test_balanced_weights_are_those_of_scikit_learn_and_average_to_one():
    weights = balanced_weights(TARGETS)
    np.testing.assert_allclose(weights, compute_class_weight("balanced", classes=np.arange(3), y=TARGETS), rtol=1e-6)
    assert weights[TARGETS].mean() == pytest.approx(1)
    np.testing.assert_allclose(balanced_weights(np.array([0, 2, 2, 2])), [2, 0, 4 / 6], rtol=1e-6)


def test_balanced_classes_weigh_each_rows_cross_entropy():
    found = criterion(class_weights="balanced", label_smoothing=0.2)(LOGITS, TRUTH)
    weights = torch.from_numpy(balanced_weights(TARGETS))[TRUTH]
    torch.testing.assert_close(found, (weights * by_hand(smoothing=0.2)).sum())


def test_mixed_labels_are_taken_by_their_shares():
    found = criterion()(LOGITS, TRUTH, Mixture(0.7))
    torch.testing.assert_close(found, (0.7 * by_hand() + 0.3 * by_hand(TRUTH.flip(0))).sum())


@pytest.mark.parametrize(("share", "hot"), [(0.5, 1.0), (0.3, 4.0), (1.0, 2.0)])
def test_a_teacher_adds_its_divergence(share, hot):
    taught = torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.5, 0.5, 1.0], [3.0, 0.0, 0.0]])
    found = criterion(distil_from="t", distil_weight=share, distil_temperature=hot)(LOGITS, TRUTH, None, taught)
    answers, own = torch.softmax(taught / hot, dim=1), torch.softmax(LOGITS / hot, dim=1)
    divergence = (answers * (answers / own).log()).sum()
    torch.testing.assert_close(found, (1 - share) * by_hand().sum() + share * hot**2 * divergence)


def test_distillation_options_without_a_teacher_are_refused():
    with pytest.raises(UsageError, match="--distil-temperature has no teacher to act on"):
        ResNetConfig.of(distil_temperature=3.0)
    with pytest.raises(UsageError, match="--distil-weight has no teacher to act on"):
        ResNetConfig.of_recipe("strong", distil_weight=0.9)
