"""What better rounding adds at the same bits, as a Markdown table.

    refine.py MODEL [--calibration TEXT] [--evaluation TEXT] [--formats LIST] [--methods LIST]
              [--num-sequences N]

Each format is given to all weights, refined by each method on the calibration text, and evaluated
on the evaluation text against the model itself, as `ssmq quantize --uniform FORMAT --refine METHOD`
and `ssmq eval --teacher MODEL --engine fast` do. `gptq+plain` is without the sweeps afterwards,
`gptq+order` in the order of the inputs' size (`--ssmq-refine=act-order`), and `fold+` with
`--fold-scales`.
"""

import argparse
import sys
import time
from pathlib import Path

import ssmq
from ssmq import stages
from ssmq.engine import Engine, make_program
from ssmq.machine import get_threads
from ssmq.output import scratch_directory
from ssmq.text import Text, read_text
from ssmq.tokenizer import Tokenizer

FORMATS = "int3:g64,int3:channel,int4:g64,int4:channel"
METHODS = "nearest,mse,hessian,gptq+plain,gptq,gptq+order,fold+mse,fold+gptq"


def make_student(model: ssmq.Model, format: str, method: str, calibration: Text,
                 num_sequences: int, scratch: Path) -> ssmq.Model:
    student, original = model.clone(), model.directory
    stages.assign_uniform(student, format, scratch / "assignment.json")
    parts = method.split("+")
    if "fold" in parts:
        original = scratch / "folded.safetensors"
        stages.fold_scales(student, original, calibration, num_sequences=num_sequences)
    stages.quantize(student, scratch / "nearest.safetensors", get_threads())
    for name in stages.REFINEMENTS:
        if name in parts:
            options = stages.RefineOptions(name, num_sequences=num_sequences,
                                           act_order="order" in parts,
                                           sweeps=0 if "plain" in parts else None)
            stages.refine(student, original, scratch / "refined.safetensors", calibration, options)
    return student


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--calibration", type=Path)
    parser.add_argument("--evaluation", type=Path)
    parser.add_argument("--formats", default=FORMATS)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--num-sequences", type=int, default=0)
    given = parser.parse_args()
    data, tokenizer = given.model / "data", Tokenizer(given.model)
    calibration = read_text(given.calibration or data / "calibration.txt", tokenizer)
    evaluation = read_text(given.evaluation or data / "evaluation.txt", tokenizer)
    model = ssmq.load(given.model)
    teacher = make_program(model, Engine.fast, 1)
    print("| format | method | KL(original, quantized) | perplexity | seconds |")
    print("|---|---|---:|---:|---:|")
    with scratch_directory() as scratch:
        cache = scratch / "teacher"
        for format in given.formats.split(","):
            for method in given.methods.split(","):
                start = time.perf_counter()
                student = make_student(model, format, method, calibration, given.num_sequences,
                                       scratch)
                seconds = time.perf_counter() - start
                result = make_program(student, Engine.fast, 1).evaluate(
                    evaluation.tokens, teacher, 512, get_threads(), cache, "teacher")
                kl, perplexity = result.forward_kl, result.perplexity
                print(f"| {format} | {method} | {kl.mean:.5f} ± {kl.standard_error:.5f} | "
                      f"{perplexity.mean:.3f} | {seconds:.1f} |")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
