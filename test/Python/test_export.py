"""`ssmq export` of assignments. Names and types of the other tools are facts of those tools; where
each is from stands beside it."""

import json
import re

import numpy as np
import pytest
import ssmq
import tables
from parity import TOKENS, VOCAB, make_model

MAMBA = dict(hidden_size=64, state_size=16, num_hidden_layers=2, use_bias=True,
             tie_word_embeddings=True)
GRANITE = dict(hidden_size=64, shared_intermediate_size=32, mamba_n_heads=4, mamba_d_head=32,
               mamba_d_state=16, mamba_n_groups=1, num_hidden_layers=2,
               layer_types=["mamba", "attention"], num_attention_heads=4, num_key_value_heads=2,
               num_local_experts=0, tie_word_embeddings=False)
FAMILIES = {"mamba": MAMBA, "granitemoehybrid": GRANITE}
MIX = ["i4 sym group=32", "int8:channel", "int3:g64:asym", "keep", "i5 sym per_channel"]


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param)
    make_model(directory, request.param, FAMILIES[request.param], seed=3)
    return directory


def make_assignment(path, formats):
    return tables.make_assignment(path, formats, model="", checkpoint="", method="by hand",
                                  report={})


def list_weights(model, tmp_path):
    path = tmp_path / "sites.json"
    ssmq.load(model).run_pipeline(f"ssmq-list-sites{{kinds=weight output={path}}}")
    return [site["name"] for site in json.loads(path.read_text())["sites"]]


def make_mix(model, tmp_path):
    sites = list_weights(model, tmp_path)
    return make_assignment(tmp_path / "mix.json", {
        site: "keep" if "conv1d" in site else MIX[index % len(MIX)]
        for index, site in enumerate(sites)})


def export(run, tmp_path, formats, target, *options):
    """What is written for a mix of these formats."""
    assignment = make_assignment(tmp_path / "a.json", formats)
    out = tmp_path / "out"
    code, _, error = run("export", assignment, "--to", target, "-o", out, *options)
    assert code == 0, error
    text = out.read_text()
    out.unlink()
    return text


def read_arguments(text):
    """The types by tensor: `grep -v '^#'` and what llama-quantize reads (tools/quantize/
    quantize.cpp, parse_tensor_type)."""
    words = " ".join(line for line in text.splitlines() if not line.startswith("#")).split()
    assert set(words[::2]) == {"--tensor-type"}
    return dict(word.split("=") for word in words[1::2])


# Of gguf 0.19.0: get_tensor_name_map(MODEL_ARCH.MAMBA, ...).get_name and so on; the split of
# Granite's gated MLP is that of convert_hf_to_gguf.py, class GraniteMoeModel.
@pytest.mark.parametrize("module, tensors", [
    ("backbone.embeddings", ["token_embd"]), ("lm_head", ["output"]),
    ("model.embed_tokens", ["token_embd"]),
    ("backbone.layers.1.mixer.in_proj", ["blk.1.ssm_in"]),
    ("backbone.layers.1.mixer.x_proj", ["blk.1.ssm_x"]),
    ("backbone.layers.1.mixer.dt_proj", ["blk.1.ssm_dt"]),
    ("backbone.layers.11.mixer.out_proj", ["blk.11.ssm_out"]),
    ("model.layers.2.mamba.in_proj", ["blk.2.ssm_in"]),
    ("model.layers.2.self_attn.q_proj", ["blk.2.attn_q"]),
    ("model.layers.2.self_attn.o_proj", ["blk.2.attn_output"]),
    ("model.layers.2.feed_forward.gate_proj", ["blk.2.ffn_gate"]),
    ("model.layers.2.feed_forward.down_proj", ["blk.2.ffn_down"]),
    ("model.layers.2.shared_mlp.input_linear", ["blk.2.ffn_gate", "blk.2.ffn_up"]),
    ("model.layers.2.shared_mlp.output_linear", ["blk.2.ffn_down"]),
])
def test_tensors_of_llama_cpp(run, tmp_path, module, tensors):
    types = read_arguments(export(run, tmp_path, {f"{module}:weight": "int8:g32"}, "llama.cpp"))
    assert types == {f"^{name}.weight$": "q8_0" for name in tensors}
    assert all(re.search(pattern, f"{name}.weight") for pattern, name in zip(types, tensors))


