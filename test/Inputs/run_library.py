"""Feeds an emitted library and compares: run_library.py LIBRARY TOKENS LOGITS.safetensors [FOLDER]
[tolerance=X].

The library is called `model`; FOLDER holds its weights if they are not embedded; X is absolute.
"""
import ctypes
import sys

import numpy as np
from safetensors.numpy import load_file

tolerance = {"rtol": 1e-5, "atol": 1e-6}
if sys.argv[-1].startswith("tolerance="):
    tolerance = {"rtol": 0, "atol": float(sys.argv.pop().partition("=")[2])}
library = ctypes.CDLL(sys.argv[1])
tokens = np.array(sys.argv[2].split(","), dtype=np.int32)
expected = load_file(sys.argv[3])["logits"]
library.model_vocab_size.restype = ctypes.c_int64
if len(sys.argv) > 4:
    assert library.model_load_weights(sys.argv[4].encode()) == 0

state = ctypes.c_void_p()
assert library.model_state_create(ctypes.c_int64(len(tokens)), ctypes.byref(state)) == 0
logits = np.empty((len(tokens), library.model_vocab_size()), dtype=np.float32)
at = 0
for count in (1, 3, len(tokens) - 4):
    status = library.model_forward(state, tokens[at:].ctypes.data_as(ctypes.c_void_p),
                                   ctypes.c_int64(count),
                                   logits[at:].ctypes.data_as(ctypes.c_void_p))
    assert status == 0, status
    at += count
library.model_state_reset(state)
last = np.empty((2, library.model_vocab_size()), dtype=np.float32)
for at, count, row in ((0, len(tokens) - 1, last[0]), (len(tokens) - 1, 1, last[1])):
    status = library.model_forward_last(state, tokens[at:].ctypes.data_as(ctypes.c_void_p),
                                        ctypes.c_int64(count), row.ctypes.data_as(ctypes.c_void_p))
    assert status == 0, status
np.testing.assert_allclose(last, expected[-2:], **tolerance)
library.model_state_destroy(state)
np.testing.assert_allclose(logits, expected, **tolerance)
if hasattr(library, "model_device_is_native"):
    print("native code" if library.model_device_is_native() else "SPIR-V")
