"""The list of OpenCL devices."""

import json

import pytest
from conftest import BUILD
from process import start

needs_device = pytest.mark.skipif(not (BUILD / "test" / "opencl" / "cpu.icd").is_file(),
                                  reason="scripts/setup --tests installs an OpenCL device")


@needs_device
def test_devices(run):
    code, text, _ = run("devices", "--json")
    assert code == 0
    (device,) = json.loads(text)
    assert device["kind"] == "cpu" and device["obstacle"] == "" and 16 in device["subgroup_sizes"]
    code, table, _ = run("devices")
    assert code == 0 and device["name"] in table and "emulated" in table


@pytest.mark.parametrize("variable, message", [
    ("SSMQ_OPENCL", "there is no OpenCL loader: "),
    ("OCL_ICD_VENDORS", "there is no OpenCL platform; install a driver")])
def test_no_device(tmp_path, variable, message):
    # Loaders read their variables once in a process.
    process = start("devices", **{variable: str(tmp_path)})
    _, error = process.communicate()
    if "built without OpenCL headers" in error:
        pytest.skip("this ssmq was built without OpenCL headers")
    assert process.returncode == 3
    assert error.startswith("ssmq: " + message) and error.count("\n") == 1
