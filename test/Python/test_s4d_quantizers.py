"""Formats in PyTorch: the bits of lib/Formats, and gradients straight through."""

import numpy as np
import pytest
import torch
from ssmq import Error, formats
from ssmq.s4d.model import from_pairs, to_pairs
from ssmq.s4d.numerics import Range
from ssmq.s4d.quantizers import parse
from ssmq.s4d.scan import GRADIENT_LIMIT, StateRounding, scan

f32 = np.float32
INTEGERS = [f"i{bits} {symmetry}" for bits in (2, 3, 4, 5, 6, 7, 8, 16)
            for symmetry in ("sym", "asym")]
POLAR = ["logpolar<1,4>", "logpolar<1,7>", "logpolar<3,7>", "logpolar<4,12>"]
# Kind, sharing, shape, head size.
PAIRS = [("parameter", "per_head", (6, 8, 2), 1), ("parameter", "per_tensor", (6, 8, 2), 0),
         ("state", "per_head", (6, 8, 2), 1), ("state", "per_tensor", (6, 8, 2), 0)]
PLACES = [*PAIRS, ("weight", "per_tensor", (6, 10), 0), ("weight", "per_channel", (6, 10), 0),
          ("parameter", "per_tensor", (7,), 0), ("activation", "per_token", (6, 10), 0)]
STATIC = [("activation", "per_tensor static=99", (20, 10), 0),
          ("activation", "per_channel static=99.9", (40, 4), 0),
          ("state", "per_head static=95", (6, 8, 2), 1),
          ("state", "per_tensor static=99.999", (6, 8, 2), 0)]


def arrays(shape, seed):
    """Of all sizes that floats have; ties, zeros, constants, outliers, one sign."""
    random = np.random.default_rng(seed)
    for size in (1e-42, 1e-30, 3e-8, 1e-6, 1e-4, 0.02, 1, 300, 3e4, 1e30):
        values = (random.normal(size=shape) * size).astype(f32)
        yield values
        yield np.abs(values)
        yield -np.abs(values)
    for constant in (0, 0.1, -1, 2.0**-149, -(2.0**-149), 65504, 3.4e38):
        yield np.full(shape, constant, f32)
    # Pairs of magnitude one.
    yield np.where(np.indices(shape)[-1] % 2, 0, 1).astype(f32)
    yield (random.integers(-15, 16, shape) / 2).astype(f32)
    values = random.normal(size=shape).astype(f32)
    values.flat[3] = 500
    yield values
    yield np.where(np.arange(values.size).reshape(shape) < 10, 0, values).astype(f32)


def attempt(function):
    try:
        return function()
    except Error:
        return None


def expect_same_bits(spelling, kind, shape, head_size):
    quantizer, num_held = parse(spelling, kind), 0
    for seed in (1, 2):
        for array in arrays(shape, seed):
            values = torch.from_numpy(array)

            def restate(values=values):
                bounds = quantizer.observe(values[None]) if quantizer.is_static else None
                return quantizer.round(values, bounds).numpy()

            expected = attempt(lambda: formats.round(array, spelling, kind, head_size))
            actual = attempt(restate)
            assert (expected is None) == (actual is None), (spelling, array)
            if expected is not None:
                np.testing.assert_array_equal(actual.view(np.uint32), expected.view(np.uint32))
                num_held += 1
    assert num_held > 30


@pytest.mark.parametrize("numerics", [*INTEGERS, "f8E4M3", "f8E5M2"])
def test_bits(numerics):
    for kind, sharing, shape, head_size in PLACES + STATIC:
        expect_same_bits(f"{numerics} {sharing}", kind, shape, head_size)


@pytest.mark.parametrize("numerics", POLAR)
def test_bits_of_complex_values(numerics):
    for kind, sharing, shape, head_size in PAIRS:
        expect_same_bits(f"{numerics} {sharing}", kind, shape, head_size)


@pytest.mark.parametrize("numerics", ["f16", "bf16"])
def test_bits_of_floats(numerics):
    for kind in ("weight", "activation", "state"):
        expect_same_bits(numerics, kind, (6, 8, 2), 0)


def test_batches_are_rounded_one_by_one():
    random = torch.Generator().manual_seed(1)
    states = torch.randn(5, 6, 8, 2, generator=random)
    for spelling in ("int8:tensor:asym", "int4:head", "logpolar<3,7>:head"):
        quantizer = parse(spelling, "state")
        for one, rounded in zip(states, quantizer.round(states)):
            assert (quantizer.round(one) == rounded).all()


