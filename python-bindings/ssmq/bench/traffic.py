"""What a token has to move and to compute, whoever runs the model.

A decoded token reads each stored weight once (of an embedding that is no head, a row) and reads and
writes the recurrent state; convolution windows and keys are left out, a few per cent of it. A token
of a prompt costs two operations for each weight of a linear layer; the head runs once a prompt.
"""

import json
import math
import struct
from pathlib import Path

from ..errors import Error

_EMBEDDINGS = ("embeddings.weight", "embed_tokens.weight")


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


def count_operations(directory: Path) -> int:
    """Of linear layers for a token of a prompt; of an original, whose tensors have their shapes."""
    return sum(2 * math.prod(tensor["shape"]) for name, tensor in read_headers(directory).items()
               if name.endswith(".weight") and len(tensor["shape"]) == 2
               and not name.endswith(_EMBEDDINGS) and not name.startswith("lm_head."))


def count_state_elements(config: dict) -> int:
    """Of the recurrent states of all layers, from config.json."""
    kind = config.get("model_type")
    if kind == "mamba":
        return config["num_hidden_layers"] * config["state_size"] * config["expand"] * \
            config["hidden_size"]
    if kind == "mamba2":
        return config["num_hidden_layers"] * config["state_size"] * config["num_heads"] * \
            config["head_dim"]
    layers = config["num_hidden_layers"]
    if "layer_types" in config:
        layers = sum(kind in ("mamba", "linear_attention") for kind in config["layer_types"])
    elif "attn_layer_indices" in config:
        layers -= len(config["attn_layer_indices"])
    return layers * config["mamba_d_state"] * config["mamba_n_heads"] * config["mamba_d_head"]
