"""Finds calls in source text whose result depends on more than their arguments: what `test_random_calls` looks for."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

# Full names, as imported, that draw from a generator which nobody seeded for the purpose, or reach for one.
DRAWING = re.compile(
    r"""numpy\.random(?!\.Generator\b)(\..+)?
    |random(\..+)?|secrets(\..+)?|uuid(\..+)?|os\.(urandom|getrandom)|hash
    |torch\.(cuda\.|mps\.|xpu\.)?(rand\w*|normal|bernoulli|multinomial|poisson|manual_seed\w*|seed\w*|initial_seed
        |Generator|default_generators?(\.\w+)?|_get_default_mps_generator|[gs]et_rng_state\w*|random(\..+)?)
    |torch\.nn(\.functional)?\.(\w*[dD]ropout\w*|rrelu|RReLU|gumbel_softmax|fractional_max_pool\w+|FractionalMaxPool\w+)
    |torch\.nn\.init(\.\w+)?|torch\.utils\.data(\..+)?|torchvision\.ops\.(stochastic_depth|StochasticDepth|drop_block\w+)
    |torchvision\.transforms(\.v2)?\.(Random\w+|AutoAugment|RandAugment|TrivialAugmentWide|AugMix|ColorJitter|MixUp|CutMix)
    |cv2\.(rand\w*|setRNGSeed|theRNG|kmeans)|sklearn\.utils\.check_random_state""",
    re.VERBOSE,
)
# Methods of tensors that fill them by chance.
FILLING = re.compile(
    r"(normal|uniform|random|bernoulli|exponential|geometric|cauchy|log_normal|(kaiming|xavier|trunc)_\w+)_"
)
# Arguments by which what would draw is told where from.
SEEDS = ("random_state", "rng", "seed")
# Packages whose signatures are asked for such an argument.
ASKED = ("sklearn", "scipy", "skimage", "joblib")


@dataclass(frozen=True)
class Draw:
    """A name that draws, at a line; `name` as it would be imported."""

    name: str
    line: int


def draws(source: str) -> list[Draw]:
    """Every use of such a name, wherever in the source, by its line."""
    tree = ast.parse(source)
    known = dict(_imported(tree))
    found = set()
    # Of `a.b.c` only the whole is a use; of `a.b(x).c` both are.
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            # A star hides what it brings.
            names = [name for name in _names(node) if DRAWING.fullmatch(name) or name.endswith(".*")]
            found |= {Draw(name, node.lineno) for name in names}
        elif isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            name = _full_name(node, known)
            if name is not None and DRAWING.fullmatch(name):
                found.add(Draw(name, node.lineno))
        if isinstance(node, ast.Attribute) and FILLING.fullmatch(node.attr) and _full_name(node, known) is None:
            found.add(Draw("." + node.attr, node.lineno))
        if isinstance(node, ast.Call) and (name := _unseeded(node, known)) is not None:
            found.add(Draw(name, node.lineno))
    return sorted(found, key=lambda draw: (draw.line, draw.name))


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names if node.module and node.level == 0]


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Local name and full name of everything imported, inside functions too."""
    yield "hash", "hash"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            for alias, name in zip(node.names, _names(node), strict=False):
                yield alias.asname or alias.name, name


def _full_name(node: ast.expr, known: dict[str, str]) -> str | None:
    """`np.random.rand` as `numpy.random.rand`; None for what hangs on no import."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in known:
        return None
    return ".".join([known[node.id], *reversed(parts)])


def _unseeded(call: ast.Call, known: dict[str, str]) -> str | None:
    """The name of what is called, where it takes a seed and gets none."""
    name = _full_name(call.func, known)
    if name is None or name.split(".")[0] not in ASKED:
        return None
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given:
        return None  # **options: what they hold is not in the source
    values = [given[argument] for argument in SEEDS if argument in given]
    if any(not isinstance(value, ast.Constant) or value.value is not None for value in values):
        return None
    return f"{name} without a seed" if _takes_a_seed(name) else None


@cache
def _takes_a_seed(name: str) -> bool:
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = import_module(".".join(parts[:cut]))
            for part in parts[cut:]:
                found = getattr(found, part)
            parameters = inspect.signature(found).parameters
        except (ImportError, AttributeError, ValueError, TypeError):
            continue
        return not parameters.keys().isdisjoint(SEEDS)
    return False
