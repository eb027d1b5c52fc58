"""Model type mamba2 against transformers; also how weights are stored."""

import pytest
import torch
from parity import check_parity

CASES = [
    dict(hidden_size=24, num_heads=6, head_dim=8, state_size=16, n_groups=2, num_hidden_layers=2,
         use_bias=True, chunk_size=8),
    dict(hidden_size=40, num_heads=5, head_dim=16, state_size=24, n_groups=1, num_hidden_layers=2,
         use_conv_bias=False, conv_kernel=3, tie_word_embeddings=True),
    dict(hidden_size=32, num_heads=8, head_dim=8, state_size=96, n_groups=4, num_hidden_layers=1,
         time_step_limit=(0.05, 0.5)),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("settings", CASES)
def test_mamba2(tmp_path, settings, seed):
    check_parity(tmp_path, "mamba2", settings, seed)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_weights(tmp_path, dtype):
    check_parity(tmp_path, "mamba2", CASES[0], seed=2, dtype=dtype)


def test_shards(tmp_path):
    check_parity(tmp_path, "mamba2", CASES[0], seed=3, shard_size="10KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
