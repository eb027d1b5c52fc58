"""`ssmq quantize`: a directory with the quantized model, complete or not at all.

It holds what `ssmq.load` reads (program.mlirbc, model.safetensors, config.json, tokenizer.json),
how it came about (assignment.json, table.json), and a sketch of the calibration text, so that
nobody evaluates on it (calibration.json).
"""

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
          calibration: Text | None = None, table: Path | None = None) -> None:
    """`assign` sets formats on a copy of the model and writes the assignment to the path given."""
    with new_directory(out) as scratch:
        quantized = model.clone()
        assign(quantized, scratch / "assignment.json")
        stages.quantize(quantized, scratch / WEIGHTS, threads)
        quantized.name_checkpoint(WEIGHTS)
        (scratch / "program.mlirbc").write_bytes(quantized.bytecode())
        for name in COPIED:
            if (model.directory / name).exists():
                shutil.copyfile(model.directory / name, scratch / name)
        if table:
            shutil.copyfile(table, scratch / "table.json")
        if calibration:
            write_sketch(scratch, Sketch.of(calibration.path.name, calibration.content))
