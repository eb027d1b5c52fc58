"""The table of a benchmark: medians over rounds with their range, ratios, shares of the limits."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from ..report import Table
from .peaks import MIB, Peaks
from .rounds import Entry
from .sampling import Sample

Speed = Callable[[Sample], float]
NONE = "-"


def _get_prefill(sample: Sample) -> float:
    return sample.prefill_speed


def _get_decode(sample: Sample) -> float:
    return sample.decode_speed


def get_median(entry: Entry, speed: Speed) -> float:
    return statistics.median(map(speed, entry.samples))


def compute_ratio(entry: Entry, base: Entry, speed: Speed) -> float:
    """The median over common rounds of the ratios within a round."""
    return statistics.median(speed(one) / speed(other)
                             for one, other in zip(entry.samples, base.samples, strict=False))


def find_best(entries: list[Entry], engine: str, bits: int | None, speed: Speed) -> Entry | None:
    """The fastest of an engine, at some bits or at any."""
    found = [entry for entry in entries if entry.samples and entry.contender.engine == engine
             and bits in (None, entry.contender.bits)]
    return max(found, key=lambda entry: get_median(entry, speed), default=None)


@dataclass(frozen=True)
class Limits:
    """What a model could reach on this machine."""

    peaks: Peaks
    operations: int
    """Of linear layers for a token of a prompt."""

    def get_bandwidth_share(self, entry: Entry) -> float | None:
        """Bytes that a token moves, times tokens a second, over what threads read of so many."""
        weights = entry.samples[0].weight_bytes
        if not weights:
            return None
        moved = weights + 2 * entry.contender.state_bytes
        footprint = weights + entry.contender.state_bytes
        return moved * get_median(entry, _get_decode) / self.peaks.get_bandwidth(footprint)

    def get_arithmetic_share(self, entry: Entry) -> float:
        """Of the peak of what it multiplies."""
        peak = self.peaks.dot if entry.contender.multiplies_integers else self.peaks.fma
        return self.operations * get_median(entry, _get_prefill) / peak


def _describe(entry: Entry, speed: Speed, digits: int) -> str:
    speeds = [speed(sample) for sample in entry.samples]
    middle = f"{statistics.median(speeds):.{digits}f}"
    return middle if len(speeds) < 2 else \
        f"{middle} ({min(speeds):.{digits}f}-{max(speeds):.{digits}f})"


def _to_ratio(entry: Entry, base: Entry | None, speed: Speed) -> str:
    return NONE if base is None else f"{compute_ratio(entry, base, speed):.2f}x"


def _to_percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.0%}"


def _describe_loading(samples: list[Sample]) -> str:
    """The first, which may compile, and the median of later ones, which find that on disk."""
    seconds = [sample.load_seconds for sample in samples if sample.load_seconds is not None]
    if not seconds:
        return NONE
    later = f", {statistics.median(seconds[1:]):.2f}" if len(seconds) > 1 else ""
    return f"{seconds[0]:.2f}{later}"


def make_table(title: str, entries: list[Entry], limits: Limits | None) -> Table:
    """A line for each entry that ran; those that did not are told by `list_failures`."""
    table = Table(title, ["program", "MB", "prefill tok/s", "llama.cpp", "its best", "OpenVINO",
                          "of peak", "decode tok/s", "llama.cpp", "OpenVINO", "of reads", "load s",
                          "peak MiB"])
    for entry in entries:
        if not entry.samples:
            continue
        bits, sample = entry.contender.bits, entry.samples[0]

        def compare(engine: str, bits: int | None, speed: Speed, entry: Entry = entry) -> str:
            return _to_ratio(entry, find_best(entries, engine, bits, speed), speed)

        table.rows.append([
            entry.contender.name,
            f"{sample.weight_bytes / 1e6:.0f}" if sample.weight_bytes else NONE,
            _describe(entry, _get_prefill, 0),
            compare("llama.cpp", bits, _get_prefill), compare("llama.cpp", None, _get_prefill),
            compare("OpenVINO", bits, _get_prefill),
            _to_percent(limits.get_arithmetic_share(entry) if limits else None),
            _describe(entry, _get_decode, 1),
            compare("llama.cpp", bits, _get_decode), compare("OpenVINO", bits, _get_decode),
            _to_percent(limits.get_bandwidth_share(entry) if limits else None),
            _describe_loading(entry.samples),
            f"{max(one.peak_bytes for one in entry.samples) / MIB:.0f}"])
    return table


def list_notes(entries: list[Entry], rounds: int, tokens: int) -> list[str]:
    """What a reader must know of single lines: failures, fewer rounds, fewer tokens."""
    notes = [entry.error for entry in entries if entry.error]
    for entry in entries:
        if entry.samples and not entry.error and len(entry.samples) < rounds:
            notes.append(f"{entry.contender.name}: {len(entry.samples)} of {rounds} rounds, it is "
                         "slow")
        if entry.samples and entry.samples[0].tokens < tokens:
            notes.append(f"{entry.contender.name}: {entry.samples[0].tokens} of {tokens} tokens")
    return notes
