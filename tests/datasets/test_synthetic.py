"""Drawn faces: labels by action units, subjects disjoint, the same bytes from the same names."""

import numpy as np
import pytest

from fercli.config.synthesize import SynthesizeConfig
from fercli.datasets.faces_actions import PROTOTYPES, act, combined, resting_face
from fercli.datasets.faces_geometry import Pose, shape
from fercli.datasets.faces_identity import identity
from fercli.datasets.synthetic import draw
from fercli.errors import UsageError
from fercli.records import EXPRESSIONS
from fercli.seeds import generator

FRONTAL = Pose(0.0, 0.0, 0.0)
WHO = identity(0, 0)


def posed(expression):
    return shape(WHO, PROTOTYPES[expression], FRONTAL, skew=0.0)


def test_rows_columns_and_labels():
    pictures = list(draw(SynthesizeConfig.of(subjects=3, images_per_subject=8)))
    assert [picture.label for picture in pictures] == [*EXPRESSIONS, EXPRESSIONS[0]] * 3
    assert [picture.group for picture in pictures[::8]] == ["subject-000", "subject-001", "subject-002"]
    assert len({picture.id for picture in pictures}) == 24
    assert all(picture.pixels.shape == (48, 48) and picture.pixels.dtype == np.uint8 for picture in pictures)
    assert all(picture.pixels.std() > 8 for picture in pictures)


def test_a_face_depends_on_seed_subject_and_number_alone():
    few = {p.id: p.pixels for p in draw(SynthesizeConfig.of(subjects=2, images_per_subject=3))}
    many = {p.id: p.pixels for p in draw(SynthesizeConfig.of(subjects=4, images_per_subject=9))}
    assert all(np.array_equal(pixels, many[name]) for name, pixels in few.items())
    other = next(draw(SynthesizeConfig.of(subjects=1, seed=1)))
    assert not np.array_equal(other.pixels, few[other.id])
    assert len({pixels.tobytes() for pixels in many.values()}) == len(many)


def test_subjects_differ_and_a_subject_stays():
    assert identity(0, 1) == identity(0, 1)
    assert identity(0, 1) != identity(0, 2)
    assert identity(0, 1) != identity(1, 1)


def test_action_units_move_what_facs_says():
    neutral, happy, sad = posed("neutral"), posed("happy"), posed("sad")
    assert happy.mouth.left[1] < neutral.mouth.left[1] < sad.mouth.left[1]
    assert happy.mouth.right[0] > neutral.mouth.right[0]
    surprise, angry = posed("surprise"), posed("angry")
    assert surprise.brows[0].middle[1] < neutral.brows[0].middle[1] < angry.brows[0].middle[1]
    assert surprise.eyes[0].upper > neutral.eyes[0].upper > posed("disgust").eyes[0].upper
    assert surprise.mouth.open_lower > posed("fear").mouth.open_lower > neutral.mouth.open_lower
    assert sad.brows[0].inner[1] < neutral.brows[0].inner[1]
    assert posed("disgust").nose_wrinkles == 1.0


def test_a_frontal_face_without_skew_is_symmetric():
    face = posed("fear")
    left, right = face.brows
    assert left.outer[0] == pytest.approx(-right.outer[0])
    assert face.nose_tip[0] == pytest.approx(0)
    assert face.eyes[0].half_width == pytest.approx(face.eyes[1].half_width)


def test_difficulty_zero_is_the_prototype_and_units_stay_in_range():
    for expression in EXPRESSIONS:
        units = act(generator(0, "test", expression), expression, 0.0)
        assert {unit: value for unit, value in units.items() if value} == pytest.approx(PROTOTYPES[expression])
    for number in range(200):
        units = act(generator(0, "test", number), EXPRESSIONS[number % 7], 1.0)
        assert all(0 <= value <= 1 for value in units.values())
    assert combined({1: 0.5}, {1: 0.5})[1] == 0.75


def test_colour_frames_hold_one_face_inside_them():
    config = SynthesizeConfig.of(subjects=2, images_per_subject=2, size="144x180", face_height=0.5, color="rgb")
    for picture in draw(config):
        assert picture.pixels.shape == (144, 180, 3)
        left, top, width, height = map(int, picture.extra["face"].split(","))
        assert left >= 0
        assert top >= 0
        assert left + width <= 181
        assert top + height <= 145
        assert (picture.pixels[..., 0] != picture.pixels[..., 2]).any()


@pytest.mark.parametrize(
    ("options", "named"),
    [({"subjects": 0}, "--subjects"), ({"size": "9"}, "--size"), ({"difficulty": 1.5}, "--difficulty")],
)
def test_options_out_of_bounds(options, named):
    with pytest.raises(UsageError, match=named):
        SynthesizeConfig.of(**options)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_five_components_find_the_expression_on_unseen_subjects(seed):
    """The floor: a weak model is 20 points above the majority."""
    from skimage.feature import hog
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    pictures = list(draw(SynthesizeConfig.of(seed=seed, subjects=30)))
    features = np.stack([hog(picture.pixels, pixels_per_cell=(8, 8)) for picture in pictures])
    labels = np.array([picture.label for picture in pictures])
    train = np.arange(len(labels)) < 24 * 21
    center = features[train].mean(axis=0)
    _, _, axes = np.linalg.svd(features[train] - center, full_matrices=False)
    few = (features - center) @ axes[:5].T
    model = LinearDiscriminantAnalysis().fit(few[train], labels[train])
    assert model.score(few[~train], labels[~train]) >= 1 / 7 + 0.2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_even_the_action_units_themselves_do_not_tell_every_expression(seed):
    """The ceiling: what no model of the pixels can pass, since they show less than the units they are drawn from."""
    from sklearn.ensemble import RandomForestClassifier

    difficulty = SynthesizeConfig().difficulty
    units, labels = [], []
    for subject in range(80):
        resting = resting_face(generator(seed, "synthesize.resting", subject), difficulty)
        for number in range(21):
            label = EXPRESSIONS[number % 7]
            drawn = act(generator(seed, "synthesize.picture", subject, number), label, difficulty)
            units.append(list(combined(resting, drawn).values()))
            labels.append(label)
    seen = 60 * 21
    oracle = RandomForestClassifier(60, random_state=0, n_jobs=1).fit(units[:seen], labels[:seen])
    assert 0.8 <= oracle.score(units[seen:], labels[seen:]) <= 0.95
