"""What a sensitivity table costs: ours in plain forwards, and the KL-MPQ paper's method in PyTorch.

    sensitivity.py MODEL [--tokens FILE] [--torch] [--torch-layers N] [--precision P ...]

MODEL is a Hugging Face directory (make_checkpoint.py writes ones of real shapes). The table is of all
weight sites in four formats on 4 x 256 tokens; its cost is that of the whole pass (weights hashed,
packed and measured) over the number of candidates, in units of one plain forward of the fast
interpreter on the same 4 x 256 tokens with the same threads.

--torch times the method of arXiv 2604.13440 beside it: each linear layer alone is fake-quantized per
channel at 4 and at 8 bits, and one forward gives its KL; the teacher's log-probabilities are cached,
which the paper's code does not do. Every N-th layer is taken, and the seconds of a layer and bit are
set against ours for the same table. Without --tokens, tokens are random with a fixed seed.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau

import ssmq
from ssmq import machine, stages
from ssmq.engine import get_threads
from ssmq.model import Model

SEQUENCES, LENGTH = 4, 256
FORMATS = ["int4:channel", "int4:g64", "int8:channel", "int8:g64"]
PAPER_FORMATS = ["int4:channel", "int8:channel"]


def read_tokens(path: Path | None, vocabulary: int) -> list[int]:
    if path:
        return json.loads(path.read_text())[:SEQUENCES * LENGTH]
    return np.random.default_rng(0).integers(0, vocabulary, SEQUENCES * LENGTH).tolist()


def time_forward(model: Model, tokens: list[int], threads: int) -> float:
    """Seconds of a plain forward over all sequences, the best of three."""
    program = model.interpreter("fast", threads)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        for first in range(0, len(tokens), LENGTH):
            program.forward(tokens[first:first + LENGTH - 1])
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def measure(model: Model, tokens: list[int], formats: list[str], precision: float, threads: int,
            folder: Path) -> tuple[dict, float]:
    """The table of a fresh process's work, and its seconds."""
    (folder / "tokens.json").write_text(json.dumps(tokens))
    output = folder / f"table-{len(formats)}-{precision}.json"
    start = time.perf_counter()
    model.run_pipeline(stages.pass_text(
        "ssmq-sensitivity", tokens=folder / "tokens.json", output=output, formats=formats,
        sequence_length=LENGTH, num_sequences=SEQUENCES, threads=threads, precision=precision))
    return json.loads(output.read_text()), time.perf_counter() - start


def get_kl(table: dict) -> dict[tuple[str, str], float]:
    return {(row["site"], row["format"]): row["estimates"]["forwardKL"]["mean"]
            for row in table["rows"]}


def get_errors(table: dict) -> dict[tuple[str, str], float]:
    return {(row["site"], row["format"]): row["estimates"]["forwardKL"]["standardError"]
            for row in table["rows"]}


def compare(ours: dict, other: dict[tuple[str, str], float]) -> str:
    """Kendall's tau over the common rows, of all pairs and of those that our errors decide."""
    mine, errors = get_kl(ours), get_errors(ours)
    rows = sorted(mine.keys() & other.keys())
    x, y = np.array([mine[row] for row in rows]), np.array([other[row] for row in rows])
    e = np.array([errors[row] for row in rows])
    first, second = np.triu_indices(len(rows), 1)
    decided = np.abs(x[first] - x[second]) > 1.96 * np.hypot(e[first], e[second])
    same = np.sign(x[first] - x[second]) == np.sign(y[first] - y[second])
    agreement = 2 * same[decided].mean() - 1 if decided.any() else float("nan")
    log_error = np.sqrt(np.mean(np.log(x / y) ** 2))
    return (f"{len(rows)} rows, tau {kendalltau(x, y).statistic:.3f}; of the {decided.mean():.0%} of "
            f"pairs that the errors decide {agreement:.4f}; rms of ln KL {log_error:.3f}")


def run_torch(directory: Path, tokens: list[int], stride: int, threads: int
              ) -> tuple[dict[tuple[str, str], float], float]:
    """KL of every stride-th linear layer at 4 and 8 bits, and the median seconds of one."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(threads)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    ids = torch.tensor(tokens).view(SEQUENCES, LENGTH)[:, :-1]
    layers = [(name, module) for name, module in model.named_modules()
              if isinstance(module, torch.nn.Linear)]
    head = model.get_output_embeddings()
    results, seconds = {}, []
    with torch.inference_mode():
        teacher = torch.log_softmax(model(ids).logits, -1)
        probabilities = teacher.exp()
        for name, layer in layers[::stride]:
            for bits in (4, 8):
                start = time.perf_counter()
                saved = layer.weight.data
                scale = saved.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
                # The scale is stored in f16, rounded up, as in our table.
                half = scale.half()
                scale = torch.where(half.float() < scale,
                                    torch.nextafter(half, torch.full_like(half, torch.inf)),
                                    half).float()
                layer.weight.data = torch.round(saved / scale) * scale
                student = torch.log_softmax(model(ids).logits, -1)
                kl = (probabilities * (teacher - student)).sum(-1).mean().item()
                layer.weight.data = saved
                seconds.append(time.perf_counter() - start)
                if layer is not head or not model.config.tie_word_embeddings:
                    results[f"{name}:weight", f"i{bits} sym per_channel"] = kl
    return results, statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--tokens", type=Path, help="a JSON array of ids")
    parser.add_argument("--precision", type=float, nargs="*", default=[0.15, 0.3])
    parser.add_argument("--exact", action="store_true", help="compare with precision 0 too")
    parser.add_argument("--torch", action="store_true")
    parser.add_argument("--torch-layers", type=int, default=1, metavar="N",
                        help="every N-th linear layer")
    parser.add_argument("--threads", type=int, default=get_threads())
    options = parser.parse_args()

    model = ssmq.load(options.model)
    vocabulary = model.interpreter("fast", 1).vocab_size
    tokens = read_tokens(options.tokens, vocabulary)
    forward = time_forward(model, tokens, options.threads)
    print(f"{machine.describe()}; {options.threads} threads; {options.model.name}, "
          f"{SEQUENCES} x {LENGTH} tokens; one forward {forward:.2f} s")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        exact = None
        for precision in ([0.0] if options.exact else []) + options.precision:
            table, seconds = measure(model, tokens, FORMATS, precision, options.threads, folder)
            count = len(table["rows"])
            predicted = sum(row["method"] == "predicted" for row in table["rows"])
            print(f"precision {precision}: {count} candidates ({predicted} predicted) in "
                  f"{seconds:.1f} s, {seconds / count * 1000:.0f} ms each: "
                  f"{seconds / count / forward:.3f} forwards a candidate")
            if exact:
                print("  against precision 0:", compare(table, get_kl(exact)))
            elif precision == 0:
                exact = table
        if options.torch:
            other, per_layer = run_torch(options.model, tokens, options.torch_layers,
                                         options.threads)
            for precision in options.precision:
                table, seconds = measure(model, tokens, PAPER_FORMATS, precision, options.threads,
                                         folder)
                count = len(table["rows"])
                print(f"the paper's table, precision {precision}: {seconds:.1f} s for {count} layers "
                      f"and bits, {seconds / count * 1000:.0f} ms each; PyTorch {per_layer:.2f} s "
                      f"each: {per_layer * count / seconds:.0f} times as long")
                print("  against PyTorch:", compare(table, other))


if __name__ == "__main__":
    main()
