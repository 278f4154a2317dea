"""ONNX files that `fer export` wrote, read with care and run by onnxruntime."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config.export import DIGEST_KEY, FEATURES, PICTURES, PROBABILITIES, ExportedFacts
from fercli.errors import ArtifactError, EnvironmentFailure

# Every operator that the exporter writes. A file with another one, or with one of another domain, is not ours; none
# of these holds a graph of its own, loads a file or calls out.
OPERATORS = frozenset(
    {
        *("Abs", "Add", "ArgMax", "BatchNormalization", "Cast", "Concat", "Conv", "Div", "Equal", "Exp", "Flatten"),
        *("Gather", "Gemm", "GlobalAveragePool", "Identity", "Less", "Log", "MatMul", "Max", "MaxPool", "Mul"),
        *("ReduceMean", "ReduceSum", "Relu", "Reshape", "Sigmoid", "Sign", "Slice", "Softmax", "Sub", "Transpose"),
        *("Unsqueeze", "Where"),
    }
)
# Pixels or values at a time, so that memory stays small whatever the batch.
_AT_ONCE = 2**21
_MOST_ROWS = 256
INSTALL = 'pip install "fercli[onnx]"'


def onnx_packages() -> tuple[Any, Any]:
    """The modules onnx and onnxruntime. Raises EnvironmentFailure naming the pip line where one is missing."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise EnvironmentFailure(
            f"ONNX files need a package that is not installed: {error.name or error}",
            where="--format onnx, and models that end in .onnx",
            next_step=INSTALL,
        ) from None
    return onnx, onnxruntime


def onnx_facts(data: bytes, *, where: str) -> dict[str, Any]:
    """The metadata of an ONNX file, each value read as JSON; text that is no JSON stays text.

    Raises ArtifactError for bytes that are no ONNX model, for operators that the exporter does not write and for
    weights that stand in other files.
    """
    onnx, _ = onnx_packages()
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load_model_from_string(data)
        return _checked_facts(model, where)
    except (DecodeError, ValueError) as error:  # ValueError: names that are no UTF-8
        raise _damaged(f"no readable ONNX: {error}", where) from None


def _checked_facts(model: Any, where: str) -> dict[str, Any]:
    domains = {entry.domain for entry in model.opset_import} - {"", "ai.onnx"}
    strange = {f"{node.domain or 'ai.onnx'}.{node.op_type}" for node in model.graph.node if _strange(node)}
    if domains or strange or model.functions:
        named = sorted(strange) or sorted(domains) or [function.name for function in model.functions]
        raise ArtifactError(
            f"the ONNX file uses what fer export never writes: {', '.join(named[:5])}",
            where=where,
            next_step="give a file of fer export RUN --format onnx",
        )
    if any(tensor.external_data or tensor.data_location for tensor in _tensors(model)):
        raise ArtifactError(
            "the ONNX file keeps weights in other files, which are not read",
            where=where,
            next_step="give a file of fer export RUN --format onnx, which is one file",
        )
    facts = {entry.key: _value(entry.value) for entry in model.metadata_props}
    stated = facts.pop(DIGEST_KEY, None)
    if stated is not None and stated != weights_digest(model.graph.initializer):
        raise _damaged("its weights are not those that were written", where)
    return facts


def weights_digest(tensors: Iterable[Any]) -> str:
    """sha256 over names, types, shapes and values of ONNX tensors, in their order."""
    digest = hashlib.sha256()
    for tensor in tensors:
        head = f"{tensor.name}\0{tensor.data_type}\0{list(tensor.dims)}\0{len(tensor.raw_data)}\0"
        digest.update(head.encode() + tensor.raw_data + b"\0".join(tensor.string_data))
    return digest.hexdigest()


