"""Rounding, bit for bit against restatements in NumPy, ml_dtypes and PyTorch of docs/Formats.md."""

import math

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ssmq import Error, formats

f32 = np.float32


def round_up(x, dtype):
    """The smallest value of the type that is not below x."""
    with np.errstate(over="ignore"):
        y = dtype(x)
    return f32(y) if f32(y) >= x else f32(np.nextafter(y, dtype(np.inf)))


def half(x):
    return round_up(x, np.float16)


def brain(x):
    return round_up(x, ml_dtypes.bfloat16)


def symmetric(run, bits, most=None):
    up, q = brain if bits == 16 else half, f32(2 ** (bits - 1) - 1)
    most = f32(np.abs(run).max() if most is None else most)
    scale = up(most / q)
    if scale:
        scale = up(np.rint(most / scale) * scale / q)
    if not scale:
        return np.zeros_like(run)
    return (np.clip(np.rint(run / scale), -q, q) + f32(0)) * scale


def asymmetric(run, bits):
    up, steps = brain if bits == 16 else half, f32(2**bits - 1)
    low, high = min(f32(0), run.min()), max(f32(0), run.max())
    scale = up((high - low) / steps)
    if not scale:
        return np.zeros_like(run)
    below = np.rint(-low / scale)
    above = min(np.rint(high / scale), steps - below)
    if below + above == 0:
        return np.zeros_like(run)
    while up((above + below) * scale / steps) < scale:
        if float(high) / float(scale) - above >= float(-low) / float(scale) - below:
            above += 1
        else:
            below += 1
    codes = np.clip(np.rint(run / scale), -below, above)
    codes[run >= high] = above
    codes[run <= low] = -below
    return (codes + f32(0)) * scale


def eight_bit_float(run, dtype, most):
    def cast(x):
        return np.clip(x, -most, most).astype(dtype).astype(f32)

    scale = half(np.abs(run).max() / most)
    if scale:
        scale = half(cast(np.abs(run).max() / scale) * scale / most)
    return cast(run / scale) * scale if scale else run * f32(0)


def mxfp4(run):
    most = np.abs(run).max()
    if most == 0:
        return run * f32(0)
    scale = f32(2.0 ** max(math.frexp(most)[1] - 3, -127))
    return np.clip(run / scale, -6, 6).astype(ml_dtypes.float4_e2m1fn).astype(f32) * scale


# Table 4 of arXiv 2305.14314, as bitsandbytes prints it.
NF4 = np.array([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
    0.7229568362236023, 1.0], f32)


def nf4(run):
    def nearest(x):
        bounds = (NF4[:-1] + NF4[1:]) / f32(2)
        index = np.searchsorted(bounds, x, side="left")
        on_bound = (index < 15) & (x == bounds[np.minimum(index, 14)])
        return NF4[index + (on_bound & (index % 2 == 1))]

    scale = half(np.abs(run).max())
    if scale:
        scale = half(max(nearest(run.max() / scale), -nearest(run.min() / scale)) * scale)
    return nearest(run / scale) * scale if scale else np.zeros_like(run)


def log_magnitudes(magnitudes, bits, is_complex=False):
    def end(magnitude):
        code = min(round(math.log2(magnitude) * 2**20), -1 if magnitude < 1 else 2**27 - 1)
        return 1 if is_complex and code == 0 else code

    low, high = end(min(magnitudes)), end(max(magnitudes))
    last = min(2**bits - 1, high - low)
    step = (high - low) / last if last else 1
    for magnitude in magnitudes:
        code = min(max(round((math.log2(magnitude) * 2**20 - low) / step), 0), last)
        yield 2.0 ** ((low + code * step) / 2**20)


def log2(run, bits):
    if not run.any():
        return np.zeros_like(run)
    sign = -1 if run.min() < 0 else 1
    return np.array([sign * x for x in log_magnitudes([abs(float(x)) for x in run], bits)], f32)


