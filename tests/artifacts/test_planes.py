"""Planes on disk: in the order of the rows, promoted to colour, with nothing left beside the array."""

import numpy as np

from fercli.artifacts import planes as planes_module
from fercli.artifacts.planes import PlaneWriter
from fercli.artifacts.store import Store


def test_planes_come_out_in_the_order_of_the_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(planes_module, "CHUNK_BYTES", 100)
    random = np.random.default_rng(0)
    planes = random.integers(0, 256, (9, 4, 5), dtype=np.uint8)
    order = random.permutation(9)
    store = Store(tmp_path / "ws")
    draft = store.begin(
        "dataset", "d", algorithm=1, config={}, parents=[], seed=None, command=[], execution={}, force=False
    )
    with draft, PlaneWriter(draft, store.disk) as writer:
        for plane in planes[:6]:
            writer.append(plane)
        writer.promote_to_rgb()
        for plane in planes[6:]:
            writer.append(np.stack([plane] * 3, axis=2))
        writer.finish(order)
        path = draft.commit({})
    artifact = store.read(path, "dataset")
    assert np.array_equal(artifact.array("images.npy"), np.stack([planes[order]] * 3, axis=3))
    assert sorted(entry.name for entry in path.iterdir()) == ["artifact.json", "images.npy"]
