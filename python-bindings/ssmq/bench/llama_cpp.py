"""llama.cpp as a contender: llama-bench on a GGUF file."""

import json
import re
from pathlib import Path

from .contender import Contender
from .sampling import Sample, Work

_BITS = re.compile(r"I?Q(\d)_")


def get_bits(name: str) -> int:
    """Of a file name's type: F16 or F32 count as 16, Q4_K_M as 4."""
    found = _BITS.search(name.upper())
    return int(found[1]) if found else 16


def parse(text: str) -> Sample:
    """What llama-bench -o json prints: a test of the prompt and one of tokens."""
    tests = json.loads(text)
    prompt = next(test for test in tests if test["n_prompt"] and not test["n_gen"])
    tokens = next(test for test in tests if test["n_gen"] and not test["n_prompt"])
    return Sample([float(rate) for rate in prompt["samples_ts"]],
                  [float(rate) for rate in tokens["samples_ts"]], prompt["n_prompt"],
                  tokens["n_gen"], weight_bytes=tokens["model_size"],
                  version=f"{tokens['build_commit']} ({tokens['type_k']} cache)")


def make_contender(program: Path, file: Path, work: Work, state_bytes: int = 0) -> Contender:
    """Its recurrent states are f32."""
    command = [str(program), "-m", str(file), "-p", str(work.prompt), "-n", str(work.tokens),
               "-t", str(work.threads), "-r", str(work.repeats), "-o", "json"]
    bits = get_bits(file.stem)
    return Contender("llama.cpp", file.stem, bits, command, parse, state_bytes=state_bytes,
                     multiplies_integers=bits <= 8)
