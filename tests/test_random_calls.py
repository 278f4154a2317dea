"""Everything random comes from `fercli.seeds`: the test that fails when somebody adds an unseeded random call."""

from pathlib import Path

import pytest
from random_calls import draws

PACKAGE = Path(__file__).parent.parent / "fercli"
# Module -> names that it may use, and why nothing unseeded comes of it.
PERMITTED = {
    # The one place where generators are made, from (seed, path).
    "seeds.py": {"numpy.random.PCG64", "numpy.random.SeedSequence"},
    # scikit-learn's own convention: what its users pass as random_state becomes our seed; the default is 0.
    "bp/estimator.py": {"sklearn.utils.check_random_state", "sklearn.utils.check_random_state without a seed"},
    # lbfgs and the kernel machine without probabilities draw nothing; scikit-learn's signatures are for all solvers.
    "baselines/estimators.py": {
        "sklearn.linear_model.LogisticRegression without a seed",
        "sklearn.svm.SVC without a seed",
    },
    # torch's layers draw from its default generator and take no other: it is set for the block, and then put back.
    "resnet/variants.py": {"torch.random.fork_rng", "torch.default_generator.manual_seed"},
    "resnet/determinism.py": {
        "torch.cuda.default_generators",
        "torch.default_generator",
        "torch.mps._get_default_mps_generator",
        "torch.nn.Dropout",
        "torchvision.ops.StochasticDepth",
    },
    # Called inside those blocks only, as `test_reproducibility` sees from the state of the default generator.
    "resnet/blocks.py": {"torch.nn.functional.dropout", "torch.nn.init.kaiming_normal_"},
    "resnet/heads.py": {"torch.nn.Dropout"},
    "resnet/residual.py": {"torchvision.ops.StochasticDepth"},
    # A type that is looked for, not made.
    "export/net_graph.py": {"torch.nn.Dropout", "torchvision.ops.StochasticDepth"},
    # Values that only keep a device busy; the comparison loop is what people write, and its draws are not scored.
    "benchmarks/resnet_ceilings.py": {"torch.rand"},
    "benchmarks/resnet_reference.py": {
        "torch.randperm",
        "torch.utils.data.DataLoader",
        "torchvision.transforms.ColorJitter",
        "torchvision.transforms.RandomAffine",
        "torchvision.transforms.RandomHorizontalFlip",
    },
}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_draws_but_from_seeds(path):
    place = path.relative_to(PACKAGE).as_posix()
    found = draws(path.read_text())
    strange = [f"{place}:{draw.line} {draw.name}" for draw in found if draw.name not in PERMITTED.get(place, set())]
    assert not strange, "draw from fercli.seeds.generator(seed, *path), or give a seed from seeds.integer"
    # A permission that nothing needs any more would hide the next call.
    assert PERMITTED.get(place, set()) <= {draw.name for draw in found}


def test_every_permission_is_for_a_module_that_stands():
    assert PERMITTED.keys() <= {path.relative_to(PACKAGE).as_posix() for path in modules()}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import numpy as np\nnp.random.rand(3)", "numpy.random.rand"),
        ("import numpy as np\ndraw = np.random.default_rng()", "numpy.random.default_rng"),
        ("import numpy as np\nnp.random.seed(0)", "numpy.random.seed"),
        ("import numpy\nnumpy.random.RandomState(3)", "numpy.random.RandomState"),
        ("from numpy import random\nrandom.shuffle([1])", "numpy.random"),
        ("from numpy.random import default_rng as make\nmake(3)", "numpy.random.default_rng"),
        ("def f():\n    import random\n    return random.random()", "random.random"),
        ("from random import choice\nchoice([1])", "random.choice"),
        ("import os\nos.urandom(4)", "os.urandom"),
        ("import uuid\nuuid.uuid4()", "uuid.uuid4"),
        ("key = hash('a')", "hash"),
        ("import torch\ntorch.randn(3)", "torch.randn"),
        ("import torch\ntorch.rand_like(x)", "torch.rand_like"),
        ("import torch\ntorch.manual_seed(0)", "torch.manual_seed"),
        ("import torch\ntorch.cuda.manual_seed_all(0)", "torch.cuda.manual_seed_all"),
        ("from torch import nn\nnn.Dropout2d(0.5)", "torch.nn.Dropout2d"),
        ("from torch import nn\nnn.init.xavier_uniform_(w)", "torch.nn.init.xavier_uniform_"),
        ("from torch.nn import functional\nfunctional.dropout(x)", "torch.nn.functional.dropout"),
        ("from torchvision.transforms import v2\nv2.RandomCrop(3)", "torchvision.transforms.v2.RandomCrop"),
        ("from torch.utils.data import DataLoader\nDataLoader(x, shuffle=True)", "torch.utils.data.DataLoader"),
        ("weights.normal_(0, 1)", ".normal_"),
        ("import cv2\ncv2.kmeans(x)", "cv2.kmeans"),
        (
            "from sklearn.svm import LinearSVC\nLinearSVC(C=1)",
            "sklearn.svm.LinearSVC without a seed",
        ),
        (
            "from sklearn.model_selection import KFold\nKFold(5, shuffle=True, random_state=None)",
            "sklearn.model_selection.KFold without a seed",
        ),
        (
            "from sklearn import decomposition\ndecomposition.PCA(3)",
            "sklearn.decomposition.PCA without a seed",
        ),
        ("from scipy import stats\nstats.bootstrap(x, f)", "scipy.stats.bootstrap without a seed"),
    ],
)
def test_a_planted_draw_is_found(source, name):
    assert name in [draw.name for draw in draws(source)]


@pytest.mark.parametrize(
    "source",
    [
        "from fercli import seeds\nseeds.generator(0, 'a').random()",
        "def f(random):\n    return random.random() < 0.5",
        "import numpy as np\ndef f(rng: np.random.Generator): ...",
        "from sklearn.svm import LinearSVC\nLinearSVC(random_state=seed)",
        "from sklearn.linear_model import Ridge\nfrom scipy import fft\nfft.dct(x)",
        "import torch\ntorch.zeros(3).flip(0)",
        "hashes = blake2b(b'a').hexdigest()",
    ],
)
def test_what_draws_nothing_is_left_alone(source):
    assert draws(source) == []
