"""Commands for S4D classifiers of sequences."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from .options import ModelDir, app

Data = Annotated[str, typer.Option(
    "--data", metavar="DATA",
    help="digits64, digits784, vowels, vowels:FOLDER of .ts files, mnist:FOLDER of IDX files, or "
         "a folder of train, validation and test.safetensors.")]
Out = Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The directory to write.")]
Epochs = Annotated[int, typer.Option("--epochs", min=0)]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1)]
LearningRate = Annotated[float, typer.Option("--learning-rate", min=0)]
SystemRate = Annotated[float, typer.Option(
    "--system-learning-rate", min=0, help="The most for dt, A and B of the systems.")]
Seed = Annotated[int, typer.Option("--seed", min=0)]


@app.command("s4d-data")
def s4d_data(data: Annotated[str, typer.Argument(metavar="DATA", show_default=False,
                                                 help="As --data of train-s4d takes it.")],
             out: Out) -> None:
    """Write labelled sequences as train, validation and test.safetensors."""
    from ..s4d.data import load, write

    write(load(data), out)


@app.command("train-s4d")
def train_s4d(data: Data, out: Out,
              heads: Annotated[int, typer.Option("--heads", min=1,
                                                 help="The model's width.")] = 16,
              d_state: Annotated[int, typer.Option("--state", min=2, help="Real states a head: "
                                                   "twice the complex ones.")] = 64,
              layers: Annotated[int, typer.Option("--layers", min=1)] = 1,
              epochs: Epochs = 30, learning_rate: LearningRate = 3e-2, batch_size: BatchSize = 32,
              system_rate: SystemRate = 1e-3, seed: Seed = 1) -> None:
    """Train an S4D classifier in PyTorch.

    A run that was cut off goes on when it is started again."""
    from ..s4d.optional import require

    require("torch", "training")
    from ..s4d.config import Config
    from ..s4d.data import load
    from ..s4d.train import train
    from ..s4d.training import Recipe

    config = Config(d_model=heads, d_state=d_state, n_layers=layers)
    recipe = Recipe(epochs, learning_rate, batch_size, seed=seed, system_rate=system_rate)
    with _progress(epochs) as show:
        results = train(config, load(data), recipe, out, data, show)
    _print_results(results)


@contextmanager
def _progress(epochs: int) -> Iterator:
    """A bar on a terminal; a line an epoch in a log."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn(),
               TextColumn("{task.description}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=epochs)

        def show(record: dict) -> None:
            text = (f"loss {record['loss']:.4f}  train {record['train']:.2%}  "
                    f"validation {record['validation']:.2%}")
            bar.update(task, completed=record["epoch"], description=text)
            if not console.is_terminal:
                console.print(f"epoch {record['epoch']}/{epochs}  {text}", soft_wrap=True)

        yield show


def _print_results(results: dict) -> None:
    for name, value in results["accuracy"].items():
        print(f"{name}: {value:.2%}")


def _format(option: str, of: str) -> object:
    return typer.Option(option, metavar="FORMAT", help=f"Of {of}; f32 leaves them unrounded.")


@app.command()
def qat(model: ModelDir, data: Data, out: Out,
        weights: Annotated[str, _format("--weights", "the weights of linear layers")]
        = "int4:channel:asym",
        parameters: Annotated[str, _format("--parameters", "B and C of the systems")]
        = "int4:head:asym",
        a: Annotated[str, _format("--a", "the discrete A")] = "int8:head:asym",
        d: Annotated[str, _format("--d", "D")] = "int4:tensor:asym",
        state: Annotated[str, _format("--state", "states, after each step")]
        = "int8:head:asym:static99.999",
        activations: Annotated[str, _format("--activations", "inputs of layers and systems")]
        = "int6:tensor:asym:static99.999",
        gate: Annotated[str, _format("--gate", "what the gates' sigmoids read")] = "f32",
        assignment: Annotated[Path | None, typer.Option(
            "--assignment", metavar="FILE", help="Formats by site, instead of those above.")] = None,
        parameterization: Annotated[str, typer.Option(
            "--parameterization", help="What is trained of A: discrete, continuous, or frozen "
                                       "(nothing).")] = "frozen",
        epochs: Epochs = 10, learning_rate: LearningRate = 1e-3, batch_size: BatchSize = 32,
        system_rate: SystemRate = 1e-3,
        calibration: Annotated[int, typer.Option(
            "--calibration-sequences", min=0,
            help="Training sequences that static ranges are taken from; 0 takes all.")] = 256,
        seed: Seed = 1) -> None:
    """Train an S4D classifier through the rounding of its formats.

    Writes the rounded model and quantization.json with the formats and ranges. With --epochs 0
    it is rounded without training. A run that was cut off goes on when it is started again."""
    from ..s4d.optional import require

    require("torch", "training")
    from ..s4d import qat as work
    from ..s4d.config import read_config
    from ..s4d.data import load
    from ..s4d.training import Recipe

    config = read_config(model / "config.json")
    if assignment:
        formats = work.read_assignment(assignment, config)
    else:
        scheme = work.Scheme(weights, parameters, a, d, state, activations, gate)
        formats = scheme.get_formats(config)
    recipe = Recipe(epochs, learning_rate, batch_size, seed=seed, system_rate=system_rate)
    with _progress(epochs) as show:
        results = work.run(model, load(data), formats, parameterization, recipe, calibration, out,
                           data, show)
    for stage in ("unrounded", "rounded"):
        print(f"test, {stage}: {results[stage]['test']:.2%}")
    _print_results(results)


@app.command("s4d-balance")
def s4d_balance(model: ModelDir, data: Data, out: Out,
                strength: Annotated[float, typer.Option(
                    "--strength", help="0 leaves the model as it is; 1 gives all states of a head "
                                       "one range.")] = 0.5,
                calibration: Annotated[int, typer.Option(
                    "--calibration-sequences", min=0,
                    help="Training sequences that ranges are taken from; 0 takes all.")] = 128
                ) -> None:
    """Bring the states of each head to like ranges by scaling B and C; logits stay the same.

    Rounding a state then costs less, as all states of a head share a scale."""
    from ..s4d.optional import require

    require("torch", "balancing")
    from ..s4d import balance
    from ..s4d.data import load

    factors = balance.run(model, load(data).train, strength, calibration, out)
    for index, factor in enumerate(factors):
        print(f"layer {index}: factors 1 to {factor:.4g}")


@app.command("s4d-curves")
def s4d_curves(runs: Annotated[list[Path], typer.Argument(
                   metavar="OUT...", show_default=False,
                   help="Directories that train-s4d or qat wrote.")],
               out: Annotated[Path, typer.Option("-o", "--output", metavar="FILE",
                                                 help="The picture to write, .png or .svg.")]
               ) -> None:
    """Draw the learning curves of one or more trainings."""
    from ..s4d import curves
    from ..s4d.pictures import check_picture

    check_picture(out)
    curves.write_picture(runs, out)


@app.command("s4d-sweep")
def s4d_sweep(model: ModelDir,
              data: Annotated[Path, typer.Option("--data", metavar="DIR", help="A folder of "
                                                 "train and test.safetensors (ssmq s4d-data).")],
              out: Annotated[Path, typer.Option("-o", "--output", metavar="OUT",
                                                help="The results to write (JSON).")],
              markdown: Annotated[Path | None, typer.Option(
                  "--markdown", metavar="FILE", help="Write the tables as Markdown too.")] = None,
              picture: Annotated[Path | None, typer.Option(
                  "--picture", metavar="FILE", help="Draw accuracy against bits (.png or .svg).")] = None
              ) -> None:
    """Round one component of a classifier at a time, and mixes, and take the accuracy.

    Static ranges come from the training sequences, accuracies from the test sequences."""
    import json

    from rich.console import Console

    from ..model import load
    from ..output import check_new, write_file
    from ..s4d import sweep, sweep_report
    from ..s4d.pictures import check_picture

    for path in filter(None, (out, markdown)):
        check_new(path)
    if picture:
        check_picture(picture)
    with Console(stderr=True).status("f32") as status:
        document = sweep.run(load(model), data, status.update)
    write_file(out, json.dumps(document, indent=1) + "\n")
    if markdown:
        write_file(markdown, sweep_report.to_markdown(document))
    if picture:
        sweep_report.write_picture(document, picture)
    print(sweep_report.to_markdown(document), end="")
