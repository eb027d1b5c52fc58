"""S4D in PyTorch: its sizes, its two forms, its checkpoints."""

import json
import math

import pytest
import torch
from ssmq import Error
from ssmq.s4d import checkpoint
from ssmq.s4d.config import Config, read_config
from ssmq.s4d.model import S4D, from_pairs, get_kernel, qgelu, to_pairs
from ssmq.s4d.quantized import to_discrete
from ssmq.s4d.scan import scan

OTHER = {"discretization": "bilinear", "mixing": "linear", "norm": "layer", "n_layers": 2,
         "pooling": "last", "activation": "gelu", "d_input": 3}


def make(seed=1, **fields):
    torch.manual_seed(seed)
    return S4D(Config(**{"d_model": 4, "d_state": 8, **fields}))


def test_parameter_counts():
    """Those of arXiv 2506.12480."""
    for heads, count in ((16, 3850), (512, 630794)):
        model = S4D(Config(d_model=heads))
        assert sum(one.numel() for one in model.parameters()) == count


def test_initialisation():
    ssm = make(d_model=200).layers[0].ssm
    assert (ssm.A_real_log.exp() == 0.5).all() and ssm.A_imag[3, 2] == torch.tensor(2 * math.pi)
    assert 1e-3 <= ssm.log_dt.exp().min() < 2e-3 and 5e-2 < ssm.log_dt.exp().max() <= 1e-1
    assert (from_pairs(ssm.B) == 1).all()
    assert abs(from_pairs(ssm.C).abs().square().mean() - 1) < 0.1


@pytest.mark.parametrize("fields", [{}, OTHER, {"residual": False}])
@pytest.mark.parametrize("steps", [1, 2, 63, 784])
def test_convolution_is_the_recurrence(fields, steps):
    model = make(**fields)
    inputs = torch.randn(3, steps, model.config.d_input)
    lengths = torch.tensor([steps, 1, (steps + 1) // 2])
    for chosen in (None, lengths):
        with torch.no_grad():
            torch.testing.assert_close(model(inputs, chosen), model(inputs, chosen, recurrent=True),
                                       atol=1e-4, rtol=0)


def test_recurrence_in_double():
    """Against the formulas, written out for one head and one state."""
    model = make(d_model=1, d_state=2)
    ssm, u = model.layers[0].ssm, torch.randn(9)
    dt = math.exp(ssm.log_dt.item())
    a_continuous = complex(-math.exp(ssm.A_real_log.item()), ssm.A_imag.item())
    a = complex(torch.exp(torch.tensor(dt * a_continuous, dtype=torch.complex128)))
    b = (a - 1) / a_continuous * complex(from_pairs(ssm.B).item())
    state = 0j
    for value, actual in zip(u.tolist(), ssm(u[None, None])[0, 0].tolist()):
        state = a * state + b * value
        expected = 2 * (complex(from_pairs(ssm.C).item()) * state).real + ssm.D.item() * value
        assert abs(actual - expected) < 1e-5


def test_padding_is_not_read():
    model = make(norm="layer")
    inputs, lengths = torch.randn(3, 20, 1), torch.tensor([20, 7, 13])
    padded = inputs.clone()
    padded[1, 7:], padded[2, 13:] = 100, 100
    torch.testing.assert_close(model(inputs, lengths), model(padded, lengths))
    torch.testing.assert_close(model(inputs, lengths)[1:2], model(inputs[1:2, :7]))


def test_gradients_of_both_forms():
    model, inputs = make(), torch.randn(3, 30, 1)
    gradients = []
    for recurrent in (False, True):
        model.zero_grad()
        model(inputs, recurrent=recurrent).square().sum().backward()
        gradients.append({name: one.grad.clone() for name, one in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], atol=1e-4, rtol=1e-3)


def test_gradient_of_the_written_out_scan():
    ssm, u = make().layers[0].ssm, torch.randn(3, 4, 20)
    weights, results = torch.randn(3, 4, 20), []
    for run in (ssm.step_all, lambda x: scan(x, *map(to_pairs, ssm.discretize()), ssm.C)
                + ssm.D[:, None] * x):
        u.requires_grad_().grad = None
        ssm.zero_grad()
        y = run(u)
        (y * weights).sum().backward()
        results.append([y.detach(), u.grad, *(one.grad.clone() for one in ssm.parameters())])
    for one, other in zip(*results):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_kernel_of_a_long_sequence():
    a = torch.polar(torch.tensor([[0.9999]]), torch.tensor([[3.0]]))
    one = torch.ones_like(a)
    steps = torch.arange(784, dtype=torch.float64)
    expected = 2 * (0.9999 ** steps * torch.cos(a.angle().double()[0] * steps))
    torch.testing.assert_close(get_kernel(a, one, one, 784)[0].double(), expected, atol=2e-4,
                               rtol=0)


def test_qgelu():
    x = torch.tensor([-3.0, -2, -1.5, -1, 0, 1, 2])
    torch.testing.assert_close(qgelu(x), torch.tensor([0.0, 0, -0.75, -1, 0, 1, 2]))


@pytest.mark.parametrize("fields", [{}, OTHER])
def test_checkpoint(tmp_path, fields):
    model = make(id2label={0: "zero"}, **fields).eval()
    inputs = torch.randn(2, 9, model.config.d_input)
    for one in (model, to_discrete(model)):
        checkpoint.save(one, tmp_path)
        loaded = checkpoint.load(tmp_path)
        assert loaded.config == one.config
        torch.testing.assert_close(loaded(inputs), model(inputs))


@pytest.mark.parametrize("change,message", [
    ({"model_type": "mamba"}, "does not say"), ({"d_state": 7}, "d_state must be even"),
    ({"d_model": 0}, "d_model must be an integer in 1"), ({"d_model": 1 << 40}, "d_model must be"),
    ({"d_model": 5}, "5.* of floats is asked for"), ({"n_layers": 2}, "lacks layers.1"),
    ({"d_model": 65536}, "65536.* of floats is asked for"),
    ({"norm": "batch"}, "norm must be none or layer"), ({"mixing": ["glu"]}, "mixing must be"),
    ({"parameterization": "discrete"}, "lacks layers.0.ssm.A"),
    ({"id2label": {"x": "y"}}, "id2label must"), ({"residual": 1}, "residual must be")])
def test_refused_config(tmp_path, change, message):
    checkpoint.save(make(), tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(Error, match=message):
        checkpoint.load(tmp_path)


def test_damaged_checkpoint(tmp_path):
    model = make()
    with torch.no_grad():
        model.layers[0].ssm.D[1] = math.nan
    checkpoint.save(model, tmp_path)
    with pytest.raises(Error, match="layers.0.ssm.D holds NaN"):
        checkpoint.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"x" * 20)
    with pytest.raises(Error, match="is not a safetensors file"):
        checkpoint.load(tmp_path)
    (tmp_path / "config.json").write_text("[" * 100000)
    with pytest.raises(Error, match="is not JSON"):
        read_config(tmp_path / "config.json")
