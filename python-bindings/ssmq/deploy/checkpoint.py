"""A checkpoint with the values that quantized weights stand for, in f32, which loses none of them:
transformers loads it as it loads the original."""

import json
import shutil
from math import prod
from pathlib import Path

import numpy as np

from .. import formats, stages, tables
from ..errors import Error
from ..model import Model
from ..output import new_directory, scratch_directory
from ..quantize import COPIED, WEIGHTS
from ..tensors import Layout, open_checkpoint, write
from .choices import KEEP, Choice, Match

_DTYPE = "float32"
# Of sites whose tensors keep their names when they are quantized: weights, norms, D.
_STORED_ROLES = ("weight", "d")
# A = -exp(A_log).
_COMPUTED_ROLE = "a"


def find(choice: Choice) -> Match:
    """The kind of the site."""
    if choice.format.spelling == KEEP:
        return Match(None)
    if choice.role != "weight":
        return Match(None, "only weights are in a checkpoint")
    return Match(choice.kind)


def _round(choice: Choice, kind: str, values: np.ndarray) -> np.ndarray:
    # A norm is one row.
    matrix = values.reshape(1, -1) if kind == "norm" else values
    return formats.round(matrix, choice.format.spelling, kind).reshape(values.shape)


def write_directory(found: list[tuple[Choice, Match]], model: Model, out: Path) -> None:
    tensors = open_checkpoint(model.directory)
    rounded = {f"{choice.module}.{choice.role}": (choice, one.value)
               for choice, one in found if one.value}
    for name, (choice, _) in rounded.items():
        if name not in tensors:
            raise Error(f"{model.directory} has no tensor {name} for site '{choice.site}'")
    layouts = {}
    for name, one in tensors.items():
        if one.layout.is_float:
            layouts[name] = Layout("F32", one.layout.shape), 4 * prod(one.layout.shape)
        else:
            layouts[name] = one.layout, one.end - one.begin

    def get(name: str) -> np.ndarray:
        one = tensors[name]
        if not one.layout.is_float:
            return one.read_bytes()
        return _round(*rounded[name], one.read()) if name in rounded else one.read()

    with new_directory(out) as scratch:
        write(scratch / WEIGHTS, layouts, get)
        _copy_others(model, scratch)


def check_values(assignment: Path, take_nearest: bool) -> None:
    """Fails where a quantized model computes what no checkpoint of its values tells."""
    for site, format in tables.read_assignment(assignment).items():
        role = site.rpartition(":")[2]
        if format == KEEP or role in _STORED_ROLES:
            continue
        if role == _COMPUTED_ROLE:
            raise Error(f"'{site}' is computed from another tensor, which the quantized model no "
                        "longer has; export from an assignment that keeps it")
        if not take_nearest:
            raise Error(f"a checkpoint does not have '{format}' for {site}, which is computed at "
                        "run time; --nearest leaves it out")


def write_values(model: Model, out: Path) -> None:
    """The same from a quantized model, for what its codes stand for, refined or not."""
    with new_directory(out) as scratch, scratch_directory() as other:
        expanded = stages.pass_text("ssmq-expand-formats", output=other / WEIGHTS)
        values = stages.pass_text("ssmq-export-values", output=scratch / WEIGHTS)
        model.clone().run_pipeline(f"{expanded},{values}")
        _copy_others(model, scratch)


def _copy_others(model: Model, out: Path) -> None:
    for name in COPIED:
        if (model.directory / name).exists():
            shutil.copyfile(model.directory / name, out / name)
    config = {**model.config, "dtype": _DTYPE}
    if "torch_dtype" in config:
        config["torch_dtype"] = _DTYPE
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
