"""Two classes of instructions to measure with, and how each engine is kept to them."""

from dataclasses import dataclass, field

from ssmq.bench.peaks import get_vectors
from ssmq.machine import get_features


@dataclass(frozen=True)
class Isa:
    name: str
    executed: str
    """What runs here, in words."""
    vectors: str
    """As bench/peaks.py names them."""
    llama_build: str
    """The build of llama.cpp that setup-peers made."""
    environment: dict[str, str] = field(default_factory=dict)
    """Of torch, oneDNN and OpenVINO."""
    compile_options: dict[str, str] = field(default_factory=dict)
    """Of our Model.compile."""


def get_isa(name: str) -> Isa:
    """`host`, or `lunarlake`: AVX2 with AVX-VNNI, and AVX2 alone where the host lacks the latter."""
    vectors = get_vectors()
    if name == "host":
        return Isa(name, "all features of the host", vectors, "native")
    has_vnni = "avx_vnni" in get_features().split()
    capped = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
              "ONEDNN_MAX_CPU_ISA": "AVX2_VNNI" if has_vnni else "AVX2",
              "DNNL_MAX_CPU_ISA": "AVX2_VNNI" if has_vnni else "AVX2"}
    if has_vnni:
        # Lunar Lake itself has AVX-VNNI-INT8 too, which a host with AVX-VNNI may lack.
        return Isa(name, "AVX2 and AVX-VNNI", "avx_vnni", "avx-vnni", capped, {"target": "alderlake"})
    return Isa(name, "AVX2 alone, for this processor has no AVX-VNNI", "avx2", "avx2", capped,
               {"target": "x86-64-v3"})


