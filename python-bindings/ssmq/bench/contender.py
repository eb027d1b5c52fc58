"""What takes part in a benchmark, and one turn of it."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Error
from .sampling import Sample

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Contender:
    engine: str
    format: str
    bits: int
    """Of most weights: 16 (and 32), 8 or 4, what is compared with what."""
    command: list[str]
    read: Callable[[str], Sample]
    """From what the command prints."""
    environment: dict[str, str] = field(default_factory=dict)
    state_bytes: int = 0
    """Of the recurrent state that a token reads and writes."""
    multiplies_integers: bool = False
    """In linear layers, else floats."""

    @property
    def name(self) -> str:
        return f"{self.engine} {self.format}"


def read_sample(text: str) -> Sample:
    """The last line that a worker prints."""
    return Sample(**json.loads(text.strip().splitlines()[-1]))


def _get_peak_bytes(process: int) -> int:
    """Of the program itself: rusage would count what it was forked from."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM")), 0)


def take_turn(contender: Contender, timeout: float = 1200) -> Sample:
    """Runs the command to its end; an Error holds the last line that it complained with."""
    peak, begin = 0, time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(contender.command, stdout=out, stderr=complaints,
                                   stdin=subprocess.DEVNULL,
                                   env={**os.environ, **contender.environment})
        try:
            while process.poll() is None:
                peak = max(peak, _get_peak_bytes(process.pid))
                if time.monotonic() - begin > timeout:
                    raise Error(f"{contender.name}: not done after {timeout:.0f} s")
                time.sleep(_POLL_SECONDS)
        finally:
            process.kill()
            process.wait()
        out.seek(0)
        complaints.seek(0)
        if process.returncode:
            lines = complaints.read().strip().splitlines()
            reason = lines[-1] if lines else f"exit code {process.returncode}"
            raise Error(f"{contender.name}: {reason[:300]}")
        try:
            sample = contender.read(out.read())
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise Error(f"{contender.name}: what it printed cannot be read "
                        f"({type(error).__name__}: {error})") from None
    sample.peak_bytes = peak
    sample.seconds = time.monotonic() - begin
    return sample
