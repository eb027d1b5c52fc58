"""The training form of the model: granitemoehybrid (dense) in plain PyTorch.

The module tree gives the same state_dict names and shapes as transformers'
GraniteMoeHybridForCausalLM, and the same logits (check_model.py compares
them). It exists because the torch path of transformers expands every tensor
of the state-space scan over heads and chunks, which makes training on a CPU
many times slower than the matrix products below.
"""

import json
import math
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

CHUNK = 32  # Tokens per chunk of the scan; any value gives the same result.


def load_config(path):
    with open(path, encoding="utf-8") as f:
        return SimpleNamespace(**json.load(f))


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


class Attention(nn.Module):
    """Causal grouped-query attention without position embedding."""

    def __init__(self, c):
        super().__init__()
        self.heads, self.kv_heads = c.num_attention_heads, c.num_key_value_heads
        self.head_dim = c.hidden_size // c.num_attention_heads
        self.scale = c.attention_multiplier
        kv = self.kv_heads * self.head_dim
        self.q_proj = nn.Linear(c.hidden_size, c.hidden_size, bias=False)
        self.k_proj = nn.Linear(c.hidden_size, kv, bias=False)
        self.v_proj = nn.Linear(c.hidden_size, kv, bias=False)
        self.o_proj = nn.Linear(c.hidden_size, c.hidden_size, bias=False)

    def forward(self, x):
        b, t, _ = x.shape
        q = self.q_proj(x).view(b, t, self.heads, -1).transpose(1, 2)
        k = self.k_proj(x).view(b, t, self.kv_heads, -1).transpose(1, 2)
        v = self.v_proj(x).view(b, t, self.kv_heads, -1).transpose(1, 2)
        share = self.heads // self.kv_heads
        k, v = k.repeat_interleave(share, 1), v.repeat_interleave(share, 1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=self.scale)
        return self.o_proj(y.transpose(1, 2).reshape(b, t, -1))


def scan(x, dt, a, bmat, cmat):
    """Mamba-2's state-space scan, chunk by chunk, for one group.

    x: (b, t, h, p), dt: (b, t, h), a: (h), bmat and cmat: (b, t, n).
    B and C are shared by all heads, so every product but the masked one
    inside a chunk runs with the heads merged into one wide matrix.
    """
    b, t, h, p = x.shape
    n, q = bmat.shape[-1], CHUNK
    c = t // q
    xd = (x * dt[..., None]).view(b, c, q, h, p)
    bmat, cmat = bmat.view(b, c, q, n), cmat.view(b, c, q, n)
    # Log of the decay from the start of the chunk to each token.
    cum = (dt * a).view(b, c, q, h).cumsum(2)

    # Within the chunk: attention-like scores, decayed, causal.
    by_head = cum.permute(0, 1, 3, 2)
    diff = by_head[..., :, None] - by_head[..., None, :]
    causal = torch.ones(q, q, dtype=torch.bool, device=x.device).tril()
    decay = torch.exp(diff.masked_fill(~causal, -1e9))
    scores = (cmat @ bmat.transpose(-1, -2))[:, :, None] * decay
    y = (scores @ xd.transpose(2, 3)).transpose(2, 3)

    # What each chunk adds to the state, then the state each chunk starts from.
    to_end = torch.exp(cum[:, :, -1:] - cum)
    added = bmat.transpose(-1, -2) @ (xd * to_end[..., None]).reshape(b, c, q, h * p)
    total = F.pad(cum[:, :, -1], (0, 0, 1, 0)).cumsum(1).permute(0, 2, 1)
    # start[i] = sum over j < i of added[j] decayed over the chunks between.
    gap = total[:, :, :-1, None] - total[:, :, None, 1:]
    before = torch.ones(c, c, dtype=torch.bool, device=x.device).tril(-1)
    carry = torch.exp(gap.masked_fill(~before, -1e9))
    added = added.view(b, c, n, h, p).permute(0, 3, 1, 2, 4).reshape(b, h, c, n * p)
    start = (carry @ added.float()).view(b, h, c, n, p).permute(0, 2, 3, 1, 4)
    y_off = (cmat @ start.reshape(b, c, n, h * p)).view(b, c, q, h, p)
    y = y + y_off * torch.exp(cum)[..., None]
    return y.reshape(b, t, h, p)


