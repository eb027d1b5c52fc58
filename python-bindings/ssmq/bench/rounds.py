"""Rounds in which contenders take turns, so that a slow minute of the machine is everybody's."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import Error
from .contender import Contender, take_turn
from .sampling import Sample


@dataclass
class Entry:
    contender: Contender
    samples: list[Sample] = field(default_factory=list)
    """By rounds."""
    error: str = ""
    """Why there are no more."""


def run_rounds(contenders: list[Contender], rounds: int, slow_seconds: float,
               tell: Callable[[str], None]) -> list[Entry]:
    """Who takes longer than `slow_seconds` for a turn takes one only; a failure is an entry's, not
    the end of the run."""
    entries = [Entry(contender) for contender in contenders]
    for index in range(rounds):
        for entry in entries:
            is_slow = bool(entry.samples) and entry.samples[0].seconds > slow_seconds
            if entry.error or is_slow:
                continue
            try:
                sample = take_turn(entry.contender)
            except (Error, OSError) as error:
                entry.error = str(error)
                tell(f"round {index + 1}, {error}")
                continue
            entry.samples.append(sample)
            tell(f"round {index + 1}, {entry.contender.name}: {sample.prefill_speed:.0f} and "
                 f"{sample.decode_speed:.1f} tokens/s, {sample.seconds:.0f} s")
    return entries
