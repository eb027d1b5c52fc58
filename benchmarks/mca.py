#!/usr/bin/env python3
"""Static estimate of the innermost loop of each kernel for a processor that need not be here.

Compiles one op each for TARGET (scripts/assemble), takes its hottest innermost loop and asks
llvm-mca for cycles an iteration and for what limits it. Prints a Markdown table.

    PATH=build/release/bin:/usr/lib/llvm-22/bin:$PATH benchmarks/mca.py [--target lunarlake]
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

from inner_loops import Loop, find_loops

ROOT = Path(__file__).resolve().parent.parent
# LLVM 22.1's model of lunarlake books a load port for the latency of a load (7 cycles, so that one
# load takes 2.33), which no kernel would survive; its P cores descend from alderlake's.
MODELS = {"lunarlake": "alderlake"}
ITERATIONS = 200
_PRODUCT = re.compile(r"vfn?m(add|sub)\d+ps|vpdp|vpmaddubsw|vpmaddwd")
_REGISTER = re.compile(r"%([xyz])mm")
_BYTES = {"x": 16, "y": 32, "z": 64}
_NARROW = re.compile(r"^(vcvtph2ps|vpmov[sz]x(bw|wd|dq))")
_QUARTER = re.compile(r"^vpmov[sz]xbd")
_BROADCAST = re.compile(r"^vp?broadcast")


def linear(tokens: str) -> str:
    types = f"tensor<{tokens}x1024xf32>, tensor<256x1024xf16>"
    return f"""func.func @forward(%x: tensor<{tokens}x1024xf32>, %w: tensor<256x1024xf16>) -> tensor<{tokens}x256xf32> {{
  %0 = ssm.linear %x, %w : ({types}) -> tensor<{tokens}x256xf32>
  return %0 : tensor<{tokens}x256xf32>
}}"""


def from_test(name: str, tokens: str = "1") -> str:
    text = (ROOT / "test" / "Assembly" / f"{name}.mlir").read_text()
    return text.replace("tensor<1x", f"tensor<{tokens}x")


KERNELS = {
    "linear f16, one token": linear("1"),
    "linear f16, tokens": linear("?"),
    "linear 4 bits, f32 activations": from_test("tiled-linear"),
    "linear 4 bits, 8-bit activations": from_test("integer-linear-4"),
    "linear 8 bits, 8-bit activations": from_test("integer-linear-8"),
    "linear 4 bits, 8-bit activations, tokens": from_test("integer-linear-4", "?"),
    "linear 8 bits, 8-bit activations, tokens": from_test("integer-linear-8", "?"),
    "selective_scan": from_test("selective-scan"),
    "ssd_scan": from_test("ssd-scan"),
    "causal_conv1d": from_test("conv"),
    "rms_norm": from_test("norm"),
}


def assemble(program: str, target: str) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".mlir") as file:
        file.write(program)
        file.flush()
        return subprocess.run([ROOT / "scripts" / "assemble", file.name, target], check=True,
                              capture_output=True, text=True).stdout


def get_hottest(loops: list[Loop]) -> Loop:
    """The loop whose instructions are products for the largest part, of those with most."""
    most = max(loop.count(_PRODUCT.pattern) for loop in loops)
    return max((loop for loop in loops if 2 * loop.count(_PRODUCT.pattern) >= most),
               key=lambda loop: (loop.count(_PRODUCT.pattern) / len(loop.instructions), most))


def count_bytes(loop: Loop) -> int:
    """Bytes that vector instructions load in one iteration."""
    total = 0
    for line in loop.instructions:
        name, _, operands = line.partition("\t")
        registers = _REGISTER.findall(operands)
        destination = operands.rsplit(",", 1)[-1]
        if "(" not in operands or "(" in destination or not registers:
            continue
        size = _BYTES[registers[-1]]
        if _BROADCAST.match(name) or name.endswith("ss") or "{1to" in operands:
            size = 4
        elif _NARROW.match(name):
            size //= 2
        elif _QUARTER.match(name):
            size //= 4
        total += size
    return total


def count_products(loop: Loop) -> int:
    """Scalar multiply-adds of one iteration."""
    total = 0
    for line in loop.instructions:
        name, _, operands = line.removeprefix("{vex} ").replace("{vex}\t", "").partition("\t")
        registers = _REGISTER.findall(operands)
        if registers and _PRODUCT.match(name):
            lanes = _BYTES[registers[-1]] // 4
            # vpmaddwd only sums what vpmaddubsw multiplied.
            total += lanes * (4 if "vpdp" in name or "ubsw" in name else 0 if "wd" in name else 1)
    return total


def analyze(loop: Loop, model: str) -> str:
    """llvm-mca's report on straight-line iterations. Its models of Intel's processors take zeroing a
    register by xor for a use of its old value; moves, which they eliminate, stand for it."""
    written = [line.rsplit("%", 1)[-1] for line in loop.instructions if re.search(r"[xyz]mm", line)]
    counts = {number: sum(name[1:] == f"mm{number}" for name in written) for number in range(16)}
    spare = min(counts, key=counts.get)
    lines = []
    for line in loop.instructions:
        zeroed = re.match(r"vp?xor\w*\s+%([xyz]mm\d+), %\1, %\1$", line)
        if zeroed:
            line = f"vmovaps\t%{zeroed.group(1)[0]}mm{spare}, %{zeroed.group(1)}"
        if not re.match(r"j[a-z]+\s|call", line):
            lines.append(f"\t{line}\n")
    return subprocess.run(
        ["llvm-mca", "-mtriple=x86_64", f"-mcpu={model}", f"-iterations={ITERATIONS}",
         "-bottleneck-analysis", "-"], input="".join(lines), capture_output=True, text=True,
        check=True).stdout


def get_cycles(output: str) -> float:
    return int(re.search(r"Total Cycles:\s+(\d+)", output).group(1)) / ITERATIONS


def get_bottleneck(output: str) -> str:
    """What limits most cycles."""
    found = {name: float(share) for name, share in re.findall(
        r"(Resource Pressure|Register Dependencies|Memory Dependencies)\s+\[ ([\d.]+)% \]", output)}
    if not found or max(found.values()) == 0:
        return "dispatch"
    name = max(found, key=found.get)
    ports = [(float(share), port) for port, share in
             re.findall(r"- (\w+Port\d+)\s+\[ ([\d.]+)% \]", output)]
    if name == "Resource Pressure" and ports:
        best = max(ports)[0]
        return "ports " + ", ".join(re.sub(r"\D+", "", port) for share, port in ports
                                    if share > 0.8 * best)
    return {"Register Dependencies": "latency of a chain"}.get(name, name.lower())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="lunarlake")
    parser.add_argument("--model", help="llvm-mca's -mcpu (default: the target's, but for those "
                                        "whose model is known to be wrong)")
    arguments = parser.parse_args()
    model = arguments.model or MODELS.get(arguments.target, arguments.target)
    print(f"Code for {arguments.target}, scheduling model of {model}.\n")
    print("| Kernel | Instructions | Cycles | Bytes loaded | Multiply-adds | Multiply-adds a cycle "
          "| Bytes a cycle | Limited by |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for name, program in KERNELS.items():
        loop = get_hottest(find_loops(assemble(program, arguments.target)))
        output = analyze(loop, model)
        cycles = get_cycles(output)
        size, products = count_bytes(loop), count_products(loop)
        rate = f"{products / cycles:.1f}" if products else "-"
        print(f"| {name} | {len(loop.instructions)} | {cycles:.1f} | {size} | {products or '-'} | "
              f"{rate} | {size / cycles:.1f} | {get_bottleneck(output)} |")


if __name__ == "__main__":
    main()
