"""What can be proved of many processes in one: who gets which micro-batch, and the order of batch norm's statistics."""

import pytest
import torch
from torch import nn

from fercli.config.resnet import ResNetConfig
from fercli.errors import UsageError
from fercli.resnet import distributed
from fercli.resnet.distributed import World
from fercli.resnet.microbatches import step_slices
from fercli.resnet.statistics import RunningStatistics


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("each", [1, 2])
@pytest.mark.parametrize("rows", [5, 24, 37, 48])
def test_ranks_share_the_micro_batches_of_one_process_in_order(size, each, rows):
    steps = step_slices(rows, 4, each * size)
    for pieces in steps:
        dealt = [World(rank, size).share_of(pieces, each * size) for rank in range(size)]
        assert [piece for _, mine in dealt for piece in mine] == pieces
        for first, mine in dealt:
            assert pieces[first : first + len(mine)] == mine
        assert World(0, size).shares(pieces, each * size) == [len(mine) for _, mine in dealt]


def test_synchronised_ranks_divide_each_micro_batch_and_none_is_left_with_less_than_two_rows():
    size = 3
    for pieces in step_slices(26, 4 * size, 2, 2 * size):
        parts = [World(rank, size, synchronised=True).share_of(pieces, 2) for rank in range(size)]
        assert [first for first, _ in parts] == [0, 2, 4]
        for piece, *shares in zip(pieces, *(mine for _, mine in parts), strict=True):
            rows = [row for share in shares for row in range(share.start, share.stop)]
            assert rows == list(range(piece.start, piece.stop))
            assert min(share.stop - share.start for share in shares) > 1


def test_what_is_stored_is_what_one_process_would_need():
    config = ResNetConfig.of(batch_size=8, accumulate=2)
    assert World(0, 1).alone(config) == config
    apart = World(1, 3).alone(config)
    assert (apart.batch_size, apart.accumulate) == (8, 6)
    together = World(1, 3, synchronised=True).alone(config)
    assert (together.batch_size, together.accumulate) == (24, 2)


class Pretended(World):
    """A world whose other ranks' tensors are known."""

    def __init__(self, others):
        super().__init__(0, len(others))
        self.others = others

    def gathered(self, values):
        return self.others


@pytest.mark.parametrize("dealt", [[2, 2], [1, 0], [2, 1, 0], [1, 1, 1]])
def test_statistics_are_those_of_one_process_that_saw_all_micro_batches_in_order(dealt):
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.BatchNorm1d(4), nn.BatchNorm1d(4, momentum=0.3)).train()
    network(torch.randn(6, 4, generator=generator) * 3 + 1)
    begun = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    batches = [torch.randn(6, 4, generator=generator) * (1 + index) for index in range(sum(dealt))]
    left, after = list(batches), []
    for count in dealt:
        network.load_state_dict(begun)
        for _ in range(count):
            network(left.pop(0))
        after.append(torch.cat([t for norm in network for t in (norm.running_mean, norm.running_var)]))
    network.load_state_dict(begun)
    for batch in batches:
        network(batch)
    whole = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(begun)
    statistics = RunningStatistics(network)
    statistics.remember()
    network(torch.randn(6, 4, generator=generator))
    statistics.bring_together(Pretended(after), dealt)
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, whole[name], rtol=1e-5, atol=1e-6)


def test_statistics_are_put_back_to_the_byte():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).train()
    statistics = RunningStatistics(network)
    network(torch.ones(2, 1, 5, 5) * 3)
    statistics.remember()
    kept = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network(torch.arange(50.0).reshape(2, 1, 5, 5))
    assert not torch.equal(network[1].running_mean, kept["1.running_mean"])
    statistics.put_back()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in network.state_dict().items())


def test_each_process_takes_the_gpu_of_its_own_number_and_one_gpu_for_all_is_refused(monkeypatch):
    assert distributed.local_device("cuda:1") == "cuda:1"
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    assert distributed.launched() == (3, 4)
    assert distributed.local_device("cuda") == "cuda:1"
    assert distributed.local_device("cpu") == "cpu"
    with pytest.raises(UsageError, match="4 processes cannot share the device cuda:0") as refused:
        distributed.local_device("cuda:0")
    assert "--device cuda" in refused.value.next_step


def test_alone_nothing_is_sent():
    world = World()
    values = torch.ones(3)
    assert world.summed(values) is values
    assert world.gathered(values) == [values]
    assert world.numbers((1.0, 2.0)) == (1.0, 2.0)
    assert world.tell("text") == "text"
    network = nn.Linear(2, 2)
    assert world.wrapped(network, torch.device("cpu")) is network
