"""`ssmq demo`: the whole line on one model, and the table that the README shows."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import generate, machine, quantize, readme, stages, tables
from .engine import Engine, make_program
from .machine import get_threads
from .model import Model, load
from .output import new_directory, scratch_directory
from .overlap import Sketch
from .program import Program
from .report import Table, make_console, with_error
from .text import read_calibration, read_text, refuse_overlap
from .tokenizer import Tokenizer

# Eighty characters wide with the numbers below.
COLUMNS = ["model", "MB", "bits", "perplexity", "KL x 1000", "top-1", "tok/s"]
PROMPT_TOKENS, DECODED_TOKENS, REPEATS = 64, 128, 9
WRITTEN_TOKENS, TEMPERATURE, SEED = 96, 0.7, 1
UNIFORM = ("int8:channel", "int4:g64")
TABLE_FILE = "table.md"


@dataclass
class Options:
    calibration: Path
    evaluation: Path
    prompt: str
    budgets: tuple[str, ...]
    engine: Engine
    # Of the calibration; the evaluation takes all its text, in sequences of 512.
    sequence_length: int
    num_sequences: int


def show(directory: Path, out: Path, options: Options, readme_path: Path | None) -> None:
    if readme_path:
        readme.check(readme_path)
    if (out / TABLE_FILE).exists():  # of an earlier demo
        shutil.rmtree(out)
    started = time.monotonic()
    console = make_console()
    with new_directory(out) as scratch:
        demo = Demo(directory, options, lambda step: console.print(f"[dim]{step}[/dim]"))
        text = demo.run(scratch)
        markdown = (f"`ssmq demo {directory}` printed:\n\n{demo.table.to_markdown()}\n"
                    f"{demo.describe()}\n")
        (scratch / TABLE_FILE).write_text(markdown, encoding="utf-8")
    console.print(demo.table.to_rich())
    console.print(demo.describe(), style="dim")
    console.print(f"\nA text by the last model (temperature {TEMPERATURE}):\n")
    console.print(text, markup=False, highlight=False)
    console.print(f"\n{out} holds models and tables; all took {time.monotonic() - started:.0f} s")
    if readme_path:
        readme.update(readme_path, markdown)


class Demo:
    def __init__(self, directory: Path, options: Options, say: Callable[[str], None]):
        self.options, self.say, self.threads = options, say, get_threads()
        self.model = quantize.load_original(directory)
        tokenizer = Tokenizer(directory)
        self.calibration = read_calibration(options.calibration, directory,
                                            options.sequence_length)
        self.evaluation = read_text(options.evaluation, tokenizer)
        refuse_overlap(Sketch.of(str(options.calibration), self.calibration.content),
                       self.evaluation)
        # Interpreted: the row of the original shows what compiling changes, the noise floor.
        self.teacher = self.model.interpreter("fast", 1)
        self.table = Table(directory.resolve().name, COLUMNS)

    def run(self, out: Path) -> str:
        """Writes the models into `out`, fills the table and returns a text by the last model."""
        sensitivity = out / "table.json"
        self.say("measuring each format at each weight, on "
                 f"{self.options.num_sequences} x {self.options.sequence_length} tokens")
        stages.measure(self.model, self.calibration, sensitivity, stages.MeasureOptions(
            None, self.options.sequence_length, self.options.num_sequences, self.threads))
        self.add_row("original", self.model, tables.get_original_size(sensitivity))

        for format in UNIFORM:
            directory = out / f"uniform-{format.replace(':', '-')}"
            quantize.write(self.model, directory,
                           lambda one, path: stages.assign_uniform(one, format, path),
                           self.threads)
            self.add_variant(format, directory)
        for budget in self.options.budgets:
            directory = out / f"mix-{budget}"
            self.choose(sensitivity, budget, directory)
            model, program = self.add_variant(f"mix {budget}", directory)
        pieces: list[str] = []
        generate.write(model, program, self.options.prompt, WRITTEN_TOKENS, TEMPERATURE, SEED,
                       pieces.append)
        return "".join(pieces)

    def choose(self, sensitivity: Path, budget: str, directory: Path) -> None:
        """A mix that measures better than uniform formats of its size; it is not solved again."""
        with scratch_directory() as scratch:
            chosen = scratch / "assignment.json"
            stages.solve_mix(self.model, sensitivity, budget, self.calibration, chosen,
                             stages.VerifyOptions(self.options.sequence_length,
                                                  self.options.num_sequences, 0, self.threads))
            quantize.write(self.model, directory, quantize.assign_as(chosen), self.threads,
                           self.calibration, sensitivity, stages.RefineOptions(
                               sequence_length=self.options.sequence_length,
                               threads=self.threads))

    def add_variant(self, name: str, directory: Path) -> tuple[Model, Program]:
        model = load(directory)
        return model, self.add_row(name, model, tables.get_size(directory / "assignment.json"))

    def add_row(self, name: str, model: Model, size: tables.Size) -> Program:
        self.say(f"evaluating {name}")
        program = make_program(model, self.options.engine, threads=1)
        result = program.evaluate(self.evaluation.tokens, self.teacher, threads=self.threads)
        speed = program.benchmark(self.evaluation.tokens[:PROMPT_TOKENS], DECODED_TOKENS, REPEATS)
        self.num_scored = result.num_scored
        self.table.rows.append([
            name, f"{size.num_bytes / 1e6:.2f}", f"{size.bits:.2f}",
            with_error(result.perplexity, 2), with_error(result.forward_kl, 3, scale=1000),
            f"{result.same_top1.mean:.2%}", f"{speed.decode:.0f}"])
        return program

    def describe(self) -> str:
        """What the numbers are, to stand below the table."""
        return (f"Size as stored, in bits a weight; {self.num_scored} tokens of "
                f"{self.evaluation.path.name} in sequences of 512, ± standard error over "
                "sequences. KL(original || model) in nats a token, where the original is "
                "interpreted in f32, so that its row is the noise floor; top-1: both put the same "
                f"token first. The mixes were chosen on {self.options.num_sequences} x "
                f"{self.options.sequence_length} tokens of {self.calibration.path.name} and "
                "refined by GPTQ on all of it. Decoding one sequence on one thread, median of "
                f"{REPEATS} x {DECODED_TOKENS} tokens, "
                f"{self.options.engine}, on {machine.describe()}.")