def test_ranges_are_the_widest_of_observations():
    values = torch.randn(7, 30, 4, generator=torch.Generator().manual_seed(1))
    for spelling, shape in (("i6 asym per_tensor static=90", (1, 1)),
                            ("i6 asym per_channel static=90", (1, 4))):
        quantizer = parse(spelling, "activation")
        ones = [quantizer.observe(one[None]) for one in values]
        low, high = quantizer.observe(values)
        assert low.shape == high.shape == shape
        assert (low == torch.stack([one.low for one in ones]).amin(0)).all()
        assert (high == torch.stack([one.high for one in ones]).amax(0)).all()
    whole = values[0].flatten().sort().values
    quantizer = parse("i6 asym per_tensor static=90", "activation")
    # The nearest ranks of 90 % of 120 values.
    assert quantizer.observe(values[:1]) == Range(whole[12].reshape(1, 1), whole[107].reshape(1, 1))


def test_gradients():
    values = torch.tensor([[-3.0, -1, 0.3, 1, 3]], requires_grad=True)
    bounds = Range(torch.tensor([[-1.0]]), torch.tensor([[2.0]]))
    clipped = parse("i4 asym per_tensor static=99", "activation").round(values, bounds)
    (clipped * 2).sum().backward()
    assert values.grad.tolist() == [[0, 2, 2, 2, 0]]
    values.grad = None
    parse("int4:channel", "weight").round(values).sum().backward()
    assert values.grad.tolist() == [[1, 1, 1, 1, 1]]


@pytest.mark.parametrize("spelling,bounds", [
    ("int8:head:asym", None), ("logpolar<2,6>:head", None), ("int4:tensor", None), ("f16", None),
    ("int6:head:asym:static99.999", [[-0.5, 1], [-1, 0.25], [-2, 2]]),
    ("int6:tensor:static99.999", [[-1.5, 1.5]])])
def test_states_are_rounded_as_values_are(spelling, bounds):
    random = torch.Generator().manual_seed(1)
    u = torch.randn(2, 3, 9, generator=random)
    a, b, c = (torch.randn(3, 5, 2, generator=random) * scale for scale in (0.4, 1, 1))
    quantizer = parse(spelling, "state")
    static = None
    if bounds:
        static = Range(*(end.reshape(-1, 1, 1) for end in torch.tensor(bounds).T))
    rounding = StateRounding(spelling, tuple(one for ends in bounds or [] for one in ends))
    state, expected = torch.zeros(2, 3, 5, dtype=torch.complex64), []
    for step in u.permute(2, 0, 1):
        state = from_pairs(a) * state + from_pairs(b) * step[..., None]
        expected.append(2 * (from_pairs(c) * state).real.sum(-1))
        state = from_pairs(quantizer.round(to_pairs(state), static))
    # A sum in another order may round a state to its other neighbour, which then shows.
    torch.testing.assert_close(scan(u, a, b, c, rounding), torch.stack(expected, -1), atol=1e-4,
                               rtol=1e-4)


@pytest.mark.parametrize("rounding,message", [
    (StateRounding("int8:head:static99", (-1.0, 1.0)), "needs 3 ranges .* there are 2 numbers"),
    (StateRounding("int8:tensor:asym:static99", (0.5, 1.0)), "range 0 must be finite and hold zero"),
    (StateRounding("int8:g2:static99", (-1.0, 1.0)), "head by head"),
    (StateRounding("int8:what"), "int8:what"), (StateRounding("f16", limit=1e9), "too large")])
def test_scans_that_are_refused(rounding, message):
    with pytest.raises(Error, match=message):
        scan(torch.full((1, 3, 4), 1e6), *torch.ones(3, 3, 2, 2), rounding)


def test_gradients_through_states():
    """Clipped to a limit, and stopped where a state was clipped."""
    one = torch.tensor([[[1.0, 0.0]]])
    u = torch.ones(1, 1, 3, requires_grad=True)
    y = scan(u, one * 1e6, one, one)
    y[..., 2].sum().backward()
    # dy_2/du_1 = 2 a, clipped; dy_2/du_0 = 2 a^2.
    assert u.grad[0, 0].tolist() == [GRADIENT_LIMIT, GRADIENT_LIMIT, 2]
    for rounding in (StateRounding(limit=1.2),
                     StateRounding("i16 asym per_head static=100", (-1.2, 1.2))):
        u.grad = None
        y = scan(u, one * 0.5, one, one, rounding)
        y[..., 2].sum().backward()
        # States are 1, 1.5, 1.6: nothing passes behind the second.
        assert u.grad[0, 0].tolist() == [0, 0, 2]


@pytest.mark.parametrize("spelling,kind,message", [
    ("int4:g32", "weight", "cannot share a scale"), ("nf4", "weight", "cannot round to format"),
    ("int8:tensor", "activation", "knows per_token"), ("logpolar<1,7>:tensor", "weight", "complex"),
    ("int8:tensor:static99", "weight", "leave out static"), ("int9:x", "weight", "write for")])
def test_refusals(spelling, kind, message):
    with pytest.raises(Error, match=message):
        parse(spelling, kind)
