#!/usr/bin/env python3
"""What mixes of formats cost a classifier of sequences: time, instructions and bytes.

    PATH=build/release/bin:/usr/lib/llvm-22/bin:$PATH .venv/bin/python benchmarks/s4d_cost.py \
      models/s4d-16h-digits784 --data DIRECTORY --programs FOLDER [--rounds 7] [--json FILE]

DIRECTORY holds train and test.safetensors (`ssmq s4d-data`); programs are made in FOLDER unless
they are there, with ranges of the first 16 training sequences; the discrete A and B of the f32
program are computed before, by --ssmq-fold-parameters. All programs take a turn in each round, on
one thread: a sequence whole, and its steps one by one. Prints medians over rounds, ratios to the
first program as medians of the ratios within rounds, bytes, and the instructions and llvm-mca's
cycles of the scan's loop.
"""

import argparse
import json
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from inner_loops import find_loops
from mca import analyze, assemble, get_cycles, get_hottest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from ssmq.model import load
from ssmq.s4d.sweep import STATIC, Sweep, make_mix
from ssmq.stages import pass_text

TARGETS = {"x86-64-v3": "alderlake", "x86-64-v4": "znver4"}
STEPS = 256
_SPEEDS = re.compile(r"whole ([\d.]+) steps/s, one by one ([\d.]+) steps/s")
_STATE = re.compile(r"tensor<([\dx]*)(f32|f16|i8)> \{ssm\.state")
_SIZES = {"f32": 4, "f16": 2, "i8": 1}


@dataclass
class Program:
    name: str
    folder: Path
    options: list[str]
    whole: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "program.mlir"


def make_formats(sweep: Sweep) -> dict[str, dict[str, str]]:
    """By name: sites with their formats. Activations of 8 bits are symmetric, as integer products
    need them."""
    state = {bits: f"int{bits}:head:asym:{STATIC}" for bits in (8, 16)}
    bytes_only = make_mix(sweep, "int8:head:asym", state[8], "int8", "int8")
    bytes_only |= dict.fromkeys(sweep.select("activations"), f"int8:tensor:{STATIC}")
    return {
        "f32": {}, "W8A8, A 8, state 8": bytes_only,
        "W4A6, A 8, state 8": make_mix(sweep, "int8:head:asym", state[8]),
        "W4A6, A 16, state 8": make_mix(sweep, "int16:head:asym", state[8]),
        "W4A6, A 16, state 16": make_mix(sweep, "int16:head:asym", state[16]),
        "W4A6, A logpolar, state 8": make_mix(sweep, "logpolar<1,7>:head", state[8]),
    }


def take_sequences(data: Path, place: Path) -> None:
    """Ranges hardly change past these; timing takes the first test sequence."""
    for name, count in (("train", 16), ("test", 1)):
        tensors = load_file(data / f"{name}.safetensors")
        save_file({key: value[:count].copy() for key, value in tensors.items()},
                  place / f"{name}.safetensors")


def make_programs(directory: Path, data: Path, place: Path) -> list[Program]:
    model, programs = load(directory), []
    sweep = Sweep(model, data)
    for name, formats in make_formats(sweep).items():
        folder = place / f"{directory.name}, {name}"
        folder.mkdir(exist_ok=True)
        if not (folder / "program.mlir").exists():
            made = model.clone()
            if formats:
                made = sweep.rewrite(formats, folder)
            else:
                made.run_pipeline(pass_text("ssmq-fold-parameters",
                                            output=folder / "weights.safetensors"))
            (folder / "program.mlir").write_text(made.mlir())
        programs.append(Program(name, folder, []))
        if "A 8" in name:
            programs.append(Program(f"{name}, scan in floats", folder, ["--integer-scans=false"]))
    return programs


def time_once(program: Program, sequences: Path) -> None:
    output = subprocess.run(
        ["ssmq-run", str(program.path), "--sequences", str(sequences), "--bench", "--threads=1",
         "--lowering=threads=false",
         f"--generate={STEPS}", *program.options], capture_output=True, text=True, check=True).stdout
    whole, single = map(float, _SPEEDS.search(output).groups())
    program.whole.append(1e9 / whole)
    program.single.append(1e9 / single)


def count_bytes(program: Program) -> tuple[int, int]:
    """Of the weights that the compiled program reads, and of its states."""
    with tempfile.TemporaryDirectory() as scratch:
        text, passes = program.path.read_text(), ["expand-formats", "tile-weights"]
        if not program.options:
            passes.insert(0, "integer-scans")
        arguments = [f"--ssmq-{name}=output={scratch}/{name}.safetensors" for name in passes]
        lowered = subprocess.run(["ssmq-opt", str(program.path), "--inline", *arguments],
                                 capture_output=True, text=True, check=True).stdout
        checkpoint = re.search(r'ssm\.checkpoint = "([^"]*)"', lowered).group(1)
        path = Path(checkpoint) if Path(checkpoint).is_absolute() else program.folder / checkpoint
        weights, names = 0, set(re.findall(r'global_load_const @"?([^"\s]+?)"? :', lowered))
        for file in ([path] if path.is_file() else path.glob("*.safetensors")):
            with safe_open(file, "numpy") as tensors:
                weights += sum(tensors.get_tensor(name).nbytes for name in tensors.keys()
                               if name in names)
    states = 0
    for shape, element in _STATE.findall(lowered):
        count = _SIZES[element]
        for size in filter(None, shape.split("x")):
            count *= int(size)
        states += count
    return weights, states


