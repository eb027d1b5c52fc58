"""Commands that choose formats and apply them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ..model import Model
from .options import Formats, MeasureLength, ModelDir, NumSequences, app, show, split


@app.command()
def quantize(model: ModelDir,
             out: Annotated[Path, typer.Option("-o", metavar="OUT",
                                               help="The directory to write.")],
             calibration: Annotated[Path | None, typer.Option(
                 "--calibration", metavar="TEXT", help="The text to measure on.")] = None,
             budget: Annotated[str | None, typer.Option(
                 "--budget", metavar="SIZE",
                 help="Bits a weight (4.5bpw) or bytes (3.2MB).")] = None,
             uniform: Annotated[str | None, typer.Option(
                 "--uniform", metavar="FORMAT",
                 help="One format for all weights, without a measurement.")] = None,
             assignment: Annotated[Path | None, typer.Option(
                 "--assignment", metavar="FILE",
                 help="The formats that `ssmq assign` or `ssmq qat` chose, or written by hand; "
                      "without other choice MODEL/quantization.json.")] = None,
             refine: Annotated[str | None, typer.Option(
                 "--refine", metavar="METHOD", show_default="gptq with --budget, else none",
                 help="Choose better codes and scales: mse, hessian or gptq, the last two on the "
                      "whole --calibration text; or none.")] = None,
             fold_scales: Annotated[bool, typer.Option(
                 "--fold-scales", help="First move the size of channels from inputs into weights, "
                                       "on the whole --calibration text.")] = False,
             activations: Annotated[str | None, typer.Option(
                 "--activations", metavar="FORMAT", show_default="f32",
                 help="Round the inputs of linear layers whose weights have 4 or 8 bits "
                      "(int8:token), so that they are multiplied as integers.")] = None,
             states: Annotated[str | None, typer.Option(
                 "--states", metavar="FORMAT", show_default="f32",
                 help="Keep recurrent states in this format (f16).")] = None,
             verify: Annotated[bool, typer.Option(
                 "--verify/--no-verify",
                 help="Measure what was chosen as a whole, beside uniform choices, and solve again "
                      "where it was predicted wrongly.")] = True,
             formats: Formats = None, sequence_length: MeasureLength = 256,
             num_sequences: NumSequences = 16) -> None:
    """Quantize a model: measure, choose within a budget, and store.

    Formats come from a measurement (--calibration and --budget), from --uniform, from --assignment,
    or from the quantization.json with which `ssmq qat` trained the model. With --calibration, what
    --activations and --states cost is measured."""
    from .. import quantize as work
    from .. import stages, tables
    from ..errors import USAGE, Error
    from ..machine import get_threads
    from ..output import check_new, scratch_directory
    from ..text import read_calibration

    refine = refine or ("gptq" if budget else stages.NEAREST)
    needs_text = bool(budget) or refine in ("hessian", "gptq") or fold_scales
    if not (budget or uniform or assignment):
        assignment = work.find_trained(model)
    if sum(map(bool, [budget, uniform, assignment])) != 1 or (budget and not calibration):
        raise Error("give --calibration and --budget, or --uniform, or --assignment", USAGE)
    if refine not in (*stages.REFINEMENTS, stages.NEAREST):
        raise Error(f"--refine is {', '.join(stages.REFINEMENTS)} or {stages.NEAREST}, not "
                    f"'{refine}'", USAGE)
    rounding = stages.Rounding(activations, states)
    takes_text = needs_text or bool(assignment) or rounding != stages.Rounding()
    if needs_text and not calibration or calibration and not takes_text:
        raise Error("--calibration goes with --budget, --fold-scales and --refine hessian or gptq, "
                    "which need it, and with --assignment, --activations and --states", USAGE)
    for format in filter(None, (activations, states)):
        stages.get_spelling(format)  # fails at once where there is no such format
    check_new(out)
    loaded, threads = work.load_original(model), get_threads()
    text = None
    if calibration:
        text = read_calibration(calibration, model, sequence_length)
    refinement = None
    if refine != stages.NEAREST:
        refinement = stages.RefineOptions(refine, sequence_length, threads=threads)

    def write(assign: Callable[[Model, Path], None], table: Path | None = None) -> None:
        work.write(loaded, out, assign, threads, text, table, refinement, fold_scales, rounding,
                   sequence_length)

    if uniform:
        write(lambda one, path: stages.assign_uniform(one, uniform, path))
    elif assignment:
        write(lambda one, path: stages.assign_file(one, assignment, path))
    else:
        with scratch_directory() as scratch:
            table = scratch / "table.json"
            stages.measure(loaded, text, table, stages.MeasureOptions(
                split(formats), sequence_length, num_sequences, threads), budget=budget)
            if verify:
                chosen = scratch / "assignment.json"
                stages.solve_mix(loaded, table, budget, text, chosen, stages.VerifyOptions(
                    sequence_length, num_sequences, threads=threads))
                assign = work.assign_as(chosen)
            else:
                def assign(one, path):
                    stages.assign_budget(one, table, budget, path)
            write(assign, table)
    for line in tables.list_unstable(out / "assignment.json"):
        print(f"ssmq: warning: {line}", file=sys.stderr)
    show(tables.summarize_assignment(out / "assignment.json"))
