"""One look for all figures, and the only place that turns a figure into bytes.

Figures are built with matplotlib's objects, never through pyplot, so that nothing global is left behind. Colours
are Okabe & Ito's, which people with colour-blindness can tell apart; curves differ in dash as well.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK = "#1b1f24"
MUTED = "#6b7480"
RULE = "#d5dae0"
PAPER = "#ffffff"
ON_DEEP = "#fefefe"  # figures on deep cells: stays light when the page turns the paper dark
TRAIN = "#0072b2"
TEST = "#d55e00"
MONITOR = "#009e73"
PALETTE = (TRAIN, TEST, MONITOR, "#cc79a7", "#e69f00", "#56b4e9")

COLUMN = 3.5  # inches: one column of a two-column paper
DPI = 200

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    # laid out at the resolution it is written at, unhinted: text is up to 6 % wider at 100 dpi
    "figure.dpi": DPI,
    "text.hinting": "none",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    # names of runs and classes are no formulas: a dollar sign stays one
    "text.parse_math": False,
    # text stays text: it can be searched, and the page colours it for dark screens
    "svg.fonttype": "none",
    # names inside the SVG must not change from one run to the next
    "svg.hashsalt": "fercli",
}

Arguments = ParamSpec("Arguments")


Drawn = TypeVar("Drawn", Figure, Figure | None)


@contextmanager
def _our_style() -> Iterator[None]:
    """Our settings, whatever a user's matplotlibrc says; theirs are back afterwards."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def styled(draw: Callable[Arguments, Drawn]) -> Callable[Arguments, Drawn]:
    """A figure function that draws in our style and lays the figure out once and for all."""

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Drawn:
        with _our_style():
            figure = draw(*args, **kwargs)
            if figure is not None:
                # constrained layout moves a little with every drawing: without this the second SVG differs
                FigureCanvasAgg(figure)
                engine = figure.get_layout_engine()
                if engine is not None:
                    engine.execute(figure)
                figure.set_layout_engine("none")
            return figure

    return drawn


def quiet_grid(axes: Axes, axis: Literal["both", "x", "y"] = "y") -> None:
    """Thin lines behind the data."""
    axes.grid(True, axis=axis)
    axes.set_axisbelow(True)


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG at 200 dpi; the same bytes each time."""
    buffer = io.BytesIO()
    with _our_style():
        # the canvas itself, not `savefig`, which draws everything twice
        FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": "fercli"})
    return buffer.getvalue()


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG without date, version or random names; the same bytes each time."""
    buffer = io.BytesIO()
    dpi = figure.dpi
    with _our_style():
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    figure.dpi = dpi  # SVG is drawn at 72
    return buffer.getvalue()
