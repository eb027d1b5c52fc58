"""S4D in PyTorch: as a convolution for training, and step by step.

Inputs are [batch, steps, d_input]; x, the value between layers, is [batch, H, steps], as Fourier
transforms and a product with a matrix like it best. A layer is H single-input systems of n complex states each, one of every conjugate pair:
    s_t = a s_{t-1} + b u_t,    y_t = 2 Re(sum_n c_n s_t,n) + d u_t,
with a, b from continuous parameters by zero-order hold, a = exp(dt A), b = (a - 1) / A B, or the
bilinear rule (Gu et al., "On the parameterization and initialization of diagonal state space
models", arXiv 2206.11893, whose S4D-Lin initialisation this takes: A = -1/2 + i pi n).
"""

import math
from collections.abc import Callable

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn

from .config import Config


def qgelu(x: Tensor) -> Tensor:
    """The cheap GELU of arXiv 2506.12480."""
    return x * torch.clamp(x + 2, 0, 1)


ACTIVATIONS = {"qgelu": qgelu, "gelu": nn.functional.gelu}


def to_pairs(values: Tensor) -> Tensor:
    """Complex as its real and imaginary part in a last axis."""
    return torch.view_as_real(values.resolve_conj()).contiguous()


def from_pairs(pairs: Tensor) -> Tensor:
    return torch.complex(pairs[..., 0], pairs[..., 1])


def get_powers(a: Tensor, count: int) -> Tensor:
    """a^0 to a^(count - 1) in a new last axis, by doubling: errors grow with log(count)."""
    powers, next_power = torch.ones_like(a)[..., None], a
    while powers.shape[-1] < count:
        powers = torch.cat([powers, powers * next_power[..., None]], -1)
        next_power = next_power * next_power
    return powers[..., :count]


def get_kernel(a: Tensor, b: Tensor, c: Tensor, steps: int) -> Tensor:
    """K[h, t] = 2 Re sum_n c b a^t, [H, steps], with t in two digits so that it is a product of
    small matrices."""
    size = math.isqrt(steps - 1) + 1
    low = get_powers(a, size)
    high = get_powers(low[..., -1] * a, size) * (c * b)[..., None]
    left = torch.cat([high.real, -high.imag], 1).transpose(1, 2)
    right = torch.cat([low.real, low.imag], 1)
    return 2 * (left @ right).flatten(1)[:, :steps]


class _Convolution(torch.autograd.Function):
    """As autograd does not know that a gradient is real, its own would cost twice as much."""

    @staticmethod
    def forward(ctx, u: Tensor, kernel: Tensor) -> Tensor:
        steps = u.shape[-1]
        ctx.size = next_fast_len(2 * steps - 1, real=True)
        spectra = tuple(torch.fft.rfft(one, n=ctx.size) for one in (u, kernel))
        ctx.save_for_backward(*spectra)
        return torch.fft.irfft(spectra[0] * spectra[1], n=ctx.size)[..., :steps]

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor]:
        u, kernel = ctx.saved_tensors
        steps = gradient.shape[-1]
        spectrum = torch.fft.rfft(gradient, n=ctx.size)
        of_kernel = torch.fft.irfft((u.conj() * spectrum).sum(0), n=ctx.size)
        of_u = torch.fft.irfft(spectrum.mul_(kernel.conj()), n=ctx.size)
        return of_u[..., :steps], of_kernel[..., :steps]


def convolve(u: Tensor, kernel: Tensor) -> Tensor:
    """Causal, of [batch, H, steps] with [H, steps]."""
    return _Convolution.apply(u, kernel)


def with_skip(kernel: Tensor, d: Tensor) -> Tensor:
    """The kernel that also adds d u."""
    return torch.cat([kernel[:, :1] + d[:, None], kernel[:, 1:]], 1)


def mix(linear: nn.Linear, x: Tensor, weight: Tensor | None = None) -> Tensor:
    """A linear layer over the channels of [batch, channels, steps]."""
    return (linear.weight if weight is None else weight) @ x + linear.bias[:, None]


