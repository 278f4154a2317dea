"""Figures of explain and robustness: what lies where, and the same bytes each time."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from fercli.report.figures.cam import Overlay, averages_figure, overlaid, overlays_figure, reduced, single_figure
from fercli.report.figures.descriptor_view import _rays, lpq_figure, phog_figure
from fercli.report.figures.importance import MOST, importance_figure
from fercli.report.figures.robustness import robustness_figure
from fercli.report.figures.style import png_bytes, svg_bytes

FACE = np.full((12, 10), 100, dtype=np.uint8)
MAP = np.zeros((12, 10), dtype=np.float32)
MAP[3, 4] = 2.0


def words(figure) -> str:
    return svg_bytes(figure).decode()


def overlays(count, caption="happy 60%"):
    return [Overlay(FACE, MAP, caption, f"a-very-long-name-of-a-row-{index}") for index in range(count)]


def test_samples_stand_side_by_side_each_below_its_heading():
    figure = overlays_figure(overlays(3), overlays(2, "sad 40%"), "happy")
    places = {tuple(np.round(axes.get_position().bounds, 6)) for axes in figure.axes}
    assert len(places) == len(figure.axes) == 10, "no picture lies over another"
    assert all(axes.get_position().x0 >= 0 and axes.get_position().x1 <= 1 for axes in figure.axes)
    svg = words(figure)
    assert "happy, answered right" in svg
    assert "happy, answered wrong" in svg
    assert "…" + "a-very-long-name-of-a-row-0"[-21:] in svg
    assert svg.count("sad 40%") == 2
    alone = words(overlays_figure([], overlays(1), "happy"))
    assert "answered right" not in alone
    wide = overlays_figure([], overlays(1), "happy", across=5)
    assert wide.get_figwidth() == figure.get_figwidth(), "pictures of all classes at one size"


def test_a_map_colours_the_picture_where_it_is_strong_and_leaves_it_where_it_is_not():
    shown = overlaid(FACE, MAP)
    np.testing.assert_allclose(shown[0, 0], 100 / 255)
    assert np.ptp(shown[3, 4]) > 0.1
    np.testing.assert_allclose(overlaid(FACE, np.zeros_like(MAP)), 100 / 255)
    colour = overlaid(np.stack([FACE] * 3, axis=-1), MAP)
    np.testing.assert_allclose(colour, shown, atol=1e-6)


def test_large_pictures_are_shown_as_means_of_blocks():
    large = np.arange(576 * 720, dtype=float).reshape(576, 720)
    small = reduced(large)
    assert small.shape == (144, 180)
    assert small[1, 2] == large[4:8, 8:12].mean()
    assert reduced(np.ones((200, 30, 3))).shape == (200, 30, 3)
    assert reduced(np.ones((201, 31, 3))).shape == (100, 15, 3)


def test_average_maps_share_one_scale_that_says_where_it_ends():
    faces = np.full((5, 12, 10), 120.0)
    density = np.ones((5, 12, 10))
    plain = averages_figure(list("abcde"), [7, 8, 1000, 2, 1], faces, density)
    assert "c · 1,000" in words(plain)
    bars = [axes for axes in plain.axes if axes.get_ylabel() == "times an even spread"]
    assert bars[0].get_ylim() == (0, 2)
    density[0, 0, 0] = 9
    peaked = averages_figure(list("abcde"), [7, 8, 1000, 2, 1], faces, density)
    assert next(axes for axes in peaked.axes if axes.get_ylabel()).get_ylim() == (0, 3)
    assert png_bytes(peaked) == png_bytes(averages_figure(list("abcde"), [7, 8, 1000, 2, 1], faces, density))


@pytest.mark.parametrize(
    ("bin", "direction"),
    [(0, (-1, -1)), (1, (1, -1)), (2, (1, 1)), (3, (-1, 1))],
)
def test_rays_point_along_the_gradient(bin, direction):
    """Bins of 90 degrees count from the direction to the left, over up (y falls), right and down."""
    cells = np.zeros((1, 1, 4))
    cells[0, 0, bin] = 0.5
    (ray,) = _rays(cells, np.array([0, 20]), np.array([0, 20]), 360)
    np.testing.assert_allclose(ray[0], (9.5, 9.5))
    np.testing.assert_allclose((ray[1] - ray[0]) / np.abs(ray[1] - ray[0]), direction)
    assert np.linalg.norm(ray[1] - ray[0]) == pytest.approx(0.48 * 20), "the largest reaches nearly to the border"


def test_unsigned_rays_go_to_both_sides_and_an_empty_level_has_none():
    cells = np.zeros((1, 1, 2))
    cells[0, 0, 1] = 1.0
    (ray,) = _rays(cells, np.array([0, 10]), np.array([0, 10]), 180)
    np.testing.assert_allclose(ray.mean(axis=0), (4.5, 4.5))
    assert _rays(np.zeros((2, 2, 8)), np.arange(3) * 5, np.arange(3) * 5, 360) == []


def test_views_say_what_they_show():
    edges = np.zeros((16, 16), dtype=bool)
    edges[4] = True
    cells = np.full((2, 2, 4), 1 / 16)
    borders = np.array([0, 8, 16])
    svg = words(phog_figure(np.zeros((16, 16), dtype=np.uint8), edges, [(1, cells, borders, borders)], 360))
    assert "level 1: 2x2 cells" in svg
    assert "edges · 6.2%" in svg
    assert "16 values" in svg
    codes = np.zeros((10, 10), dtype=np.uint8)
    svg = words(lpq_figure([(7, codes, np.eye(256)[0], (1, 1)), (9, codes, np.eye(256)[3], (2, 2))]))
    assert "LPQ codes, window 7" in svg
    assert "LPQ codes, window 9" in svg
    assert "evidence for sad" in words(single_figure(Overlay(FACE, MAP, "happy 60%", "x"), "sad"))


def entry(name, mean, interval=(0.0, 0.1)):
    score = {"mean": mean, "sd": 0.1, "interval": {"lower": interval[0], "upper": interval[1]} if interval else None}
    return {"name": name, "accuracy": score, "log_loss": score}


def test_importance_names_every_bar_up_to_the_most_that_can_be_read():
    figure = importance_figure([entry(f"phog.pc{index}", 0.05, None) for index in range(MOST + 6)])
    left = figure.axes[0]
    assert [label.get_text() for label in left.get_yticklabels()] == [f"phog.pc{index}" for index in range(MOST)]
    assert left.patches[0].get_width() == pytest.approx(5.0), "accuracy in points"
    assert figure.axes[1].patches[0].get_width() == pytest.approx(0.05)


def level(number, accuracy, interval=(0.3, 0.5)):
    return {
        "level": number,
        "strength": None if number == 0 else 10 * number,
        "accuracy": accuracy,
        "macro_f1": accuracy - 0.05,
        "intervals": {"accuracy": {"lower": interval[0], "upper": interval[1]} if interval else None},
    }


def test_curves_start_at_the_clean_score_and_name_the_strengths():
    curves = [
        {"kind": kind, "what": "in %", "levels": [level(0, 0.5), level(2, 0.4), level(5, 0.2, (0.1, 0.3))]}
        for kind in ("noise", "blur", "jpeg", "rotation")
    ]
    figure = robustness_figure(curves, chance=1 / 7, majority=None)
    first = figure.axes[0]
    np.testing.assert_allclose(first.lines[0].get_ydata(), [50, 40, 20])
    assert [label.get_text() for label in first.get_xticklabels()] == ["clean", "20", "50"]
    svg = words(figure)
    assert "commonest class" not in svg
    assert "commonest class" in words(robustness_figure(curves[:1], chance=1 / 7, majority=0.2))
    none = [{**curves[0], "levels": [level(0, 0.5, None), level(1, 0.4, None)]}]
    assert not robustness_figure(none, chance=0.1, majority=None).axes[0].collections


@pytest.mark.parametrize(("right", "wrong"), [(2, 1), (1, 1), (0, 1), (1, 0)])
def test_headings_are_not_cut_off(right, wrong):
    figure = overlays_figure(overlays(right), overlays(wrong), "contempt")
    canvas = FigureCanvasAgg(figure)
    edges = [text.get_window_extent(canvas.get_renderer()) for text in figure.texts]
    assert min(edge.x0 for edge in edges) >= 0
    assert max(edge.x1 for edge in edges) <= figure.bbox.x1
