"""The stages of quantization as pass pipelines, the ones that ssmq-opt runs."""

import json
from dataclasses import dataclass
from pathlib import Path

import _ssmq

from .documents import read_document
from .errors import Error
from .model import Model
from .output import scratch_directory
from .text import Labelled, Text


def quote(value: object) -> str:
    """An option's value as the pipeline parser takes it: one word, or in quotes."""
    text = str(value)
    if not any(character in " \t\n\"'{}()," for character in text):
        return text
    for mark in "\"'":
        if mark not in text:
            return mark + text + mark
    raise Error(f"{text} holds both kinds of quotes; rename it")


def pass_text(name: str, **options: object) -> str:
    """name{key=value ...}; a list is given by commas, and options of None are left out."""
    given = []
    for key, value in options.items():
        if isinstance(value, (list, tuple)):
            given.append(f"{key.replace('_', '-')}={','.join(map(quote, value))}")
        elif value is not None:
            given.append(f"{key.replace('_', '-')}={quote(value)}")
    return f"{name}{{{' '.join(given)}}}" if given else name


def list_sites(model: Model, kinds: list[str] | None = None) -> list[dict]:
    """Name, kind, rows, columns, elements, bytes and ops of each site."""
    with scratch_directory() as scratch:
        listed = scratch / "sites.json"
        model.run_pipeline(pass_text("ssmq-list-sites", kinds=kinds, output=listed))
        return json.loads(listed.read_text())["sites"]


@dataclass(frozen=True)
class MeasureOptions:
    """As ssmq-sensitivity has them; None takes the default of the pass."""

    formats: list[str] | None = None
    sequence_length: int = 256
    num_sequences: int = 0
    threads: int = 0
    sites: list[str] | None = None
    """Kinds of them."""
    precision: float | None = None
    exact_arithmetic: bool | None = None
    shard: str | None = None
    """i/n, from 0: the i-th of n parts of the work."""


def measure(model: Model, calibration: Text | Labelled, output: Path, options: MeasureOptions,
            journal: Path | None = None, budget: str | None = None) -> None:
    """Writes the sensitivity table of each site in each format; fails at once when no format can
    meet the budget. Goes on from the journal when there is one."""
    with scratch_directory() as scratch:
        model.run_pipeline(pass_text("ssmq-sensitivity", tokens=write_tokens(calibration, scratch),
                                     output=output, journal=journal, budget=budget,
                                     **vars(options)))


def merge(tables: list[Path], output: Path) -> None:
    """Writes the table that the tables of a run's shards are parts of."""
    _ssmq.merge_tables([str(table) for table in tables], str(output))


def get_spelling(format: str) -> str:
    """A format's name in tables: "i4 sym group=64" for "int4:g64"."""
    return _ssmq.get_format_spelling(format)


def assign_budget(model: Model, table: Path, budget: str, output: Path) -> None:
    model.run_pipeline(pass_text("ssmq-assign", table=table, budget=budget,
                                 output=output))


@dataclass(frozen=True)
class VerifyOptions:
    """As ssmq-solve-mix has them; None takes the default of the pass."""

    sequence_length: int = 256
    num_sequences: int = 0
    rounds: int | None = None
    """How often to solve again where sums and measurements differ."""
    threads: int = 0


def solve_mix(model: Model, table: Path, budget: str, calibration: Text | Labelled, output: Path,
              options: VerifyOptions) -> None:
    """Writes the assignment of least KL within a budget, measured as a whole: never one that
    measures worse than a uniform choice that fits."""
    with scratch_directory() as scratch:
        model.run_pipeline(pass_text("ssmq-solve-mix", table=table, budget=budget, output=output,
                                     tokens=write_tokens(calibration, scratch), **vars(options)))


def apply(model: Model, assignment: Path) -> None:
    """Sets the formats of an assignment, which stays as it is."""
    model.run_pipeline(pass_text("ssmq-assign", method="file", input=assignment))


def assign_uniform(model: Model, format: str, output: Path) -> None:
    model.run_pipeline(pass_text("ssmq-assign", method="uniform", format=format, output=output))


def assign_file(model: Model, assignment: Path, output: Path) -> None:
    model.run_pipeline(pass_text("ssmq-assign", method="file", input=assignment, output=output))


