"""The recurrence with a rounded state, and its gradient, by the compiler's own formats.

    s_t = a r_{t-1} + b u_t,    y_t = 2 Re(sum_n c_n s_t,n),    r_t = round(s_t)
As in the compiler, a step's own output comes from the state before it is rounded. Gradients pass
straight through the rounding, except where it clips (lib/Kernels/RoundedScan.cpp).
"""

import math
from dataclasses import dataclass

import _ssmq
import torch
from torch import Tensor

from ..machine import get_threads

# As arXiv 2506.12480 clips them in training.
STATE_LIMIT, GRADIENT_LIMIT = 50.0, 1000.0


@dataclass(frozen=True)
class StateRounding:
    """How a state [heads, n, 2] is rounded after each step."""

    # None leaves it as it is.
    format: str | None = None
    # Low and high of each scale, of static formats.
    bounds: tuple[float, ...] = ()
    # Parts of the state are clipped to it before they are rounded.
    limit: float = math.inf


def _make(u: Tensor, pairs: tuple[Tensor, ...], rounding: StateRounding):
    """u is [batch, steps, heads] and outlives what is returned."""
    arrays = [one.detach().contiguous().numpy() for one in (u, *pairs)]
    return _ssmq.RoundedScan(*arrays, rounding.format, list(rounding.bounds), rounding.limit,
                             GRADIENT_LIMIT, get_threads())


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u: Tensor, a: Tensor, b: Tensor, c: Tensor, rounding: StateRounding) -> Tensor:
        by_step, y = u.transpose(1, 2).contiguous(), torch.empty(u.shape[0], u.shape[2], u.shape[1])
        states = None
        if any(ctx.needs_input_grad):
            states = torch.empty(*by_step.shape, *a.shape[1:])
            ctx.save_for_backward(by_step, a, b, c, states)
            ctx.rounding = rounding
        scan = _make(by_step, (a, b, c), rounding)
        scan.run(y.numpy(), None if states is None else states.numpy())
        return y.transpose(1, 2)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        by_step, a, b, c, states = ctx.saved_tensors
        of_u, of_pairs = torch.empty_like(by_step), [torch.empty_like(one) for one in (a, b, c)]
        _make(by_step, (a, b, c), ctx.rounding).run_back(
            states.numpy(), gradient.transpose(1, 2).contiguous().numpy(), of_u.numpy(),
            *(one.numpy() for one in of_pairs))
        return of_u.transpose(1, 2), *of_pairs, None


def scan(u: Tensor, a: Tensor, b: Tensor, c: Tensor,
         rounding: StateRounding = StateRounding()) -> Tensor:
    """y of u, both [batch, heads, steps], without the term of D; a, b and c are pairs
    [heads, n, 2]."""
    return _Scan.apply(u, *(one.contiguous() for one in (a, b, c)), rounding)


@torch.no_grad()
def get_states(u: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The states after each step, not rounded: [batch, steps, heads, n, 2]."""
    by_step = u.transpose(1, 2).contiguous()
    states = torch.empty(*by_step.shape, *a.shape[1:])
    _make(by_step, (a, b, a), StateRounding()).run(torch.empty_like(by_step).numpy(),
                                                  states.numpy())
    return states
