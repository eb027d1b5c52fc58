"""The commands and their options; the work is done in the module of each."""

from pathlib import Path
from typing import Annotated

import typer

from .engine import Engine

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="Measures, chooses and compiles quantization formats of language models.")

ModelDir = Annotated[Path, typer.Argument(metavar="MODEL", show_default=False,
                                          help="A Hugging Face directory or an output of ssmq.")]
Calibration = Annotated[Path, typer.Option("--calibration", metavar="TEXT",
                                           help="The text to measure on.")]
Length = Annotated[int, typer.Option("--sequence-length", min=2,
                                     help="Tokens of a sequence, the unit of measuring.")]
EngineOption = Annotated[Engine, typer.Option("--engine", help="What runs the program.")]
Formats = Annotated[str, typer.Option("--formats", metavar="LIST",
                                      help="Formats to measure, commas between them.")]
Budget = Annotated[str, typer.Option("--budget", metavar="SIZE",
                                     help="Bits a weight (4.5bpw) or bytes (3.2MB).")]

DEFAULT_FORMATS = ("int8:channel,int8:g128,int8:g64,int8:g32,"
                   "int4:channel,int4:g128,int4:g64,int4:g32")


@app.command()
def run(model: ModelDir,
        prompt: Annotated[str, typer.Option("--prompt", "-p", help="The beginning of the text.")],
        n: Annotated[int, typer.Option("-n", min=1, help="Tokens to write.")] = 64,
        temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest.")] = 0.0,
        seed: Annotated[int, typer.Option(min=0, help="Of the random choice.")] = 0,
        engine: EngineOption = Engine.compiled) -> None:
    """Continue a text."""
    from . import generate
    from .engine import get_threads, make_program
    from .model import load

    loaded = load(model)
    program = make_program(loaded, engine, get_threads())
    generate.write(loaded, program, prompt, n, temperature, seed,
                   lambda piece: print(piece, end="", flush=True))
    print()


@app.command(name="eval")
def evaluate(model: ModelDir,
             text: Annotated[Path, typer.Option("--text", metavar="FILE",
                                                help="The text to score.")],
             teacher: Annotated[Path | None, typer.Option(
                 "--teacher", metavar="MODEL", help="Compare with this model too.")] = None,
             sequence_length: Length = 512,
             engine: EngineOption = Engine.compiled,
             json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Measure perplexity on a text, and the divergence from a teacher."""
    from . import evaluate as work
    from .model import load

    result = work.evaluate(load(model), text, load(teacher) if teacher else None, engine,
                           sequence_length)
    print(work.to_json(result) if json else work.to_text(result))
