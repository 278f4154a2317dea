"""A model as one .safetensors file that describes itself, or as a small folder of files."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from fercli.config.export import DIGEST_KEY, HEADER_KEY
from fercli.errors import InputError

Arrays = Mapping[str, NDArray[Any]]


def halved(weights: Arrays) -> dict[str, NDArray[Any]]:
    """Matrices and kernels as float16, everything else as it is.

    Vectors (biases, batch norm and its statistics) are few and sensitive, so they keep their precision. Raises
    InputError where a weight is too large for float16.
    """
    found: dict[str, NDArray[Any]] = {}
    for name, array in weights.items():
        if array.dtype != np.float32 or array.ndim < 2:
            found[name] = array
            continue
        if np.abs(array).max(initial=0) > np.finfo(np.float16).max:
            raise InputError(
                f"a weight of {name} is too large for float16: {np.abs(array).max():.3g}",
                where="--half",
                next_step="leave --half out",
            )
        found[name] = array.astype(np.float16)
    return found


def weights_bytes(weights: Arrays) -> bytes:
    """The arrays as a .safetensors file without a header of ours, as a run's folder has them."""
    data: bytes = save({name: np.asarray(array, order="C") for name, array in weights.items()})
    return data


def single_file(tensors: Arrays, facts: Mapping[str, Any], model: Mapping[str, Any]) -> bytes:
    """One file whose header holds what the model says of itself, its `model.json`, and the hash of the weights."""
    plain = weights_bytes(tensors)
    digest = hashlib.sha256(plain[8 + int.from_bytes(plain[:8], "little") :]).hexdigest()
    header = json.dumps({"export": facts, "model": model, DIGEST_KEY: digest}, sort_keys=True)
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    data: bytes = save(arrays, metadata={HEADER_KEY: header})
    return data
