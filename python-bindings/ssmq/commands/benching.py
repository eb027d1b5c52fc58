"""The command that times whole models."""

from pathlib import Path
from typing import Annotated

import typer

from .options import DeviceOption, app


@app.command()
def bench(models: Annotated[list[Path], typer.Argument(
              metavar="MODEL...", show_default=False,
              help="Hugging Face directories or outputs of ssmq, of one original: limits are those "
                   "of the first.")],
          prompt: Annotated[int, typer.Option("--prompt", min=1, help="Its tokens.")] = 512,
          tokens: Annotated[int, typer.Option("-n", "--tokens", min=1,
                                              help="Tokens after the prompt.")] = 128,
          rounds: Annotated[int, typer.Option("--rounds", min=1,
                                              help="In each, all take a turn.")] = 3,
          repeats: Annotated[int, typer.Option("--repeats", min=1, help="Of a turn.")] = 3,
          threads: Annotated[int, typer.Option("--threads", min=0, help="0 takes all cores.")] = 0,
          target: Annotated[str, typer.Option(
              "--target", metavar="CPU", show_default="this processor",
              help="Compile for an older processor (x86-64-v3).")] = "",
          device: DeviceOption = "cpu",
          peer: Annotated[list[str] | None, typer.Option(
              "--peer", metavar="llama.cpp=FILE", help="A GGUF file that llama-bench runs in the "
              "same rounds. Repeatable.")] = None,
          llama_bench: Annotated[str, typer.Option(
              "--llama-bench", metavar="PROGRAM", help="The program of llama.cpp.")] = "llama-bench",
          peaks: Annotated[bool, typer.Option(
              "--peaks/--no-peaks", help="Measure the processor's limits too; needs a C "
                                         "compiler.")] = True,
          json: Annotated[bool, typer.Option("--json", help="Print all samples as JSON.")] = False
          ) -> None:
    """Time models: prompt and decoded tokens a second, loading, memory.

    Each runs in a process of its own; all take turns, so that ratios hold on a busy machine."""
    import sys

    from .. import machine
    from ..bench import document
    from ..bench.command import PeerOptions, measure
    from ..bench.sampling import Work
    from ..machine import get_threads

    work = Work(prompt, tokens, repeats, threads or get_threads())
    result = measure(models, work, rounds, target, device, PeerOptions(peer or [], llama_bench), peaks,
                     lambda line: print(line, file=sys.stderr))
    report = document.Document(machine.describe(), machine.get_features(), sys.argv[1:], [result])
    print(document.to_json(report) if json else document.to_markdown(report), end="")
