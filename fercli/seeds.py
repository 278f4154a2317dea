"""Randomness as a function of names and numbers, never of a generator's history."""

import hashlib

import numpy as np


def _entropy(seed: int, path: tuple[str | int, ...]) -> list[int]:
    """Eight 32-bit words; a digest, because unlike `hash()` it is the same in every process."""
    text = "\x1f".join([str(int(seed)), *(f"{type(part).__name__}:{part}" for part in path)])
    digest = hashlib.sha256(text.encode()).digest()
    return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)]


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """Random generator for one step, named by its path, e.g. `generator(seed, "bp.init", repeat, fold, unit)`.

    The same seed and path give the same stream in every process, whatever was drawn before or beside it.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(_entropy(seed, path))))


def integer(seed: int, *path: str | int) -> int:
    """A non-negative integer below 2**31 for engines that take a plain seed (scikit-learn, torch)."""
    return _entropy(seed, path)[0] & 0x7FFFFFFF
