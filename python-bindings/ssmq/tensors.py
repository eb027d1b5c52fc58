"""Tensors of safetensors files, read and written one at a time.

The files were checked when the model was loaded: this only finds the bytes.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

_BFLOAT16 = "BF16"
_FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16, _BFLOAT16: np.uint16}
_ALIGNMENT = 8


@dataclass(frozen=True)
class Layout:
    """Of a tensor; `dtype` as safetensors spells it."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def is_float(self) -> bool:
        return self.dtype in _FLOATS

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Values of f32 in the type of this tensor of floats; bf16 is cut off."""
        if self.dtype == _BFLOAT16:
            return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        return values.astype(_FLOATS[self.dtype])


@dataclass(frozen=True)
class StoredTensor:
    layout: Layout
    file: Path
    begin: int
    end: int

    def read_bytes(self) -> np.ndarray:
        return np.memmap(self.file, np.uint8, "r", self.begin, (self.end - self.begin,))

    def read(self) -> np.ndarray:
        """The values of a tensor of floats in f32."""
        values = np.frombuffer(self.read_bytes(), _FLOATS[self.layout.dtype])
        if self.layout.dtype == _BFLOAT16:
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(np.float32).reshape(self.layout.shape)


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
                tensors[name] = StoredTensor(Layout(one["dtype"], tuple(one["shape"])), path,
                                             begin, end)
    return tensors


def write(path: Path, layouts: Mapping[str, tuple[Layout, int]],
          get: Callable[[str], np.ndarray]) -> None:
    """Writes tensors one after another; each comes with its number of bytes, which `get` gives."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (layout, size) in layouts.items():
        header[name] = {"dtype": layout.dtype, "shape": list(layout.shape),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in layouts:
            file.write(np.ascontiguousarray(get(name)).data)


def write_floats(path: Path, layouts: Mapping[str, Layout],
                 get: Callable[[str], np.ndarray]) -> None:
    """Writes tensors of floats from values of f32."""
    sizes = {name: (layout, prod(layout.shape) * np.dtype(_FLOATS[layout.dtype]).itemsize)
             for name, layout in layouts.items()}
    write(path, sizes, lambda name: layouts[name].encode(get(name)))
