"""Formats as functions with a gradient: what is rounded passes gradients straight through.

A quantizer is a format at a kind of site. Values have these axes, as docs/Formats.md has rows and
columns:
    weight, parameter   [rows, ...], a head of the model being a row;
    state               [..., heads, n, 2], one state each;
    activation          [..., tokens, channels], one sequence each.
Gradients stop where a static range clips.
"""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import formats
from ..errors import Error
from .numerics import Dims, LogPolar, Numerics, Range, check_finite, parse_numerics

_CLIP = 100_000_000


class _Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: Tensor, rounded: Tensor, is_inside: Tensor | None) -> Tensor:
        ctx.is_inside = is_inside
        return rounded.view_as(rounded)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        inside = ctx.is_inside
        return gradient if inside is None else gradient * inside, None, None


@dataclass(frozen=True)
class Quantizer:
    spelling: str
    kind: str
    numerics: Numerics
    sharing: str
    # In millionths; None is dynamic.
    percentile: int | None

    @property
    def is_static(self) -> bool:
        return self.percentile is not None

    def get_dims(self, values: Tensor) -> Dims:
        """Axes over which a dynamic run extends."""
        if self.kind == "activation":
            return (values.ndim - 1,)
        if self.kind == "state":
            heads = values.ndim - 3
            return tuple(range(heads + (self.sharing != "per_tensor"), values.ndim))
        shares_rows = self.sharing == "per_tensor"
        return tuple(range(0 if shares_rows or values.ndim == 1 else 1, values.ndim))

    def get_grid(self, values: Tensor, bounds: Range | None = None):
        """Of the values themselves, or of static bounds."""
        if bounds is not None:
            return self.numerics.fit(bounds)
        return self.numerics.fit(self.numerics.find(values, self.get_dims(values)))

    def round(self, values: Tensor, bounds: Range | None = None) -> Tensor:
        """With a gradient; a static format needs bounds, which broadcast to the values."""
        with torch.no_grad():
            grid = self.get_grid(values, bounds)
            check_finite(grid if isinstance(grid, Tensor) else grid[0], self.spelling)
            rounded = self.numerics.round(values, grid)
            inside = None
            if bounds is not None:
                inside = (values >= bounds.low) & (values <= bounds.high)
        return _Straight.apply(values, rounded, inside)

    def observe(self, values: Tensor) -> Range:
        """The central ranges of one observation after another, the widest of them: values are
        [observations, ...] with the axes above behind; a range has 1 where it is shared."""
        if self.kind == "activation" and self.sharing == "per_channel":
            runs, shape = values.flatten(1, -2).transpose(1, 2), (1, values.shape[-1])
        elif self.kind == "state" and self.sharing != "per_tensor":
            runs, shape = values.flatten(2), (values.shape[1], 1, 1)
        else:
            runs, shape = values.flatten(1)[:, None], (1,) * (values.ndim - 1)
        size = runs.shape[-1]
        rank = -(-size * self.percentile // _CLIP)
        if self.numerics.is_symmetric:
            high = _ranked(runs.abs(), rank)
            low = -high
        else:
            high, low = _ranked(runs, rank), _ranked(runs, size - rank + 1)
        return Range(low.amin(0).clamp(max=0).reshape(shape),
                     high.amax(0).clamp(min=0).reshape(shape))


def _ranked(runs: Tensor, rank: int) -> Tensor:
    """The rank-th smallest, from 1, of each run in the last axis."""
    if rank == runs.shape[-1]:
        return runs.amax(-1)
    return runs.amin(-1) if rank == 1 else runs.kthvalue(rank, -1).values


# Dynamic, and with static=P.
_SHARINGS = {"weight": ({"per_tensor", "per_channel"}, set()),
             "parameter": ({"per_tensor", "per_channel", "per_head"}, set()),
             "state": ({"per_tensor", "per_channel", "per_head"},) * 2,
             "activation": ({"per_token"}, {"per_tensor", "per_channel"})}


def parse(spelling: str, kind: str) -> Quantizer:
    """Any spelling that `ssmq.formats` takes, as far as training knows it."""
    spelling = formats.canonical(spelling)
    static = re.search(r" static=(\S+)", spelling)
    percentile = None
    if static:
        whole, _, fraction = static[1].partition(".")
        percentile = int(whole) * 1_000_000 + int(fraction.ljust(6, "0"))
    numerics = parse_numerics(spelling)
    found = re.search(r"per_\w+", spelling)
    # Floats without a scale are the same under any sharing.
    sharing = found[0] if found else "per_token" if kind == "activation" else "per_tensor"
    allowed = _SHARINGS[kind][bool(static)]
    if isinstance(numerics, LogPolar) and kind not in ("parameter", "state"):
        raise Error(f"'{spelling}' is for complex values, not for a site of kind {kind}")
    if sharing not in allowed or "group=" in spelling:
        raise Error(f"training cannot share a scale as '{spelling}' says at a site of kind {kind}; "
                    + (f"it knows {', '.join(sorted(allowed))}" if allowed else
                       "leave out static"))
    return Quantizer(spelling, kind, numerics, sharing, percentile)
