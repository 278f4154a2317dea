"""What happens to feature columns between the descriptors and a classifier, fitted anew in every fold."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from fercli.config.base import Config

Scaling = Literal["zscore", "minmax", "none"]


def _components_or_fraction(value: int | float | None) -> int | float | None:
    if isinstance(value, float) and value.is_integer() and value >= 2:
        value = int(value)
    if value is None or (isinstance(value, int) and value >= 1) or 0 < value < 1:
        return value
    raise ValueError("give a number of components from 1, or a fraction of the variance between 0 and 1")


# Components per block (an integer from 1), the fraction of variance to keep (between 0 and 1), or None.
Components = Annotated[int | float | None, AfterValidator(_components_or_fraction)]


class PreprocessingConfig(Config):
    """PCA per block, then the log of skewed columns, then scaling; see `preprocessing/foldwise.py`.

    log: `auto` (columns more skewed than an exponential distribution), `none`, or names of columns.
    """

    pca: Components = None
    log: Literal["auto", "none"] | tuple[str, ...] = "auto"
    scaling: Scaling = "zscore"
