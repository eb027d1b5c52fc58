"""What a training run that was killed goes on from: one file, replaced after each epoch.

It holds tensors (weights, moments of the optimizer) as safetensors, and in the metadata the epochs
that are done and what the run is, so that no other run goes on from it.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ..errors import Error
from ..output import write_file
from .optional import require

_MODEL, _OPTIMIZER = "model.", "optimizer."


@dataclass
class Progress:
    path: Path
    # What the run is, as JSON has it.
    identity: dict
    # A record for each epoch that is done.
    epochs: list[dict] = field(default_factory=list)

    def load(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Goes on where the file stands; does nothing where there is none."""
        if not self.path.exists():
            return
        safetensors = require("safetensors", "training")
        again = "remove it to begin again, or name another output"
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            identity, epochs = (json.loads(metadata[name]) for name in ("identity", "epochs"))
        except (safetensors.SafetensorError, KeyError, ValueError) as error:
            raise Error(f"{self.path} is no progress of a training run; {again}") from error
        if identity != self.identity:
            differs = next(name for name in {**identity, **self.identity}
                           if identity.get(name) != self.identity.get(name))
            raise Error(f"{self.path} is of a run whose {differs} differs; {again}")
        self.epochs = epochs
        model.load_state_dict(_under(tensors, _MODEL))
        optimizer.load_state_dict(_unflatten(_under(tensors, _OPTIMIZER), optimizer.state_dict()))

    def save(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        tensors = {_MODEL + name: tensor for name, tensor in model.state_dict().items()}
        for index, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"{_OPTIMIZER}{index}.{name}": tensor for name, tensor in moments.items()}
        metadata = {"identity": json.dumps(self.identity), "epochs": json.dumps(self.epochs)}
        write_file(self.path, require("safetensors.torch", "training").save(tensors, metadata))


def _under(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()
            if name.startswith(prefix)}


def _unflatten(moments: dict[str, torch.Tensor], empty: dict) -> dict:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in moments.items():
        index, moment = name.split(".", 1)
        state.setdefault(int(index), {})[moment] = tensor
    return {"state": state, "param_groups": empty["param_groups"]}


def digest(arrays: list[np.ndarray | None]) -> str:
    """Of what a run was trained on."""
    result = hashlib.sha256()
    for array in arrays:
        result.update(b"" if array is None else np.ascontiguousarray(array).data)
    return result.hexdigest()[:16]
