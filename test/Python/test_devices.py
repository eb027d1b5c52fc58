"""OpenCL devices: their list, and programs that run on one."""

import json

import numpy as np
import pytest
import ssmq
from conftest import BUILD
from process import start
from tiny import make_model, make_text

needs_device = pytest.mark.skipif(not (BUILD / "test" / "opencl" / "cpu.icd").is_file(),
                                  reason="scripts/setup --tests installs an OpenCL device")
TOKENS = [3, 1, 10, 0, 7, 7, 2, 9, 5, 4, 8, 6]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"))


@needs_device
def test_list(run):
    code, text, _ = run("devices", "--json")
    assert code == 0
    (device,) = json.loads(text)
    assert device["kind"] == "cpu" and device["obstacle"] == "" and 16 in device["subgroup_sizes"]
    code, table, _ = run("devices")
    assert code == 0 and device["name"] in table and "emulated" in table


@pytest.mark.parametrize("variable, message", [
    ("SSMQ_OPENCL", "there is no OpenCL loader: "),
    ("OCL_ICD_VENDORS", "there is no OpenCL platform; install a driver")])
@pytest.mark.parametrize("command", [["devices"], ["run", "MODEL", "-p", "a", "--device", "xe"]])
def test_no_device(tmp_path, directory, command, variable, message):
    # Loaders read their variables once in a process.
    command = [directory if word == "MODEL" else word for word in command]
    process = start(*command, **{variable: str(tmp_path)})
    _, error = process.communicate()
    if "built without OpenCL headers" in error:
        pytest.skip("this ssmq was built without OpenCL headers")
    assert process.returncode == 3
    assert error.startswith("ssmq: " + message) and error.count("\n") == 1


@needs_device
def test_programs_agree(directory):
    model = ssmq.load(directory)
    expected = model.interpreter("reference").forward(TOKENS)
    program = model.compile(threads=1, device="xe:0")
    np.testing.assert_allclose(program.forward(TOKENS), expected, atol=1e-4)
    state = program.new_state(12)
    program.forward(TOKENS[:5], state)
    snapshot = state.clone()
    for each in (state, snapshot):
        last = [program.forward([token], each)[0] for token in TOKENS[5:]]
        np.testing.assert_allclose(last, expected[5:], atol=1e-4)


@needs_device
def test_programs_one_after_another(directory):
    """LLVM's SPIR-V of a third module was invalid where its functions lay where the first's had."""
    model = ssmq.load(directory)
    outputs = [model.compile(threads=1, device="xe").forward(TOKENS) for _ in range(4)]
    assert all((output == outputs[0]).all() for output in outputs)


@needs_device
def test_sequences_of_several_threads(directory):
    program = ssmq.load(directory).compile(threads=1, device="xe")
    one, many = (program.evaluate(TOKENS * 8, sequence_length=8, threads=threads)
                 for threads in (1, 4))
    assert many.cross_entropy.mean == one.cross_entropy.mean


@needs_device
def test_commands(run, directory, tmp_path):
    outputs = [run("run", directory, "-p", "a b c", "-n", 24, "--device", device)
               for device in ("cpu", "xe")]
    assert outputs[0] == outputs[1] and outputs[0][0] == 0
    text = make_text(tmp_path / "text", 1)
    code, output, error = run("eval", directory, "--text", text, "--teacher", directory,
                              "--sequence-length", 8, "--device", "xe", "--json")
    assert error == ""
    assert code == 0 and json.loads(output)["same_top1"]["mean"] == 1
    code, output, _ = run("bench", directory, "--prompt", 8, "-n", 4, "--rounds", 1, "--repeats", 1,
                          "--device", "xe")
    assert code == 0 and "on xe" in output


def test_bad_choices(fails, directory):
    command = ["run", directory, "-p", "a"]
    fails("device 'gpu' is not known; take cpu, xe or xe:NUMBER", *command, "--device", "gpu",
          status=2)
    fails("what stands after 'xe:' is the number", *command, "--device", "xe:one", status=2)
    fails("runs compiled programs", *command, "--device", "xe", "--engine", "fast", status=2)


@needs_device
def test_a_device_that_is_not_there(fails, directory):
    fails("device 'xe:7' does not exist: the last is xe:0", "run", directory, "-p", "a",
          "--device", "xe:7", status=3)
