"""Commands that choose formats and apply them."""

from pathlib import Path
from typing import Annotated

import typer

from .options import (Budget, Formats, MeasureLength, ModelDir, NumSequences, TableFile, app,
                      show, split)


@app.command()
def assign(table: TableFile,
           budget: Budget,
           output: Annotated[Path, typer.Option("-o", metavar="ASSIGNMENT",
                                                help="The assignment to write (JSON).")]) -> None:
    """Choose a format for each weight, the least KL within a budget."""
    from .. import stages, tables
    from ..output import check_new

    check_new(output)
    stages.assign(table, budget, output)
    show(tables.summarize_assignment(output))


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
                 help="The formats that `ssmq assign` chose, or written by hand.")] = None,
             formats: Formats = None, sequence_length: MeasureLength = 256,
             num_sequences: NumSequences = 16) -> None:
    """Quantize a model: measure, choose within a budget, and store.

    Formats come from a measurement (--calibration and --budget), from --uniform or from
    --assignment."""
    from .. import quantize as work
    from .. import stages, tables
    from ..engine import get_threads
    from ..errors import USAGE, Error
    from ..output import check_new, scratch_directory
    from ..text import read_calibration
    from ..tokenizer import Tokenizer

    ways = [bool(calibration or budget), bool(uniform), bool(assignment)]
    if sum(ways) != 1 or bool(calibration) != bool(budget):
        raise Error("give --calibration and --budget, or --uniform, or --assignment", USAGE)
    check_new(out)
    loaded, threads = work.load_original(model), get_threads()
    if uniform:
        work.write(loaded, out,
                   lambda one, path: stages.assign_uniform(one, uniform, path), threads)
    elif assignment:
        work.write(loaded, out,
                   lambda one, path: stages.assign_file(one, assignment, path), threads)
    else:
        text = read_calibration(calibration, Tokenizer(model), sequence_length)
        with scratch_directory() as scratch:
            table = scratch / "table.json"
            stages.measure(loaded, text, table, stages.MeasureOptions(
                split(formats), sequence_length, num_sequences, threads), budget=budget)
            work.write(loaded, out,
                       lambda one, path: stages.assign_budget(one, table, budget, path), threads,
                       text, table)
    show(tables.summarize_assignment(out / "assignment.json"))