def onnx_scores(
    data: bytes, facts: ExportedFacts, *, where: str, device: str, threads: int | None
) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """A function from a batch as `facts` describe it to (n, C) float32 probabilities.

    Raises ArtifactError where onnxruntime cannot load the model or its inputs and outputs are not those that the
    facts say, EnvironmentFailure for a device that onnxruntime was not built for.
    """
    _, onnxruntime = onnx_packages()
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its own talk on stderr; failures are raised
    wanted = os.environ.get("OMP_NUM_THREADS", "")  # where `--threads` stands; 0 = as many as there are cores
    options.intra_op_num_threads = threads or (int(wanted) if wanted.isdecimal() else 0)
    # Threads that wait by spinning cost the neighbours their cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NotImplemented", "RuntimeException")
    # ValueError: names that are no UTF-8
    failures = (ValueError, *(getattr(states, name) for name in names))
    providers = _providers(onnxruntime, device)
    name = PICTURES if facts.input == "pixels" else FEATURES
    try:
        # Its fallback prints, and would run on the CPU what was asked of a GPU.
        session = onnxruntime.InferenceSession(data, options, providers=providers, enable_fallback=0)
        _check_ends(session, facts, name, where)
    except failures as error:
        raise _damaged(
            f"onnxruntime does not load it: {(str(error) or type(error).__name__).splitlines()[0]}", where
        ) from None
    wanted = providers[0] if isinstance(providers[0], str) else providers[0][0]
    if session.get_providers()[0] != wanted:
        raise EnvironmentFailure(
            f"onnxruntime could not start on the device {device}",
            where=f"it would run on {', '.join(session.get_providers())}",
            next_step="take --device cpu, or install what this onnxruntime needs of CUDA",
        )
    kind = np.uint8 if facts.input == "pixels" else np.float32

    def scores(batch: NDArray[Any]) -> NDArray[np.float32]:
        each = facts.views * int(np.prod(batch.shape[1:]))
        step = max(1, min(_MOST_ROWS // facts.views, _AT_ONCE // each))
        parts = []
        for start in range(0, len(batch), step):
            part = np.ascontiguousarray(batch[start : start + step], dtype=kind)
            try:
                parts.append(session.run([PROBABILITIES], {name: part})[0])
            except failures as error:
                raise _damaged(
                    f"onnxruntime does not run it: {(str(error) or type(error).__name__).splitlines()[0]}", where
                ) from None
        return np.concatenate(parts).astype(np.float32, copy=False)

    return scores


def _check_ends(session: Any, facts: ExportedFacts, name: str, where: str) -> None:
    """The model's input and output are those that its metadata say."""
    if facts.input == "columns":
        shape: list[Any] = [facts.columns]
    else:
        shape = [*(facts.size or ()), *([3] if facts.channels == 3 else [])]
    inputs = {entry.name: (entry.type, entry.shape[1:]) for entry in session.get_inputs()}
    wanted = {name: ("tensor(uint8)" if facts.input == "pixels" else "tensor(float)", shape)}
    outputs = {entry.name: (entry.type, entry.shape[1:]) for entry in session.get_outputs()}
    if inputs != wanted or outputs.get(PROBABILITIES) != ("tensor(float)", [len(facts.classes)]):
        raise _damaged("what it says of itself is not what its model is", where)


def _providers(onnxruntime: Any, device: str) -> list[Any]:
    kind, _, index = device.partition(":")
    if kind in ("cpu", "auto"):
        return ["CPUExecutionProvider"]
    there = onnxruntime.get_available_providers()
    if kind == "cuda" and "CUDAExecutionProvider" in there:
        # Without TF32, as the run itself is scored.
        return [("CUDAExecutionProvider", {"device_id": int(index or 0), "use_tf32": 0}), "CPUExecutionProvider"]
    raise EnvironmentFailure(
        f"this onnxruntime cannot use the device {device}",
        where=f"it has {', '.join(there)}",
        next_step="take --device cpu, or install onnxruntime-gpu, or use the run or its .safetensors",
    )


def _strange(node: Any) -> bool:
    return node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx")


def _tensors(model: Any) -> Iterator[Any]:
    yield from model.graph.initializer
    for sparse in model.graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in model.graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return text


def _damaged(reason: str, where: str) -> ArtifactError:
    return ArtifactError(
        f"the exported model cannot be used: {reason}", where=where, next_step="export the run again, or restore a copy"
    )
