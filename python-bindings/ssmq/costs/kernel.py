"""A program of copies of one op, to be timed.

    forward(tokens): x = embedding(tokens); sum over copies of the first columns of op(x, weight_i)

The op is lowered as in a model. Taking a few columns of each result keeps it alive at next to no
cost; a program without copies takes the time of everything else.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import stages
from ..model import Model, load
from ..output import scratch_directory
from ..program import Program
from ..quantize import WEIGHTS
from ..tensors import Layout, write_floats

KEEP = "keep"
# Columns that are summed, which is also the size of the vocabulary.
_SHOWN = 8
_TYPES = {"F32": "f32", "F16": "f16", "BF16": "bf16"}


@dataclass(frozen=True)
class Kernel:
    op: str
    """linear, embedding or causal_conv1d."""
    rows: int
    columns: int
    format: str
    """As in tables; KEEP for `dtype`."""
    dtype: str = "F32"
    """Of the weight before it is quantized, as safetensors spells it."""

    @property
    def input_width(self) -> int:
        return self.rows if self.op == "causal_conv1d" else self.columns

    @property
    def output_width(self) -> int:
        return self.columns if self.op == "embedding" else self.rows

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows, 1, self.columns) if self.op == "causal_conv1d" else (
            self.rows, self.columns)


def get_vocab_size(kernel: Kernel) -> int:
    return min(_SHOWN, kernel.input_width, kernel.output_width, kernel.rows)


def _to_type(shape: tuple[int, ...], element: str) -> str:
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"


def _make_text(kernel: Kernel, copies: int) -> str:
    shown = f"tensor<?x{get_vocab_size(kernel)}xf32>"
    weight = _to_type(kernel.shape, _TYPES[kernel.dtype])
    table = _to_type((_SHOWN, kernel.input_width), "f32")
    input, output = (f"tensor<?x{width}xf32>"
                     for width in (kernel.input_width, kernel.output_width))
    state = _to_type((kernel.columns - 1, kernel.rows), "f32")
    has_state = kernel.op == "causal_conv1d"
    globals_, body = [f'@inputs(#ml_program.extern : {table}) : {table}'], []

    def show(value: str, type: str, name: str) -> None:
        body.append(f"%{name} = tensor.extract_slice {value}[0, 0] [%tokens, "
                    f"{get_vocab_size(kernel)}] [1, 1] : {type} to {shown}")

    show("%input", input, "sum")
    total = "%sum"
    for i in range(copies):
        globals_.append(f"@k{i}.weight(#ml_program.extern : {weight}) : {weight}")
        body.append(f"%w{i} = ml_program.global_load_const @k{i}.weight : {weight}")
        if kernel.op == "linear":
            body.append(f"%y{i} = ssm.linear %input, %w{i} : ({input}, {weight}) -> {output}")
        elif kernel.op == "embedding":
            body.append(f"%y{i} = ssm.embedding %ids, %w{i} : (tensor<?xi32>, {weight}) -> "
                        f"{output}")
        else:
            body.append(f"%y{i}, %n{i} = ssm.causal_conv1d %input, %w{i} state %s{i} : "
                        f"({input}, {weight}, {state}) -> ({output}, {state})")
        show(f"%y{i}", output, f"p{i}")
        body.append(f"%t{i} = arith.addf {total}, %p{i} : {shown}")
        total = f"%t{i}"
    states = range(copies if has_state else 0)
    arguments = ["%ids: tensor<?xi32>"] + [f'%s{i}: {state} {{ssm.state = "s{i}"}}'
                                          for i in states]
    results = [total, *(f"%n{i}" for i in states)]
    types = ", ".join([shown] + [state] * len(states))
    lines = "\n  ".join(body)
    declared = "\n".join(f"ml_program.global private {one}" for one in globals_)
    return f"""{declared}
func.func @forward({', '.join(arguments)}) -> ({types}) {{
  %c0 = arith.constant 0 : index
  %tokens = tensor.dim %ids, %c0 : tensor<?xi32>
  %table = ml_program.global_load_const @inputs : {table}
  %input = ssm.embedding %ids, %table : (tensor<?xi32>, {table}) -> {input}
  {lines}
  return {', '.join(results)} : {types}
}}
"""


def build(kernel: Kernel, copies: int, threads: int, scratch: Path) -> Model:
    """With its weights in files of the directory."""
    layouts = {f"k{i}.weight": Layout(kernel.dtype, kernel.shape) for i in range(copies)}
    layouts["inputs"] = Layout("F32", (_SHOWN, kernel.input_width))
    generator = np.random.default_rng(0)
    write_floats(scratch / "original.safetensors", layouts,
                 lambda name: generator.standard_normal(layouts[name].shape, np.float32))
    (scratch / "program.mlir").write_text(_make_text(kernel, copies))
    model = load(scratch)
    if kernel.format != KEEP:
        _quantize(kernel, copies, model, scratch, threads)
    return model


def compile(kernel: Kernel, copies: int, threads: int) -> Program:
    """Fails where the format has no kernel."""
    with scratch_directory() as scratch:
        # Weights stay mapped when their file is gone.
        return build(kernel, copies, threads, scratch).compile(threads)


def _quantize(kernel: Kernel, copies: int, model: Model, scratch: Path, threads: int) -> None:
    assignment = scratch / "assignment.json"
    assignment.write_text(json.dumps({
        "document": "ssmq-assignment", "version": 1, "model": "", "checkpoint": "", "method": "",
        "sites": [{"site": f"k{i}:weight", "format": kernel.format} for i in range(copies)]}))
    stages.assign_file(model, assignment, scratch / "assigned.json")
    stages.quantize(model, scratch / WEIGHTS, threads)
    model.name_checkpoint(scratch / WEIGHTS)
