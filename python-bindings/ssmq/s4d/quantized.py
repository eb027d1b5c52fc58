"""S4D with rounding at each site that has a format, for training through the rounding.

Sites are the compiler's: encoder:weight, encoder:input, layers.I.ssm:a :b :c :d :input :state,
layers.I.mixing:weight, :input, :gate (what the sigmoid reads), classifier:weight, :input. What is
rounded are a and b of a step, whichever parameters they come from.
"""

import dataclasses
import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from ..errors import Error
from .config import Config
from .model import S4D, convolve, from_pairs, get_kernel, mix, pool, to_pairs, with_skip
from .numerics import Range
from .quantizers import Quantizer, parse
from .scan import STATE_LIMIT, StateRounding, get_states, scan

PARAMETERIZATIONS = ("discrete", "continuous", "frozen")

# The most that training lets |a| of a discrete system become: past 1 states grow without bound.
MOST_MAGNITUDE = 1 - 2**-12

# Sees [observations, ...] of a site.
See = Callable[[str, Tensor], None]


def get_kind(site: str) -> str:
    role = site.rpartition(":")[2]
    return {"weight": "weight", "input": "activation", "gate": "activation",
            "state": "state"}.get(role, "parameter")


def list_sites(config: Config) -> list[str]:
    names = ["ssm:a", "ssm:b", "ssm:c", "ssm:d", "ssm:input", "ssm:state", "mixing:weight",
             "mixing:input"] + ["mixing:gate"] * (config.mixing == "glu")
    layers = [f"layers.{i}.{name}" for i in range(config.n_layers) for name in names]
    return ["encoder:weight", "encoder:input", *layers, "classifier:weight", "classifier:input"]


def to_discrete(model: S4D) -> S4D:
    """The same with a and b of a step as parameters."""
    result = S4D(dataclasses.replace(model.config, parameterization="discrete"))
    state = {name: tensor for name, tensor in model.state_dict().items()
             if name in result.state_dict()}
    for index, layer in enumerate(model.layers):
        a, b = layer.ssm.discretize()
        state |= {f"layers.{index}.ssm.A": to_pairs(a), f"layers.{index}.ssm.B": to_pairs(b)}
    result.load_state_dict(state)
    return result


