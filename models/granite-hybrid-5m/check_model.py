"""Check that model.py and transformers give the same logits on random weights."""

from pathlib import Path

import torch
from transformers import AutoConfig, GraniteMoeHybridForCausalLM

from model import Model, load_config

HERE = Path(__file__).parent


def main():
    torch.manual_seed(1)
    ours = Model(load_config(HERE / "config.json")).eval()
    with torch.no_grad():
        for name, p in ours.named_parameters():
            # Move every norm weight and bias off its trivial start value.
            p.add_(torch.randn_like(p) * 0.1)
    theirs = GraniteMoeHybridForCausalLM(AutoConfig.from_pretrained(HERE)).eval().float()
    missing, unexpected = theirs.load_state_dict(ours.state_dict(), strict=False)
    assert set(missing) <= {"lm_head.weight"} and not unexpected, (missing, unexpected)
    theirs.tie_weights()
    ids = torch.randint(0, 2048, (2, 256))
    with torch.no_grad():
        a, b = ours(ids), theirs(ids, use_cache=False).logits
    worst = (a - b).abs().max().item()
    print(f"logits up to {b.abs().max().item():.3f}, largest difference {worst:.2e}")
    assert worst < 1e-4
    print(f"{sum(p.numel() for p in ours.parameters())} parameters")


if __name__ == "__main__":
    main()
