"""The application, and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

from ..engine import Engine
from ..report import Table, make_console

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="Measures, chooses and compiles quantization formats of language models.")

ModelDir = Annotated[Path, typer.Argument(metavar="MODEL", show_default=False,
                                          help="A Hugging Face directory or an output of ssmq.")]
Calibration = Annotated[Path, typer.Option("--calibration", metavar="TEXT",
                                           help="The text to measure on, or labelled "
                                                "sequences (.safetensors) for a classifier.")]
Length = Annotated[int, typer.Option("--sequence-length", min=2,
                                     help="Tokens of a sequence, the unit of measuring.")]
EngineOption = Annotated[Engine, typer.Option("--engine", help="What runs the program.")]
DeviceOption = Annotated[str, typer.Option(
    "--device", metavar="cpu|xe|xe:N", help="Where the compiled program runs: this processor, the "
    "first OpenCL device that can (GPUs before CPUs), or number N of `ssmq devices`.")]
MeasureLength = Annotated[int, typer.Option("--sequence-length", min=2,
                                            help="Tokens of a calibration sequence.")]
NumSequences = Annotated[int, typer.Option("--num-sequences", min=0,
                                           help="At most so many of them; 0 takes all.")]
Formats = Annotated[str | None, typer.Option(
    "--formats", metavar="LIST", show_default="int4 and int8, a channel or 32, 64, 128 a scale",
    help="Formats to measure, commas between them (int4:g64,int8:channel).")]
Sites = Annotated[str | None, typer.Option(
    "--sites", metavar="KINDS", show_default="weight",
    help="Kinds of sites to measure, commas between them: weight, norm, activation, parameter, "
         "state, cache, all.")]
TableFile = Annotated[Path, typer.Argument(metavar="TABLE", show_default=False,
                                           help="What `ssmq measure` wrote.")]
Output = Annotated[Path, typer.Option("-o", metavar="TABLE", help="The table to write (JSON).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def split(names: str | None) -> list[str] | None:
    return [name.strip() for name in names.split(",")] if names else None


def show(table: Table) -> None:
    make_console().print(table.to_rich())