class Mamba(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.head_dim = c.mamba_n_heads, c.mamba_d_head
        self.state = c.mamba_d_state
        self.inner = c.mamba_expand * c.hidden_size
        self.eps = c.rms_norm_eps
        conv = self.inner + 2 * self.state
        self.conv1d = nn.Conv1d(conv, conv, c.mamba_d_conv, groups=conv, bias=True)
        self.in_proj = nn.Linear(c.hidden_size, self.inner + conv + self.heads, bias=False)
        self.dt_bias = nn.Parameter(torch.empty(self.heads))
        self.A_log = nn.Parameter(torch.empty(self.heads))
        self.D = nn.Parameter(torch.ones(self.heads))
        self.norm = RMSNorm(self.inner, c.rms_norm_eps)
        self.out_proj = nn.Linear(self.inner, c.hidden_size, bias=False)

    def forward(self, x):
        b, t, _ = x.shape
        gate, xbc, dt = self.in_proj(x).split(
            [self.inner, self.inner + 2 * self.state, self.heads], -1)
        # The causal depthwise convolution as shifted products: it fuses, and
        # its gradient is far cheaper than that of a grouped convolution.
        w = self.conv1d.weight
        taps = w.shape[-1]
        padded = F.pad(xbc.float(), (0, 0, taps - 1, 0))
        xbc = self.conv1d.bias
        for k in range(taps):
            xbc = xbc + padded[:, k:k + t] * w[:, 0, k]
        xbc = F.silu(xbc)
        u, bmat, cmat = xbc.split([self.inner, self.state, self.state], -1)
        u = u.view(b, t, self.heads, self.head_dim)
        dt = F.softplus(dt.float() + self.dt_bias)
        y = scan(u, dt, -torch.exp(self.A_log), bmat, cmat) + u * self.D[:, None]
        y = y.reshape(b, t, -1) * F.silu(gate.float())
        return self.out_proj(self.norm(y))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        inner = c.shared_intermediate_size
        self.input_linear = nn.Linear(c.hidden_size, 2 * inner, bias=False)
        self.output_linear = nn.Linear(inner, c.hidden_size, bias=False)

    def forward(self, x):
        gate, up = self.input_linear(x).chunk(2, -1)
        return self.output_linear(F.silu(gate) * up)


class Layer(nn.Module):
    def __init__(self, c, kind):
        super().__init__()
        self.scale = c.residual_multiplier
        self.input_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.kind = kind
        if kind == "mamba":
            self.mamba = Mamba(c)
        else:
            self.self_attn = Attention(c)
        self.shared_mlp = MLP(c)

    def forward(self, x):
        mixer = self.mamba if self.kind == "mamba" else self.self_attn
        x = x + mixer(self.input_layernorm(x)) * self.scale
        return x + self.shared_mlp(self.post_attention_layernorm(x)) * self.scale


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embedding_multiplier = c.embedding_multiplier
        self.logits_scaling = c.logits_scaling
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(c.vocab_size, c.hidden_size)
        self.model.layers = nn.ModuleList(Layer(c, kind) for kind in c.layer_types)
        self.model.norm = RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.init_weights()

    @torch.no_grad()
    def init_weights(self):
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.5 / math.sqrt(module.in_features))
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.05)
            elif isinstance(module, Mamba):
                # Time steps from 0.001 to 0.1 give heads of short and long
                # memory from the start (softplus inverse below).
                dt = torch.logspace(-3, -1, module.heads)
                module.dt_bias.copy_(dt + torch.log(-torch.expm1(-dt)))
                module.A_log.copy_(torch.log(torch.linspace(1, 8, module.heads).flip(0)))

    def forward(self, ids, targets=None):
        x = self.model.embed_tokens(ids) * self.embedding_multiplier
        for layer in self.model.layers:
            x = layer(x)
        weight = self.model.embed_tokens.weight
        logits = F.linear(self.model.norm(x), weight).float() / self.logits_scaling
        if targets is None:
            return logits
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())
