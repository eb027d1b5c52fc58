"""`ssmq quantize`: a directory with the quantized model, complete or not at all.

It holds what `ssmq.load` reads (program.mlirbc, model.safetensors, config.json, tokenizer.json),
how it came about (assignment.json, table.json), and a sketch of the calibration text, so that
nobody evaluates on it (calibration.json).
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from . import stages
from .calibration import write_sketch
from .errors import Error
from .model import Model, load
from .output import new_directory
from .overlap import Sketch
from .text import Text

WEIGHTS = "model.safetensors"
COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
          "generation_config.json")


def load_original(path: Path) -> Model:
    model = load(path)
    if model.is_output:
        raise Error(f"{path} is quantized already; give the model that it was made from")
    return model


def assign_as(assignment: Path) -> Callable[[Model, Path], None]:
    """For `write`: an assignment whose report says how it was found."""
    def assign(model: Model, path: Path) -> None:
        shutil.copyfile(assignment, path)
        stages.apply(model, assignment)
    return assign


def write(model: Model, out: Path, assign: Callable[[Model, Path], None], threads: int,
          calibration: Text | None = None, table: Path | None = None,
          refine: stages.RefineOptions | None = None, fold: bool = False) -> None:
    """`assign` sets formats on a copy of the model and writes the assignment to the path given.
    With `fold`, scales are folded into the weights on the calibration text before they are
    rounded."""
    with new_directory(out) as scratch:
        quantized = model.clone()
        assign(quantized, scratch / "assignment.json")
        original = model.directory
        if fold:
            original = scratch / "folded"
            stages.fold_scales(quantized, original, calibration, threads=threads)
        store(quantized, original, scratch / WEIGHTS, threads, calibration, refine)
        if fold:
            original.unlink()
        note_rounding(scratch / "assignment.json", refine, fold)
        quantized.name_checkpoint(WEIGHTS)
        (scratch / "program.mlirbc").write_bytes(quantized.bytecode())
        for name in COPIED:
            if (model.directory / name).exists():
                shutil.copyfile(model.directory / name, scratch / name)
        if table:
            shutil.copyfile(table, scratch / "table.json")
        if calibration:
            write_sketch(scratch, Sketch.of(calibration.path.name, calibration.content))


def store(quantized: Model, original: Path, weights: Path, threads: int,
          calibration: Text | None, refine: stages.RefineOptions | None) -> None:
    """Writes the weights of an assigned model, which reads them from then on; `original` is the
    checkpoint that it read before."""
    if not refine:
        stages.quantize(quantized, weights, threads)
        return
    nearest = weights.with_suffix(".nearest")
    stages.quantize(quantized, nearest, threads)
    stages.refine(quantized, original, weights, calibration, refine)
    nearest.unlink()


def note_rounding(assignment: Path, refine: stages.RefineOptions | None, fold: bool) -> None:
    """Says in the report of an assignment how its weights were rounded, where not to nearest."""
    if not refine and not fold:
        return
    document = json.loads(assignment.read_text(encoding="utf-8"))
    if refine:
        document["report"]["refined"] = refine.method
    if fold:
        document["report"]["foldedScales"] = True
    assignment.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
