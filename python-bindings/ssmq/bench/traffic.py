"""What a token has to move and to compute, whoever runs the model.

A decoded token reads each stored weight once (of an embedding that is no head, a row) and reads and
writes the recurrent state; convolution windows and keys are left out, a few per cent of it. A token
of a prompt costs two operations for each weight of a linear layer; the head runs once a prompt.
"""

import json
import struct
from pathlib import Path

from ..errors import Error



def read_headers(directory: Path) -> dict[str, dict]:
    """Name, shape and place of all tensors in a directory."""
    tensors = {}
    for path in sorted(directory.glob("*.safetensors")):
        with path.open("rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            tensors |= json.loads(file.read(size))
    tensors.pop("__metadata__", None)
    if not tensors:
        raise Error(f"{directory} holds no .safetensors")
    return tensors


def _get_bytes(tensor: dict) -> int:
    begin, end = tensor["data_offsets"]
    return end - begin


def count_weight_bytes(directory: Path) -> int:
    """What a decoded token reads of the stored weights."""
    tensors = read_headers(directory)
    has_head = any(name.startswith("lm_head.") for name in tensors)
    return sum(_get_bytes(tensor) for name, tensor in tensors.items()
               if not (has_head and any(part in name for part in ("embeddings", "embed_tokens"))))


def _count_mixers(config: dict) -> tuple[int, int]:
    """Recurrent and attention layers."""
    layers = config["num_hidden_layers"]
    if "layer_types" in config:
        attention = sum("attention" in kind and kind != "linear_attention"
                        for kind in config["layer_types"])
    else:
        attention = len(config.get("attn_layer_indices", []))
    return layers - attention, attention


def count_linear_weights(config: dict) -> int:
    """Of all layers, without embedding and head, from config.json."""
    hidden, recurrent, attention = config["hidden_size"], *_count_mixers(config)
    if config["model_type"] == "mamba":
        inner, rank, state = (config["expand"] * hidden, config["time_step_rank"],
                              config["state_size"])
        return recurrent * inner * (3 * hidden + 2 * rank + 2 * state)
    prefix = "" if config["model_type"] == "mamba2" else "mamba_"
    inner = config[f"{prefix}expand"] * hidden
    state = config["state_size" if not prefix else "mamba_d_state"]
    heads = config["num_heads" if not prefix else "mamba_n_heads"]
    mamba = hidden * (3 * inner + 2 * config[f"{prefix}n_groups"] * state + heads)
    if not prefix:
        return recurrent * mamba
    shared = config["num_key_value_heads"] / config["num_attention_heads"]
    attend = round(hidden * hidden * 2 * (1 + shared))
    mlp = 3 * hidden * config.get("shared_intermediate_size", config.get("intermediate_size", 0))
    return recurrent * mamba + attention * attend + (recurrent + attention) * mlp


def count_operations(config: dict) -> int:
    """Of linear layers for a token of a prompt."""
    return 2 * count_linear_weights(config)


def count_state_elements(config: dict) -> int:
    """Of the recurrent states of all layers, from config.json."""
    recurrent, _ = _count_mixers(config)
    if config["model_type"] == "mamba":
        return recurrent * config["state_size"] * config["expand"] * config["hidden_size"]
    if config["model_type"] == "mamba2":
        return recurrent * config["state_size"] * config["num_heads"] * config["head_dim"]
    return recurrent * config["mamba_d_state"] * config["mamba_n_heads"] * config["mamba_d_head"]