# Blocks and bits of ggml's types: gguf.GGML_QUANT_SIZES.
@pytest.mark.parametrize("format, type, difference", [
    ("int8:g32", "q8_0", ""), ("int4:g32", "q4_0", ""), ("int5:g32", "q5_0", ""),
    ("f16", "f16", ""), ("bf16", "bf16", ""), ("mxfp4", "mxfp4", ""), ("keep", "f16", ""),
    ("int8:channel", "q8_0", "a scale for 32 columns"), ("int4:g64", "q4_0", "32 columns"),
    ("int4:g32:asym", "q4_1", "a free minimum"), ("int3:g32", "q4_0", "4 bits"),
    ("int6:g32", "q8_0", "8 bits"), ("nf4", "iq4_nl", "other 16 values"),
    ("f8e4m3:channel", "q8_0", "integers"),
])
def test_types_of_llama_cpp(run, fails, tmp_path, format, type, difference):
    formats = {"lm_head:weight": format}
    text = export(run, tmp_path, formats, "llama.cpp", "--nearest")
    assert read_arguments(text) == {"^output.weight$": type}
    assert (f"# lm_head:weight: near" in text) == bool(difference)
    if difference:
        assert difference in text
        fails(difference, "export", tmp_path / "a.json", "--to", "llama.cpp", "-o",
              tmp_path / "out")


def test_llama_cpp_with_a_model(run, tmp_path, model):
    text = export(run, tmp_path, json_formats(make_mix(model, tmp_path)), "llama.cpp", "--model",
                  model, "--nearest")
    types = read_arguments(text)
    # Kept weights are named too, or llama-quantize would quantize them; convolutions never are.
    assert "f32" in types.values() and not any("conv1d" in name for name in types)
    # Rows of 64 columns are no superblocks.
    assert types["^token_embd.weight$"] == "q4_0"


def json_formats(path):
    return {one["site"]: one["format"] for one in json.loads(path.read_text())["sites"]}


def test_nncf(run, fails, tmp_path):
    mixer = "backbone.layers.{}.mixer.{}:weight"
    formats = {mixer.format(0, "in_proj"): "int4:g32", mixer.format(0, "x_proj"): "int8:channel",
               mixer.format(1, "in_proj"): "int3:g64", mixer.format(1, "x_proj"): "keep",
               mixer.format(1, "dt_proj"): "int8:channel", "lm_head:weight": "nf4"}
    calls = json.loads(export(run, tmp_path, formats, "nncf"))["calls"]
    # Values of nncf.CompressWeightsMode (3.4.0). 8-bit modes refuse further options; a model with
    # 3-bit weights cannot be read again.
    assert [(call["mode"], call.get("group_size"), call.get("all_layers")) for call in calls] == [
        ("int4_sym", 32, True), ("int8_sym", None, None), ("nf4", 64, True),
        ("int3_sym", 64, True)]
    # Names that openvino.convert_model (2026.4.1) gave for MambaForCausalLM, in a wrapper or not.
    node = "__module.{}backbone.layers.{}.mixer.{}/aten::linear/MatMul"
    weight = "self.{}backbone.layers.{}.mixer.{}.weight"
    for call, chosen in ((calls[0], (0, "in_proj")), (calls[1], (0, "x_proj")),
                         (calls[3], (1, "in_proj"))):
        (pattern,) = call["ignored_scope"]["patterns"]
        for wrapper in ("", "model."):
            for layer in (0, 1, 10):
                for name in ("in_proj", "x_proj"):
                    for spelling in (node, weight):
                        ignored = re.match(pattern, spelling.format(wrapper, layer, name))
                        assert bool(ignored) == ((layer, name) != chosen)
    # transformers reads this weight outside its module.
    assert not re.match(calls[1]["ignored_scope"]["patterns"][0],
                        "__module.backbone.layers.1.mixer/aten::matmul/MatMul")
    fails("a scale for a row", "export", make_assignment(
        tmp_path / "a.json", {"lm_head:weight": "int8:g64"}), "--to", "nncf", "-o",
        tmp_path / "out")
    fails("one group size only", "export", make_assignment(
        tmp_path / "a.json", {"lm_head:weight": "int3:g64", mixer.format(0, "in_proj"):
                              "int3:g32"}), "--to", "nncf", "-o", tmp_path / "out")


