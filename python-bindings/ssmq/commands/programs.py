"""Commands that run a program."""

from pathlib import Path
from typing import Annotated

import typer

from ..engine import Engine
from .options import DeviceOption, EngineOption, JsonOption, Length, ModelDir, app, show


@app.command()
def run(model: ModelDir,
        prompt: Annotated[str, typer.Option("--prompt", "-p", help="The beginning of the text.")],
        n: Annotated[int, typer.Option("-n", min=1, help="Tokens to write.")] = 64,
        temperature: Annotated[float, typer.Option(min=0, help="0 takes the likeliest.")] = 0.0,
        seed: Annotated[int, typer.Option(min=0, help="Of the random choice.")] = 0,
        engine: EngineOption = Engine.compiled, device: DeviceOption = "cpu") -> None:
    """Continue a text."""
    from .. import generate
    from ..engine import make_program
    from ..machine import get_threads
    from ..model import load

    loaded = load(model)
    program = make_program(loaded, engine, get_threads(), device)
    generate.write(loaded, program, prompt, n, temperature, seed,
                   lambda piece: print(piece, end="", flush=True))
    print()


@app.command(name="eval")
def evaluate(model: ModelDir,
             text: Annotated[Path, typer.Option("--text", metavar="FILE",
                                                help="The text to score, or labelled sequences "
                                                     "(.safetensors) for a classifier.")],
             teacher: Annotated[Path | None, typer.Option(
                 "--teacher", metavar="MODEL", help="Compare with this model too.")] = None,
             teacher_cache: Annotated[Path | None, typer.Option(
                 "--teacher-cache", metavar="FILE",
                 help="Where the teacher's logits are kept, exact and large (4 bytes a token and "
                      "word): written when it does not exist, else read, and the teacher is not "
                      "run.")] = None,
             sequence_length: Length = 512,
             engine: EngineOption = Engine.compiled, device: DeviceOption = "cpu",
             json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Measure perplexity on a text, or accuracy on labelled sequences, and the divergence from a
    teacher.

    All positions but the first of each sequence are scored. With a teacher, the statistics of
    llama-perplexity --kl-divergence, then those of the logits."""
    from .. import evaluation_report as report
    from ..evaluate import evaluate as work
    from ..model import load
    from ..text import is_labelled

    result = work(load(model), text, load(teacher) if teacher else None, engine, sequence_length,
                  teacher_cache, device)
    print(report.to_json(result) if json else report.to_text(result, is_labelled(text)))


@app.command()
def devices(json: JsonOption = False) -> None:
    """List the OpenCL devices and whether they run Xe kernels."""
    from .. import devices as work

    if json:
        print(work.to_json())
    else:
        show(work.to_table())
