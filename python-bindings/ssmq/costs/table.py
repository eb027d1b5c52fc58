"""The cost table of a model: what each of its weights takes in each format, in nanoseconds."""

import functools
import hashlib
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .. import __version__, formats, machine, stages
from ..errors import Error
from ..model import Model
from ..output import scratch_directory, write_file
from ..quantize import WEIGHTS
from ..report import Table
from ..tensors import open_checkpoint
from . import estimate
from .cache import Cache
from .kernel import KEEP, Kernel
from .timing import PREFILL_TOKENS, Times, get_copies, get_sweep, time_kernel, time_model

# What Model.compile runs.
_LOWERING = "ssmq-tile-weights,ssmq-pack,ssmq-lower-to-cpu"
_OPS = ("linear", "embedding", "causal_conv1d")


@dataclass
class Site:
    name: str
    rows: int
    columns: int
    ops: list[str]
    dtype: str
    num_bytes: int

    def get_kernels(self, format: str) -> Iterator[Kernel]:
        for op in self.ops:
            yield Kernel(op, self.rows, self.columns, format,
                         self.dtype if format == KEEP else "F32")


@dataclass
class CostTable:
    model: str
    target: dict
    sites: list[Site]
    formats: list[str]
    """KEEP first."""
    entries: dict[Kernel, Times] = field(default_factory=dict)
    missing: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By format: why there is no kernel, and of how many shapes."""
    whole: dict[str, Times] = field(default_factory=dict)
    """The model with all weights in a format."""

    def sum(self, format: str) -> Times | None:
        """Of all sites in one format; None where a kernel is missing."""
        kernels = [one for site in self.sites for one in site.get_kernels(format)]
        if any(one not in self.entries for one in kernels):
            return None
        return Times(sum(self.entries[one].decode for one in kernels),
                     sum(self.entries[one].prefill for one in kernels))

    @property
    def rest(self) -> Times:
        """Of the model, all that no site takes: the median of what the measured models leave."""
        rests = [(whole.decode - own.decode, whole.prefill - own.prefill)
                 for format, whole in self.whole.items() if (own := self.sum(format))]
        return Times(*(max(0.0, statistics.median(times)) for times in zip(*rests, strict=True)))

    def to_json(self) -> str:
        def describe(times: Times, prefill: str) -> dict:
            return {"decodeNanoseconds": round(times.decode, 1), prefill: round(times.prefill, 1)}

        # Weights of one shape and several types have one entry, the slowest.
        slowest: dict[tuple, Times] = {}
        for kernel, times in self.entries.items():
            key = kernel.op, kernel.rows, kernel.columns, kernel.format
            slowest[key] = max(slowest.get(key, times), times, key=lambda one: one.decode)
        prefill = "prefillNanosecondsPerToken"
        return json.dumps({
            "document": "ssmq-cost-table", "version": 1, "model": self.model,
            "target": self.target, "prefillTokens": PREFILL_TOKENS,
            "entries": [dict(zip(("op", "rows", "columns", "format"), key, strict=True))
                        | describe(times, prefill) for key, times in slowest.items()],
            "sites": [{"site": one.name, "rows": one.rows, "columns": one.columns,
                       "ops": one.ops} for one in self.sites],
            "rest": describe(self.rest, prefill)}, indent=1) + "\n"

    def to_table(self) -> Table:
        table = Table(f"{len(self.sites)} weights on {self.target['cpu']}, "
                      f"{self.target['threads']} threads: microseconds a token",
                      ["all weights in", "decode", f"prefill of {PREFILL_TOKENS}"])
        rows = [(format, self.sum(format)) for format in self.formats]
        for name, times in [*rows, ("everything else", self.rest)]:
            if times:
                table.rows.append([name, f"{times.decode / 1e3:.1f}",
                                   f"{times.prefill / 1e3:.1f}"])
        return table


def _list_sites(model: Model) -> list[Site]:
    stored = open_checkpoint(model.directory)
    sites = []
    for one in stages.list_sites(model, ["weight"]):
        ops = [op.removeprefix("ssm.") for op in one["ops"]]
        tensor = one["name"].replace(":", ".")
        if any(op not in _OPS for op in ops) or tensor not in stored:
            raise Error(f"site '{one['name']}' cannot be timed alone: it is no weight of "
                        f"{', '.join(_OPS)}")
        sites.append(Site(one["name"], one["rows"], one["columns"], ops,
                          stored[tensor].layout.dtype, one["bytes"]))
    if not sites:
        raise Error(f"{model.directory} has no weights to time")
    return sites


def _get_bytes(site: Site, format: str) -> int:
    if format == KEEP:
        return site.num_bytes
    return formats.num_bytes((site.rows, site.columns), format)


class Processor:
    """This machine's, whose times are measured and kept."""

    keeps = True

    def __init__(self, threads: int):
        self.threads = threads
        self.target = {"cpu": machine.get_processor(), "features": machine.get_features(),
                       "threads": threads, "lowering": _LOWERING, "ssmq": __version__}

    def time_kernel(self, kernel: Kernel, sweep: int) -> Times:
        return time_kernel(kernel, sweep, self.threads)

    def time_model(self, model: Model) -> Times:
        return time_model(model.compile(self.threads))


