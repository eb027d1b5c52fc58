"""Arguments of llama-quantize of llama.cpp: a type for each tensor of the GGUF file.

Names are those that convert_hf_to_gguf.py gives (gguf-py/gguf/tensor_mapping.py); a gated MLP that
Granite stores in one matrix is two tensors there. A pattern of --tensor-type is searched in the
name of a tensor, the first that is found counts, and they are looked at only when the type of the
whole file is a quantized one (src/llama-quant.cpp).
"""

import re

from ..errors import Error
from .choices import KEEP, Choice, Match, StoredFormat, describe_sharing

_LAYER = re.compile(r"(?:backbone|model)\.layers\.(\d+)\.(.+)")
_MIXER = {"in_proj": ["ssm_in"], "conv1d": ["ssm_conv1d"], "x_proj": ["ssm_x"],
          "dt_proj": ["ssm_dt"], "out_proj": ["ssm_out"]}
_BLOCK_TENSORS = {
    **{f"{mixer}.{name}": tensors for mixer in ("mixer", "mamba")
       for name, tensors in _MIXER.items()},
    "self_attn.q_proj": ["attn_q"], "self_attn.k_proj": ["attn_k"], "self_attn.v_proj": ["attn_v"],
    "self_attn.o_proj": ["attn_output"],
    "shared_mlp.input_linear": ["ffn_gate", "ffn_up"], "shared_mlp.output_linear": ["ffn_down"],
    "feed_forward.gate_proj": ["ffn_gate"], "feed_forward.up_proj": ["ffn_up"],
    "feed_forward.down_proj": ["ffn_down"],
}
_OTHER_TENSORS = {"backbone.embeddings": "token_embd", "model.embed_tokens": "token_embd",
                  "lm_head": "output"}
# Columns of a block; all blocks of the others are of 32.
_SUPERBLOCK = 256
_SUPERBLOCK_TYPES = {2: "q2_k", 3: "q3_k", 4: "q4_k", 5: "q5_k", 6: "q6_k"}
_BLOCK = 32
_SYMMETRIC_TYPES = {2: "q4_0", 3: "q4_0", 4: "q4_0", 5: "q5_0", 6: "q8_0", 7: "q8_0", 8: "q8_0"}
_ASYMMETRIC_TYPES = {4: "q4_1", 5: "q5_1"}
_SAME = {"f16", "bf16", "mxfp4"}
_NEAR = {"nf4": ("iq4_nl", "iq4_nl: other 16 values, a scale for 32 columns"),
         "f8E4M3": ("q8_0", "q8_0: integers, a scale for 32 columns"),
         "f8E5M2": ("q8_0", "q8_0: integers, a scale for 32 columns"),
         "i16": ("f16", "f16: no scales")}


def get_tensors(site: str) -> list[str]:
    """The GGUF tensors that hold the weight of a site."""
    module, _, role = site.rpartition(":")
    if role == "weight":
        if module in _OTHER_TENSORS:
            return [f"{_OTHER_TENSORS[module]}.weight"]
        layer = _LAYER.fullmatch(module)
        if layer and layer[2] in _BLOCK_TENSORS:
            return [f"blk.{layer[1]}.{name}.weight" for name in _BLOCK_TENSORS[layer[2]]]
    raise Error(f"no tensor of a GGUF file is known for site '{site}'")


def find(choice: Choice) -> Match:
    """The name of the ggml type."""
    format = choice.format
    if not choice.is_matrix:
        return Match(None, "" if format.spelling == KEEP else
                     "f32: convolutions, norms and all but weights have no type in GGUF files")
    if format.spelling == KEEP:
        return Match(choice.stored.lower() or "f16")
    found = _find_integers(format, choice) if format.bits else _find_other(format)
    block = _SUPERBLOCK if str(found.value).endswith("_k") else _BLOCK
    if found.value not in (None, "f16", "bf16") and not choice.has_whole_groups(block):
        return Match("f16", f"f16: rows of {choice.columns} columns are no blocks of {block}")
    return found


def _find_integers(format: StoredFormat, choice: Choice) -> Match:
    asymmetric = None if format.is_symmetric else _ASYMMETRIC_TYPES.get(format.bits)
    # Types of superblocks have a scale and a minimum for 16 or 32 columns.
    is_coarse = format.group != _BLOCK
    name = asymmetric or _SYMMETRIC_TYPES[format.bits]
    if (is_coarse or int(name[1]) != format.bits) and format.bits in _SUPERBLOCK_TYPES and \
            choice.columns and choice.has_whole_groups(_SUPERBLOCK):
        name = _SUPERBLOCK_TYPES[format.bits]
    differences = []
    if int(name[1]) != format.bits:
        differences.append(f"{name[1]} bits")
    if name.endswith("_k"):
        differences.append("scales of scales")
    elif is_coarse:
        differences.append(describe_sharing(_BLOCK))
    if not format.is_symmetric and not name.endswith("_k"):
        differences.append("a free minimum" if name.endswith("_1") else "symmetric")
    return Match(name, f"{name}: {', '.join(differences)}" if differences else "")


def _find_other(format: StoredFormat) -> Match:
    if format.name in _SAME:
        return Match(format.name)
    if format.name in _NEAR:
        return Match(*_NEAR[format.name])
    return Match(None, "there is nothing like it")


def render(found: list[tuple[Choice, Match]], source: str, name: str) -> str:
    """Arguments, one tensor a line, and comments: `grep -v '^#'` leaves what llama-quantize
    takes."""
    lines = [f"# {source}, for llama.cpp:",
             f"#   llama-quantize $(grep -v '^#' {name}) IN.gguf OUT.gguf q8_0",
             "# The type at the end is that of tensors without a line; it must be a quantized one.",
             "# IN.gguf is f32, f16 or bf16, as convert_hf_to_gguf.py writes it."]
    for choice, one in found:
        if one.difference:
            lines.append(f"# {choice.site}: near '{choice.format.spelling}', {one.difference}")
        elif choice.format.spelling == KEEP and not choice.stored:
            lines.append(f"# {choice.site}: f16 unless the checkpoint has another type; --model "
                         "would tell")
        if one.value:
            lines += [f"--tensor-type ^{tensor}$={one.value}"
                      for tensor in get_tensors(choice.site)]
    return "\n".join(lines) + "\n"
