"""The filters of local phase quantisation: 1-D windows, their covariance and the whitening rotation."""

from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from fercli.config.descriptors import Frequency
from fercli.errors import InputError

FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)
TIE = 1e-9 * 255
"""A response within this share of sum|kernel| of zero is a tie and counts as zero."""

_CORRELATION = 0.9
# Products of (filter over y, filter over x), each one of 0: w0, 1: Re w1, 2: Im w1. The first four are even
# functions of the window, the others odd; no even response correlates with an odd one.
PRODUCTS = ((0, 1), (1, 0), (1, 1), (2, 2), (0, 2), (2, 0), (1, 2), (2, 1))
# Re and Im of R1..R4 in those products: R1 = w0 w1, R2 = w1 w0, R3 = w1 w1, R4 = w1 conj(w1).
_EVEN_PARTS = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -1], [0, 0, 1, 1]], dtype=np.float64)
_ODD_PARTS = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1], [0, 0, -1, 1]], dtype=np.float64)


@dataclass(frozen=True)
class Filters:
    """What a window size, a frequency estimator and decorrelation come to.

    taps: (3, n) float64, w0, Re w1, Im w1, flipped as a convolution does; rows 0 and 1 are even, row 2 odd.
    responses: F1..F8, each as (index into `PRODUCTS`, weight) of the products that it sums; scaled by a positive
    number (only signs are asked for) so that the first weight is 1 or -1 and the largest.
    ties: the largest |F| of each that counts as zero, scaled alike.
    """

    taps: NDArray[np.float64]
    responses: tuple[tuple[tuple[int, float], ...], ...]
    ties: tuple[float, ...]


def windows(size: int, frequency: Frequency) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """w0 (n,) and w1 (n,) of the window -r..r, as in lpq.m of 2010 (frequency estimators 1, 2 and 3).

    Even and odd symmetry, which the formulas have, is enforced to the last bit.
    """
    radius = (size - 1) // 2
    x = np.arange(-radius, radius + 1, dtype=np.float64)
    wave = np.exp(-2j * np.pi * x / size)
    if frequency == "uniform":
        w0, w1 = np.ones(size), wave
    elif frequency == "gaussian":
        spread = (size - 1) / 4
        w0 = np.exp(-(x**2) / (2 * spread**2)) / (np.sqrt(2 * np.pi) * spread)
        w1 = w0 * wave
        w1 = w1 - w1.mean()
    else:
        spread = 8 / (size - 1)
        low = np.exp(-(spread**2) * x**2) ** 2
        band = np.where(x > 0, x * np.exp(-(spread**2) * x**2), 0.0)
        w0 = np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(low / low.max()))).real
        w1 = np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(band / band.max())))
        w0 = w0 / w0.max()
        peak = w1[np.argmax(np.abs(w1))]
        w1 = w1 / max(abs(peak.real), abs(peak.imag))
    return (w0 + w0[::-1]) / 2, (w1 + np.conj(w1[::-1])) / 2


def kernels(size: int, frequency: Frequency) -> NDArray[np.float64]:
    """(8, n, n) 2-D kernels (y, x) of F1..F8, not flipped."""
    w0, w1 = windows(size, frequency)
    planes = (np.outer(w0, w1), np.outer(w1, w0), np.outer(w1, w1), np.outer(w1, np.conj(w1)))
    return np.array([part for plane in planes for part in (plane.real, plane.imag)])


def covariance(size: int, frequency: Frequency) -> NDArray[np.float64]:
    """(8, 8) covariance D of F1..F8 when pixels correlate by 0.9 to the power of their distance."""
    rows = kernels(size, frequency).reshape(8, -1)
    y, x = (axis.ravel() for axis in np.mgrid[:size, :size])
    distance = np.hypot(y[:, None] - y, x[:, None] - x)
    return rows @ _CORRELATION**distance @ rows.T


def rotation(size: int, frequency: Frequency) -> NDArray[np.float64]:
    """(8, 8) V^T of the whitening transform: rows are components, singular values falling.

    Two pairs of odd components of D are exactly degenerate; the original's A = diag(1.000007 .. 1) picks their
    basis. The sign of a row is LAPACK's whim; here, as in the later copies of lpq.m, the entry of largest
    magnitude is positive. Entries between even and odd components are zero but for rounding, and set so.
    """
    scale = 1 + np.arange(7, -1, -1) * 1e-6
    transposed = np.linalg.svd(covariance(size, frequency) * np.outer(scale, scale))[2]
    largest = transposed[np.arange(8), np.argmax(np.abs(transposed), axis=1)]
    turned = np.where(largest[:, None] < -np.finfo(np.float64).eps, -transposed, transposed)
    return np.where(np.abs(turned) < 1e-11, 0.0, turned)


@lru_cache(maxsize=64)
def filters(size: int, frequency: Frequency, decorrelate: bool) -> Filters:
    """The filters of one setting, computed once; raises InputError for a size or frequency there is none of."""
    if size < 3 or size % 2 == 0:
        raise InputError(f"an LPQ window must be an odd number of pixels from 3 on, not {size}")
    if frequency not in FREQUENCIES:
        raise InputError(f"an LPQ frequency is one of {', '.join(FREQUENCIES)}, not {frequency}")
    w0, w1 = windows(size, frequency)
    mix = rotation(size, frequency) if decorrelate else np.eye(8)
    planes = np.tensordot(mix, kernels(size, frequency), axes=1)
    weights = np.hstack([mix[:, 0::2] @ _EVEN_PARTS, mix[:, 1::2] @ _ODD_PARTS])
    largest = np.abs(weights).max(axis=1)
    weights /= largest[:, None]
    order = np.argsort(-np.abs(weights), axis=1, kind="stable")
    return Filters(
        taps=np.array([w0, w1.real, w1.imag])[:, ::-1].copy(),
        responses=tuple(
            tuple((int(product), float(row[product])) for product in places if row[product])
            for row, places in zip(weights, order, strict=True)
        ),
        ties=tuple((TIE * np.abs(planes).sum(axis=(1, 2)) / largest).tolist()),
    )
