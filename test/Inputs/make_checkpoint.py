"""Write a tiny seeded checkpoint of one model family, whole or with a fault.

    make_checkpoint.py FAMILY DIRECTORY [KEY=VALUE ...] [FAULT ...]

KEY=VALUE sets a key of config.json (VALUE is JSON; an empty VALUE removes the key). Faults:
drop=TENSOR, nan=TENSOR, shape=TENSOR (one row more), type=TENSOR (i32), extra=TENSOR, truncate,
no-config, no-weights. Only the standard library is used, so that a test is fast.
"""

import json
import random
import struct
import sys
from pathlib import Path

HYBRID = {
    "hidden_size": 8, "vocab_size": 11, "num_hidden_layers": 2, "rms_norm_eps": 1e-5,
    "hidden_act": "silu", "num_attention_heads": 2, "num_key_value_heads": 1,
    "attention_bias": False, "mamba_n_heads": 4, "mamba_d_head": 4, "mamba_n_groups": 2,
    "mamba_d_state": 3, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_conv_bias": True,
    "mamba_proj_bias": False, "tie_word_embeddings": False,
}
CONFIGS = {
    "s4d": {
        "d_input": 2, "d_model": 3, "d_state": 10, "n_layers": 2, "num_labels": 4,
        "discretization": "zoh", "parameterization": "continuous", "activation": "qgelu",
        "mixing": "glu", "norm": "layer", "residual": True, "pooling": "mean",
    },
    "mamba": {
        "hidden_size": 8, "vocab_size": 11, "num_hidden_layers": 1, "state_size": 3, "expand": 2,
        "conv_kernel": 4, "time_step_rank": 2, "use_bias": False, "use_conv_bias": True,
        "hidden_act": "silu", "layer_norm_epsilon": 1e-5, "tie_word_embeddings": True,
    },
    "mamba2": {
        "hidden_size": 8, "vocab_size": 11, "num_hidden_layers": 1, "state_size": 3, "expand": 2,
        "num_heads": 4, "head_dim": 4, "n_groups": 2, "conv_kernel": 4, "use_bias": False,
        "use_conv_bias": True, "hidden_act": "silu", "layer_norm_epsilon": 1e-5,
        "tie_word_embeddings": False, "time_step_limit": [0.0, {"__float__": "Infinity"}],
    },
    "granitemoehybrid": {
        **HYBRID, "shared_intermediate_size": 6, "num_local_experts": 0,
        "layer_types": ["mamba", "attention"], "position_embedding_type": "nope",
        "embedding_multiplier": 6.0, "attention_multiplier": 0.25, "residual_multiplier": 0.5,
        "logits_scaling": 2.0,
    },
    "bamba": {
        **HYBRID, "intermediate_size": 6, "attn_layer_indices": [1], "mlp_bias": False,
        "rope_theta": 10000.0,
    },
}


def mamba2_mixer(path, hidden, inner, heads, groups, state):
    conv = inner + 2 * groups * state
    return {
        f"{path}.A_log": [heads], f"{path}.D": [heads], f"{path}.dt_bias": [heads],
        f"{path}.conv1d.weight": [conv, 1, 4], f"{path}.conv1d.bias": [conv],
        f"{path}.in_proj.weight": [inner + conv + heads, hidden], f"{path}.norm.weight": [inner],
        f"{path}.out_proj.weight": [hidden, inner],
    }


def attention(path):
    return {f"{path}.q_proj.weight": [8, 8], f"{path}.k_proj.weight": [4, 8],
            f"{path}.v_proj.weight": [4, 8], f"{path}.o_proj.weight": [8, 8]}