def test_torchao(run, fails, tmp_path):
    text = export(run, tmp_path, {"model.layers.0.mamba.in_proj:weight": "int4:g64",
                                  "lm_head:weight": "int8:channel:asym",
                                  "model.embed_tokens:weight": "keep"}, "torchao")

    def describe(dtype, granularity, data, mapping):
        return {"_type": "IntxWeightOnlyConfig", "_version": 2, "_data": {
            "weight_dtype": {"_type": "torch.dtype", "_data": dtype},
            "granularity": {"_type": granularity, "_version": 1, "_data": data},
            "mapping_type": {"_type": "MappingType", "_data": mapping}}}

    # What torchao.core.config.config_to_dict (0.18.0) makes of such an FqnToConfig, without the
    # fields that have their default.
    assert json.loads(text) == {"_type": "FqnToConfig", "_version": 1, "_data": {"fqn_to_config": {
        "model.layers.0.mamba.in_proj": describe("int4", "PerGroup", {"group_size": 64},
                                                 "SYMMETRIC"),
        "lm_head": describe("int8", "PerAxis", {"axis": 0}, "ASYMMETRIC")}}}
    fails("int4", "export", make_assignment(tmp_path / "a.json", {"lm_head:weight": "nf4"}),
          "--to", "torchao", "-o", tmp_path / "out")


def test_checkpoint_in_transformers(run, tmp_path, model):
    """transformers computes from the exported weights what the interpreter computes from codes."""
    import torch
    import transformers

    assignment, out = make_mix(model, tmp_path), tmp_path / "out"
    code, _, error = run("export", assignment, "--to", "safetensors", "--model", model, "-o", out)
    assert code == 0, error
    assert run("quantize", model, "--assignment", assignment, "-o", tmp_path / "quantized")[0] == 0
    tokens = np.random.default_rng(5).integers(0, VOCAB, TOKENS, dtype=np.int32)
    expected = ssmq.load(tmp_path / "quantized").interpreter("reference", threads=1).forward(tokens)
    original = ssmq.load(model).interpreter("reference", threads=1).forward(tokens)
    assert abs(expected - original).max() > 0.05

    loaded = transformers.AutoModelForCausalLM.from_pretrained(out).eval()
    assert loaded.dtype == torch.float32
    with torch.no_grad():
        logits = loaded(torch.from_numpy(tokens.astype(np.int64))[None], use_cache=False).logits[0]
    # Both compute in f32, in another order.
    assert abs(logits.numpy() - expected).max() < 1e-4
    # ssmq takes it for an unquantized model.
    again = ssmq.load(out).interpreter("reference", threads=1).forward(tokens)
    assert abs(again - expected).max() < 1e-4


