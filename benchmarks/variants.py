"""Our ways to store a model that are timed, and how `ssmq` makes them."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ssmq.bench.contender import Contender
from ssmq.bench.ours import make_contender
from ssmq.bench.sampling import Work
from ssmq.errors import Error

MIX_BUDGET = "4.5bpw"
_ACTIVATIONS = ("--activations", "int8:token")
_CALIBRATION_WORDS = 1024


@dataclass(frozen=True)
class Variant:
    label: str
    bits: int
    arguments: tuple[str, ...] = ()
    """Of `ssmq quantize`; none for the checkpoint itself. MIX stands for the assignment by KL."""
    state_bits: int = 32
    huge_pages: bool = False
    """Weights are read into pages of 2 MiB (SSMQ_HUGE_PAGES), instead of mapped."""

    @property
    def multiplies_integers(self) -> bool:
        return "--activations" in self.arguments


MIX = "MIX"
_INT8, _INT4 = ("--uniform", "int8:channel"), ("--uniform", "int4:g64")
_MIXED = ("--assignment", MIX)
_HALF_STATES = ("--states", "f16")
VARIANTS = [
    Variant("f32", 16),
    Variant("bf16", 16, ("--uniform", "bf16")),
    Variant("int8", 8, _INT8),
    Variant("int8 a8", 8, _INT8 + _ACTIVATIONS),
    Variant("int8 a8 f16 states huge pages", 8, _INT8 + _ACTIVATIONS + _HALF_STATES, 16, True),
    Variant("int4", 4, _INT4),
    Variant("int4 a8", 4, _INT4 + _ACTIVATIONS),
    Variant("int4 a8 f16 states", 4, _INT4 + _ACTIVATIONS + _HALF_STATES, 16),
    Variant("int4 a8 f16 states huge pages", 4, _INT4 + _ACTIVATIONS + _HALF_STATES, 16, True),
    Variant("mix", 4, _MIXED),
    Variant("mix a8", 4, _MIXED + _ACTIVATIONS),
]


def run_ssmq(arguments: Sequence[str | Path]) -> None:
    """The command `ssmq`, in a process whose memory goes when it ends."""
    command = [sys.executable, "-c", "from ssmq.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Error(lines[-1])


def _get_build() -> str:
    """Stored layouts follow the code: outputs of other builds are not taken."""
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()
              if "libssmq" in line}
    return hashlib.sha256(b"".join(Path(path).read_bytes() for path in sorted(mapped))).hexdigest()[:12]


def _make_text(path: Path, vocab_size: int) -> Path:
    words = (str(index * 7919 % vocab_size) for index in range(_CALIBRATION_WORDS))
    path.write_text(" ".join(words))
    return path


def make_mix(checkpoint: Path, made: Path, vocab_size: int) -> Path:
    """The assignment of least KL within MIX_BUDGET, kept once it is made. Weights are random, so
    is the text."""
    assignment = made / "mix.json"
    if not assignment.exists():
        text, table = _make_text(made / "calibration.txt", vocab_size), made / "table.json"
        if not table.exists():
            run_ssmq(["measure", checkpoint, "--calibration", text, "-o", table, "--formats",
                      "int4:g64,int8:channel", "--sequence-length", "256", "--precision", "0.4"])
        run_ssmq(["assign", table, "--budget", MIX_BUDGET, "-o", assignment])
    return assignment


def prepare(variant: Variant, checkpoint: Path, made: Path, vocab_size: int) -> Path:
    """The model's directory, made unless it is there."""
    if not variant.arguments:
        return checkpoint
    label = variant.label.removesuffix(" huge pages").replace(" ", "-")
    directory = made / f"ssmq-{_get_build()}" / label
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        given = [str(make_mix(checkpoint, made, vocab_size)) if one == MIX else one
                 for one in variant.arguments]
        run_ssmq(["quantize", checkpoint, *given, "-o", directory])
    return directory


def remove_other_builds(made: Path) -> None:
    for path in made.glob("ssmq-*"):
        if path.name != f"ssmq-{_get_build()}":
            shutil.rmtree(path)


def to_contender(variant: Variant, directory: Path, work: Work,
                 compile_options: dict[str, str]) -> Contender:
    contender = make_contender(directory, work, variant.label, variant.bits, variant.state_bits,
                               compile_options, variant.multiplies_integers)
    if variant.huge_pages:
        contender.environment["SSMQ_HUGE_PAGES"] = "1"
    return contender
