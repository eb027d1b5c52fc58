"""A program that the stock mlir-opt made, measured by ssmq-opt, against its maths in NumPy."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import BUILD, ROOT

from ssmq import formats

LOWERING = ("builtin.module(func.func(tosa-make-broadcastable,tosa-to-linalg-named,tosa-to-linalg,"
            "tosa-to-arith,tosa-to-tensor),canonicalize)")
TOKENS = [int(token) for token in np.random.default_rng(5).integers(0, 16, 27)]
FORMATS = {"int4:channel": "i4 sym per_channel", "int8:g5": "i8 sym group=5"}


def forward(weights, tokens):
    """Logits of the model that make_foreign.py writes."""
    hidden = weights["embed"][tokens]
    length = len(tokens)
    for layer in (0, 1):
        if layer == 1:
            hidden = hidden + np.tril(np.ones((length, length))) @ hidden / \
                np.arange(1, length + 1)[:, None]
        normed = hidden / np.sqrt((hidden**2).sum(1, keepdims=True))
        up = normed @ weights[f"layers.{layer}.up"] + weights[f"layers.{layer}.up.bias"]
        hidden = hidden + np.tanh(up) @ weights[f"layers.{layer}.down"]
    return hidden @ weights["head"]


def log_softmax(logits):
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The weights of the source, and the table."""
    folder = tmp_path_factory.mktemp("foreign")
    config = (BUILD / "test" / "lit.site.cfg.py").read_text()
    tools = re.search(r'llvm_tools_dir = "(.*)"', config)[1]
    source = subprocess.run([sys.executable, ROOT / "test/Inputs/make_foreign.py"], check=True,
                            capture_output=True, text=True).stdout
    lowered = subprocess.run([f"{tools}/mlir-opt", f"--pass-pipeline={LOWERING}"], check=True,
                             input=source, capture_output=True, text=True).stdout
    (folder / "tokens.json").write_text(json.dumps(TOKENS))
    options = (f"tokens={folder}/tokens.json output={folder}/table.json sequence-length=9 "
               f"formats={','.join(FORMATS)} exact-arithmetic=true precision=0")
    subprocess.run([BUILD / "bin" / "ssmq-opt", f"--ssmq-sensitivity={options}", "-o", "/dev/null"],
                   check=True, input=lowered, text=True)
    weights = {}
    shapes = dict(re.findall(r"dense_resource<(.*?)> : tensor<1x(.*?)xf32>", source))
    for name, data in re.findall(r'^ +(\S+): "0x04000000(.*)"', source, re.MULTILINE):
        values = np.frombuffer(bytes.fromhex(data), np.float32)
        shape = [int(size) for size in shapes[name].split("x")]
        weights[name.removesuffix(".weight")] = values.reshape(shape).astype(np.float64)
    return weights, json.loads((folder / "table.json").read_text())


def test_all_rows(measured):
    weights, table = measured
    sequences = [TOKENS[i:i + 9] for i in (0, 9, 18)]
    teachers = [log_softmax(forward(weights, tokens[:-1])) for tokens in sequences]
    rows = {(row["site"], row["format"]): row for row in table["rows"]}
    named = [name for name in weights if not name.endswith("bias")]
    assert {site for site, _ in rows} > {f"{name}:weight" for name in named}

    cross_entropies = [-teacher[range(8), tokens[1:]].sum()
                       for teacher, tokens in zip(teachers, sequences)]
    for name in named:
        for spelling in FORMATS.values():
            row = rows[f"{name}:weight", spelling]
            # A table's rows are tokens; a matrix of tosa has its outputs last.
            weight = weights[name] if name == "embed" else weights[name].T
            rounded = formats.round(weight, spelling)
            changed = {**weights, name: rounded if name == "embed" else rounded.T}
            expected = []
            for teacher, tokens in zip(teachers, sequences):
                student = log_softmax(forward(changed, tokens[:-1]))
                expected.append((np.exp(teacher) * (teacher - student)).sum())
            np.testing.assert_allclose(row["sums"]["forwardKL"], expected, rtol=2e-3)
            np.testing.assert_allclose(row["sums"]["teacherCrossEntropy"], cross_entropies,
                                       rtol=1e-5)
