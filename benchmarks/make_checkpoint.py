"""Writes a checkpoint of a real model's shape with seeded random weights, through transformers.

    make_checkpoint.py {mamba-130m,mamba2-130m,hybrid-350m} DIRECTORY

Shapes are those of state-spaces/mamba-130m-hf, mamba2-130m and, as it was described, of
ibm-granite/granite-4.0-h-350m. Initialisation is transformers' own, but each output projection is
scaled so that all layers add as much as the embedding to the residual stream, each the same: plain
random layers amplify a rounding in the first until the last words are unrelated, which trained ones
do not."""

import sys
from pathlib import Path

import tokenizers
import torch
from transformers import (GraniteMoeHybridConfig, GraniteMoeHybridForCausalLM, Mamba2Config,
                          Mamba2ForCausalLM, MambaConfig, MambaForCausalLM)

_ATTENTION_LAYERS = (10, 13, 17, 27)
SHAPES = {
    "mamba-130m": (MambaForCausalLM, MambaConfig, dict(
        vocab_size=50280, hidden_size=768, num_hidden_layers=24, state_size=16, conv_kernel=4,
        expand=2, time_step_rank=48, tie_word_embeddings=True)),
    "mamba2-130m": (Mamba2ForCausalLM, Mamba2Config, dict(
        vocab_size=50288, hidden_size=768, num_hidden_layers=24, state_size=128, conv_kernel=4,
        expand=2, num_heads=24, head_dim=64, n_groups=1, tie_word_embeddings=True)),
    "hybrid-350m": (GraniteMoeHybridForCausalLM, GraniteMoeHybridConfig, dict(
        vocab_size=100352, hidden_size=768, num_hidden_layers=32, num_attention_heads=12,
        num_key_value_heads=4, shared_intermediate_size=2048, intermediate_size=2048,
        num_local_experts=0, num_experts_per_tok=0, position_embedding_type="nope",
        layer_types=["attention" if layer in _ATTENTION_LAYERS else "mamba"
                     for layer in range(32)],
        mamba_n_heads=48, mamba_d_head=32, mamba_d_state=128, mamba_d_conv=4, mamba_expand=2,
        mamba_n_groups=1, mamba_chunk_size=256, embedding_multiplier=12.0,
        attention_multiplier=0.015625, residual_multiplier=0.246, logits_scaling=3.0,
        rms_norm_eps=1e-5, max_position_embeddings=32768, tie_word_embeddings=True)),
}


def list_branches(model: torch.nn.Module) -> list[tuple[torch.nn.Module, torch.nn.Linear]]:
    """What adds to the residual stream, in order, with its output projection."""
    if hasattr(model, "backbone"):
        return [(layer.mixer, layer.mixer.out_proj) for layer in model.backbone.layers]
    branches = []
    for layer in model.model.layers:
        mixer = layer.mamba or layer.self_attn
        branches += [(mixer, mixer.out_proj if layer.mamba else mixer.o_proj),
                     (layer.shared_mlp, layer.shared_mlp.output_linear)]
    return branches


def make(shape: str, directory: Path) -> None:
    model_class, config_class, sizes = SHAPES[shape]
    torch.manual_seed(0)
    model = model_class(config_class(**sizes))
    model.tie_weights()
    branches = list_branches(model)
    embedded = model.get_input_embeddings().weight.std() * sizes.get("embedding_multiplier", 1)
    target = embedded / len(branches) ** 0.5 / sizes.get("residual_multiplier", 1)

    # Branch by branch within one forward: each sees the scaled ones before it.
    for branch, projection in branches:
        def scale(_: torch.nn.Module, __: object, output: object,
                  projection: torch.nn.Linear = projection) -> object:
            first = output[0] if isinstance(output, tuple) else output
            factor = target / first.std()
            projection.weight.data *= factor
            scaled = first * factor
            return (scaled, *output[1:]) if isinstance(output, tuple) else scaled

        branch.register_forward_hook(scale)
    with torch.inference_mode():
        model(torch.randint(0, sizes["vocab_size"], (1, 64)))
    # A tied head sees the last word itself; smaller logits leave the others a share.
    norm = model.backbone.norm_f if hasattr(model, "backbone") else model.model.norm
    norm.weight.data *= 0.15
    model.save_pretrained(directory)
    _use_common_names(directory / "config.json")
    write_tokenizer(directory, sizes["vocab_size"])


def write_tokenizer(directory: Path, vocab_size: int) -> None:
    """The words are the numbers of the tokens, so that texts can be made to calibrate on."""
    words = {str(token): token for token in range(vocab_size)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="0"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(directory / "tokenizer.json"))


def _use_common_names(path: Path) -> None:
    """Kinds of layers as published checkpoints name them, which peers read too; transformers writes
    names of its own."""
    text = path.read_text()
    path.write_text(text.replace('"linear_attention"', '"mamba"')
                    .replace('"full_attention"', '"attention"'))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    make(sys.argv[1], Path(sys.argv[2]))
