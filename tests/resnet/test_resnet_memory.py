"""Memory of a device as it is told to people."""

import numpy as np
import torch

from fercli.resnet.memory import most_used, ran_out


def test_the_most_that_was_used_grows_with_what_is_held():
    before = most_used(torch.device("cpu"))
    assert before > 2**24
    held = np.ones(before // 8 + 2**23)
    assert most_used(torch.device("cpu")) > held.nbytes


def test_other_errors_are_no_lack_of_memory():
    assert ran_out(torch.OutOfMemoryError("any text"))
    assert ran_out(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    assert not ran_out(RuntimeError("shapes do not fit"))
