"""Tensors of safetensors files, read and written one at a time.

The files were checked when the model was loaded: this only finds the bytes.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

_BFLOAT16 = "BF16"
_FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16, _BFLOAT16: np.uint16}
_ALIGNMENT = 8


@dataclass(frozen=True)
class StoredTensor:
    file: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def is_float(self) -> bool:
        return self.dtype in _FLOATS

    def read_bytes(self) -> np.ndarray:
        return np.memmap(self.file, np.uint8, "r", self.begin, (self.end - self.begin,))

    def read(self) -> np.ndarray:
        """The values of a tensor of floats in f32."""
        values = np.frombuffer(self.read_bytes(), _FLOATS[self.dtype])
        if self.dtype == _BFLOAT16:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(np.float32).reshape(self.shape)


def open_checkpoint(directory: Path) -> dict[str, StoredTensor]:
    """All tensors of a directory's safetensors files."""
    tensors = {}
    for path in sorted(directory.glob("*.safetensors")):
        with path.open("rb") as file:
            start = 8 + int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(start - 8))
        for name, one in header.items():
            if name != "__metadata__":
                begin, end = (start + offset for offset in one["data_offsets"])
                tensors[name] = StoredTensor(path, one["dtype"], tuple(one["shape"]), begin, end)
    return tensors


def write_checkpoint(path: Path, tensors: dict[str, StoredTensor],
                     change: Callable[[str, np.ndarray], np.ndarray]) -> None:
    """Writes all tensors, floats as f32 after `change`, others as they are."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, one in tensors.items():
        size = 4 * prod(one.shape) if one.is_float else one.end - one.begin
        header[name] = {"dtype": "F32" if one.is_float else one.dtype, "shape": list(one.shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, one in tensors.items():
            values = change(name, one.read()) if one.is_float else one.read_bytes()
            file.write(np.ascontiguousarray(values).data)