def test_quantized_directory(run, fails, tmp_path, model):
    """Its own values, which refinement has moved away from the nearest."""
    import torch
    import transformers

    quantized, out = tmp_path / "quantized", tmp_path / "out"
    assert run("quantize", model, "--assignment", make_mix(model, tmp_path), "--refine", "mse",
               "-o", quantized)[0] == 0
    code, output, error = run("export", quantized, "--to", "safetensors", "-o", out)
    assert code == 0, error
    assert "the values of" in output
    tokens = np.random.default_rng(5).integers(0, VOCAB, TOKENS, dtype=np.int32)
    expected = ssmq.load(quantized).interpreter("reference", threads=1).forward(tokens)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(out).eval()
    with torch.no_grad():
        logits = loaded(torch.from_numpy(tokens.astype(np.int64))[None], use_cache=False).logits[0]
    assert abs(logits.numpy() - expected).max() < 1e-4

    # Formats without codes of their own type, and what is no weight.
    norm = next(site["name"] for site in ssmq.stages.list_sites(ssmq.load(model), ["norm"]))
    weights = list_weights(model, tmp_path)
    formats = {norm: "f8e4m3:channel", weights[0]: "nf4", weights[1]: "f16", weights[3]: "mxfp4"}
    other, out = tmp_path / "second", tmp_path / "values"
    assignment = make_assignment(tmp_path / "second.json", formats)
    assert run("quantize", model, "--assignment", assignment, "-o", other)[0] == 0
    code, _, error = run("export", other, "--to", "safetensors", "-o", out)
    assert code == 0, error
    expected = ssmq.load(other).interpreter("reference", threads=1).forward(tokens)
    loaded = transformers.AutoModelForCausalLM.from_pretrained(out).eval()
    with torch.no_grad():
        logits = loaded(torch.from_numpy(tokens.astype(np.int64))[None], use_cache=False).logits[0]
    assert abs(logits.numpy() - expected).max() < 1e-4
    # The assignment and the original give the same.
    twin = tmp_path / "twin"
    assert run("export", assignment, "--to", "safetensors", "--model", model, "-o", twin)[0] == 0
    from safetensors.torch import load_file
    first, second = (load_file(one / "model.safetensors") for one in (out, twin))
    assert all(torch.equal(value, second[name]) for name, value in first.items())

    scan = next(site["name"] for site in ssmq.stages.list_sites(ssmq.load(model))
                if site["name"].endswith("scan:a"))
    for site, message, options in (
            (scan.replace(":a", ":dt"), "--nearest leaves it out", []),
            (scan, "is computed from another tensor", ["--nearest"])):
        third = tmp_path / site.rpartition(":")[2]
        assert run("quantize", model, "--assignment", make_assignment(
            tmp_path / "third.json", {site: "int8:tensor"}), "-o", third)[0] == 0
        fails(message, "export", third, "--to", "safetensors", "-o", tmp_path / "no", *options)

    # Other targets take its assignment.
    assert run("export", quantized, "--to", "torchao", "-o", tmp_path / "ao.json")[0] == 0
    out = tmp_path / "other"
    fails("is not quantized", "export", model, "--to", "safetensors", "-o", out)
    fails("leave --model out", "export", quantized, "--to", "safetensors", "--model", model, "-o",
          out, status=2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_checkpoint_keeps_other_values(run, tmp_path, dtype):
    import torch
    from safetensors.torch import load_file

    directory = tmp_path / "model"
    # Small shards make several files.
    make_model(directory, "mamba", MAMBA, seed=4, dtype=getattr(torch, dtype), shard_size="40KB")
    assert len(list(directory.glob("*.safetensors"))) > 1
    name = "backbone.layers.0.mixer.in_proj"
    assignment = make_assignment(tmp_path / "a.json", {f"{name}:weight": "int4:g32"})
    code, _, error = run("export", assignment, "--to", "safetensors", "--model", directory, "-o",
                         tmp_path / "out")
    assert code == 0, error
    before = {key: value.float() for path in directory.glob("*.safetensors")
              for key, value in load_file(path).items()}
    after = load_file(tmp_path / "out" / "model.safetensors")
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]) == (key != f"{name}.weight")
    assert np.array_equal(ssmq.formats.round(before[f"{name}.weight"].numpy(), "int4:g32"),
                          after[f"{name}.weight"].numpy())
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "float32"


def test_bad_input(fails, tmp_path, model):
    out = tmp_path / "out"

    def check(message, formats, *arguments, **more):
        assignment = make_assignment(tmp_path / "a.json", formats)
        fails(message, "export", assignment, "-o", out, *arguments, **more)

    head = "lm_head:weight"
    check("needs the weights: give --model", {head: "int8:g32"}, "--to", "safetensors", status=2)
    check("names no site", {}, "--to", "nncf")
    check("what", {head: "int8:what"}, "--to", "nncf")
    for target in ("llama.cpp", "nncf", "torchao", "safetensors"):
        check("is it of another model?", {"other.layers.0.up:weight": "int8:g32"}, "--to", target,
              "--model", model)
    check("no tensor of a GGUF file is known", {"h.0.up:weight": "int8:g32"}, "--to", "llama.cpp")
    conv = next(site for site in list_weights(model, tmp_path) if "conv1d" in site)
    (tmp_path / "sites.json").unlink()
    for target in ("llama.cpp", "nncf", "torchao"):
        for other in (conv, "model.layers.0.input_layernorm:weight", "model.layers.0.mamba.scan:a"):
            check("the nearest is", {other: "int8:channel"}, "--to", target)
    fails("", "export", tmp_path / "none.json", "--to", "nncf", "-o", out)
    fails("Invalid value", "export", tmp_path / "a.json", "--to", "gguf", "-o", out, status=2)
    fails("exists", "export", tmp_path / "a.json", "--to", "nncf", "-o", tmp_path / "a.json")
