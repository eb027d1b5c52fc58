"""Write tiny seeded labelled sequences (ssmq/Measure/SequenceSet.h).

    make_sequences.py FILE SEQUENCES STEPS FEATURES CLASSES

Odd sequences are one step shorter.
"""

import random
import struct
import sys

import tensor_file


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
    tensor_file.write(path, tensors)


if __name__ == "__main__":
    main()
