"""An assignment as exporters see it, and how near another tool comes to each of its formats.

A counterpart is the same when bits, symmetry and what shares a scale are those of the format; the
type of scales and the rule of rounding are the other tool's. Anything else is near at best.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import formats, stages, tables
from ..errors import Error
from ..model import Model
from ..output import scratch_directory
from ..tensors import open_checkpoint

KEEP = "keep"
_SPELLING = re.compile(r"i(?P<bits>\d+) (?P<symmetry>a?sym) (?:per_channel|group=(?P<group>\d+))")


@dataclass(frozen=True)
class StoredFormat:
    spelling: str
    """As in tables, or KEEP."""
    bits: int = 0
    """Of integers that share a scale by channel or by group; 0 for all other formats."""
    is_symmetric: bool = True
    group: int = 0
    """Columns that share a scale; 0 for a whole channel."""

    @staticmethod
    def parse(spelling: str) -> "StoredFormat":
        if spelling == KEEP:
            return StoredFormat(KEEP)
        spelling = formats.canonical(spelling)
        integers = _SPELLING.fullmatch(spelling)
        if not integers:
            return StoredFormat(spelling)
        return StoredFormat(spelling, int(integers["bits"]), integers["symmetry"] == "sym",
                            int(integers["group"] or 0))

    @property
    def name(self) -> str:
        """Of the numerics alone: f16, nf4, mxfp4."""
        return self.spelling.split()[0]


@dataclass(frozen=True)
class Choice:
    site: str
    format: StoredFormat
    kind: str = "weight"
    columns: int = 0
    """0 when the model is not at hand."""
    stored: str = ""
    """The type in the checkpoint, as safetensors spells it; empty when the model is not at hand."""

    @property
    def module(self) -> str:
        """The path of the module in PyTorch."""
        return self.site.rpartition(":")[0]

    @property
    def role(self) -> str:
        return self.site.rpartition(":")[2]

    @property
    def is_matrix(self) -> bool:
        """The weight of a linear layer or an embedding."""
        name = self.module.rpartition(".")[2]
        return (self.role, self.kind) == ("weight", "weight") and "norm" not in name and \
            name != "conv1d"

    def has_whole_groups(self, group: int) -> bool:
        """True where it is not known."""
        return group == 0 or self.columns % group == 0


@dataclass(frozen=True)
class Match:
    """What stands for a format in another tool."""

    value: object | None
    """None leaves the weight as it is."""
    difference: str = ""
    """In words; empty when it is the same."""


def read(assignment: Path, model: Model | None) -> list[Choice]:
    """Checks an assignment, against the model when there is one."""
    given = tables.read_assignment(assignment)
    if not given:
        raise Error(f"{assignment} names no site")
    sites, stored = {}, {}
    if model:
        stored = {name: tensor.layout.dtype
                  for name, tensor in open_checkpoint(model.directory).items()}
        with scratch_directory() as scratch:
            sites = {one["name"]: one for one in stages.list_sites(model)}
            for site in given:
                if site not in sites:
                    raise Error(f"{assignment} names site '{site}', which {model.directory} does "
                                "not have; is it of another model?")
            # Says what does not fit.
            stages.assign_file(model.clone(), assignment, scratch / "checked.json")
    choices = []
    for site, spelling in given.items():
        format = StoredFormat.parse(spelling)
        if site in sites:
            choices.append(Choice(site, format, sites[site]["kind"], sites[site]["columns"],
                                  stored.get(site.replace(":", "."), "")))
        else:
            choices.append(Choice(site, format))
    return choices


def match(choices: list[Choice], find: Callable[[Choice], Match], tool: str, take_nearest: bool
          ) -> list[tuple[Choice, Match]]:
    """Finds what stands for each choice; fails on the first that has nothing that is the same,
    unless near ones are welcome."""
    found = [(choice, find(choice)) for choice in choices]
    far = [(choice, one) for choice, one in found if one.difference]
    if far and not take_nearest:
        choice, one = far[0]
        others = f"; so it is at {len(far)} sites" if len(far) > 1 else ""
        raise Error(f"{tool} does not have '{choice.format.spelling}' for {choice.site}, the "
                    f"nearest is {one.difference}{others}; --nearest takes it")
    return found


def describe_sharing(group: int) -> str:
    return f"a scale for {group} columns" if group else "a scale for a row"


def describe_differences(found: list[tuple[Choice, Match]]) -> list[dict]:
    return [{"site": choice.site, "format": choice.format.spelling, "difference": one.difference}
            for choice, one in found if one.difference]
