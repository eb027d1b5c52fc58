"""Commands for tools and machines that a model is deployed on."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..report import make_console
from .options import Formats, ModelDir, app, show, split


class Target(StrEnum):
    csv = "csv"
    llama_cpp = "llama.cpp"
    nncf = "nncf"
    torchao = "torchao"
    safetensors = "safetensors"


class CostDevice(StrEnum):
    cpu = "cpu"
    xe2 = "xe2"


@app.command()
def export(source: Annotated[Path, typer.Argument(
               metavar="FILE", show_default=False,
               help="What `ssmq assign` or `ssmq quantize` wrote; for csv, what `ssmq measure` "
                    "wrote.")],
           target: Annotated[Target, typer.Option("--to", help="What to write.")],
           output: Annotated[Path, typer.Option("-o", metavar="OUT",
                                                help="The file to write; for safetensors, a "
                                                     "directory.")],
           model: Annotated[Path | None, typer.Option(
               "--model", metavar="MODEL",
               help="The model that the assignment is for: shapes and names are checked. "
                    "safetensors needs it, unless FILE is a quantized directory.")] = None,
           take_nearest: Annotated[bool, typer.Option(
               "--nearest", help="Where the other tool has no such format, take what is near and "
                                 "say so.")] = False) -> None:
    """Write an assignment for other tools: arguments of llama-quantize (llama.cpp), calls of
    nncf.compress_weights (nncf), a configuration of each module (torchao), or a checkpoint with
    rounded weights that transformers loads (safetensors). Or a table as CSV."""
    from .. import export as work
    from ..output import check_new

    check_new(output)
    if target == Target.csv:
        note = work.write_csv(source, output)
    else:
        note = work.write_assignment(source, target.value, output, model, take_nearest)
    make_console().print(note, markup=False, highlight=False)


@app.command()
def costs(model: ModelDir,
          output: Annotated[Path, typer.Option("-o", metavar="TABLE",
                                               help="The cost table to write (JSON).")],
          formats: Formats = None,
          threads: Annotated[int | None, typer.Option(
              "--threads", min=1, show_default="all cores",
              help="Of the program that the table is for.")] = None,
          is_fresh: Annotated[bool, typer.Option(
              "--fresh", help="Measure again what was measured on this machine before.")] = False,
          device: Annotated[CostDevice, typer.Option(
              "--device", help="This machine's processor, or Lunar Lake's GPU, whose least times "
              "are estimated from the kernels.")] = CostDevice.cpu) -> None:
    """Measure how long each weight takes in each format on this machine, or estimate it for a GPU.

    Each kernel is compiled and timed once; times are kept in ~/.cache/ssmq."""
    from .. import formats as known
    from ..costs import table as work
    from ..machine import get_threads
    from ..output import check_new
    from ..quantize import load_original

    check_new(output)
    table, num_measured = work.measure(load_original(model), split(formats) or known.defaults(),
                                       threads or get_threads(), is_fresh, device.value)
    work.write(table, output)
    show(table.to_table())
    for format, (reason, count) in table.missing.items():
        print(f"{format} is left out at {count} shapes: {reason}")
    print(f"{output}: {len(table.entries)} times, {num_measured} measured now")
