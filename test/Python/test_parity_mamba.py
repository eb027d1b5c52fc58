"""Model type mamba against transformers."""

import pytest
from parity import check_parity

CASES = [
    dict(hidden_size=24, state_size=16, num_hidden_layers=2, use_bias=True,
         tie_word_embeddings=False),
    dict(hidden_size=40, state_size=24, num_hidden_layers=2, use_conv_bias=False, conv_kernel=3),
    dict(hidden_size=32, state_size=96, num_hidden_layers=1, expand=1, time_step_rank=5),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("settings", CASES)
def test_mamba(tmp_path, settings, seed):
    check_parity(tmp_path, "mamba", settings, seed)
