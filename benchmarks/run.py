"""Speed of ssmq beside llama.cpp, OpenVINO and transformers, and beside the machine's limits.

    run.py DIRECTORY [--model NAME ...] [--isa host lunarlake] [--engine NAME ...] [--rounds N] ...

Random checkpoints of real shapes are made in DIRECTORY, with all that is made from them, unless
they are there; peers are taken from the directory that setup-peers made (--peers). Each engine runs
in a process of its own; all take turns in each round. Writes DIRECTORY/results/NAME.{json,md}."""

import argparse
import json
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import make_checkpoint
import variants
from isa import Isa, get_isa
from peers import prepare
from ssmq import machine
from ssmq.bench import document
from ssmq.bench.contender import Contender
from ssmq.bench.peaks import Peaks, measure_peaks
from ssmq.bench.rounds import run_rounds
from ssmq.bench.sampling import Work
from ssmq.bench.table import Limits
from ssmq.bench.traffic import count_operations, count_state_elements
from ssmq.errors import Error

_STAND_IN = ("OpenVINO runs a granitemoehybrid of the same mixers, with an MLP of 8 columns: "
             "optimum-intel exports no mamba2")
ENGINES = ["ssmq", "llama.cpp", "OpenVINO", "transformers"]


def tell(message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


@dataclass
class Field:
    """Who takes part for one model and class of instructions."""

    peers: prepare.Peers
    checkpoint: Path
    made: Path
    work: Work
    isa: Isa
    programs: list[str] | None = None
    """Those of ours that take part; all without."""

    def __post_init__(self) -> None:
        self.config = json.loads((self.checkpoint / "config.json").read_text())
        self.state_bytes = 4 * count_state_elements(self.config)
        self.contenders: list[Contender] = []
        self.notes: list[str] = []

    def add(self, engine: str) -> None:
        """What cannot be made is a note, and does not hold the others."""
        if engine == "OpenVINO" and self.config["model_type"] == "mamba2":
            self.notes.append(_STAND_IN)
        for format, make in self._list(engine):
            tell(f"{self.checkpoint.name}, {self.isa.name}: {engine} {format}")
            try:
                self.contenders.append(make())
            except (Error, OSError) as error:
                self.notes.append(f"{engine} {format}: {error}")
                tell(self.notes[-1])

    def _list(self, engine: str) -> list:
        if engine == "ssmq":
            return [(one.label, lambda one=one: self._make_ours(one)) for one in variants.VARIANTS
                    if not self.programs or one.label in self.programs]
        if engine == "llama.cpp":
            return [(type, lambda type=type: self._make_llama(type))
                    for type in prepare.GGUF_TYPES]
        if engine == "OpenVINO":
            return [(format, lambda format=format: self._make_openvino(format))
                    for format in prepare.IR_FORMATS]
        return [(type, lambda type=type: prepare.make_eager(
            self.checkpoint, type, self.work, self.isa, self.state_bytes))
            for type in prepare.EAGER_TYPES]

    def _make_ours(self, variant: variants.Variant) -> Contender:
        directory = variants.prepare(variant, self.checkpoint, self.made,
                                     self.config["vocab_size"])
        return variants.to_contender(variant, directory, self.work, self.isa.compile_options)

    def _make_llama(self, type: str) -> Contender:
        file = prepare.make_gguf(self.peers, self.isa.llama_build, self.checkpoint, self.made, type)
        return prepare.make_llama(self.peers, file, self.work, self.isa, self.state_bytes)

    def _make_openvino(self, format: str) -> Contender:
        ir = prepare.make_ir(self.peers, self.checkpoint, self.made, format)
        return prepare.make_openvino(self.peers, ir, self.work, self.isa, self.state_bytes)


def run(options: argparse.Namespace, name: str, isa: Isa, peaks: Peaks) -> document.Result:
    checkpoint, made = options.directory / name, options.directory / "made" / name
    made.mkdir(parents=True, exist_ok=True)
    if not (checkpoint / "tokenizer.json").exists():
        tell(f"making {checkpoint}")
        make_checkpoint.make(name, checkpoint)
    work = Work(options.prompt, options.tokens, options.repeats, options.threads,
                options.limit)
    variants.remove_other_builds(made)
    field = Field(options.peers, checkpoint, made, work, isa, options.program)
    for engine in options.engine:
        field.add(engine)
    entries = []
    if not options.prepare_only:
        entries = run_rounds(field.contenders, options.rounds, options.slow_seconds, tell)
    return document.Result(name, f"{isa.name}: {isa.executed}", work, options.rounds, entries,
                           Limits(peaks, count_operations(field.config)), field.notes)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--model", nargs="+", choices=make_checkpoint.SHAPES,
                        default=list(make_checkpoint.SHAPES))
    parser.add_argument("--isa", nargs="+", choices=["host", "lunarlake"],
                        default=["host", "lunarlake"])
    parser.add_argument("--engine", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--program", nargs="+", choices=[one.label for one in variants.VARIANTS],
                        help="programs of ours, all without")
    parser.add_argument("--peers", type=lambda path: prepare.Peers(Path(path).absolute()),
                        default="peers", help="what setup-peers made")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3, help="of a turn")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--limit", type=float, default=10,
                        help="seconds of a turn after which no further repeat begins")
    parser.add_argument("--slow-seconds", type=float, default=30,
                        help="a turn that takes longer is taken once")
    parser.add_argument("--prepare-only", action="store_true", help="make all files, time nothing")
    parser.add_argument("--name", default="run", help="of the results")
    return parser.parse_args()


def main() -> None:
    options = parse()
    options.directory = options.directory.absolute()
    results = options.directory / "results"
    results.mkdir(parents=True, exist_ok=True)
    host = f"{machine.describe()}, Linux {platform.release()}"
    report = document.Document(host, machine.get_features(), sys.argv[1:])
    for isa in map(get_isa, options.isa):
        peaks = measure_peaks(options.threads, isa.vectors)
        tell(f"{isa.executed}: {peaks.describe()}")
        for name in options.model:
            report.results.append(run(options, name, isa, peaks))
            # After each, so that a long run that is cut off leaves what it has.
            document.write(report, results / options.name)
    print(document.to_markdown(report))


if __name__ == "__main__":
    main()
