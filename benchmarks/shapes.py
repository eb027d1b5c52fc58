#!/usr/bin/env python3
"""Time an element of odd shapes beside regular ones: states of 24, widths of 776, 1000 or 50, groups
of 48 columns. One op a program, timed by ssmq-run --profile for a prompt and for single tokens.

    PATH=build/release/bin:$PATH benchmarks/shapes.py [--threads 1] [--target host] [--json FILE]

Prints picoseconds an element (of the weight or of the state, and of each token), the least of many
calls, and the speed an element as a share of the regular shape's.
"""

import argparse
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

VOCABULARY, PROMPT, TOKENS, ROUNDS = 8, 128, 64, 2
ELEMENTS = {"float32": "f32", "float16": "f16", "int8": "i8"}


@dataclass
class Case:
    family: str
    shape: str
    kind: str
    elements: int
    weights: dict[str, np.ndarray]
    body: str
    result: str
    state: str = ""


def make_table(rng: np.random.Generator, columns: int, low: float = -1) -> np.ndarray:
    return rng.uniform(low, 1, (VOCABULARY, columns)).astype(np.float32) * 0.1


def linear(rows: int, columns: int) -> Case:
    rng = np.random.default_rng(0)
    return Case("linear f16", f"{rows} x {columns}", "linear", rows * columns,
                {"x": make_table(rng, columns),
                 "w": rng.standard_normal((rows, columns)).astype(np.float16)},
                f"%y = ssm.linear %x, %w : (tensor<?x{columns}xf32>, tensor<{rows}x{columns}xf16>) "
                f"-> tensor<?x{rows}xf32>", f"tensor<?x{rows}xf32>")


