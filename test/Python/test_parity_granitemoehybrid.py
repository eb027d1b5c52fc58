"""Model type granitemoehybrid, dense, against transformers."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from parity import check_logits, check_parity

CASES = [
    dict(hidden_size=24, shared_intermediate_size=40, mamba_n_heads=6, mamba_d_state=16,
         mamba_n_groups=2, layer_types=["mamba", "attention", "mamba"], num_attention_heads=3,
         num_key_value_heads=1, mamba_proj_bias=True, attention_bias=True, embedding_multiplier=3.0,
         attention_multiplier=0.3, residual_multiplier=0.7, logits_scaling=1.5,
         mamba_chunk_size=8),
    dict(hidden_size=48, shared_intermediate_size=20, mamba_n_heads=6, mamba_d_state=24,
         mamba_n_groups=1, layer_types=["attention", "mamba"], num_attention_heads=4,
         num_key_value_heads=2, mamba_conv_bias=False, position_embedding_type="rope",
         attention_multiplier=0.25, tie_word_embeddings=True),
    dict(hidden_size=32, shared_intermediate_size=33, mamba_n_heads=8, mamba_d_state=96,
         mamba_n_groups=2, layer_types=["mamba", "attention"], num_attention_heads=4,
         num_key_value_heads=4, attention_multiplier=0.25, time_step_limit=(0.05, 0.5)),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("settings", CASES)
def test_granitemoehybrid(tmp_path, settings, seed):
    layers = len(settings["layer_types"])
    check_parity(tmp_path, "granitemoehybrid",
                 {**settings, "num_hidden_layers": layers, "num_local_experts": 0}, seed)


def test_shipped_model():
    directory = Path(__file__).parents[2] / "models" / "granite-hybrid-5m"
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    tokens = np.random.default_rng(0).integers(0, 2048, 100, dtype=np.int32)
    check_logits(directory, model, tokens)
