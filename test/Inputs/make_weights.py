"""Writes seeded random weights for the external globals of an .mlir file: make_weights.py IN OUT.

Names that end in `scales` get small positive values, in `zero_points` small codes, in `norm` values
around one, quantized types and `codes` random packed bytes; everything else lies in [-0.5, 0.5]. Every
fifth row (value, of a vector) of names that start with `loud` is 20 times as large.
"""
import random
import re
import struct
import sys

import tensor_file

GLOBAL = re.compile(r"ml_program\.global private @([\w.]+)\(#ml_program\.extern : tensor<(.*?)>\)")
DTYPES = {"f32": "F32", "f16": "F16", "bf16": "BF16", "i8": "I8"}


def draw(name):
    rng = random.Random(name)
    if name.endswith("scales"):
        return lambda: rng.uniform(0.01, 0.05)
    if name.endswith("norm"):
        return lambda: rng.uniform(0.5, 1.5)
    return lambda: rng.uniform(-0.5, 0.5)


def pack(name, shape, kind):
    count = 1
    for dim in shape:
        count *= dim
    next_value = draw(name)
    values = [next_value() for _ in range(count)]
    if name.startswith("loud"):
        values = [value * (1 if i * shape[0] // count % 5 else 20)
                  for i, value in enumerate(values)]
    if kind == "f32":
        return struct.pack(f"<{count}f", *values)
    if kind == "f16":
        return struct.pack(f"<{count}e", *values)
    if kind == "bf16":  # truncated f32
        words = struct.pack(f"<{count}f", *values)
        return b"".join(words[i + 2:i + 4] for i in range(0, len(words), 4))
    rng = random.Random(name)
    if name.endswith("codes"):
        return rng.randbytes(count)
    return bytes(rng.randrange(-4, 4) & 0xFF for _ in range(count))


def main(source, target):
    tensors = {}
    for name, text in GLOBAL.findall(open(source).read()):
        *dims, kind = re.split(r"x(?=\d|f|bf|i|!)", text)
        shape = [int(dim) for dim in dims]
        quantized = re.fullmatch(r"!quant\.any<i(\d):f32>", kind)
        if quantized:
            columns = 1
            for dim in shape[1:]:
                columns *= dim
            shape = [shape[0], (columns * int(quantized[1]) + 7) // 8]
            chunk, dtype = random.Random(name).randbytes(shape[0] * shape[1]), "U8"
        else:
            chunk, dtype = pack(name, shape, kind), DTYPES[kind]
        tensors[name] = dtype, shape, chunk
    tensor_file.write(target, tensors)


main(*sys.argv[1:])
