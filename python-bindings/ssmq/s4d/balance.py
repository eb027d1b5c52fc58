"""`ssmq s4d-balance`: states of a head brought to like ranges, with the model's outputs unchanged.

The modes of a head share a scale, so that the slow ones, which grow large, leave the others few
codes. A mode may carry k s in the place of s, with k b and c / k: y stays what it is. With r_n the
largest part of a mode that calibration saw, k_n = (max r / r_n)^strength, as SmoothQuant
(arXiv 2211.10438, equation 4) shares a range between two factors.
"""

from pathlib import Path

import torch
from torch import Tensor

from ..errors import USAGE, Error
from ..output import check_new, new_directory
from .checkpoint import load, save
from .model import S4D
from .qat import pick, see_all
from .quantized import QuantizedS4D
from .sequences import Sequences


def find_ranges(model: S4D, sequences: Sequences) -> list[Tensor]:
    """[heads, n] of each layer."""
    sites = {f"layers.{i}.ssm:state": "f16" for i in range(model.config.n_layers)}
    largest: dict[str, Tensor] = {}

    def see(site: str, states: Tensor) -> None:
        if site in sites:
            seen = states.abs().amax((0, 3))
            largest[site] = torch.maximum(largest[site], seen) if site in largest else seen

    see_all(QuantizedS4D(model, sites, "continuous"), sequences, see)
    return [largest[site] for site in sites]


@torch.no_grad()
def balance(model: S4D, sequences: Sequences, strength: float) -> list[float]:
    """In place. Returns the largest factor of each layer."""
    factors = []
    for layer, ranges in zip(model.layers, find_ranges(model, sequences)):
        # A mode that is never excited stays as it is.
        most = ranges.amax(-1, keepdim=True)
        k = torch.where(ranges > 0, (most / ranges.clamp(min=1e-30)) ** strength, 1)[..., None]
        layer.ssm.B.mul_(k)
        layer.ssm.C.div_(k)
        factors.append(k.max().item())
    return factors


def run(source: Path, sequences: Sequences, strength: float, count: int, out: Path) -> list[float]:
    """Writes the directory `out`; `count` training sequences show the ranges, 0 takes all."""
    if not 0 <= strength <= 1:
        raise Error(f"a strength lies between 0 and 1, not at {strength}", USAGE)
    check_new(out)
    model = load(source)
    if sequences.inputs.shape[2] != model.config.d_input:
        raise Error(f"{source} reads {model.config.d_input} inputs a step, and the data have "
                    f"{sequences.inputs.shape[2]}")
    factors = balance(model.eval(), pick(sequences, count), strength)
    with new_directory(out) as scratch:
        save(model, scratch)
    return factors