def tiled(rows: int, columns: int, group: int, bits: int, integer: bool) -> Case:
    rng = np.random.default_rng(0)
    tiles, block = -(-rows // 16), 32 // bits
    widths = [min(group, columns - at) for at in range(0, columns, group)]
    size = sum(-(-width // block) * 64 for width in widths)
    groups = len(widths)
    types = (f"tensor<{tiles}x{size}xi8>, tensor<{tiles}x{groups}x16xf16>")
    body = (f'%r = ssm.fake_quantize %x as <"i8 sym per_token"> : tensor<?x{columns}xf32>\n  '
            if integer else "")
    padded = f", rows = {rows} : i64" if rows % 16 else ""
    body += (f"%y = ssm.linear %{'r' if integer else 'x'}, %w scales %s {{group_size = {group} : i64,"
             f" packed_bits = {bits} : i64, tile_rows = 16 : i64{padded}}} : (tensor<?x{columns}xf32>, {types})"
             f" -> tensor<?x{rows}xf32>")
    return Case(f"linear {bits} bits, {'8-bit' if integer else 'f32'} activations",
                f"{rows} x {columns}, groups of {group}",
                "integer_linear" if integer else "linear", rows * columns,
                {"x": make_table(rng, columns),
                 "w": rng.integers(0 if bits == 4 else -127, 128, (tiles, size)).astype(np.int8),
                 "s": np.full((tiles, groups, 16), 0.01, np.float16)}, body,
                f"tensor<?x{rows}xf32>")


def selective_scan(channels: int, states: int) -> Case:
    rng = np.random.default_rng(0)
    x, b, h = f"tensor<?x{channels}xf32>", f"tensor<?x{states}xf32>", f"tensor<{channels}x{states}xf32>"
    return Case("selective_scan", f"{channels} channels, state {states}", "selective_scan",
                channels * states,
                {"x": make_table(rng, channels), "dt": make_table(rng, channels, 0),
                 "b": make_table(rng, states),
                 "w": -rng.uniform(0.1, 2, (channels, states)).astype(np.float32)},
                f"%y, %n = ssm.selective_scan %x dt %dt a %w b %b c %b state %h "
                f": ({x}, {x}, {h}, {b}, {b}, {h}) -> ({x}, {h})", x, h)


def ssd_scan(heads: int, width: int, states: int) -> Case:
    rng = np.random.default_rng(0)
    x, dt, b = (f"tensor<?x{columns}xf32>" for columns in (heads * width, heads, states))
    h = f"tensor<{heads}x{width}x{states}xf32>"
    return Case("ssd_scan", f"{heads} heads of {width}, state {states}", "ssd_scan",
                heads * width * states,
                {"x": make_table(rng, heads * width), "dt": make_table(rng, heads, 0),
                 "b": make_table(rng, states), "w": -rng.uniform(0.1, 2, heads).astype(np.float32)},
                f"%y, %n = ssm.ssd_scan %x dt %dt a %w b %b c %b state %h "
                f": ({x}, {dt}, tensor<{heads}xf32>, {b}, {b}, {h}) -> ({x}, {h})", x, h)


# The first of each family is the regular one.
CASES = [linear(768, 768), linear(776, 776), linear(1000, 1000), linear(768, 50), linear(50, 768),
         *(tiled(*shape, bits, integer) for bits in (4, 8) for integer in (False, True)
           for shape in ((768, 768, 32), (776, 776, 32), (1000, 1000, 32), (768, 768, 48))),
         selective_scan(1536, 16), selective_scan(1536, 24), selective_scan(1000, 16),
         selective_scan(776, 16), selective_scan(1536, 5),
         ssd_scan(24, 64, 128), ssd_scan(24, 64, 24), ssd_scan(24, 50, 128), ssd_scan(23, 64, 128)]


def get_type(array: np.ndarray) -> str:
    return f"tensor<{'x'.join(map(str, array.shape))}x{ELEMENTS[str(array.dtype)]}>"


def make_program(case: Case) -> str:
    lines, globals_ = [], []
    for name, array in case.weights.items():
        type = get_type(array)
        globals_.append(f"ml_program.global private @{name}(#ml_program.extern : {type}) : {type}")
        is_table = name in ("x", "dt", "b")
        lines.append(f"%{name}{'_table' if is_table else ''} = ml_program.global_load_const @{name} "
                     f": {type}")
        if is_table:
            result = f"tensor<?x{array.shape[1]}xf32>"
            lines.append(f"%{name} = ssm.embedding %ids, %{name}_table : (tensor<?xi32>, {type}) -> "
                         f"{result}")
    state = f', %h: {case.state} {{ssm.state = "h"}}' if case.state else ""
    next_state, types = (", %n", f"({case.result}, {case.state})") if state else ("", case.result)
    body = "\n  ".join([*lines, case.body, f"return %y{next_state} : "
                        f"{case.result}{f', {case.state}' if state else ''}"])
    return "\n".join(globals_) + f"\nfunc.func @forward(%ids: tensor<?xi32>{state}) -> {types} {{\n  {body}\n}}\n"


def measure(case: Case, options: list[str]) -> dict[str, float]:
    """Picoseconds an element and token of a prompt and of single tokens."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        save_file(case.weights, path / "model.safetensors")
        (path / "program.mlir").write_text(make_program(case))
        tokens = ",".join(str(i % VOCABULARY) for i in range(PROMPT))
        best: dict[str, float] = {}
        for _ in range(ROUNDS):
            subprocess.run(["ssmq-run", path / "program.mlir", "--checkpoint", path, "--tokens", tokens,
                            f"--generate={TOKENS}", f"--profile={path / 'trace.json'}", *options],
                           check=True, stdout=subprocess.DEVNULL)
            events = json.loads((path / "trace.json").read_text())["traceEvents"]
            phase, count = "", 1
            for event in events:
                if event["cat"] == "step":
                    phase, count = event["name"], event["args"]["tokens"]
                elif event["cat"] == case.kind:
                    time = 1e6 * event["dur"] / count / case.elements
                    best[phase] = min(best.get(phase, time), time)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--target", default="host")
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("--family", help="only those that begin so")
    arguments = parser.parse_args()
    # @prefill would compute the last token of a linear alone.
    options = [f"--threads={arguments.threads}", f"--target={arguments.target}",
               "--lowering=prefill=false"]
    regular: dict[str, dict[str, float]] = {}
    rows = []
    print("| Op | Shape | ps, token | Speed | ps, prompt | Speed |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for case in CASES:
        if arguments.family and not case.family.startswith(arguments.family):
            continue
        times = measure(case, options)
        first = regular.setdefault(case.family, times)
        cells = " | ".join(f"{times[phase]:.1f} | {first[phase] / times[phase]:.2f}"
                           for phase in ("decode", "prefill"))
        print(f"| {case.family} | {case.shape} | {cells} |", flush=True)
        rows.append({"op": case.family, "shape": case.shape, **times,
                     **{f"{phase}_speed": first[phase] / times[phase] for phase in times}})
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
