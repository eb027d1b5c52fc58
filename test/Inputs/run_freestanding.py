"""Links a freestanding object without a C library, feeds it a sequence and compares its logits.

run_freestanding.py FOLDER SEQUENCES INDEX LOGITS.safetensors TOLERANCE CLANG [RUNNER -- OPTIONS...]

FOLDER holds model.o and model.h; TOLERANCE is absolute.
"""
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

folder, sequences, index, logits, tolerance, clang, *rest = sys.argv[1:]
runner, options = (rest[0], rest[2:]) if rest else ("", [])
folder, index = Path(folder), int(index)
program = folder / "program"
flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static",
         "-fuse-ld=lld", "-fno-stack-protector", "-fno-builtin"]
subprocess.run([clang, *flags, *options, f"-I{folder}", Path(__file__).with_name("freestanding.c"),
                folder / "model.o", "-o", program], check=True)
tensors = load_file(sequences)
features = tensors["inputs"][index]
if "lengths" in tensors:
    features = features[:tensors["lengths"][index]]
result = subprocess.run([runner, program] if runner else [program],
                        input=features.astype(np.float32).tobytes(), capture_output=True, check=True)
found = np.frombuffer(result.stdout, np.float32)
expected = load_file(logits)["logits"].ravel()
np.testing.assert_allclose(found, expected, rtol=0, atol=float(tolerance))
print(f"largest difference {np.abs(found - expected).max():.3g}")
