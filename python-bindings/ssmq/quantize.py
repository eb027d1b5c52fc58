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
from .documents import read_document
from .errors import Error
from .model import Model, load
from .output import new_directory
from .overlap import Sketch
from .program import Estimate
from .text import Labelled, Text

WEIGHTS = "model.safetensors"
# What `ssmq qat` writes beside the weights that it trained.
TRAINED = "quantization.json"
COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
          "generation_config.json")


def load_original(path: Path) -> Model:
    model = load(path)
    if model.is_output:
        raise Error(f"{path} is quantized already; give the model that it was made from")
    return model


def find_trained(model: Path) -> Path | None:
    """The assignment that a model was trained with."""
    path = model / TRAINED
    return path if path.exists() else None


def assign_as(assignment: Path) -> Callable[[Model, Path], None]:
    """For `write`: an assignment whose report says how it was found."""
    def assign(model: Model, path: Path) -> None:
        shutil.copyfile(assignment, path)
        stages.apply(model, assignment)
    return assign


def write(model: Model, out: Path, assign: Callable[[Model, Path], None], threads: int,
          calibration: Text | Labelled | None = None, table: Path | None = None,
          refine: stages.RefineOptions | None = None, fold: bool = False,
          rounding: stages.Rounding = stages.Rounding(), sequence_length: int = 256) -> None:
    """`assign` sets formats on a copy of the model and writes the assignment to the path given.
    With `fold`, scales are folded into the weights on the calibration text before they are
    rounded. What was measured as a whole is measured again when it is refined, and, where there is
    a calibration text, when the program rounds what it computes."""
    with new_directory(out) as scratch:
        quantized, assignment = model.clone(), scratch / "assignment.json"
        assign(quantized, assignment)
        original = model.directory
        if fold:
            original = scratch / "folded"
            stages.fold_scales(quantized, original, calibration, threads=threads)
        weights = scratch / "weights"
        quantized = store(model, quantized, original, weights, assignment, threads, calibration,
                          refine)
        if fold:
            original.unlink()
            note(assignment, foldedScales=True)
        if rounding != stages.Rounding():
            round_values(model, quantized, assignment, rounding, calibration, sequence_length,
                         threads)
        if unstable := stages.find_unstable(quantized):
            note(assignment, unstable=unstable)
        stages.prepare_for_kernels(quantized, weights, threads)
        weights.rename(scratch / WEIGHTS)
        quantized.name_checkpoint(WEIGHTS)
        (scratch / "program.mlirbc").write_bytes(quantized.bytecode())
        for name in COPIED:
            if (model.directory / name).exists():
                shutil.copyfile(model.directory / name, scratch / name)
        if table:
            shutil.copyfile(table, scratch / "table.json")
        if isinstance(calibration, Text):
            write_sketch(scratch, Sketch.of(calibration.path.name, calibration.content))


def store(model: Model, quantized: Model, original: Path, weights: Path, assignment: Path,
          threads: int, calibration: Text | Labelled | None, refine: stages.RefineOptions | None) -> Model:
    """Writes the weights of an assigned model, and returns the model that reads them; `original`
    is the checkpoint that it read before."""
    if not refine:
        stages.quantize(quantized, weights, threads, calibration)
        return quantized
    nearest = weights.with_suffix(".nearest")
    stages.quantize(quantized, nearest, threads, calibration)
    refined = quantized.clone()
    stages.refine(refined, original, weights, calibration, refine)
    note(assignment, refined=refine.method)
    measured = read_document(assignment, "ssmq-assignment")["report"].get("measuredKL")
    if measured is not None:
        kl = measure(refined, model, calibration, refine.sequence_length, threads)
        note(assignment, refinedKL=kl.mean, refinedKLError=kl.standard_error)
        if kl.mean > measured:
            note(assignment, refined=None, note=f"{refine.method} measured worse and was left out")
            nearest.replace(weights)
            quantized.name_checkpoint(weights)
            return quantized
    nearest.unlink()
    return refined


def round_values(model: Model, quantized: Model, assignment: Path, rounding: stages.Rounding,
                 calibration: Text | Labelled | None, sequence_length: int, threads: int) -> None:
    """Adds formats of activations and states to a program and its assignment, and what they cost
    beside the weights alone."""
    report = read_document(assignment, "ssmq-assignment")["report"]
    alone = "refinedKL" if report.get("refined") else "measuredKL"
    if calibration and alone not in report:
        kl = measure(quantized, model, calibration, sequence_length, threads)
        note(assignment, **{alone: kl.mean, f"{alone}Error": kl.standard_error})
    sites = stages.round_at_run_time(quantized, rounding, calibration, threads)
    document = json.loads(assignment.read_text(encoding="utf-8"))
    changed = {one["site"] for one in sites}
    document["sites"] = [one for one in document["sites"] if one["site"] not in changed] + sites
    document["report"] |= {name: stages.get_spelling(format)
                           for name, format in vars(rounding).items() if format}
    assignment.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if calibration:
        kl = measure(quantized, model, calibration, sequence_length, threads)
        note(assignment, roundedKL=kl.mean, roundedKLError=kl.standard_error)


# As many as a mix is measured on.
MEASURED_SEQUENCES = 16


def measure(student: Model, teacher: Model, calibration: Text | Labelled, sequence_length: int,
            threads: int) -> Estimate:
    """KL(teacher || student) on the beginning of the calibration text."""
    measured = (calibration.path if isinstance(calibration, Labelled) else
                calibration.tokens[:MEASURED_SEQUENCES * sequence_length])
    result = student.interpreter("fast", 1).evaluate(
        measured, teacher.interpreter("fast", 1), sequence_length, threads)
    return result.forward_kl


def note(assignment: Path, **facts: object) -> None:
    """Adds facts to the report of an assignment."""
    document = json.loads(assignment.read_text(encoding="utf-8"))
    document["report"] |= facts
    assignment.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