def make_scan(kind: str, heads: int, parts: int = 64) -> str:
    """One scan alone."""
    ranges = ", ".join(["-1.0, 1.0"] * heads)
    state = {"f32": "", "f32, state 8": '{state_format = #ssm.format<"i8 asym per_head static=99">, '
             f"state_ranges = array<f32: {ranges}>}}"}
    matrix, y = f"tensor<{heads}x{parts}xf32>", f"tensor<?x{heads}xf32>"
    if kind in state:
        types = f"({y}, {matrix}, {matrix}, {matrix}, tensor<{heads}xf32>, {matrix}) -> ({y}, {matrix})"
        return f"""func.func @forward(%x: {y}, %a: {matrix}, %b: {matrix}, %c: {matrix}, %d: tensor<{heads}xf32>,
            %s: {matrix}) -> ({y}, {matrix}) {{
          %y, %n = ssm.diagonal_scan %x a %a b %b c %c d %d state %s {state[kind]} : {types}
          return %y, %n : {y}, {matrix} }}"""
    bits = int(kind.split()[-1])
    codes, whole = f"tensor<{heads}x{parts * bits // 8}xi8>", f"tensor<{heads}x{parts}xi8>"
    operands = (f"tensor<?x{heads}xi8>, tensor<?x1xf32>, {whole}, {codes}, {codes}, "
                f"tensor<{heads}x10xi32>, tensor<{heads}xf32>, tensor<{heads}xf32>, {whole}")
    names = ["%x", "%m", "%a", "%b", "%c", "%n", "%f", "%d", "%s"]
    arguments = ", ".join(f"{name}: {type}" for name, type in zip(names, operands.split(", ")))
    return f"""func.func @forward({arguments}) -> ({y}, {whole}) {{
      %y, %t = ssm.integer_diagonal_scan %x, %m a %a b %b c %c constants %n, %f d %d state %s
        {{a_bits = 8 : i64, b_bits = {bits} : i64, c_bits = {bits} : i64}} : ({operands}) -> ({y}, {whole})
      return %y, %t : {y}, {whole} }}"""


def print_loops() -> list[dict]:
    """The loop over the steps of a head with 32 complex states, and what stands before it."""
    rows = []
    print("\n| Scan | Code for | Instructions a head and step | Cycles (llvm-mca) | "
          "Instructions of the kernel |\n| --- | --- | ---: | ---: | ---: |")
    for kind in ("f32", "f32, state 8", "integers, b and c of 8", "integers, b and c of 4"):
        for target, processor in TARGETS.items():
            assembly = assemble(make_scan(kind, 16), target)
            loop = get_hottest(find_loops(assembly))
            kernel = assembly.split(f"{loop.function}:", 1)[1].split(".Lfunc_end", 1)[0]
            total = sum(bool(re.match(r"\t[a-z]", line)) for line in kernel.splitlines())
            row = {"scan": kind, "target": target, "instructions": len(loop.instructions),
                   "cycles": get_cycles(analyze(loop, processor)), "kernel": total}
            rows.append(row)
            print(f"| {kind} | {target} | {row['instructions']} | {row['cycles']:.0f} | {total} |")
    return rows


def get_ratio(times: list[float], others: list[float]) -> float:
    return statistics.median(mine / other for mine, other in zip(times, others))


def run(directory: Path, place: Path, rounds: int) -> list[dict]:
    programs = make_programs(directory, place, place)
    for _ in range(rounds):
        for program in programs:
            time_once(program, place / "test.safetensors")
    print(f"\n{directory.name}, ns a step\n\n| Program | Whole | Ratio | One by one | Ratio | "
          "Bytes of weights | Bytes of states |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    rows = []
    for program in programs:
        weights, states = count_bytes(program)
        row = {"model": directory.name, "program": program.name, "weights": weights,
               "states": states, "whole": program.whole, "single": program.single}
        rows.append(row)
        print(f"| {program.name} | {statistics.median(program.whole):.0f} | "
              f"{get_ratio(program.whole, programs[0].whole):.2f} | "
              f"{statistics.median(program.single):.0f} | "
              f"{get_ratio(program.single, programs[0].single):.2f} | {weights} | {states} |",
              flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--programs", required=True, type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    place = arguments.programs.resolve()
    place.mkdir(exist_ok=True)
    take_sequences(arguments.data, place)
    rows = [row for model in arguments.models for row in run(model, place, arguments.rounds)]
    result = {"programs": rows, "loops": print_loops()}
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
