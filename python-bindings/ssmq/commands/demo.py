"""The whole line at once."""

from pathlib import Path
from typing import Annotated

import typer

from ..engine import Engine
from .options import EngineOption, MeasureLength, ModelDir, NumSequences, app, show


@app.command()
def demo(model: ModelDir,
         calibration: Annotated[Path | None, typer.Option(
             "--calibration", metavar="TEXT", show_default="MODEL/data/calibration.txt",
             help="The text to measure on.")] = None,
         evaluation: Annotated[Path | None, typer.Option(
             "--evaluation", metavar="TEXT", show_default="MODEL/data/evaluation.txt",
             help="The text to judge by.")] = None,
         out: Annotated[Path, typer.Option("-o", metavar="OUT",
                                           help="The directory for models and table.")] =
         Path("demo-out"),
         prompt: Annotated[str, typer.Option(help="The beginning of the text to write.")] =
         "The kernel",
         budget: Annotated[list[str], typer.Option("--budget", metavar="SIZE",
                                                   help="Of a mix; may be given again.")] =
         ["5.5bpw", "4.5bpw"],
         sequence_length: MeasureLength = 256, num_sequences: NumSequences = 8,
         engine: EngineOption = Engine.compiled,
         update_readme: Annotated[bool, typer.Option(
             "--update-readme", help="Put the table into ./README.md.")] = False) -> None:
    """Show the whole line on one model: measure, mix, compare, write a text."""
    from .. import demo as work

    work.show(model, out, work.Options(
        calibration or model / "data" / "calibration.txt",
        evaluation or model / "data" / "evaluation.txt",
        prompt, tuple(budget), engine, sequence_length, num_sequences),
        Path("README.md") if update_readme else None)