def log_polar(run, magnitude_bits, phase_bits):
    pairs = run.reshape(-1, 2).astype(float).tolist()
    magnitudes = log_magnitudes([math.sqrt(a * a + b * b) for a, b in pairs], magnitude_bits, True)
    count, result = 2**phase_bits, []
    for (real, imaginary), magnitude in zip(pairs, magnitudes):
        code = round(math.atan2(imaginary, real) / (2 * math.pi) * count) % count
        for quarter in (0, count // 4):
            cosine = math.cos(2 * math.pi * (((code - quarter) % count) / count))
            result.append(magnitude * (0 if abs(cosine) < 1e-12 else cosine))
    return np.array(result, f32)


# How each numerics rounds one run.
RUNS = {
    **{f"i{b} sym": lambda run, b=b: symmetric(run, b) for b in (2, 3, 4, 5, 6, 7, 8, 16)},
    **{f"i{b} asym": lambda run, b=b: asymmetric(run, b) for b in (2, 3, 4, 5, 6, 7, 8, 16)},
    "f16": lambda run: run.astype(np.float16).astype(f32),
    "bf16": lambda run: run.astype(ml_dtypes.bfloat16).astype(f32),
    "f8E4M3": lambda run: eight_bit_float(run, ml_dtypes.float8_e4m3fn, f32(448)),
    "f8E5M2": lambda run: eight_bit_float(run, ml_dtypes.float8_e5m2, f32(57344)),
    "mxfp4": mxfp4,
    "nf4": nf4,
}
LOGS = {
    "log2<1>": lambda run: log2(run, 1),
    "log2<5>": lambda run: log2(run, 5),
    "log2<8>": lambda run: log2(run, 8),
    "logpolar<1,4>": lambda run: log_polar(run, 1, 4),
    "logpolar<3,7>": lambda run: log_polar(run, 3, 7),
}
UNSHARED = ("f16", "bf16", "mxfp4")


def expect_bits(actual, expected):
    assert actual.dtype == expected.dtype == f32 and actual.shape == expected.shape
    np.testing.assert_array_equal(actual.view(np.uint32), expected.view(np.uint32))


def round_run(numerics, run):
    spelling = numerics if numerics in UNSHARED else numerics + " per_tensor"
    return formats.round(run[None], spelling)[0]


def hard_runs(seed, positive=False):
    """Runs of at most 32 values, of all sizes that floats have."""
    random = np.random.default_rng(seed)
    for size in (1e-30, 3e-8, 1e-6, 1e-4, 0.02, 1, 300):
        for columns in (1, 2, 6, 32):
            run = random.normal(size=columns).astype(f32) * f32(size)
            run = np.maximum(np.abs(run), f32(2.0**-126)) if positive else run
            yield run
            yield -np.abs(run)
            yield run * np.where(np.arange(columns) == columns // 2, f32(50), f32(1))


@pytest.mark.parametrize("numerics", RUNS)
def test_restatement(numerics):
    for seed in range(5):
        for run in hard_runs(seed):
            expect_bits(round_run(numerics, run), RUNS[numerics](run))
    for run in (np.zeros(5), np.full(7, 0.1), np.full(3, 2.0**-149), np.arange(-14, 15) / 2,
                np.array([1e-40, 0, 1, -1])):
        expect_bits(round_run(numerics, run.astype(f32)), RUNS[numerics](run.astype(f32)))


@pytest.mark.parametrize("numerics", LOGS)
def test_restatement_of_logarithms(numerics):
    for seed in range(3):
        for run in hard_runs(seed, positive=not numerics.startswith("logpolar")):
            if len(run) % 2 == 0:
                expect_bits(round_run(numerics, run), LOGS[numerics](run))


FLOATS = st.floats(-30000, 30000, width=32) | st.floats(-(2**-10), 2**-10, width=32)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(RUNS)), st.lists(FLOATS, min_size=1, max_size=32))
def test_restatement_of_any_floats(numerics, values):
    run = np.array(values, f32)
    rounded = round_run(numerics, run)
    expect_bits(rounded, RUNS[numerics](run))
    expect_bits(round_run(numerics, rounded), rounded)


def cut(rows, columns, block_rows, block_columns):
    return [(slice(i, i + block_rows), slice(j, j + block_columns))
            for i in range(0, rows, block_rows) for j in range(0, columns, block_columns)]


