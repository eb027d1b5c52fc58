"""`ssmq qat`: trains a checkpoint through the rounding of its formats, and writes it with them.

The output is a checkpoint whose parameters are rounded already (a and b of a step, discrete), and
quantization.json: an assignment (see docs/Assignment.md) whose static formats also have `bounds`,
low and high of each scale.
"""

import dataclasses
import json
from math import prod
from pathlib import Path

import numpy as np
import torch

from .. import formats as stored
from ..documents import read_document
from ..errors import USAGE, Error
from ..output import check_new
from .checkpoint import WEIGHTS, load
from .config import Config
from .model import S4D
from .progress import digest
from .quantized import PARAMETERIZATIONS, QuantizedS4D, See, get_kind, list_sites
from .sequences import Dataset, Sequences
from .train import check_fits, get_progress_path, score, write_outputs
from .training import Recipe, Show, fit, to_tensors

UNROUNDED = "f32"
QUANTIZATION = "quantization.json"
# Stepping through the training sequences takes long, and the curve has their accuracy.
HELD_OUT = ("validation", "test")


@dataclasses.dataclass(frozen=True)
class Scheme:
    """Formats by role; the defaults are W4A6 with 8 bits for A and the state. `f32` is none."""

    weights: str = "int4:channel:asym"
    parameters: str = "int4:head:asym"
    a: str = "int8:head:asym"
    d: str = "int4:tensor:asym"
    state: str = "int8:head:asym:static99.999"
    activations: str = "int6:tensor:asym:static99.999"
    gate: str = UNROUNDED

    def get_formats(self, config: Config) -> dict[str, str]:
        """Spellings by site."""
        by_role = {"a": self.a, "b": self.parameters, "c": self.parameters, "d": self.d,
                   "input": self.activations, "gate": self.gate, "state": self.state,
                   "weight": self.weights}
        return _canonical({site: by_role[site.rpartition(":")[2]] for site in list_sites(config)})


def read_assignment(path: Path, config: Config) -> dict[str, str]:
    """Of a file that `ssmq assign` or `ssmq qat` wrote, or a person."""
    known, result = set(list_sites(config)), {}
    for one in read_document(path, "ssmq-assignment").get("sites", []):
        if not isinstance(one, dict) or one.get("site") not in known:
            raise Error(f"{path} names a site that this model does not have: {one}")
        result[one["site"]] = str(one.get("format"))
    return _canonical(result)


def load_quantized(directory: Path) -> QuantizedS4D:
    """What `run` wrote, rounding as it was trained to."""
    model = load(directory)
    path = directory / QUANTIZATION
    quantized = QuantizedS4D(model, read_assignment(path, model.config))
    for one in read_document(path, "ssmq-assignment")["sites"]:
        if "bounds" in one:
            quantized.set_bounds(one["site"], one["bounds"])
    if missing := [site for site, quantizer in quantized.quantizers.items()
                   if quantizer.is_static and site not in quantized.ranges]:
        raise Error(f"{path} has no bounds for {missing[0]}")
    return quantized.eval()


def _canonical(formats: dict[str, str]) -> dict[str, str]:
    return {site: stored.canonical(spelling) for site, spelling in formats.items()
            if spelling != UNROUNDED}


