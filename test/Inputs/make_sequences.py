"""Write tiny seeded labelled sequences (ssmq/Measure/SequenceSet.h).

    make_sequences.py FILE SEQUENCES STEPS FEATURES CLASSES

Odd sequences are one step shorter. Only the standard library is used, so that a test is fast.
"""

import json
import random
import struct
import sys


def main():
    path, count, steps, features, classes = sys.argv[1], *map(int, sys.argv[2:])
    generator = random.Random(11)
    tensors = {
        "inputs": ("F32", [count, steps, features],
                   struct.pack(f"<{count * steps * features}f",
                               *(generator.gauss(0, 1) for _ in range(count * steps * features)))),
        "labels": ("I64", [count], struct.pack(f"<{count}q", *(
            generator.randrange(classes) for _ in range(count)))),
        "lengths": ("I64", [count], struct.pack(f"<{count}q",
                                                *(steps - i % 2 for i in range(count)))),
    }
    header, block = {}, b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(block), len(block) + len(data)]}
        block += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text + block)


if __name__ == "__main__":
    main()
