"""The network that ships: small, with its card, and as good as the card says."""

import json
import re
import tarfile
from importlib.resources import files

import cv2
import numpy as np
import pytest

from fercli.inference.boxed import PACKAGE, boxed_model_files
from fercli.inference.scorers import scorer_of

CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
LARGEST = 3_000_000


def test_it_is_small_and_has_its_card():
    folder = files(PACKAGE)
    assert folder.joinpath("weights.safetensors").stat().st_size <= LARGEST
    card = folder.joinpath("model_card.md").read_text(encoding="utf-8")
    for heading in ("How it was made", "Data", "How good it is", "Weaknesses", "Intended use", "Licence"):
        assert f"## {heading}" in card
    assert "fer train-resnet" in card


def test_it_scores_faces_alone_as_in_a_batch():
    scorer = scorer_of(boxed_model_files())
    assert scorer.classes == CLASSES
    faces = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    together = scorer.scores(faces)
    alone = np.concatenate([scorer.scores(face[None]) for face in faces])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_it_needs_no_option_to_name_it(fer, tmp_path):
    import skimage.data

    assert cv2.imwrite(str(tmp_path / "photo.png"), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
    answer = fer("predict", tmp_path / "photo.png", "--json")
    assert answer.code == 0
    (face,) = json.loads(answer.out)["faces"]
    assert (face["status"], face["predicted"]) == ("ok", "happy")


@pytest.mark.real_data
def test_it_reaches_on_validation_what_its_card_says(real_data):
    images, labels = [], []
    with tarfile.open(real_data / "fer2013-train-validation.tar.xz") as archive:
        for entry in archive:
            if entry.isfile() and "/validation/" in entry.name:
                data = archive.extractfile(entry).read()
                images.append(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE))
                labels.append(CLASSES.index(entry.name.split("/")[-2]))
    assert len(images) == 3_589
    correct = np.mean(scorer_of(boxed_model_files()).scores(np.stack(images)).argmax(axis=1) == labels)
    card = files(PACKAGE).joinpath("model_card.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"accuracy \*\*([\d.]+) %\*\*", card)
    assert correct >= 0.65
    # rounding to float16 may move a picture or two
    assert abs(100 * correct - float(told)) < 0.3
