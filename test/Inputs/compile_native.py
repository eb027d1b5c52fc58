"""Compiles the kernels of programs with ocloc: compile_native.py OCLOC DEVICE SCRATCH PROGRAM... (see
xe_modules.py).

Fails when a module does not compile, or a kernel of a linear layer spills registers that a GPU with
dpas gets; other spills are printed. Modules that call functions which this ocloc does not know
(Debian's 22.43 knows no 2-D block reads) are skipped by name.
"""
import pathlib
import re
import subprocess
import sys

import xe_modules

SPILL = re.compile(r"kernel (\w+) .*compiled (SIMD\d+) .*spilled around (\d+)")


def main():
    ocloc, device, scratch, *names = sys.argv[1:]
    problems, kernels, skipped = [], 0, []
    for title, module in xe_modules.emit(scratch, names):
        output = pathlib.Path(scratch, "native")
        result = subprocess.run([ocloc, "compile", "-spirv_input", "-file", module, "-device", device,
                                 "-output", output, "-output_no_suffix"],
                                capture_output=True, text=True)
        log = result.stdout + result.stderr
        written = [path for path in (output, output.with_suffix(".bin")) if path.exists()]
        if result.returncode or not written:
            problems.append(f"{title}: {log}")
            continue
        # The SPIR-V lies in it too, with the names of all that it imports.
        code = written[0].read_bytes().replace(module.read_bytes(), b"")
        written[0].unlink()
        if unknown := sorted(set(re.findall(rb"intel_sub_group_\w+", code))):
            skipped.append(f"{title}: {unknown[0].decode()}")
            continue
        kernels += len(set(re.findall(rb"ssmq_launch_\w+", code)))
        for kernel, width, count in SPILL.findall(log):
            line = f"{title}: {kernel} ({width}) spills {count}"
            is_grave = "linear" in kernel and "dpas=true" in title
            (problems if is_grave else skipped).append(line)
    print(f"{kernels} kernels compiled for {device}", *skipped, sep="\n")
    sys.exit("\n".join(problems) or 0)


main()
