#!/usr/bin/env python3
"""Bytes, time and accuracy of freestanding objects of a classifier, scans in integers and in f32.

    PATH=build/release/bin:/usr/lib/llvm-22/bin:$PATH .venv/bin/python benchmarks/freestanding.py \
      MODEL... --data DIRECTORY --programs FOLDER [--targets LIST] [--json FILE]

DIRECTORY holds train and test.safetensors (`ssmq s4d-data`). A model with quantization.json is
taken in its formats, another in the mixes of s4d_cost.py; programs are made in FOLDER. Bytes are
those that `ssmq-run --emit=obj --freestanding` prints. An object for x86-64 classifies all test
sequences, one process for all (freestanding.c): medians over sequences, by its own clock.
"""

import argparse
import json
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from s4d_cost import Program, make_programs, take_sequences
from safetensors.numpy import load_file

from ssmq import stages
from ssmq.model import load

TARGETS = ("x86-64-v3", "cortex-m4", "cortex-m0")
NO_VECTORS = ["--lowering", "vector-width=1"]
SIZES = ("code", "read-only data", "of it weights", "state", "workspace", "stack", "flash", "RAM")
HOST = Path(__file__).with_suffix(".c")


@dataclass
class Variant:
    scan: str
    options: list[str]


def list_variants(program: Program, target: str) -> list[Variant]:
    """Of the programs of s4d_cost.py each has its options; one as trained is taken in each way."""
    if program.name != "as trained":
        return [Variant(program.name, program.options)]
    narrow = [] if target.startswith("x86") else [Variant("integers, width 1", NO_VECTORS)]
    return [Variant("integers", []), *narrow, Variant("f32", ["--integer-scans=false"])]


def make_trained(directory: Path, place: Path) -> list[Program]:
    folder = place / directory.name
    folder.mkdir(exist_ok=True)
    model = load(directory)
    stages.apply(model, directory / "quantization.json")
    (folder / "weights.safetensors").unlink(missing_ok=True)
    stages.quantize(model, folder / "weights.safetensors", threads=1)
    (folder / "program.mlir").write_text(model.mlir())
    return [Program("as trained", folder, [])]


def emit(program: Program, target: str, options: list[str], scratch: Path) -> dict[str, int]:
    """model.o and model.h in `scratch`; the bytes by name."""
    printed = ""
    for kind, name in (("obj", "model.o"), ("header", "model.h")):
        printed += subprocess.run(
            ["ssmq-run", program.path, f"--emit={kind}", "--freestanding", "--target", target,
             *options, "-o", scratch / name], capture_output=True, text=True, check=True).stdout
    return {name: int(size) for name, size in re.findall(r"^ *(.+): (\d+) bytes", printed, re.M)}


def classify(scratch: Path, target: str, tensors: dict[str, np.ndarray]) -> tuple[int, list[float]]:
    """How many are right, and the microseconds of each sequence."""
    subprocess.run(["clang", "-O2", f"-march={target}", "-static", f"-I{scratch}", HOST,
                    scratch / "model.o", "-o", scratch / "program"], check=True)
    inputs = tensors["inputs"].astype(np.float32)
    printed = subprocess.run(
        [scratch / "program", scratch / "logits", str(inputs.shape[1])], input=inputs.tobytes(),
        capture_output=True, check=True).stdout
    logits = np.fromfile(scratch / "logits", np.float32).reshape(len(inputs), -1)
    right = int((logits.argmax(1) == tensors["labels"]).sum())
    return right, [int(line) / 1000 for line in printed.split()]


def run(directory: Path, place: Path, tensors: dict, targets: list[str]) -> list[dict]:
    trained = (directory / "quantization.json").exists()
    programs = make_trained(directory, place) if trained else make_programs(directory, place, place)
    print(f"\n{directory.name}\n\n| target | scan | {' | '.join(SIZES)} | us a sequence | right |\n"
          "|---|---|" + "---:|" * (len(SIZES) + 2))
    rows = []
    for target in targets:
        for program in programs:
            for variant in list_variants(program, target):
                with tempfile.TemporaryDirectory() as name:
                    sizes = emit(program, target, variant.options, Path(name))
                    row = {"model": directory.name, "target": target, "scan": variant.scan, **sizes}
                    cells = ["", ""]
                    if target.startswith("x86"):
                        right, times = classify(Path(name), target, tensors)
                        row |= {"right": right, "microseconds": times}
                        cells = [f"{statistics.median(times):.0f}", f"{right} of {len(times)}"]
                rows.append(row)
                print(f"| {target} | {variant.scan} | " + " | ".join(
                    [*(str(sizes[size]) for size in SIZES), *cells]) + " |", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--programs", required=True, type=Path)
    parser.add_argument("--targets", type=lambda text: text.split(","), default=list(TARGETS))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    place = arguments.programs.resolve()
    place.mkdir(exist_ok=True)
    take_sequences(arguments.data, place)
    tensors = load_file(arguments.data / "test.safetensors")
    rows = [row for model in arguments.models
            for row in run(model, place, tensors, arguments.targets)]
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
