"""spirv-val on the kernels of programs, for the version that they declare: validate_spirv.py SCRATCH
PROGRAM... (see xe_modules.py)."""
import subprocess
import sys

import xe_modules

count, problems = 0, []
for title, module in xe_modules.emit(sys.argv[1], sys.argv[2:]):
    result = subprocess.run(["spirv-val", module], capture_output=True, text=True)
    count += 1
    if result.returncode:
        problems.append(f"{title}: {result.stdout}{result.stderr}")
print(f"{count - len(problems)} of {count} modules are valid")
sys.exit("\n".join(problems) or 0)