def mamba(_):
    mixer = "backbone.layers.0.mixer"
    return {
        "backbone.embeddings.weight": [11, 8], "backbone.norm_f.weight": [8],
        "backbone.layers.0.norm.weight": [8], f"{mixer}.A_log": [16, 3], f"{mixer}.D": [16],
        f"{mixer}.conv1d.weight": [16, 1, 4], f"{mixer}.conv1d.bias": [16],
        f"{mixer}.in_proj.weight": [32, 8], f"{mixer}.x_proj.weight": [8, 16],
        f"{mixer}.dt_proj.weight": [16, 2], f"{mixer}.dt_proj.bias": [16],
        f"{mixer}.out_proj.weight": [8, 16],
    }


def mamba2(_):
    return {
        "backbone.embeddings.weight": [11, 8], "backbone.norm_f.weight": [8],
        "lm_head.weight": [11, 8], "backbone.layers.0.norm.weight": [8],
        **mamba2_mixer("backbone.layers.0.mixer", 8, 16, 4, 2, 3),
    }


def hybrid(norm, mlp_norm, mlp):
    shapes = {"model.embed_tokens.weight": [11, 8], "lm_head.weight": [11, 8], norm: [8],
              **mamba2_mixer("model.layers.0.mamba", 8, 16, 4, 2, 3),
              **attention("model.layers.1.self_attn")}
    for layer in "01":
        shapes[f"model.layers.{layer}.input_layernorm.weight"] = [8]
        shapes[f"model.layers.{layer}.{mlp_norm}.weight"] = [8]
        for name, shape in mlp.items():
            shapes[f"model.layers.{layer}.{name}.weight"] = shape
    return shapes


def granitemoehybrid(_):
    return hybrid("model.norm.weight", "post_attention_layernorm",
                  {"shared_mlp.input_linear": [12, 8], "shared_mlp.output_linear": [8, 6]})


def bamba(_):
    return hybrid("model.final_layernorm.weight", "pre_ff_layernorm",
                  {"feed_forward.gate_proj": [6, 8], "feed_forward.up_proj": [6, 8],
                   "feed_forward.down_proj": [8, 6]})


def s4d(config):
    shapes = {"encoder.weight": [3, 2], "encoder.bias": [3], "classifier.weight": [4, 3],
              "classifier.bias": [4]}
    for layer in "01":
        path = f"layers.{layer}"
        shapes |= {f"{path}.ssm.C": [3, 5, 2], f"{path}.ssm.B": [3, 5, 2], f"{path}.ssm.D": [3],
                   f"{path}.ssm.log_dt": [3], f"{path}.ssm.A_real_log": [3, 5],
                   f"{path}.ssm.A_imag": [3, 5], f"{path}.mixing.weight": [6, 3],
                   f"{path}.mixing.bias": [6], f"{path}.norm.weight": [3],
                   f"{path}.norm.bias": [3]}
    return shapes


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def main():
    family, directory, *settings = sys.argv[1:]
    config = {"model_type": family, **CONFIGS[family]}
    shapes = globals()[family](config)
    faults = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        if key in ("drop", "nan", "shape", "type", "extra", "truncate", "no-config", "no-weights"):
            faults[key] = value
        elif value:
            config[key] = json.loads(value)
        else:
            config.pop(key)
    if "extra" in faults:
        shapes[faults["extra"]] = [2]
    shapes.pop(faults.get("drop"), None)
    if "shape" in faults:
        shapes[faults["shape"]][0] += 1

    generator = random.Random(7)
    header, block = {}, b""
    for name, shape in sorted(shapes.items()):
        values = [generator.gauss(0, 0.3) for _ in range(count(shape))]
        if faults.get("nan") == name:
            values[1] = float("nan")
        data = struct.pack(f"<{len(values)}e", *values)
        dtype = "F16"
        if faults.get("type") == name:
            dtype, data = "I16", data
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(block), len(block) + len(data)]}
        block += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + block
    if "truncate" in faults:
        content = content[:-5]

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    if "no-config" not in faults:
        (directory / "config.json").write_text(json.dumps(config))
    if "no-weights" not in faults:
        (directory / "model.safetensors").write_bytes(content)


if __name__ == "__main__":
    main()
