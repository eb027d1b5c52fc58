"""The machine that a measurement was made on, in words."""

import os
from pathlib import Path


# Of all that /proc/cpuinfo lists, what code is generated for.
_FEATURES = ("sse4", "avx", "fma", "f16c", "bmi", "amx", "vnni", "gfni")


def _read(field: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(field):
            return line.split(":", 1)[1].strip()
    return ""


def get_processor() -> str:
    return _read("model name") or "unknown processor"


def get_features() -> str:
    return " ".join(sorted(name for name in _read("flags").split() if name.startswith(_FEATURES)))


def get_threads() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def describe() -> str:
    return f"{get_processor()}, {get_threads()} cores"