def run(model_directory: Path, data: Dataset, formats: dict[str, str], parameterization: str,
        recipe: Recipe, num_calibration: int, out: Path, source: str,
        show: Show = lambda record: None) -> dict:
    """Writes the directory `out`; returns what its results.json says."""
    if parameterization not in PARAMETERIZATIONS:
        raise Error(f"there is no parameterization '{parameterization}'; give "
                    f"{', '.join(PARAMETERIZATIONS)}", USAGE)
    check_new(out)
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    original = load(model_directory)
    if parameterization == "continuous" and original.config.parameterization == "discrete":
        raise Error(f"{model_directory} has only discrete parameters; train them as discrete or "
                    "frozen", USAGE)
    check_fits(original.config, data)
    unrounded = score(original.eval(), data, HELD_OUT)
    quantized = QuantizedS4D(original, formats, parameterization)
    calibration = pick(data.train, num_calibration)

    def calibrate(epoch: int = 0) -> None:
        quantized.pull_inside()
        quantized.ranges.clear()
        see_all(quantized, calibration, quantized.widen)

    calibrate()
    quantized.eval()
    before = score(quantized, data, HELD_OUT)
    progress = get_progress_path(out)
    weights = (model_directory / WEIGHTS).read_bytes()
    identity = {"model": digest([np.frombuffer(weights, np.uint8)]), "formats": formats,
                "parameterization": parameterization, "calibration": num_calibration}
    epochs = fit(quantized, data, recipe, identity, progress, calibrate, show)
    # Of the weights alone, so that a run that was cut off behind its last epoch has them too.
    calibrate()
    exported = quantized.export()
    final = QuantizedS4D(exported, formats)
    final.ranges = quantized.ranges
    results = {"data": source, **dataclasses.asdict(recipe), "parameterization": parameterization,
               "calibrationSequences": num_calibration, "bytes": count_bytes(exported, formats),
               "unrounded": unrounded, "rounded": before,
               "accuracy": score(final.eval(), data, HELD_OUT)}
    method = f"qat {parameterization} {recipe.epochs} epochs"
    document = describe(final, formats, str(model_directory), method)
    write_outputs(out, exported, epochs, results,
                  {QUANTIZATION: json.dumps(document, indent=2) + "\n"})
    progress.unlink(missing_ok=True)
    return results


def pick(sequences: Sequences, count: int) -> Sequences:
    """So many, evenly over all; 0 takes all."""
    if not 0 < count < len(sequences):
        return sequences
    return sequences.take(np.linspace(0, len(sequences) - 1, count).round().astype(int))


def see_all(quantized: QuantizedS4D, sequences: Sequences, see: See, batch_size: int = 32) -> None:
    for begin in range(0, len(sequences), batch_size):
        batch = sequences.take(np.arange(begin, min(begin + batch_size, len(sequences))))
        inputs, _, lengths = to_tensors(batch)
        quantized.observe(inputs, lengths, see)


def describe(quantized: QuantizedS4D, formats: dict[str, str], model: str, method: str) -> dict:
    sites = []
    for site, spelling in formats.items():
        one: dict = {"site": site, "format": spelling}
        if site in quantized.ranges:
            one["bounds"] = quantized.get_bounds(site)
        sites.append(one)
    return {"document": "ssmq-assignment", "version": 1, "model": model, "checkpoint": WEIGHTS,
            "method": method, "report": {}, "sites": sites}


def count_bytes(model: S4D, formats: dict[str, str]) -> dict[str, int]:
    """Of parameters and of states as they are stored, and both in f32."""
    heads, n = model.config.d_model, model.config.num_pairs
    shapes = {}
    for site in list_sites(model.config):
        owner, _, role = site.partition(":")
        if role == "state":
            shapes[site] = (heads, n, 2)
        elif role not in ("input", "gate"):
            module = model.get_submodule(owner)
            shapes[site] = tuple(getattr(module, role if role == "weight" else role.upper()).shape)
    rounded = {site: stored.num_bytes(shape, formats[site], get_kind(site), head_size=1)
               if site in formats else 4 * prod(shape) for site, shape in shapes.items()}
    rest = 4 * (sum(one.numel() for one in model.parameters())
                - sum(prod(shape) for site, shape in shapes.items() if get_kind(site) != "state"))

    def add(sizes: dict[str, int], kind_is_state: bool) -> int:
        return sum(size for site, size in sizes.items()
                   if (get_kind(site) == "state") == kind_is_state)

    f32 = {site: 4 * prod(shape) for site, shape in shapes.items()}
    return {"parameters": add(rounded, False) + rest, "states": add(rounded, True),
            "parametersInF32": add(f32, False) + rest, "statesInF32": add(f32, True)}