class QuantizedS4D(nn.Module):
    """`formats` are spellings by site; sites that are not named stay in f32."""

    def __init__(self, model: S4D, formats: dict[str, str], parameterization: str = "discrete"):
        super().__init__()
        self.model = model if parameterization == "continuous" else to_discrete(model)
        self.quantizers = {site: parse(spelling, get_kind(site))
                           for site, spelling in formats.items()}
        self.ranges: dict[str, Range] = {}
        with torch.no_grad():
            self._most_magnitudes = [layer.ssm.discretize()[0].abs().max().clamp(min=MOST_MAGNITUDE)
                                     for layer in self.model.layers]
        if parameterization == "frozen":
            for index, layer in enumerate(self.model.layers):
                with torch.no_grad():
                    layer.ssm.A.copy_(self._round(f"layers.{index}.ssm:a", layer.ssm.A))
                layer.ssm.A.requires_grad_(False)

    @torch.no_grad()
    def pull_inside(self) -> None:
        """What a step of training moved out of the unit disc goes back to its rim, or to where a
        model began that had its A nearer to it."""
        for layer, most in zip(self.model.layers, self._most_magnitudes):
            if layer.ssm.is_discrete and layer.ssm.A.requires_grad:
                a = from_pairs(layer.ssm.A)
                layer.ssm.A.mul_((most / a.abs()).clamp(max=1)[..., None])

    def _round(self, site: str, values: Tensor) -> Tensor:
        quantizer = self.quantizers.get(site)
        return quantizer.round(values, self.ranges.get(site)) if quantizer else values

    def _round_steps(self, site: str, x: Tensor) -> Tensor:
        """Of [batch, channels, steps], each step being a token."""
        return self._round(site, x.transpose(1, 2)).transpose(1, 2)

    def _mix(self, name: str, x: Tensor) -> Tensor:
        linear = self.model.get_submodule(name)
        return mix(linear, self._round_steps(f"{name}:input", x),
                   self._round(f"{name}:weight", linear.weight))

    def round_system(self, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pairs a, b, c and d of a layer as they are stored."""
        ssm, site = self.model.layers[index].ssm, f"layers.{index}.ssm"
        a, b = map(to_pairs, ssm.discretize())
        return tuple(self._round(f"{site}:{name}", values)
                     for name, values in zip("abcd", (a, b, ssm.C, ssm.D)))

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        if self.training:
            self.pull_inside()
        x = self._mix("encoder", inputs.transpose(1, 2))
        for index, layer in enumerate(self.model.layers):
            y = layer.activation(self._run_system(index, x))
            name = f"layers.{index}.mixing"
            gate = f"{name}:gate"
            x = layer.finish(x, self._mix(name, y), partial(self._round_steps, gate)
                             if gate in self.quantizers else None)
        # A pooled sequence is one token.
        pooled = pool(x, lengths, self.model.config.pooling)[..., None]
        return self._mix("classifier", pooled)[..., 0]

    def _run_system(self, index: int, x: Tensor) -> Tensor:
        site = f"layers.{index}.ssm"
        *pairs, d = self.round_system(index)
        u = self._round_steps(f"{site}:input", x)
        if f"{site}:state" not in self.quantizers:
            a, b, c = map(from_pairs, pairs)
            return convolve(u, with_skip(get_kernel(a, b, c, u.shape[-1]), d))
        return scan(u, *pairs, self._get_rounding(f"{site}:state")) + d[:, None] * u

    def _get_rounding(self, site: str) -> StateRounding:
        quantizer = self.quantizers[site]
        if quantizer.is_static:
            return StateRounding(quantizer.spelling, tuple(self.get_bounds(site)))
        # The compiled program clips only to static ranges, which lie within the limit.
        return StateRounding(quantizer.spelling, limit=STATE_LIMIT if self.training else math.inf)

    @torch.no_grad()
    def observe(self, inputs: Tensor, lengths: Tensor | None, see: See) -> None:
        """Shows what static ranges are taken from: activations a sequence, states a step, in f32
        from the model as it is."""
        x = mix(self.model.encoder, inputs.transpose(1, 2))
        # Steps past the end of a sequence are left out as the zeros that any range includes.
        is_valid = torch.ones(inputs.shape[:2]) if lengths is None else (
            torch.arange(inputs.shape[1]) < lengths[:, None]).float()

        def see_steps(site: str, values: Tensor) -> None:
            see(site, (values * is_valid[:, None]).transpose(1, 2))

        see_steps("encoder:input", inputs.transpose(1, 2))
        for index, layer in enumerate(self.model.layers):
            site, ssm = f"layers.{index}", layer.ssm
            see_steps(f"{site}.ssm:input", x)
            if f"{site}.ssm:state" in self.quantizers:
                a, b = map(to_pairs, ssm.discretize())
                states = get_states(x, a, b) * is_valid[..., None, None, None]
                # Each state is an observation.
                see(f"{site}.ssm:state", states.flatten(0, 1))
            y = layer.activation(ssm(x))
            see_steps(f"{site}.mixing:input", y)
            mixed = mix(layer.mixing, y)
            if layer.is_gated:
                see_steps(f"{site}.mixing:gate", mixed.chunk(2, 1)[1])
            x = layer.finish(x, mixed)
        see("classifier:input", pool(x, lengths, self.model.config.pooling)[:, None])

    def widen(self, site: str, values: Tensor) -> None:
        """Takes an observation into the static range of its site, if it has one."""
        quantizer = self.quantizers.get(site)
        if not quantizer or not quantizer.is_static:
            return
        seen, known = quantizer.observe(values), self.ranges.get(site)
        if get_kind(site) == "state":
            seen = Range(seen.low.clamp(min=-STATE_LIMIT), seen.high.clamp(max=STATE_LIMIT))
        self.ranges[site] = seen if known is None else Range(torch.minimum(known.low, seen.low),
                                                             torch.maximum(known.high, seen.high))

    def get_bounds(self, site: str) -> list[float]:
        """Low and high of each scale, as programs carry them."""
        low, high = self.ranges[site]
        return torch.stack([low.flatten(), high.flatten()], 1).flatten().tolist()

    def set_bounds(self, site: str, bounds: object) -> None:
        quantizer, heads = self.quantizers[site], self.model.config.d_model
        is_shared = quantizer.sharing == "per_tensor"
        count = 1 if is_shared else heads if site != "encoder:input" else self.model.config.d_input
        if not isinstance(bounds, list) or len(bounds) != 2 * count or not all(
                isinstance(one, float) and math.isfinite(one) for one in bounds):
            raise Error(f"the bounds of {site} must be {2 * count} finite numbers")
        low, high = torch.tensor(bounds).view(-1, 2).T
        if (low > 0).any() or (high < 0).any():
            raise Error(f"the bounds of {site} must lie around zero")
        shape = (count, 1, 1) if quantizer.kind == "state" else (1, count)
        self.ranges[site] = Range(low.reshape(shape), high.reshape(shape))

    @torch.no_grad()
    def export(self) -> S4D:
        """The model with its parameters as they are stored, a and b discrete. Rounding them again
        changes nothing, as formats are idempotent."""
        result = to_discrete(self.model)
        for index, layer in enumerate(result.layers):
            parts = zip(("A", "B", "C", "D"), self.round_system(index))
            layer.ssm.load_state_dict(dict(parts))
            site = f"layers.{index}.mixing"
            layer.mixing.weight.copy_(self._round(f"{site}:weight", layer.mixing.weight))
        for name in ("encoder", "classifier"):
            weight = result.get_submodule(name).weight
            weight.copy_(self._round(f"{name}:weight", weight))
        return result
