"""Exports a Hugging Face directory to OpenVINO's IR with states, and compresses its weights.

    make_ir.py MODEL OUT {f32,int8,int4}

Writes OUT/f32, OUT/int8 (symmetric, a channel a scale) or OUT/int4 (symmetric, 64 columns a scale),
all layers with embedding and head. Runs in the environment of setup-peers."""

import shutil
import sys
from pathlib import Path

import nncf
import openvino
from optimum.intel.openvino import OVModelForCausalLM

MODES = {
    "int8": dict(mode=nncf.CompressWeightsMode.INT8_SYM),
    "int4": dict(mode=nncf.CompressWeightsMode.INT4_SYM, group_size=64, ratio=1.0, all_layers=True,
                 advanced_parameters=nncf.AdvancedCompressionParameters(
                     group_size_fallback_mode=nncf.GroupSizeFallbackMode.ADJUST)),
}


def main(model: Path, out: Path, format: str) -> None:
    new = out / "new"
    shutil.rmtree(new, ignore_errors=True)
    if format == "f32":
        exported = OVModelForCausalLM.from_pretrained(model, export=True, compile=False,
                                                      use_cache=True, load_in_8bit=False)
        exported.save_pretrained(new)
    else:
        if not (out / "f32").exists():
            main(model, out, "f32")
        ir = openvino.Core().read_model(out / "f32" / "openvino_model.xml")
        new.mkdir()
        openvino.save_model(nncf.compress_weights(ir, **MODES[format]), new / "openvino_model.xml",
                            compress_to_fp16=False)
    new.rename(out / format)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[3] not in ("f32", *MODES):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
