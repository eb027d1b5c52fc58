"""How long each kernel takes at least on a GPU that is not here: counted from the compiled kernels, as
`ssmq-run --estimate=xe2` prints it."""

import functools
import json
from pathlib import Path

from ..model import Model
from ..output import scratch_directory
from ..stages import pass_text
from .kernel import KEEP, Kernel, build
from .timing import PREFILL_TOKENS, Times

LOWERING = "ssmq-tile-weights,ssmq-pack,ssmq-xe-launches"


def _count(model: Model, scratch: Path, threads: int, kernels: str) -> dict:
    """What one token after PREFILL_TOKENS and what these move and do; the model is used up."""
    output = scratch / "estimate.json"
    model.run_pipeline(",".join([
        pass_text("ssmq-tile-weights", output=scratch / "tiles.safetensors", threads=threads),
        "ssmq-pack", pass_text("ssmq-xe-launches", prefill="false"),
        pass_text("ssmq-estimate-xe2", tokens=PREFILL_TOKENS, kernels=kernels or None,
                  output=output)]))
    return json.loads(output.read_text())


def time_model(model: Model, threads: int, kernels: str = "") -> Times:
    """Of kernels whose names begin so."""
    with scratch_directory() as scratch:
        counts = _count(model.clone(), scratch, threads, kernels)
    return Times(counts["decode"]["nanoseconds"],
                 counts["prefill"]["nanoseconds"] / PREFILL_TOKENS)


def _time_copies(kernel: Kernel, copies: int, threads: int) -> Times:
    with scratch_directory() as scratch:
        return time_model(build(kernel, copies, threads, scratch), threads,
                          f"ssmq_launch_{kernel.op}")


@functools.lru_cache(64)
def _time_nothing(op: str, rows: int, columns: int, threads: int) -> Times:
    return _time_copies(Kernel(op, rows, columns, KEEP), 0, threads)


def time_kernel(kernel: Kernel, threads: int) -> Times:
    whole = _time_copies(kernel, 1, threads)
    nothing = _time_nothing(kernel.op, kernel.rows, kernel.columns, threads)
    return Times(max(0.0, whole.decode - nothing.decode),
                 max(0.0, whole.prefill - nothing.prefill))
