"""The package over the C interface, on a model of 11 words."""

import threading

import numpy as np
import pytest
import ssmq
from tiny import make_model

TOKENS = [3, 1, 10, 0, 7, 7, 2, 9, 5, 4, 8, 6]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def model(directory):
    return ssmq.load(directory)


@pytest.fixture(scope="module")
def program(model):
    return model.interpreter("reference")


def test_chunks_give_the_same_logits(program):
    whole = program.forward(TOKENS)
    assert whole.shape == (12, 11) and whole.dtype == np.float32
    state = program.new_state(12)
    parts = [program.forward(TOKENS[:5], state)]
    snapshot = state.clone()
    parts += [program.forward([token], state) for token in TOKENS[5:]]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(program.forward(np.array(TOKENS[5:]), snapshot), whole[5:],
                               rtol=1e-5, atol=1e-6)
    assert (state.length, state.capacity) == (12, 12)


def test_last_logits_alone(model, program):
    whole = program.forward(TOKENS)
    for other in (program, model.compile(threads=1)):
        state = other.new_state(12)
        np.testing.assert_allclose(other.forward_last(TOKENS[:7], state), whole[6:7], atol=1e-5)
        np.testing.assert_allclose(other.forward_last(TOKENS[7:8], state), whole[7:8], atol=1e-5)
        np.testing.assert_allclose(other.forward(TOKENS[8:], state), whole[8:], atol=1e-5)
        assert other.forward_last([]).shape == (0, 11)


def test_kernels_agree(model, program):
    fast = model.interpreter("fast", threads=2).forward(TOKENS)
    np.testing.assert_allclose(fast, program.forward(TOKENS), rtol=1e-4, atol=1e-5)


def test_compiled_agrees(model, program, tmp_path):
    compiled = model.compile(threads=1)
    np.testing.assert_allclose(compiled.forward(TOKENS), program.forward(TOKENS), atol=1e-4)
    quantized = model.clone()
    quantized.run_pipeline(f"ssmq-assign{{method=uniform format=int4:g4}},"
                           f"ssmq-quantize{{output={tmp_path}/model.safetensors}}")
    compiled = quantized.compile(threads=2)
    expected = quantized.interpreter("reference").forward(TOKENS)
    assert abs(expected - program.forward(TOKENS)).max() > 1e-2
    np.testing.assert_allclose(compiled.forward(TOKENS), expected, atol=1e-4)


def test_compiles_for_a_target(model, program):
    compiled = model.compile(1, target="x86-64-v3")
    np.testing.assert_allclose(compiled.forward(TOKENS), program.forward(TOKENS), atol=1e-4)
    with pytest.raises(ssmq.Error, match="unknown target 'luna'"):
        model.compile(1, target="luna")


@pytest.mark.parametrize("format", ["int5:channel", "nf4:g16", "int8:tensor"])
def test_compiles_any_format_of_weights(run, directory, tmp_path, format):
    code, _, error = run("quantize", directory, "--uniform", format, "-o", tmp_path / "out")
    assert code == 0, error
    quantized = ssmq.load(tmp_path / "out")
    np.testing.assert_allclose(quantized.compile(1).forward(TOKENS),
                               quantized.interpreter("reference").forward(TOKENS), atol=1e-4)


@pytest.mark.parametrize("tokens, message, status", [
    ([11], "outside the vocabulary", 1),
    ([-1], "negative", 1),
    ([2**40], "negative or above", 1),
    ([[1]], "list of integers", 2),
    ([0.5], "list of integers", 2),
    ([1] * 13, "larger capacity", 1),
])
def test_bad_tokens(program, tokens, message, status):
    state = program.new_state(12)
    with pytest.raises(ssmq.Error, match=message) as caught:
        program.forward(tokens, state)
    assert caught.value.status == status and "\n" not in str(caught.value)
    assert state.length == 0


def test_no_tokens(program):
    assert program.forward([]).shape == (0, 11)


def test_evaluate(model, program):
    result = program.evaluate(TOKENS, sequence_length=4)
    assert (result.num_sequences, result.num_scored, result.has_teacher) == (3, 9, False)
    expected = 0.0
    for start in range(0, 12, 4):
        logits = program.forward(TOKENS[start:start + 4]).astype(float)
        chosen = logits[range(3), TOKENS[start + 1:start + 4]]
        expected += (np.log(np.exp(logits[:3]).sum(1)) - chosen).sum() / 9
    assert result.cross_entropy.mean == pytest.approx(expected, rel=1e-6)
    assert result.perplexity.mean == pytest.approx(np.exp(expected), rel=1e-6)
    same = program.evaluate(TOKENS, program, sequence_length=4)
    assert same.has_teacher and same.forward_kl.mean == 0 and same.same_top1.mean == 1


def test_generate(program):
    seen = []
    text = program.generate([1], 6, on_token=lambda token: seen.append(token) or len(seen) < 4)
    assert text == seen and len(text) == 4
    assert text[0] == program.forward([1])[0].argmax()
    assert program.generate([1], 8, 5.0, seed=1) == program.generate([1], 8, 5.0, seed=1)
    with pytest.raises(ZeroDivisionError):
        program.generate([1], 6, on_token=lambda token: 1 / 0)


def test_threads_share_a_program(program):
    whole = program.forward(TOKENS)
    results = [None] * 4

    def work(index):
        results[index] = program.forward(TOKENS)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert all((result == whole).all() for result in results)


def test_pipeline(model):
    other = model.clone()
    other.run_pipeline("builtin.module(canonicalize, cse)")
    assert "func.func @forward" in other.mlir()
    before = other.mlir()
    with pytest.raises(ssmq.Error, match="'nonsense' does not refer to a") as caught:
        other.run_pipeline("canonicalize, nonsense")
    assert caught.value.status == 2 and other.mlir() == before


@pytest.mark.parametrize("write", [
    lambda model, path: (path / "program.mlir").write_text(model.mlir()),
    lambda model, path: (path / "program.mlirbc").write_bytes(model.bytecode()),
])
def test_load_a_program(tmp_path, directory, model, program, write):
    write(model, tmp_path)
    (tmp_path / "model.safetensors").symlink_to(directory / "model.safetensors")
    loaded = ssmq.load(tmp_path)
    # Weights are opened here, not where the program was made.
    assert str(directory) not in loaded.mlir() and str(tmp_path) in loaded.mlir()


def test_load_errors(tmp_path):
    for path, message in [(tmp_path / "none", "is not a directory"),
                          (tmp_path, "holds neither config.json nor program.mlirbc")]:
        with pytest.raises(ssmq.Error, match=message):
            ssmq.load(path)
    (tmp_path / "program.mlirbc").write_bytes(b"ML\xefR\x00garbage")
    with pytest.raises(ssmq.Error, match="program.mlirbc") as caught:
        ssmq.load(tmp_path)
    assert "\n" not in str(caught.value)
