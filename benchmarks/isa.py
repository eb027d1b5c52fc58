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
    openvino_properties: dict[str, str | int] = field(default_factory=dict)
    compile_options: dict[str, str] = field(default_factory=dict)
    """Of our Model.compile."""


def get_isa(name: str) -> Isa:
    """`host`, or `lunarlake`: AVX2 with AVX-VNNI, and AVX2 alone where the host lacks the latter."""
    vectors = get_vectors()
    if name == "host":
        return Isa(name, "all features of the host", vectors, "native")
    if "avx_vnni" in get_features().split():
        # Lunar Lake itself has AVX-VNNI-INT8 too, which a host with AVX-VNNI may lack.
        return _cap(name, "AVX2 and AVX-VNNI", "avx_vnni", "avx-vnni", "AVX2_VNNI", "alderlake")
    isa = _cap(name, "AVX2 alone, for this processor has no AVX-VNNI", "avx2", "avx2", "AVX2",
               "x86-64-v3")
    # As OpenVINO does on a processor without VNNI.
    isa.openvino_properties["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = 0
    return isa


def _cap(name: str, executed: str, vectors: str, llama_build: str, onednn: str,
         target: str) -> Isa:
    environment = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
                   "ONEDNN_MAX_CPU_ISA": onednn, "DNNL_MAX_CPU_ISA": onednn}
    # OpenVINO asks the host, not oneDNN, whether it has bf16, and then finds no such kernel.
    return Isa(name, executed, vectors, llama_build, environment,
               {"INFERENCE_PRECISION_HINT": "f32"}, {"target": target})
