"""What `ssmq bench` does."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import INPUT, USAGE, Error
from . import llama_cpp, ours
from .contender import Contender
from .document import Result
from .peaks import measure_peaks
from .rounds import run_rounds
from .sampling import Work
from .table import Limits
from .traffic import count_operations

_LLAMA = "llama.cpp="


@dataclass(frozen=True)
class PeerOptions:
    names: list[str]
    """llama.cpp=FILE.gguf"""
    llama_bench: str


def _list_peers(options: PeerOptions, work: Work, state_bytes: int) -> list[Contender]:
    peers = []
    for name in options.names:
        file = Path(name.removeprefix(_LLAMA))
        if not name.startswith(_LLAMA):
            raise Error(f"a peer is given as {_LLAMA}FILE.gguf, not '{name}'", USAGE)
        if not file.is_file():
            raise Error(f"{file} is not a file; give the GGUF file of a peer")
        program = shutil.which(options.llama_bench)
        if not program:
            raise Error(f"{options.llama_bench} is no program; name it by --llama-bench "
                        "(benchmarks/setup-peers builds one)")
        peers.append(llama_cpp.make_contender(Path(program), file, work, state_bytes))
    return peers


def measure(models: list[Path], work: Work, rounds: int, target: str, device: str, peers: PeerOptions,
            with_peaks: bool, tell: Callable[[str], None]) -> Result:
    """Fails when none of the models could be timed."""
    compile_options = {"target": target, "device": device}
    contenders = [ours.make_contender(model, work, compile_options=compile_options)
                  for model in models]
    contenders += _list_peers(peers, work, contenders[0].state_bytes)
    limits = None
    if with_peaks and device == "cpu":
        limits = Limits(measure_peaks(work.threads), count_operations(ours.read_config(models[0])))
    entries = run_rounds(contenders, rounds, float("inf"), tell)
    if not any(entry.samples for entry in entries[:len(models)]):
        raise Error(entries[0].error, INPUT)
    runner = f"compiled for {target or 'this processor'}" if device == "cpu" else f"on {device}"
    return Result(models[0].name, runner, work, rounds, entries, limits)
