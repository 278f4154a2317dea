"""An ONNX graph under construction: nodes by name, constants, metadata; one opset, standard operators only."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import EnvironmentFailure

# Opset 17 is read by onnxruntime from 1.12 and by every runtime of the last years; nothing here needs a later one.
OPSET = 17
# The version of the file's own form that belongs to the opset.
IR_VERSION = 8
BATCH = "N"


class Graph:
    """Nodes and constants; `op` and `constant` give names of values, which later nodes take."""

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError as error:
            raise EnvironmentFailure(
                f"ONNX files need a package that is not installed: {error.name or error}",
                where="--format onnx",
                next_step='pip install "fercli[onnx]"',
            ) from None
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []

    def input(self, name: str, dtype: str, shape: Sequence[int]) -> str:
        """A further input (N, *shape), of a NumPy dtype by name."""
        self._inputs.append(self._value(name, dtype, shape))
        return name

    def output(self, value: str, name: str, dtype: str, shape: Sequence[int]) -> None:
        """`value` leaves the graph as `name`, of shape (N, *shape)."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._value(name, dtype, shape))

    def constant(self, array: NDArray[Any]) -> str:
        """An array that the graph holds; text becomes an ONNX string tensor."""
        name = f"constant{len(self._constants)}"
        values = np.asarray(array, order="C")
        if values.dtype.kind == "U":
            values = values.astype(object)
        self._constants.append(self._onnx.numpy_helper.from_array(values, name))
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The one output of a new node."""
        name = f"{kind}{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def cast(self, value: str, dtype: str) -> str:
        """`value` as another NumPy dtype."""
        return self.op("Cast", value, to=self._type(dtype))

    def integers(self, *values: int) -> str:
        """A vector of int64, as shapes and places are given."""
        return self.constant(np.array(values, dtype=np.int64))

    def sliced(self, value: str, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int]) -> str:
        """The part from `starts` to `ends` along `axes`."""
        return self.op("Slice", value, self.integers(*starts), self.integers(*ends), self.integers(*axes))

    @property
    def constants(self) -> list[Any]:
        """The arrays that the graph holds, as ONNX tensors."""
        return list(self._constants)

    def bytes(self, name: str, metadata: Mapping[str, str], *, producer: str) -> bytes:
        """The checked model as one file. Equal graphs give equal bytes."""
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="fercli",
            producer_version=producer,
            ir_version=IR_VERSION,
        )
        for key, value in metadata.items():
            entry = model.metadata_props.add()
            entry.key, entry.value = key, value
        self._onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString(deterministic=True)
        return data

    def _value(self, name: str, dtype: str, shape: Sequence[int]) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, self._type(dtype), [BATCH, *shape])

    def _type(self, dtype: str) -> int:
        if dtype == "str":
            return int(self._onnx.TensorProto.STRING)
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
