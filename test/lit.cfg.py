"""lit + FileCheck over every .mlir below; Unit (gtest) and Python (pytest) have their own runners."""
import os
import subprocess
import sys

import lit.formats
import lit.util

config.name = "ssmq"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["Unit", "Python", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.ssmq_obj_root, "test")

tools = [os.path.join(config.ssmq_obj_root, "bin"), config.llvm_tools_dir]
config.environment["PATH"] = os.pathsep.join(tools + [config.environment["PATH"]])
config.substitutions.append(("%ssmq_plugin", os.path.join(config.ssmq_obj_root, "lib", "libSSMQ.so")))
config.substitutions.append(("%ssmq_bin", tools[0]))
config.substitutions.append(("%ssmq_cmake", os.path.join(config.ssmq_obj_root, "lib", "cmake", "ssmq")))
config.substitutions.append(("%python", sys.executable))
source_root = os.path.dirname(config.test_source_root)
config.substitutions.append(("%assemble", os.path.join(source_root, "scripts", "assemble")))
config.substitutions.append(
    ("%inner_loops", f"{sys.executable} {os.path.join(source_root, 'benchmarks', 'inner_loops.py')}"))
# The only OpenCL driver that tests see, whatever the machine has installed.
config.environment["OCL_ICD_VENDORS"] = config.opencl_drivers
run_tool = os.path.join(tools[0], "ssmq-run")
if os.path.exists(run_tool) and not subprocess.run(
        [run_tool, "--devices"], capture_output=True,
        env={**os.environ, "OCL_ICD_VENDORS": config.opencl_drivers}).returncode:
    config.available_features.add("opencl")
for tool in ("spirv-val", "spirv-dis", "clang", "ld.lld", "qemu-arm"):
    if lit.util.which(tool, config.environment["PATH"]):
        config.available_features.add(tool)
if config.ocloc:
    config.available_features.add("ocloc")
config.substitutions.append(("%ocloc", config.ocloc))
# A loader that pretends a device, or forwards to the real one and counts calls (test/Double).
double = os.path.join(config.ssmq_obj_root, "test", "libssmq-opencl-double.so")
if os.path.exists(double):
    config.available_features.add("opencl-double")
    config.substitutions.append(("%double_loader", f"env SSMQ_OPENCL={double}"))
    config.substitutions.append(("%double", f"env SSMQ_OPENCL={double} SSMQ_DOUBLE"))
# What runs a program beside the reference, for --compare; %xe where all its ops have Xe kernels.
config.substitutions.append(("%xe", ",xe" if "opencl" in config.available_features else ""))
# Tests compile what they test; those of the cache name a folder.
config.environment["SSMQ_CACHE_DIR"] = ""
