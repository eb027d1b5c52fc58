"""Writes a checkpoint of a real model's shape with seeded random weights, through transformers.

    make_checkpoint.py {mamba-130m,mamba2-130m} DIRECTORY

Shapes are those of state-spaces/mamba-130m-hf and mamba2-130m. Initialisation is transformers' own,
except that the step sizes and decays keep the trained models' ranges (Mamba, arXiv 2312.00752,
section 3.6), so that states neither vanish nor blow up."""

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
    model.save_pretrained(directory)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    make(sys.argv[1], Path(sys.argv[2]))
