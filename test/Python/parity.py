"""Random models of transformers, and how far ssmq's logits are from theirs."""

import numpy as np
import torch
import transformers

import ssmq

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

VOCAB = 67
TOKENS = 41
TOLERANCE = 1e-4


@torch.no_grad()
def randomize(model):
    """Draws weights so that every term counts: fresh models have zero biases, equal norms and
    logits near zero."""
    for name, weight in model.named_parameters():
        if weight.ndim == 2 and not name.endswith("A_log"):
            weight.normal_(0, 1.2 * weight.shape[1] ** -0.5)
        elif weight.ndim == 3:
            weight.normal_(0, 0.5)
        elif name.endswith(("dt_bias", "dt_proj.bias")):
            weight.normal_(-1, 1)
        elif name.endswith((".bias", ".D")):
            weight.normal_(0.3, 0.3)
        else:
            weight.add_(torch.randn_like(weight) * 0.3)


def make_model(directory, family, settings, seed, dtype=torch.float32, shard_size="1GB"):
    """Saves a random model; returns it in f32, with the weights as they were saved."""
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(family, vocab_size=VOCAB, **settings)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    randomize(model)
    model.to(dtype).save_pretrained(directory, max_shard_size=shard_size)
    return model.float()


def feed(program, tokens, sizes):
    """Logits of all tokens, fed in chunks."""
    state = program.new_state(len(tokens))
    chunks = np.split(tokens, np.cumsum(sizes)[:-1])
    return np.concatenate([program.forward(chunk, state) for chunk in chunks])


def check_logits(directory, model, tokens):
    """Logits at every position against those of `model`: both kernel sets, whole and in chunks."""
    with torch.no_grad():
        batch = torch.from_numpy(tokens.astype(np.int64))[None]
        expected = model(batch, use_cache=False).logits[0].numpy()
    assert expected.std() > 0.5

    imported = ssmq.load(directory)
    for kernels in ("reference", "fast"):
        program = imported.interpreter(kernels, threads=1)
        for sizes in ([len(tokens)], [1] * len(tokens), [7, 1, 20, len(tokens) - 28]):
            error = np.abs(feed(program, tokens, sizes) - expected).max()
            print(f"{model.config.model_type}, {kernels}, {len(sizes)} chunks: {error:.1e}")
            assert error < TOLERANCE, (kernels, sizes)


def check_parity(directory, family, settings, seed, **kwargs):
    """A random model of the family against transformers."""
    model = make_model(directory, family, settings, seed, **kwargs)
    check_logits(directory, model,
                 np.random.default_rng(seed).integers(0, VOCAB, TOKENS, dtype=np.int32))
