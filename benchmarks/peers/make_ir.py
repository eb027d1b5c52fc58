"""Exports a Hugging Face directory to OpenVINO's IR with states, and compresses its weights.

    make_ir.py MODEL OUT {f32,int8,int4}

Writes OUT/f32, OUT/int8 (symmetric, a channel a scale) or OUT/int4 (symmetric, 64 columns a scale),
all layers with embedding and head. Runs in the environment of setup-peers.

optimum-intel exports no mamba2: in its place goes a granitemoehybrid of the same mixers without
attention, with random weights and an MLP of 8 columns (0.3 % of the weights of mamba2-130m)."""

import json
import shutil
import sys
from pathlib import Path

import nncf
import openvino
from optimum.intel.openvino import OVModelForCausalLM

_STAND_IN = "as-granitemoehybrid"
MODES = {
    "int8": dict(mode=nncf.CompressWeightsMode.INT8_SYM),
    "int4": dict(mode=nncf.CompressWeightsMode.INT4_SYM, group_size=64, ratio=1.0, all_layers=True,
                 advanced_parameters=nncf.AdvancedCompressionParameters(
                     group_size_fallback_mode=nncf.GroupSizeFallbackMode.ADJUST)),
}


def make_stand_in(config: dict, directory: Path) -> None:
    """A checkpoint in place of a mamba2 one."""
    from transformers import GraniteMoeHybridConfig, GraniteMoeHybridForCausalLM

    layers = config["num_hidden_layers"]
    GraniteMoeHybridForCausalLM(GraniteMoeHybridConfig(
        vocab_size=config["vocab_size"], hidden_size=config["hidden_size"],
        num_hidden_layers=layers, layer_types=["mamba"] * layers,
        mamba_n_heads=config["num_heads"], mamba_d_head=config["head_dim"],
        mamba_d_state=config["state_size"], mamba_n_groups=config["n_groups"],
        mamba_d_conv=config["conv_kernel"], mamba_expand=config["expand"], num_attention_heads=12,
        num_key_value_heads=4, shared_intermediate_size=8, intermediate_size=8,
        num_local_experts=0, num_experts_per_tok=0, position_embedding_type="nope",
        tie_word_embeddings=config["tie_word_embeddings"])).save_pretrained(directory)


def main(model: Path, out: Path, format: str) -> None:
    new = out / "new"
    shutil.rmtree(new, ignore_errors=True)
    if format == "f32":
        config = json.loads((model / "config.json").read_text())
        if config["model_type"] == "mamba2":
            model = out / _STAND_IN
            make_stand_in(config, model)
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
