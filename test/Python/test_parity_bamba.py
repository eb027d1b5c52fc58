"""Model type bamba against transformers."""

import pytest
from parity import check_parity

CASES = [
    dict(hidden_size=24, intermediate_size=40, mamba_n_heads=6, mamba_d_state=16, mamba_n_groups=2,
         num_hidden_layers=3, attn_layer_indices=[1], num_attention_heads=3, num_key_value_heads=1,
         mamba_proj_bias=True, attention_bias=True, mlp_bias=True, mamba_chunk_size=8),
    dict(hidden_size=48, intermediate_size=20, mamba_n_heads=6, mamba_d_state=24, mamba_n_groups=1,
         num_hidden_layers=2, attn_layer_indices=[0], num_attention_heads=4, num_key_value_heads=2,
         mamba_conv_bias=False, tie_word_embeddings=True),
    dict(hidden_size=32, intermediate_size=33, mamba_n_heads=8, mamba_d_state=96, mamba_n_groups=2,
         num_hidden_layers=2, attn_layer_indices=[1], num_attention_heads=4, num_key_value_heads=4,
         time_step_limit=(0.05, 0.5), rope_parameters={"rope_type": "default", "rope_theta": 500.0}),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("settings", CASES)
def test_bamba(tmp_path, settings, seed):
    check_parity(tmp_path, "bamba", settings, seed)
