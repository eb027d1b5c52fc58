"""Writes a checkpoint of a real model's shape with seeded random weights, through transformers.

    make_checkpoint.py {mamba-130m,mamba2-130m} DIRECTORY

Shapes are those of state-spaces/mamba-130m-hf and mamba2-130m. Initialisation is transformers' own,
but each output projection is scaled so that all layers add as much as the embedding to the residual
stream, each the same: plain random layers amplify a rounding in the first until the last
words are unrelated, which trained ones do not."""

import sys
from pathlib import Path

import torch
from transformers import Mamba2Config, Mamba2ForCausalLM, MambaConfig, MambaForCausalLM

SHAPES = {
    "mamba-130m": (MambaForCausalLM, MambaConfig, dict(
        vocab_size=50280, hidden_size=768, num_hidden_layers=24, state_size=16, conv_kernel=4,
        expand=2, time_step_rank=48, tie_word_embeddings=True)),
    "mamba2-130m": (Mamba2ForCausalLM, Mamba2Config, dict(
        vocab_size=50288, hidden_size=768, num_hidden_layers=24, state_size=128, conv_kernel=4,
        expand=2, num_heads=24, head_dim=64, n_groups=1, tie_word_embeddings=True)),
}


def make(shape: str, directory: Path) -> None:
    model_class, config_class, sizes = SHAPES[shape]
    torch.manual_seed(0)
    model = model_class(config_class(**sizes))
    model.tie_weights()
    layers = sizes["num_hidden_layers"]
    target = model.get_input_embeddings().weight.std() / layers ** 0.5

    def scale(mixer: torch.nn.Module, _: object, output: torch.Tensor) -> torch.Tensor:
        factor = target / output.std()
        mixer.out_proj.weight.data *= factor
        return output * factor

    # Layer by layer within one forward: each sees the scaled ones before it.
    for layer in model.backbone.layers:
        layer.mixer.register_forward_hook(scale)
    with torch.inference_mode():
        model(torch.randint(0, sizes["vocab_size"], (1, 64)))
    # A tied head sees the last word itself; smaller logits leave the others a share.
    model.backbone.norm_f.weight.data *= 0.15
    model.save_pretrained(directory)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    make(sys.argv[1], Path(sys.argv[2]))
