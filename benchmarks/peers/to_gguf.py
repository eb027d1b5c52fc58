"""Converts a Hugging Face directory to GGUF, f16, by llama.cpp's own converter.

    to_gguf.py LLAMA_CPP MODEL OUT.gguf

LLAMA_CPP is its source directory. The file has words without a text: what is timed are token ids,
and random checkpoints have no tokenizer. Needs torch, transformers and gguf."""

import sys
from pathlib import Path


def main(llama_cpp: Path, model: Path, out: Path) -> None:
    sys.path[:0] = [str(llama_cpp), str(llama_cpp / "gguf-py")]
    import gguf
    import torch
    from conversion import ModelBase, get_model_class

    hparams = ModelBase.load_hparams(model, False)
    model_class = get_model_class(hparams["architectures"][0])

    def set_vocab(self: ModelBase) -> None:
        self._set_vocab_none()
        self.gguf_writer.add_vocab_size(self.hparams["vocab_size"])

    model_class.set_vocab = set_vocab
    with torch.inference_mode():
        model_class(model, gguf.LlamaFileType.MOSTLY_F16, out).write()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