def quantize(model: Model, output: Path, threads: int,
             calibration: Text | Labelled | None = None) -> None:
    """Stores the weights in their formats, in a new safetensors file. Static formats without
    bounds take their ranges from the calibration text."""
    with scratch_directory() as scratch:
        tokens = write_tokens(calibration, scratch) if calibration else None
        model.run_pipeline(pass_text("ssmq-quantize", output=output, tokens=tokens,
                                     threads=threads))


@dataclass(frozen=True)
class Rounding:
    """What a quantized program rounds while it runs; None leaves it in f32."""

    activations: str | None = None
    """The format of the inputs of linear layers with weights in codes of 4 or 8 bits."""
    states: str | None = None
    """The format of recurrent states."""


def round_at_run_time(model: Model, rounding: Rounding, calibration: Text | Labelled | None,
                      threads: int) -> list[dict]:
    """Makes a quantized program round, and returns the sites and their formats. Static formats
    take their ranges from the calibration text."""
    sites = []
    with scratch_directory() as scratch:
        tokens = write_tokens(calibration, scratch) if calibration else None
        quantized = pass_text("ssmq-quantize", tokens=tokens, threads=threads)
        for format, chosen in ((rounding.activations, {"method": "inputs"}),
                               (rounding.states, {"method": "uniform", "sites": "state"})):
            if not format:
                continue
            assignment = scratch / "assignment.json"
            assigned = pass_text("ssmq-assign", format=format, output=assignment, **chosen)
            model.run_pipeline(f"{assigned},{quantized}")
            sites += read_document(assignment, "ssmq-assignment")["sites"]
    return sites


def prepare_for_kernels(model: Model, weights: Path, threads: int) -> None:
    """Makes the checkpoint of a rewritten program, the file `weights`, what kernels stream: values
    that weights alone decide are computed, and codes of 4 or 8 bits lie in tiles."""
    for stage in ("ssmq-fold-parameters", "ssmq-tile-weights"):
        output = weights.with_suffix(".next")
        model.run_pipeline(pass_text(stage, output=output, threads=threads))
        if output.exists():
            output.replace(weights)
            model.name_checkpoint(weights)


def find_unstable(model: Model) -> list[dict]:
    """Marks diagonal systems whose format proves |A| < 1, and returns the heads with |A| >= 1:
    site, head, state, magnitude."""
    with scratch_directory() as scratch:
        report = scratch / "unstable.json"
        model.run_pipeline(pass_text("ssmq-mark-stable", embed="false", output=report))
        return json.loads(report.read_text())["unstable"]


REFINEMENTS = ("mse", "hessian", "gptq")
NEAREST = "none"
"""Rounding that is left as it is."""


@dataclass(frozen=True)
class RefineOptions:
    """As ssmq-refine has them; None takes the default of the pass."""

    method: str = "gptq"
    """One of REFINEMENTS; the last two need a calibration text."""
    sequence_length: int = 256
    num_sequences: int = 0
    act_order: bool | None = None
    damping: float | None = None
    sweeps: int | None = None
    threads: int = 0


def refine(model: Model, original: Path, output: Path, calibration: Text | Labelled | None,
           options: RefineOptions) -> None:
    """Chooses better codes and scales for the model's quantized weights; `original` is the
    checkpoint that they were made from."""
    with scratch_directory() as scratch:
        tokens = write_tokens(calibration, scratch) if calibration else None
        model.run_pipeline(pass_text("ssmq-refine", original=original, output=output,
                                     tokens=tokens, **vars(options)))


def fold_scales(model: Model, output: Path, calibration: Text | Labelled, sequence_length: int = 256,
                num_sequences: int = 0, threads: int = 0) -> None:
    """Moves the size of channels into the weights of an assigned model, and these into a new
    safetensors file."""
    with scratch_directory() as scratch:
        model.run_pipeline(pass_text("ssmq-fold-scales", output=output, threads=threads,
                                     tokens=write_tokens(calibration, scratch),
                                     sequence_length=sequence_length, num_sequences=num_sequences))


def write_tokens(text: Text | Labelled, scratch: Path) -> Path:
    """As passes read them; a table names its calibration by this file."""
    if isinstance(text, Labelled):
        return text.path.absolute()
    path = scratch / text.path.name
    path.write_text(json.dumps(text.tokens))
    return path
