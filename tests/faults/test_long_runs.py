"""Two hundred commands and predictions in one process hold no more at the end than after the first twenty."""

import pytest
from hostile import workspace
from long_runs import commands, predictions, repeated


@pytest.mark.parametrize("what", ["commands", "predictions"])
def test_memory_files_threads_and_handlers_stay_flat(what, tmp_path):
    work = commands(workspace(tmp_path)) if what == "commands" else predictions()
    before, after = repeated(work, 200)
    assert after.files <= before.files
    assert after.threads <= before.threads
    assert after.handlers <= before.handlers
    # The allocator holds 12 MB more now and then, and gives them back.
    assert after.memory - before.memory < 20 * 2**20
    assert after.objects - before.objects < 4000
