"""Stands for ocloc where the device is no GPU: ocloc.py compile ... -file IN -output OUT ...

Writes what the OpenCL driver of the test device compiles IN to. With the device `unknown` it fails as
ocloc does, with `foreign` it writes code that no driver takes.
"""
import ctypes
import os
import sys

arguments = dict(zip(sys.argv[2::1], sys.argv[3::1]))
if arguments["-device"] == "unknown":
    print("Could not determine device target: unknown.\nError: Cannot get HW Info for device unknown.")
    sys.exit(226)
if arguments["-device"] == "foreign":
    open(arguments["-output"], "wb").write(b"\x7fELF of another machine")
    sys.exit(0)

cl = ctypes.CDLL(os.environ.get("SSMQ_OPENCL") or "libOpenCL.so.1")
for name in ("clCreateContext", "clCreateProgramWithIL"):
    getattr(cl, name).restype = ctypes.c_void_p
Pointer, Size = ctypes.c_void_p, ctypes.c_size_t
ALL, BINARY_SIZES, BINARIES = 0xFFFFFFFF, 0x1165, 0x1166
platform, device, code = Pointer(), Pointer(), ctypes.c_int()
assert cl.clGetPlatformIDs(1, ctypes.byref(platform), None) == 0
assert cl.clGetDeviceIDs(platform, ctypes.c_uint64(ALL), 1, ctypes.byref(device), None) == 0
context = Pointer(cl.clCreateContext(None, 1, ctypes.byref(device), None, None, ctypes.byref(code)))
assert code.value == 0
spirv = open(arguments["-file"], "rb").read()
program = Pointer(cl.clCreateProgramWithIL(context, spirv, Size(len(spirv)), ctypes.byref(code)))
assert code.value == 0
assert cl.clBuildProgram(program, 1, ctypes.byref(device), None, None, None) == 0
size = Size()
assert cl.clGetProgramInfo(program, BINARY_SIZES, Size(8), ctypes.byref(size), None) == 0
binary = ctypes.create_string_buffer(size.value)
pointers = (Pointer * 1)(ctypes.addressof(binary))
assert cl.clGetProgramInfo(program, BINARIES, Size(8), pointers, None) == 0
open(arguments["-output"], "wb").write(binary.raw)