class Ssm(nn.Module):
    """H diagonal systems."""

    def __init__(self, config: Config):
        super().__init__()
        self.discretization = config.discretization
        heads, n = config.d_model, config.num_pairs
        if config.parameterization == "continuous":
            low, high = math.log(1e-3), math.log(1e-1)
            self.log_dt = nn.Parameter(low + (high - low) * torch.rand(heads))
            self.A_real_log = nn.Parameter(torch.full((heads, n), math.log(0.5)))
            self.A_imag = nn.Parameter(math.pi * torch.arange(n).float().repeat(heads, 1))
        else:
            self.A = nn.Parameter(torch.zeros(heads, n, 2))
        one = torch.tensor([1.0, 0.0])
        self.B = nn.Parameter(one.repeat(heads, n, 1))
        self.C = nn.Parameter(to_pairs(torch.randn(heads, n, dtype=torch.complex64)))
        self.D = nn.Parameter(torch.randn(heads))

    @property
    def is_discrete(self) -> bool:
        return hasattr(self, "A")

    def discretize(self) -> tuple[Tensor, Tensor]:
        """Complex a and b of a step, [H, n]."""
        b = from_pairs(self.B)
        if self.is_discrete:
            return from_pairs(self.A), b
        dt = self.log_dt.exp()[:, None]
        continuous = torch.complex(-self.A_real_log.exp(), self.A_imag)
        if self.discretization == "zoh":
            a = torch.exp(dt * continuous)
            return a, (a - 1) / continuous * b
        half = dt * continuous / 2
        return (1 + half) / (1 - half), dt * b / (1 - half)

    def forward(self, u: Tensor) -> Tensor:
        a, b = self.discretize()
        kernel = get_kernel(a, b, from_pairs(self.C), u.shape[-1])
        return convolve(u, with_skip(kernel, self.D))

    def step_all(self, u: Tensor) -> Tensor:
        """The same by the recurrence."""
        a, b = self.discretize()
        c = from_pairs(self.C)
        state = torch.zeros(len(u), *a.shape, dtype=a.dtype)
        outputs = []
        for u_t in u.unbind(-1):
            state = a * state + b * u_t[..., None]
            outputs.append(2 * (c * state).sum(-1).real)
        return torch.stack(outputs, -1) + self.D[:, None] * u


class Layer(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        width = config.d_model
        self.ssm = Ssm(config)
        self.mixing = nn.Linear(width, 2 * width if config.mixing == "glu" else width)
        self.norm = (nn.LayerNorm(width, config.layer_norm_eps) if config.norm == "layer"
                     else None)
        self.activation = ACTIVATIONS[config.activation]
        self.is_gated, self.has_residual = config.mixing == "glu", config.residual

    def forward(self, x: Tensor, recurrent: bool = False) -> Tensor:
        y = self.ssm.step_all(x) if recurrent else self.ssm(x)
        return self.finish(x, mix(self.mixing, self.activation(y)))

    def finish(self, x: Tensor, mixed: Tensor,
               round_gate: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Gate, residual and norm."""
        if self.is_gated and round_gate:
            value, gate = mixed.chunk(2, 1)
            mixed = value * torch.sigmoid(round_gate(gate))
        elif self.is_gated:
            mixed = nn.functional.glu(mixed, 1)
        x = x + mixed if self.has_residual else mixed
        return x if self.norm is None else self.norm(x.transpose(1, 2)).transpose(1, 2)


def pool(x: Tensor, lengths: Tensor | None, kind: str) -> Tensor:
    """[batch, H] of the steps within each length."""
    steps = x.shape[-1]
    if kind == "last":
        last = torch.full((len(x),), steps) if lengths is None else lengths
        return x[torch.arange(len(x)), :, last - 1]
    if lengths is None:
        return x.mean(-1)
    is_valid = torch.arange(steps) < lengths[:, None]
    return (x * is_valid[:, None]).sum(-1) / lengths[:, None]


class S4D(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.encoder = nn.Linear(config.d_input, config.d_model)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.n_layers))
        self.classifier = nn.Linear(config.d_model, config.num_labels)

    def forward(self, inputs: Tensor, lengths: Tensor | None = None,
                recurrent: bool = False) -> Tensor:
        """Logits [batch, num_labels]."""
        x = mix(self.encoder, inputs.transpose(1, 2))
        for layer in self.layers:
            x = layer(x, recurrent)
        return self.classifier(pool(x, lengths, self.config.pooling))