@pytest.mark.parametrize("numerics", ["i4 sym", "i8 asym", "f8E4M3", "nf4"])
@pytest.mark.parametrize("kind,sharing,head_size,block", [
    ("weight", "per_tensor", 0, (6, 70)), ("weight", "per_channel", 0, (1, 70)),
    ("parameter", "per_head", 3, (3, 70)), ("weight", "group=32", 0, (1, 32)),
    ("cache", "per_token", 0, (1, 70)), ("cache", "per_head", 35, (1, 35)),
    ("activation", "group=16", 0, (1, 16)), ("activation", "per_tensor", 0, (6, 70))])
def test_sharing(numerics, kind, sharing, head_size, block):
    array = np.random.default_rng(1).normal(size=(6, 70)).astype(f32)
    expected = array.copy()
    for index in cut(6, 70, *block):
        expected[index] = RUNS[numerics](array[index].ravel()).reshape(array[index].shape)
    expect_bits(formats.round(array, f"{numerics} {sharing}", kind, head_size), expected)


def test_static_range_against_torch():
    """A central range without outliers is torch's fake quantization with its scale."""
    array = np.random.default_rng(2).normal(size=(40, 25)).astype(f32)
    most = np.sort(np.abs(array).ravel())[989]  # the nearest rank of 99 % of 1000
    expect_bits(formats.round(array, "i8 sym per_tensor static=99", "activation"),
                symmetric(array.ravel(), 8, most).reshape(array.shape))
    clipped = torch.fake_quantize_per_tensor_affine(
        torch.from_numpy(array), float(half(most / f32(127))), 0, -127, 127).numpy()
    # torch multiplies by 1 / scale, so that a tie may go the other way.
    rounded = formats.round(array, "i8 sym per_tensor static=99", "activation")
    assert (np.abs(rounded - clipped) > 1e-6).sum() <= 1


def test_floats_against_torch():
    array = np.random.default_rng(3).normal(size=(4, 64)).astype(f32)
    for spelling, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        expect_bits(formats.round(array, spelling),
                    torch.from_numpy(array).to(dtype).float().numpy())
    array[:, 0] = 448  # the scale is 1
    expect_bits(formats.round(array, "f8e4m3:channel"),
                torch.from_numpy(array).to(torch.float8_e4m3fn).float().numpy())


def test_complex_values_stay_inside_the_unit_disc():
    random = np.random.default_rng(4)
    discrete = np.exp(-random.uniform(1e-7, 2, (8, 16)) + 1j * random.uniform(-3, 3, (8, 16)))
    for spelling in ("logpolar<1,4>:channel", "logpolar<1x4>:channel", "logpolar<4,8>:tensor"):
        rounded = formats.round(discrete.astype(np.complex64), spelling, "parameter")
        assert rounded.dtype == np.complex64 and np.abs(rounded.astype(complex)).max() < 1


def test_sizes_spellings_and_defaults():
    assert formats.num_bytes((64, 64), "mxfp4") == 64 * 64 * 17 // 32
    assert formats.num_bytes((6, 2, 5), "int4:g4") == 6 * (5 + 3 * 2)
    assert formats.canonical("int8:tensor:asym:static99.990") == "i8 asym per_tensor static=99.99"
    for kind in formats.KINDS:
        assert formats.defaults(kind) == [formats.canonical(one) for one in formats.defaults(kind)]


@pytest.mark.parametrize("spelling,kind,array,message", [
    ("int9:tensor", "weight", [1.0], "write for example"),
    ("int8:tensor", "wait", [1.0], "kind of site 'wait' is not known"),
    ("int8:token", "weight", [1.0], "needs rows that are tokens"),
    ("int8:head", "weight", [1.0], "needs heads"),
    ("int8:tensor", "weight", [math.nan], "not finite"),
    ("f16", "weight", [65520.0], "too large for format 'f16'"),
    ("log2<8>:tensor", "weight", [1.0, -1.0], "negative and positive")])
def test_refusals(spelling, kind, array, message):
    with pytest.raises(Error, match=message):
        formats.round(np.array(array), spelling, kind)
