"""Times transformers in eager mode in this process: `transformers_eager.py MODEL DTYPE WORK`, with
WORK as JSON of sampling.Work; prints JSON of its Sample. Only the last word's logits of a prompt
are computed. Finds sampling.py, of ssmq/bench, on PYTHONPATH."""

import inspect
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

import torch
import transformers
from sampling import Work, time_repeats


def main() -> None:
    directory, dtype, given = sys.argv[1:]
    work = Work(**json.loads(given))
    torch.set_num_threads(work.threads)
    begin = time.perf_counter()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        directory, dtype=getattr(torch, dtype)).eval()
    load_seconds = time.perf_counter() - begin

    # As pure Mamba models call it, and as all others do.
    cache = "cache_params" if "cache_params" in inspect.signature(model.forward).parameters else \
        "past_key_values"

    @torch.inference_mode()
    def run(prompt: list[int], num_tokens: int, tick: Callable[[], None]) -> None:
        out = model(torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
        token = out.logits[:, -1].argmax(-1, keepdim=True)
        tick()
        for _ in range(num_tokens):
            out = model(token, use_cache=True, **{cache: out[cache]})
            token = out.logits[:, -1].argmax(-1, keepdim=True)
            tick()

    sample = time_repeats(run, work)
    sample.load_seconds = load_seconds
    sample.weight_bytes = sum(one.numel() * one.element_size() for one in model.parameters())
    sample.version = f"{transformers.__version__}, torch {torch.__version__}"
    print(json.dumps(asdict(sample)))


if __name__ == "__main__":
    main()
