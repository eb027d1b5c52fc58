#!/usr/bin/env python3
"""Compare kernels for GPUs, run by an OpenCL device that is this machine's CPU, with code for the
CPU: linear layers of a prompt, without dpas.

    OCL_ICD_VENDORS=build/release/test/opencl PATH=build/release/bin:$PATH benchmarks/opencl.py

Prints billions of operations (two a weight and token) a second of processor time of one thread: what
a long prompt takes more than a short one, so that neither compiling nor other processes count.
"""

import argparse
import json
import os
import resource
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from safetensors.numpy import save_file
from shapes import VOCABULARY, Case, linear, make_program, tiled

ROWS, COLUMNS, GROUP = 768, 3072, 64
SHORT, LONG = 512, 4608


def widen(case: Case) -> Case:
    """With a weight in f32."""
    shape = f"{ROWS}x{COLUMNS}x"
    return replace(case, family="linear f32", body=case.body.replace(f"{shape}f16", f"{shape}f32"),
                   weights=case.weights | {"w": case.weights["w"].astype(np.float32)})


def take_seconds(folder: Path, tokens: int, options: list[str]) -> float:
    file = folder / "tokens.json"
    file.write_text(json.dumps([i % VOCABULARY for i in range(tokens)]))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # @prefill would compute the last token of a linear alone.
    subprocess.run(["ssmq-run", folder / "program.mlir", "--checkpoint", folder, "--tokens-file", file,
                    "--threads=1", "--lowering=prefill=false", *options], check=True,
                   stdout=subprocess.DEVNULL, env={**os.environ, "CL_CONFIG_CPU_TBB_NUM_WORKERS": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime


def measure(case: Case, device: str, rounds: int) -> float:
    """Operations a second; the median over rounds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_file(case.weights, folder / "model.safetensors")
        (folder / "program.mlir").write_text(make_program(case))
        options = [f"--device={device}"]
        seconds = median(take_seconds(folder, LONG, options) - take_seconds(folder, SHORT, options)
                         for _ in range(rounds))
    return 2 * case.elements * (LONG - SHORT) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="xe")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cases = [widen(linear(ROWS, COLUMNS)), linear(ROWS, COLUMNS),
             *(tiled(ROWS, COLUMNS, GROUP, bits, integer) for integer in (False, True)
               for bits in (8, 4))]
    print(f"| {ROWS} x {COLUMNS} | CPU | {arguments.device} | CPU / {arguments.device} |")
    print("| --- | ---: | ---: | ---: |")
    for case in cases:
        cpu, device = (measure(case, name, arguments.rounds) for name in ("cpu", arguments.device))
        print(f"| {case.family} | {cpu / 1e9:.0f} | {device / 1e9:.0f} | {cpu / device:.1f} |",
              flush=True)


if __name__ == "__main__":
    main()
