"""The compiled training pass: the same training, compiled once for all folds, refused where it cannot be."""

import numpy as np
import pytest
import torch

from fercli.config.resnet import ResNetConfig
from fercli.errors import EnvironmentFailure
from fercli.resnet import compiling
from fercli.resnet.batches import Pictures
from fercli.resnet.progress import Task
from fercli.resnet.starting import start

ROWS = np.arange(70)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.compiler.reset()


def trained(path=(0, 0), rows=40, **values):
    random = np.random.default_rng(0)
    images, targets = random.integers(0, 256, (70, 16, 16), dtype=np.uint8), random.integers(0, 3, 70)
    settings = {"variant": "cnn", "width": 4, "epochs": 2, "batch_size": 16, "dropout": 0.2, "ema": 1.0, "mixup": 0.3}
    config = ResNetConfig.of(**{**settings, **values})
    task = Task(targets, ROWS[:rows], ROWS[50:60], ROWS[60:], path=path)
    run = start(Pictures(images, torch.device("cpu")), task, config, config.architecture((16, 16), 1, 3))
    list(run.epochs())
    return run


def test_what_is_compiled_is_the_same_training_and_serves_every_fold(monkeypatch):
    shapes = []

    def as_it_is(graph, inputs):
        shapes.extend(tuple(given.shape) for given in inputs if given.ndim == 4 and given.shape[1:] == (1, 16, 16))
        return graph.forward

    monkeypatch.setattr(compiling, "BACKEND", as_it_is)
    for path, rows in (((0, 0), 40), ((0, 1), 41), ((0, 2), 44)):
        plain, run = trained(path, rows).chosen_state, trained(path, rows, compile=True).chosen_state
        assert all(torch.equal(tensor, run[name]) for name, tensor in plain.items())
    # The whole batches of the first fold; what is left of its epochs, and the folds after it, cost nothing.
    assert shapes == [(16, 1, 16, 16)]


@pytest.mark.slow
def test_the_default_backend_trains_alike():
    plain, run = trained(dropout=0.0), trained(dropout=0.0, compile=True)
    assert run.progress.history[-1].held_out_loss == pytest.approx(plain.progress.history[-1].held_out_loss, rel=1e-3)


def test_without_a_compiler_it_is_refused(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    with pytest.raises(EnvironmentFailure, match=r"needs a C\+\+ compiler for cpu") as refused:
        compiling.check_compiler(torch.device("cpu"))
    assert "leave --compile out" in refused.value.next_step
    monkeypatch.setattr(compiling.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentFailure, match="needs the package triton for cuda"):
        compiling.check_compiler(torch.device("cuda:0"))
    monkeypatch.undo()
    monkeypatch.setattr(compiling.shutil, "which", lambda name: "/bin/" + name if name == "g++" else None)
    compiling.check_compiler(torch.device("cpu"))
