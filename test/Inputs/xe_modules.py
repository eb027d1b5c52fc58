"""The SPIR-V of programs as drivers get it, with and without dpas.

Programs are named PROGRAM[=CHECKPOINT]; without a checkpoint, an .mlir gets random weights. A folder
of tests stands for those of its programs that run on Xe.
"""
import pathlib
import subprocess
import sys


def expand(named):
    folder = pathlib.Path(named)
    if not folder.is_dir() or (folder / "config.json").exists():
        return [named]
    texts = {path: path.read_text() for path in sorted(folder.glob("*.mlir"))}
    return [str(path) for path, text in texts.items() if "xe" in text and "func.func @forward" in text]


def emit(scratch, names):
    """Yields a title and a file for each module."""
    for number, named in enumerate(program for name in names for program in expand(name)):
        program, _, checkpoint = named.partition("=")
        if not checkpoint and program.endswith(".mlir"):
            checkpoint = f"{scratch}/{number}.safetensors"
            maker = pathlib.Path(__file__).with_name("make_weights.py")
            subprocess.run([sys.executable, maker, program, checkpoint], check=True)
        for dpas in ("true", "false"):
            module = pathlib.Path(scratch, f"{pathlib.Path(program).stem}-{number}-dpas-{dpas}.spv")
            options = [f"--lowering=dpas={dpas}"] + (["--checkpoint", checkpoint] if checkpoint else [])
            subprocess.run(["ssmq-run", program, "--emit=spirv", "-o", module, *options], check=True)
            yield f"{pathlib.Path(program).name}, dpas={dpas}", module
