"""Safetensors files of the standard library alone, so that tests are fast."""

import json
import struct


def write(path, tensors):
    """`tensors` maps names to (dtype, shape, bytes)."""
    header, block = {}, b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(block), len(block) + len(data)]}
        block += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text + block)
