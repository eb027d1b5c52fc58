"""What NNCF's data-aware mixed precision costs on the model and tokens of sensitivity.py.

    nncf_sensitivity.py MODEL [--tokens N] [--metric METRIC ...] [--threads N]

NNCF (https://github.com/openvinotoolkit/nncf) gives each layer one number, from which it decides the
half that stays in 8 bits; it is no divergence of the model's output. Timed is
nncf.compress_weights of the PyTorch model, its tracing, statistics, assignment and rounding
together, on 4 sequences, beside the share that plain forwards of the same sequences take. Run it in
an environment with nncf, torch and transformers; ssmq is not needed.
"""

import argparse
import copy
import time
from pathlib import Path

import nncf
import numpy as np
import torch
from transformers import AutoModelForCausalLM

METRICS = ["HESSIAN_INPUT_ACTIVATION", "MEAN_ACTIVATION_VARIANCE", "MAX_ACTIVATION_VARIANCE",
           "MEAN_ACTIVATION_MAGNITUDE", "WEIGHT_QUANTIZATION_ERROR"]


class Logits(torch.nn.Module):
    """The model without its cache, which NNCF's tracing does not know."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, use_cache=False).logits


def measure(work) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    start = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--tokens", type=int, default=255, help="of each of the four sequences")
    parser.add_argument("--metric", nargs="*", default=METRICS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    model = Logits(AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)).eval()
    vocabulary = model.model.config.vocab_size
    ids = np.random.default_rng(0).integers(0, vocabulary, 4 * 256).reshape(4, 256)
    inputs = [torch.tensor(row[None, :options.tokens]) for row in ids]

    def run_plain() -> None:
        with torch.inference_mode():
            for row in inputs:
                model(row)

    seconds, processor = measure(run_plain)
    print(f"nncf {nncf.__version__}, torch {torch.__version__}, {options.threads} threads; 4 x "
          f"{options.tokens} tokens: plain forwards {seconds:.1f} s "
          f"({processor:.1f} s of the processor)")
    for metric in options.metric:
        changed = copy.deepcopy(model)

        def compress() -> None:
            nncf.compress_weights(
                changed, mode=nncf.CompressWeightsMode.INT4_SYM, ratio=0.5, group_size=-1,
                all_layers=True, dataset=nncf.Dataset([{"input_ids": row} for row in inputs]),
                sensitivity_metric=getattr(nncf.SensitivityMetric, metric))

        seconds, processor = measure(compress)
        print(f"{metric}: {seconds:.1f} s ({processor:.1f} s of the processor)", flush=True)


if __name__ == "__main__":
    main()
