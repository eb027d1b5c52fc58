"""A checkpoint: config.json and model.safetensors in f32."""

from pathlib import Path

import torch

from ..errors import Error
from .config import read_config
from .model import S4D
from .optional import require

CONFIG, WEIGHTS = "config.json", "model.safetensors"


def save(model: S4D, directory: Path) -> None:
    """Into a directory that is there."""
    tensors = {name: tensor.detach().float().contiguous()
               for name, tensor in model.state_dict().items()}
    content = require("safetensors.torch", "a checkpoint").save(tensors, {"format": "pt"})
    (directory / WEIGHTS).write_bytes(content)
    (directory / CONFIG).write_text(model.config.to_json(), encoding="utf-8")


def load(directory: Path) -> S4D:
    config = read_config(directory / CONFIG)
    # Sizes that the file does not bear out are not allocated.
    with torch.device("meta"):
        expected = S4D(config).state_dict()
    path = directory / WEIGHTS
    safetensors = require("safetensors", "a checkpoint")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except safetensors.SafetensorError as error:
        raise Error(f"{path} is not a safetensors file: {error}") from error
    if missing := sorted(expected.keys() - tensors.keys()):
        raise Error(f"{path} lacks {missing[0]}, which its config.json asks for")
    if unknown := sorted(tensors.keys() - expected.keys()):
        raise Error(f"{path} has {unknown[0]}, which a model of its config.json does not")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape or not tensor.is_floating_point():
            raise Error(f"{path}: {name} is {tensor.dtype} {list(tensor.shape)}, but "
                        f"{list(expected[name].shape)} of floats is asked for")
        if not tensor.isfinite().all():
            raise Error(f"{path}: {name} holds NaN or infinity")
    model = S4D(config)
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return model
