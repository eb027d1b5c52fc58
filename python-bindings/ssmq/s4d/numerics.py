"""How values that share a scale are rounded: lib/Formats restated in PyTorch, bit for bit.

A numerics fits grids to ranges and rounds to grids. Its tensors may hold any number of runs: a
range and a grid have the shape of the values with 1 where a run extends. No gradients here.
"""

import math
import re
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ..errors import Error

Dims = tuple[int, ...]


def round_up(values: Tensor, dtype: torch.dtype) -> Tensor:
    """The smallest value of a 16-bit float type that is not below `values` >= 0, in f32."""
    narrow = values.to(dtype)
    bits = narrow.view(torch.int16)
    return torch.where(narrow.float() < values, bits + 1, bits).view(dtype).float()


class Range(NamedTuple):
    """Around zero: low <= 0 <= high."""

    low: Tensor
    high: Tensor


def find_range(values: Tensor, dims: Dims) -> Range:
    return Range(values.amin(dims, keepdim=True).clamp(max=0),
                 values.amax(dims, keepdim=True).clamp(min=0))


def find_magnitude(values: Tensor, dims: Dims) -> Range:
    most = values.abs().amax(dims, keepdim=True)
    return Range(-most, most)


def check_finite(values: Tensor, spelling: str) -> None:
    if not values.isfinite().all():
        raise Error(f"a value is not finite, or too large for format '{spelling}'")


class Numerics(Protocol):
    """A grid is what rounding needs to know of a run."""

    is_symmetric: bool

    def find(self, values: Tensor, dims: Dims) -> Range: ...
    def fit(self, range: Range): ...
    def round(self, values: Tensor, grid) -> Tensor: ...


class IntegerGrid(NamedTuple):
    """Codes in steps of `scale`."""

    scale: Tensor
    low: Tensor
    high: Tensor
    # Where rounding to nearest does not bring its ends to the codes at the ends: what lies past
    # them does go there.
    range: Range | None = None


@dataclass(frozen=True)
class Integer:
    bits: int
    is_symmetric: bool

    @property
    def num_steps(self) -> int:
        return 2**self.bits - (2 if self.is_symmetric else 1)

    def find(self, values: Tensor, dims: Dims) -> Range:
        return (find_magnitude if self.is_symmetric else find_range)(values, dims)

    def fit(self, range: Range) -> IntegerGrid:
        return self._fit_symmetric(range) if self.is_symmetric else self._fit_asymmetric(range)

    def _round_scale_up(self, scale: Tensor) -> Tensor:
        return round_up(scale, torch.bfloat16 if self.bits > 8 else torch.float16)

    def _fit_symmetric(self, range: Range) -> IntegerGrid:
        width = torch.maximum(range.high, -range.low)
        most = self.num_steps // 2
        scale = self._round_scale_up(width / most)
        divisor = torch.where(scale == 0, 1, scale)
        # Where scales are coarse, the largest value may not reach the largest code.
        reached = self._round_scale_up(torch.round(width / divisor) * scale / most)
        is_coarse = (scale > 0) & (scale < 2**-15) if self.bits <= 8 else scale > 0
        scale = torch.where(is_coarse, reached, scale)
        high = torch.where(scale == 0, 0, torch.full_like(scale, most))
        return IntegerGrid(scale, -high, high)

    def _fit_asymmetric(self, range: Range) -> IntegerGrid:
        steps = self.num_steps
        scale = self._round_scale_up((range.high - range.low) / steps)
        divisor = torch.where(scale == 0, 1, scale)
        low = -torch.round(-range.low / divisor)
        high = torch.minimum(torch.round(range.high / divisor), steps + low)
        scale = torch.where((high == low) & scale.isfinite(), 0, scale)
        lost_low = low.double() - range.low.double() / divisor.double()
        lost_high = range.high.double() / divisor.double() - high.double()
        # Both ends may have been rounded inwards: the one that lost more takes one code more.
        while (is_finer := self._round_scale_up((high - low) * scale / steps) < scale).any():
            takes_high = lost_high >= lost_low
            up, down = is_finer & takes_high, is_finer & ~takes_high
            high, lost_high = high + up.float(), lost_high - up.double()
            low, lost_low = low - down.float(), lost_low - down.double()
        is_zero = scale == 0
        low, high = torch.where(is_zero, 0, low), torch.where(is_zero, 0, high)
        is_nearest = ((torch.round(range.high / divisor) >= high)
                      & (torch.round(range.low / divisor) <= low)).all()
        return IntegerGrid(scale, low, high, None if is_nearest else range)

    def round(self, values: Tensor, grid: IntegerGrid) -> Tensor:
        # Ops that PyTorch has vector code for: a state is rounded at each step.
        codes = values / torch.where(grid.scale == 0, 1, grid.scale)
        torch.minimum(codes.round_(), grid.high, out=codes)
        torch.maximum(codes, grid.low, out=codes)
        if grid.range is not None:
            is_past = torch.ge(values, grid.range.high, out=torch.empty_like(codes))
            codes.addcmul_(is_past, grid.high - codes)
            torch.le(values, grid.range.low, out=is_past)
            codes.addcmul_(is_past, grid.low - codes)
        # Adding zero turns -0 into 0, as integers have it.
        return codes.add_(0.0).mul_(grid.scale)


