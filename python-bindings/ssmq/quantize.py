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


def write(model: Model, out: Path, assign: Callable[[Model, Path], None], threads: int,
          calibration: Text | None = None, table: Path | None = None,
          refine: stages.RefineOptions | None = None) -> None:
    """`assign` sets formats on a copy of the model and writes the assignment to the path given."""
    with new_directory(out) as scratch:
        quantized = model.clone()
        assign(quantized, scratch / "assignment.json")
        store(model, quantized, scratch / WEIGHTS, threads, calibration, refine)
        if refine:
            note_refinement(scratch / "assignment.json", refine.method)
        quantized.name_checkpoint(WEIGHTS)
        (scratch / "program.mlirbc").write_bytes(quantized.bytecode())
        for name in COPIED:
            if (model.directory / name).exists():
                shutil.copyfile(model.directory / name, scratch / name)
        if table:
            shutil.copyfile(table, scratch / "table.json")
        if calibration:
            write_sketch(scratch, Sketch.of(calibration.path.name, calibration.content))


def store(model: Model, quantized: Model, weights: Path, threads: int, calibration: Text | None,
          refine: stages.RefineOptions | None) -> None:
    """Writes the weights of an assigned copy of the model; the copy reads them from then on."""
    if not refine:
        stages.quantize(quantized, weights, threads)
        return
    nearest = weights.with_suffix(".nearest")
    stages.quantize(quantized, nearest, threads)
    stages.refine(quantized, model.directory, weights, calibration, refine)
    nearest.unlink()


def note_refinement(assignment: Path, method: str) -> None:
    """Says in the report of an assignment how its codes were refined."""
    document = json.loads(assignment.read_text(encoding="utf-8"))
    document["report"]["refined"] = method
    assignment.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
