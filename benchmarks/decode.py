"""Token speed of compiled programs against transformers in eager mode, in one run.

    decode.py MODEL [QUANTIZED ...] [--threads N] [--rounds N] [--prompt N] [--tokens N]

MODEL is a Hugging Face directory, QUANTIZED are directories that `ssmq quantize` wrote. All take
turns in each round, so that a slow minute of the machine is a slow minute for everybody; a ratio is
the median over rounds of the ratios within a round.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

import ssmq
from ssmq import machine

# Speeds of one round: tokens a second of the prompt, and of single tokens after it.
Measure = Callable[[list[int], int], tuple[float, float]]


def measure_transformers(directory: str) -> Measure:
    # f32, for eager f16 is emulated on most CPUs and several times slower.
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()

    @torch.inference_mode()
    def measure(prompt: list[int], num_tokens: int) -> tuple[float, float]:
        start = time.perf_counter()
        out = model(torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
        middle = time.perf_counter()
        for _ in range(num_tokens):
            token = out.logits[:, -1].argmax(-1, keepdim=True)
            out = model(token, past_key_values=out.past_key_values, use_cache=True)
        end = time.perf_counter()
        return len(prompt) / (middle - start), num_tokens / (end - middle)

    return measure


def measure_ssmq(directory: str, threads: int) -> Measure:
    program = ssmq.load(directory).compile(threads=threads)

    def measure(prompt: list[int], num_tokens: int) -> tuple[float, float]:
        speed = program.benchmark(prompt, num_tokens, repeats=1)
        return speed.prefill, speed.decode

    return measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("quantized", nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt", type=int, default=128, help="tokens in the prompt")
    parser.add_argument("--tokens", type=int, default=128, help="tokens after the prompt")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    contenders = {"transformers, eager f32": measure_transformers(options.model)}
    for directory in [options.model, *options.quantized]:
        contenders[f"ssmq, {Path(directory).name}"] = measure_ssmq(directory, options.threads)
    prompt = [i * 37 % 1000 for i in range(options.prompt)]
    for measure in contenders.values():
        measure(prompt, 8)  # caches, pages and lazy set-up
    rounds = [{name: measure(prompt, options.tokens) for name, measure in contenders.items()}
              for _ in range(options.rounds)]

    base = next(iter(contenders))
    print(f"{machine.describe()}; {options.threads} thread(s), {options.rounds} rounds of "
          f"{options.prompt} + {options.tokens} tokens, medians\n")
    print("| program | prompt tokens/s | ratio | decoded tokens/s | ratio |\n|---|--:|--:|--:|--:|")
    for name in contenders:
        cells = [name]
        for kind in range(2):
            cells.append(f"{statistics.median(r[name][kind] for r in rounds):.0f}")
            ratio = statistics.median(r[name][kind] / r[base][kind] for r in rounds)
            cells.append(f"{ratio:.1f}x")
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