@dataclass(frozen=True)
class ScaledFloat:
    """OCP 8-bit floats with a scale."""

    dtype: torch.dtype
    is_symmetric: bool = True

    @property
    def most(self) -> float:
        return torch.finfo(self.dtype).max

    def find(self, values: Tensor, dims: Dims) -> Range:
        return find_magnitude(values, dims)

    def _cast(self, values: Tensor) -> Tensor:
        return values.clamp(-self.most, self.most).to(self.dtype).float()

    def fit(self, range: Range) -> Tensor:
        most = torch.maximum(range.high, -range.low)
        scale = round_up(most / self.most, torch.float16)
        reached = self._cast(most / torch.where(scale == 0, 1, scale)) * scale / self.most
        return torch.where(scale == 0, 0, round_up(reached, torch.float16))

    def round(self, values: Tensor, scale: Tensor) -> Tensor:
        return self._cast(values / torch.where(scale == 0, 1, scale)) * scale


@dataclass(frozen=True)
class Float:
    """f16 and bf16: without a scale."""

    dtype: torch.dtype
    is_symmetric: bool = True

    def find(self, values: Tensor, dims: Dims) -> Range:
        return find_magnitude(values, dims)

    def fit(self, range: Range) -> Tensor:
        # What rounds to infinity is refused by whoever looks at the grid.
        return range.high.to(self.dtype).float()

    def round(self, values: Tensor, grid: Tensor) -> Tensor:
        return values.to(self.dtype).float()


class LogGrid(NamedTuple):
    """Ends in units of 2^-20 octaves; `is_zero` where all values are."""

    low: Tensor
    high: Tensor
    is_zero: Tensor


_OCTAVE = 2.0**20
_LEAST_MAGNITUDE = 2.0**-126


def get_magnitude(pairs: Tensor) -> Tensor:
    return pairs.double().square().sum(-1, keepdim=True).sqrt()


@dataclass(frozen=True)
class LogPolar:
    """Of pairs (real, imaginary) in the last axis: a logarithm of the magnitude, and a phase."""

    magnitude_bits: int
    phase_bits: int
    is_symmetric: bool = True

    def find(self, values: Tensor, dims: Dims) -> Range:
        magnitude = get_magnitude(values)
        is_zero = magnitude < _LEAST_MAGNITUDE
        low = torch.where(is_zero, math.inf, magnitude).amin(dims, keepdim=True)
        high = torch.where(is_zero, 0, magnitude).amax(dims, keepdim=True)
        if ((high > 0) & is_zero.any(dims[-1], keepdim=True).amax(dims, keepdim=True)).any():
            raise Error("a run of logpolar holds a zero beside other values")
        check_finite(high.float(), self.__class__.__name__.lower())
        return Range(low, high)

    def fit(self, range: Range) -> LogGrid:
        def get_exponent(magnitude: Tensor) -> Tensor:
            exponent = torch.round(torch.log2(magnitude) * _OCTAVE)
            most = torch.where(magnitude < 1, -1.0, 128 * _OCTAVE - 1)
            exponent = torch.minimum(exponent, most)
            # An end at 1 is moved past it, so that it is not moved a second time.
            return torch.where(exponent == 0, 1.0, exponent)

        is_zero = range.high == 0
        low, high = (torch.where(is_zero, 0.5, end) for end in range)
        return LogGrid(get_exponent(low), get_exponent(high), is_zero)

    def round(self, values: Tensor, grid: LogGrid) -> Tensor:
        width = grid.high - grid.low
        last = torch.clamp(width, max=2**self.magnitude_bits - 1)
        step = torch.where(last > 0, width / torch.where(last > 0, last, 1), 1)
        magnitude = get_magnitude(values)
        magnitude = torch.where(grid.is_zero, 0.5, magnitude)
        codes = torch.round((torch.log2(magnitude) * _OCTAVE - grid.low) / step)
        codes = torch.minimum(codes.clamp(min=0), last)
        magnitude = torch.exp2((grid.low + codes * step) / _OCTAVE)
        count = 2**self.phase_bits
        wide = values.double()
        turns = torch.atan2(wide[..., 1], wide[..., 0]) / (2 * math.pi)
        phase = torch.round(turns * count).long()
        cosines = torch.tensor([math.cos(2 * math.pi * (code / count)) for code in range(count)],
                               dtype=torch.float64)
        cosines = torch.where(cosines.abs() < 1e-12, 0, cosines)
        parts = torch.stack([cosines[phase % count], cosines[(phase - count // 4) % count]], -1)
        return torch.where(grid.is_zero, 0, magnitude * parts).float()


_FLOATS = {"f16": Float(torch.float16), "bf16": Float(torch.bfloat16),
           "f8E4M3": ScaledFloat(torch.float8_e4m3fn), "f8E5M2": ScaledFloat(torch.float8_e5m2)}


def parse_numerics(spelling: str) -> Numerics:
    """From the canonical spelling, whose first words name it."""
    if found := re.match(r"i(\d+) (sym|asym)\b", spelling):
        return Integer(int(found[1]), found[2] == "sym")
    if found := re.match(r"logpolar<(\d+),(\d+)>", spelling):
        return LogPolar(int(found[1]), int(found[2]))
    if spelling.split()[0] in _FLOATS:
        return _FLOATS[spelling.split()[0]]
    raise Error(f"training cannot round to format '{spelling}'; it knows integers, f16, bf16, "
                "f8E4M3, f8E5M2 and logpolar")
