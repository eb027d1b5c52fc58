"""S4D classifiers of sequences: data, training and quantization-aware training, in PyTorch.

The model is the one of arXiv 2506.12480; the compiler imports what is trained here. PyTorch,
scikit-learn and safetensors come with the extra group `s4d` (pip install 'ssmq[s4d]').
"""
