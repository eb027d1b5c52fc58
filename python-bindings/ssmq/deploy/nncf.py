"""A configuration of NNCF for an OpenVINO model: calls of nncf.compress_weights, to be made in
order, each for the weights of one mode and one group size; all others are ignored by name.

A node and its constant are named after the module, as openvino.convert_model traces a PyTorch
model: __module.backbone.layers.0.mixer.in_proj/aten::linear/MatMul and
self.backbone.layers.0.mixer.in_proj.weight; a wrapper's modules may come between.
"""

import json
import re
from collections import defaultdict

from ..errors import Error
from .choices import KEEP, Choice, Match, StoredFormat, describe_differences, describe_sharing

_SYMMETRIC_MODES = {2: "int2_sym", 3: "int3_sym", 4: "int4_sym", 8: "int8_sym"}
_ASYMMETRIC_MODES = {4: "int4_asym", 8: "int8_asym"}
_LAST_MODE = "int3_sym"
# 8-bit modes have a scale for a row only.
_ROW = -1
_BLOCK_OF_MXFP4 = 32
_FLOATS = ("f16", "bf16")


def find(choice: Choice) -> Match:
    """The mode and the group size, -1 for rows."""
    format = choice.format
    if format.spelling == KEEP:
        return Match(None)
    if not choice.is_matrix:
        return Match(None, "only weights of linear layers and embeddings are compressed")
    found = _find_integers(format) if format.bits else _find_other(format)
    if found.value and not choice.has_whole_groups(max(found.value[1], 0)):
        return Match(("int8_sym", _ROW),
                     f"int8_sym: rows of {choice.columns} columns are no whole groups")
    return found


def _find_integers(format: StoredFormat) -> Match:
    modes = _SYMMETRIC_MODES if format.is_symmetric else _ASYMMETRIC_MODES
    bits = min(bits for bits in modes if bits >= format.bits)
    differences = [f"{bits} bits"] if bits != format.bits else []
    group = format.group or _ROW
    if bits == 8 and format.group:
        group = _ROW
        differences.append(describe_sharing(0))
    return Match((modes[bits], group),
                 f"{modes[bits]}: {', '.join(differences)}" if differences else "")


def _find_other(format: StoredFormat) -> Match:
    group = re.search(r"group=(\d+)", format.spelling)
    size = int(group[1]) if group else _ROW
    if format.name == "nf4":
        return Match(("nf4", size))
    if format.name == "mxfp4":
        return Match(("mxfp4", _BLOCK_OF_MXFP4))
    if format.name == "f8E4M3":
        same = group or "per_channel" in format.spelling
        return Match(("fp8_e4m3", size), "" if same else f"fp8_e4m3: {describe_sharing(0)}")
    if format.name in _FLOATS:
        return Match(None, "stays as it is; openvino.save_model stores it as f16")
    return Match(None, "there is nothing like it")


def _get_pattern(module: str) -> str:
    pattern = re.escape(module) + "[./]"
    # transformers multiplies by the weight of Mamba-1's dt_proj without calling the module.
    mixer, _, name = module.rpartition(".")
    if name == "dt_proj":
        pattern += f"|{re.escape(mixer)}/aten::matmul/"
    return pattern


def render(found: list[tuple[Choice, Match]], source: str) -> str:
    modules = defaultdict(list)
    for choice, one in found:
        if one.value:
            modules[one.value].append(choice.module)
    # NNCF 3.4 does not read a model that holds 3-bit weights: they come last.
    order = sorted(modules, key=lambda one: (one[0] == _LAST_MODE, one))
    if sum(mode == _LAST_MODE for mode, _ in order) > 1:
        raise Error("NNCF can give 3-bit weights one group size only; this assignment has several")
    calls = []
    for mode, group in order:
        names = modules[mode, group]
        chosen = "|".join(map(_get_pattern, names))
        call = {"mode": mode}
        # NNCF refuses these with 8-bit integers.
        if not mode.startswith("int8"):
            call |= {"group_size": group, "ratio": 1.0, "all_layers": True}
        call["ignored_scope"] = {
            "patterns": [rf"^(?!(?:__module|self)\.(?:\w+\.)*(?:{chosen})).*"],
            "validate": False}
        calls.append(call)
    return json.dumps({"document": "ssmq-nncf", "version": 1, "source": source, "calls": calls,
                       "differences": describe_differences(found)}, indent=1) + "\n"
