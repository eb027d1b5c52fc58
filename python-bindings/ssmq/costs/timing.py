"""Times kernels as they run in a model: with weights that other weights have driven out of the
caches.

A decoding step reads every weight once, so a weight comes from wherever a model of its size stays:
before each measured call a sweep reads as many bytes as the model takes, on the same threads, but
at most SWEEP_LIMIT, beyond which all of it is memory anyway. A few copies in a program share the cost of
a call, and that of a program without copies is taken off.
"""

import functools
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..program import Program, State
from .kernel import KEEP, Kernel, compile, get_vocab_size

PREFILL_TOKENS = 64
SWEEP_LIMIT = 64 << 20
_SWEEP_COLUMNS = 1024
_DECODE_REPEATS = 32
_PREFILL_REPEATS = 8
_MODEL_REPEATS = 128
_MOST_ATTEMPTS = 4
# Elements of all copies together, and most copies.
_ELEMENTS = 1 << 20
_MOST_COPIES = 16


@dataclass(frozen=True)
class Times:
    """Nanoseconds of one decoded token, and of each token of a prompt of PREFILL_TOKENS."""

    decode: float
    prefill: float


def get_copies(kernel: Kernel) -> int:
    return max(1, min(_MOST_COPIES, _ELEMENTS // (kernel.rows * kernel.columns)))


def get_sweep(model_bytes: int, copies_bytes: int) -> int:
    """Bytes to read between two calls, in whole MiB: what a model has beside the copies."""
    return max(1, min(model_bytes, SWEEP_LIMIT) - copies_bytes >> 20) << 20


@functools.lru_cache(8)
def _compile_sweep(num_bytes: int, threads: int) -> Program:
    rows = num_bytes // 4 // _SWEEP_COLUMNS
    return compile(Kernel("linear", rows, _SWEEP_COLUMNS, KEEP), 1, threads)


def _measure(run: Callable[[int], int], repeats: int) -> float:
    """The lower quartile of run(0), run(1), ... in nanoseconds: what else runs on the machine only
    adds. Runs in which the system took a thread off its core are made again, up to a limit."""
    calm, all_samples = [], []
    for index in range(_MOST_ATTEMPTS * repeats):
        switches = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        all_samples.append(run(index))
        if resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw == switches:
            calm.append(all_samples[-1])
        if len(calm) == repeats:
            break
    samples = calm if len(calm) >= 4 else all_samples
    return statistics.quantiles(samples, n=4)[0]


def _time_call(program: Program, tokens: list[int], state: State) -> int:
    # Of this thread, which takes part in all that OpenMP shares out, without what others took.
    start = time.thread_time_ns()
    program.forward(tokens, state)
    return time.thread_time_ns() - start


def _time(program: Program, tokens: list[int], repeats: int, prepare: Callable[[], None]) -> float:
    def run(_: int) -> int:
        state = program.new_state(len(tokens))
        prepare()
        return _time_call(program, tokens, state)

    # The first call faults pages in.
    run(0)
    return _measure(run, repeats)


def _time_both(program: Program, kernel: Kernel, sweep: Program) -> Times:
    def prepare() -> None:
        sweep.forward([0])

    tokens = [index % get_vocab_size(kernel) for index in range(PREFILL_TOKENS)]
    return Times(_time(program, tokens[:1], _DECODE_REPEATS, prepare),
                 _time(program, tokens, _PREFILL_REPEATS, prepare))


@functools.lru_cache(64)
def _time_nothing(op: str, rows: int, columns: int, sweep_bytes: int, threads: int) -> Times:
    """A call without copies."""
    kernel = Kernel(op, rows, columns, KEEP)
    return _time_both(compile(kernel, 0, threads), kernel, _compile_sweep(sweep_bytes, threads))


def time_kernel(kernel: Kernel, sweep_bytes: int, threads: int) -> Times:
    copies = get_copies(kernel)
    program = compile(kernel, copies, threads)
    nothing = _time_nothing(kernel.op, kernel.rows, kernel.columns, sweep_bytes, threads)
    whole = _time_both(program, kernel, _compile_sweep(sweep_bytes, threads))
    return Times(max(0.0, whole.decode - nothing.decode) / copies,
                 max(0.0, whole.prefill - nothing.prefill) / copies / PREFILL_TOKENS)


def time_model(program: Program) -> Times:
    """A whole model's step and prompt; its own weights are the sweep."""
    prompt = [index % min(16, program.vocab_size) for index in range(PREFILL_TOKENS)]
    state = program.new_state(PREFILL_TOKENS + _MOST_ATTEMPTS * _MODEL_REPEATS)
    program.forward(prompt, state)
    decode = _measure(lambda index: _time_call(program, prompt[:1], state), _MODEL_REPEATS)
    prefill = _time(program, prompt, _PREFILL_REPEATS, lambda: None)
    return Times(decode, prefill / PREFILL_TOKENS)