class Xe2(Processor):
    """Lunar Lake's GPU, whose times are estimated."""

    keeps = False

    def __init__(self, threads: int):
        self.threads = threads
        self.target = {"cpu": "Xe2 (Lunar Lake), estimated", "features": "dpas", "threads": 1,
                       "lowering": estimate.LOWERING, "ssmq": __version__}

    def time_kernel(self, kernel: Kernel, sweep: int) -> Times:
        return estimate.time_kernel(kernel, self.threads)

    def time_model(self, model: Model) -> Times:
        return estimate.time_model(model, self.threads)


DEVICES = {"cpu": Processor, "xe2": Xe2}


def measure(model: Model, wanted: list[str], threads: int, is_fresh: bool,
            device: str = "cpu") -> tuple[CostTable, int]:
    """The table, and how many of its times were measured now and not before."""
    clock = DEVICES[device](threads)
    chosen = dict.fromkeys([KEEP, *map(formats.canonical, wanted)])
    table = CostTable(model.directory.name, clock.target, _list_sites(model), list(chosen))
    cache = Cache(clock.target, is_fresh, clock.keeps)
    for format in table.formats:
        model_bytes = sum(_get_bytes(site, format) for site in table.sites)
        kernels = {one: _get_bytes(site, format) for site in table.sites
                   for one in site.get_kernels(format)}
        for kernel, num_bytes in kernels.items():
            sweep = get_sweep(model_bytes, get_copies(kernel) * num_bytes)
            times = cache.get({"kernel": vars(kernel), "sweep": sweep},
                              functools.partial(clock.time_kernel, kernel, sweep))
            if isinstance(times, Times):
                table.entries[kernel] = times
            else:
                _, count = table.missing.get(format, ("", 0))
                table.missing[format] = times, count + 1
    if KEEP in table.missing:
        raise Error(f"the model cannot be compiled: {table.missing[KEEP][0]}")
    digest = hashlib.sha256(model.bytecode()).hexdigest()
    for format in _choose_wholes(table):
        times = cache.get({"model": digest, "format": format},
                          functools.partial(_time_whole, model, format, clock))
        if isinstance(times, Times):
            table.whole[format] = times
    if KEEP not in table.whole:
        raise Error("the model cannot be compiled")
    return table, cache.num_measured


def _choose_wholes(table: CostTable) -> list[str]:
    """The model as it is, in the smallest format and in the largest."""
    others = sorted((format for format in table.formats if format != KEEP and table.sum(format)),
                    key=lambda format: sum(_get_bytes(site, format) for site in table.sites))
    return list(dict.fromkeys([KEEP, *others[:1], *others[-1:]]))


def _time_whole(model: Model, format: str, clock: Processor) -> Times:
    if format == KEEP:
        return clock.time_model(model)
    with scratch_directory() as scratch:
        changed = model.clone()
        stages.assign_uniform(changed, format, scratch / "assignment.json")
        stages.quantize(changed, scratch / WEIGHTS, clock.threads)
        changed.name_checkpoint(scratch / WEIGHTS)
        return clock.time_model(changed)


def write(table: CostTable, path: Path) -> None:
    write_file(path, table.to_json())
