"""`docs/tutorial.md` word for word: real data where it is there, drawn faces in the same form otherwise."""

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import pytest
import skimage.data

from fercli.config.synthesize import SynthesizeConfig
from fercli.datasets.synthetic import draw
from fercli.errors import ExitCode

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
SHEET = "sfew-lpq-phog-pca.xlsx"
PICTURES = "fer2013-train-validation.tar.xz"


def commands(heading: str) -> list[str]:
    """The lines that a section tells to type, without installing."""
    (section,) = [part for part in PAGE.split("\n## ") if part.startswith(heading)]
    lines = "".join(re.findall(r"```\n(.*?)```", section, flags=re.DOTALL)).splitlines()
    return [line for line in lines if line and not line.startswith("python -m pip")]


@pytest.fixture
def typed(tmp_path):
    """Types lines into one shell each, in an empty folder; gives back [(line, exit code, what it said)]."""
    programs, place = tmp_path / "bin", tmp_path / "place"
    programs.mkdir()
    place.mkdir()
    (programs / "fer").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fercli "$@"\n')
    (programs / "fer").chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment.pop("FER_WORKSPACE", None)

    def run(lines: list[str]) -> list[tuple[str, int, str]]:
        answers = []
        for line in lines:
            if line.startswith("export "):
                name, value = line.removeprefix("export ").split("=")
                environment[name] = value
                continue
            done = subprocess.run(
                ["bash", "-c", line], cwd=place, env=environment, capture_output=True, text=True, check=False
            )
            answers.append((line, done.returncode, done.stdout + done.stderr))
        return answers

    run.place = place
    return run


def all_well(answers: list[tuple[str, int, str]]) -> None:
    for line, code, said in answers:
        assert code == 0, f"{line}\n{said}"


def drawn_fer2013(path: Path) -> None:
    """An archive in FER-2013's folders, of 210 drawn faces."""
    with tarfile.open(path, "w:xz", preset=0) as archive:
        for number, face in enumerate(draw(SynthesizeConfig(subjects=30, images_per_subject=7))):
            split, name = ("train", "Training") if number < 140 else ("validation", "PublicTest")
            data = cv2.imencode(".jpg", face.pixels)[1].tobytes()
            entry = tarfile.TarInfo(f"fer2013/{split}/{face.label}/{name}_{number}.jpg")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def photo(path: Path) -> None:
    """A photograph with one face (Eileen Collins, NASA, public domain; in scikit-image)."""
    assert cv2.imwrite(str(path), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))


def with_photo_and_model(place: Path) -> list[str]:
    photo(place / "photo.jpg")
    return commands("3.") + commands("4.")


def test_drawn_faces(typed):
    lines = commands("1.")
    assert lines[0] == "fer demo"
    # the demo is tested by itself; here are the commands that it says it is made of, smaller
    small = [line.replace("--subjects 40", "--subjects 20").replace("--epochs 10", "--epochs 2") for line in lines[1:]]
    all_well(typed(small))
    assert (typed.place / "fer-demo/reports/demo/index.html").is_file()


@pytest.mark.real_data
def test_the_sfew_sheet(typed, real_data):
    shutil.copy(real_data / SHEET, typed.place)
    all_well(typed(commands("2.")))
    (refused,) = typed(["fer train-bp --k 100"])
    assert refused[1] == ExitCode.INPUT
    assert "the largest legal k is 57" in refused[2]


def test_pictures_in_the_form_of_fer2013(typed):
    drawn_fer2013(typed.place / PICTURES)
    answers = typed(with_photo_and_model(typed.place))
    gates = [answer for answer in answers if "--require" in answer[0]]
    # whether drawn faces reach the gate that is set for real ones says nothing
    assert [answer[1] in (ExitCode.DONE, ExitCode.GATE) for answer in gates] == [True]
    all_well([answer for answer in answers if answer not in gates])
    (predicted,) = [said for line, _, said in answers if line.startswith("fer predict")]
    assert "photo.jpg" in predicted
    assert len(list((typed.place / "seen").iterdir())) == 1


@pytest.mark.real_data
@pytest.mark.slow
def test_fer2013(typed, real_data):
    shutil.copy(real_data / PICTURES, typed.place)
    all_well(typed(with_photo_and_model(typed.place)))
