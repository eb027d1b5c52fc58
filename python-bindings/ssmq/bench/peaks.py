"""Limits of this machine: what threads read a second of some footprint, and what they multiply."""

import bisect
import json
import math
import re
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import Error
from ..machine import get_features
from ..output import scratch_directory

_SOURCE = Path(__file__).with_name("peaks.c")
_COMPILERS = ("clang-22", "clang", "gcc", "cc")
_FLAGS = {"avx512_vnni": ["-mavx512f", "-mavx512bw", "-mavx512vnni", "-mprefer-vector-width=512"],
          "avx_vnni": ["-mavxvnni"], "avx2": []}
MIB = 1 << 20


@dataclass(frozen=True)
class Peaks:
    vectors: str
    """The instructions that were measured, a key of _FLAGS."""
    threads: int
    fma: float
    """Operations a second in f32."""
    dot: float
    """Operations a second of int8 dot products."""
    read: dict[int, float]
    """Bytes a second by footprint in bytes."""

    def get_bandwidth(self, footprint: int) -> float:
        """Between measured footprints, by their logarithm; beyond, the nearest."""
        sizes = sorted(self.read)
        index = bisect.bisect(sizes, footprint)
        if index in (0, len(sizes)):
            return self.read[sizes[max(0, index - 1)]]
        low, high = sizes[index - 1], sizes[index]
        part = math.log(footprint / low) / math.log(high / low)
        return self.read[low] + part * (self.read[high] - self.read[low])

    def describe(self) -> str:
        reads = ", ".join(f"{rate / 1e9:.0f} GB/s of {size / MIB:.0f} MiB"
                          for size, rate in sorted(self.read.items()))
        return (f"{self.threads} threads with {self.vectors.replace('_', '-')}: f32 FMA "
                f"{self.fma / 1e9:.0f} GFLOP/s, int8 dot products {self.dot / 1e9:.0f} GOP/s, reads "
                f"{reads}")

    def to_dict(self) -> dict:
        return asdict(self)


def get_vectors() -> str:
    """The best that this processor has of the keys of _FLAGS."""
    features = get_features().split()
    for name in _FLAGS:
        if name in features:
            return name
    raise Error("the processor has no AVX2, for which peaks are measured")


def get_last_cache_bytes() -> int:
    """0 where the system does not tell."""
    sizes = [0]
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        found = re.fullmatch(r"(\d+)([KM])", path.read_text().strip())
        if found:
            sizes.append(int(found[1]) << (10 if found[2] == "K" else 20))
    return max(sizes)


def measure_peaks(threads: int, vectors: str | None = None) -> Peaks:
    """Takes about ten seconds. An Error when there is no C compiler."""
    vectors = vectors or get_vectors()
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if not compiler:
        raise Error(f"no C compiler is found ({', '.join(_COMPILERS)}); install one, or go without "
                    "peaks")
    footprints = {size * MIB for size in (1, 64, 128, 512)} | {get_last_cache_bytes()} - {0}
    with scratch_directory() as scratch:
        program = scratch / "peaks"
        command = [compiler, "-O2", "-std=gnu11", "-mavx2", "-mfma", *_FLAGS[vectors], "-pthread",
                   str(_SOURCE), "-o", str(program)]
        built = subprocess.run(command, capture_output=True, text=True)
        if built.returncode:
            raise Error(f"{compiler} cannot compile {_SOURCE.name}: {built.stderr.strip()[:200]}")
        sizes = [str(size) for size in sorted(footprints)]
        ran = subprocess.run([str(program), str(threads), *sizes], capture_output=True, text=True)
    if ran.returncode:
        raise Error(f"{_SOURCE.name} failed with exit code {ran.returncode}")
    found = json.loads(ran.stdout)
    read = {int(size): float(rate) for size, rate in found["read"].items()}
    return Peaks(vectors, threads, float(found["fma"]), float(found["dot"]), read)
