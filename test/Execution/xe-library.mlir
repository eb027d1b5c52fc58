// Libraries for OpenCL devices give the logits of the program in memory, with weights inside or left in
// their file, and need nothing but the C library: the OpenCL loader is opened when they are used.
// REQUIRES: opencl
// RUN: rm -rf %t && mkdir -p %t/weights
// RUN: %python %S/../Inputs/make_weights.py %s %t/weights/model.safetensors
// DEFINE: %{options} =
// DEFINE: %{emit} = ssmq-run %s --checkpoint %t/weights --device xe --lowering=dpas=false --emit=so --name model -o %t/model.so %{options}
// DEFINE: %{folder} =
// DEFINE: %{run} = %python %S/../Inputs/run_library.py %t/model.so 4,0,6,2,2,5,1 %t/logits.safetensors %{folder}
// RUN: ssmq-run %s --checkpoint %t/weights --tokens 4,0,6,2,2,5,1 --logits %t/logits.safetensors
// RUN: %{emit} && %{run} | FileCheck %s --check-prefix=SPIRV
// RUN: llvm-readelf --dynamic %t/model.so | FileCheck %s --check-prefix=NEEDED
// SPIRV: SPIR-V
// NEEDED-NOT: NEEDED{{.*}}OpenCL
// NEEDED-NOT: NEEDED{{.*}}LLVM

// Native code is taken where the device takes it.
// RUN: echo '#!/bin/sh' > %t/ocloc && echo 'exec %python %S/../Inputs/ocloc.py "$@"' >> %t/ocloc && chmod +x %t/ocloc
// REDEFINE: %{options} = --xe-targets=lnl,bmg
// RUN: env SSMQ_OCLOC=%t/ocloc %{emit} && %{run} | FileCheck %s --check-prefix=NATIVE
// REDEFINE: %{options} = --xe-targets=foreign
// RUN: env SSMQ_OCLOC=%t/ocloc %{emit} && %{run} | FileCheck %s --check-prefix=SPIRV
// REDEFINE: %{options} = --xe-targets=unknown
// RUN: env SSMQ_OCLOC=%t/ocloc not %{emit} 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: env SSMQ_OCLOC=%t/none %{emit} 2>&1 | FileCheck %s --check-prefix=WITHOUT
// NATIVE: native code
// UNKNOWN: ocloc failed with exit code 226: Error: Cannot get HW Info for device unknown.
// WITHOUT: ssmq: warning: there is no ocloc: the library has SPIR-V only

// REDEFINE: %{options} = --external-weights
// REDEFINE: %{folder} = %t/weights
// RUN: %{emit} && %{run} | FileCheck %s --check-prefix=SPIRV

// Emulated dpas, which rounds activations to f16, and what a host can ask.
// RUN: ssmq-run %s --checkpoint %t/weights --device xe --emit=so --name model -o %t/model.so
// REDEFINE: %{folder} = tolerance=1e-4
// RUN: %{run} | FileCheck %s --check-prefix=SPIRV
// RUN: ssmq-run %s --device xe --emit=header --name model -o %t/model.h && FileCheck %s --check-prefix=HEADER --input-file %t/model.h
// HEADER: MODEL_DEVICE_FAILED = 9
// HEADER: int model_open_device(const char *device);

// No loader, no device.
// RUN: env SSMQ_OPENCL=%t/none %python -c "import ctypes; l = ctypes.CDLL('%t/model.so'); l.model_device_message.restype = ctypes.c_char_p; print(l.model_open_device(None), l.model_device_message().decode())" | FileCheck %s --check-prefix=LOADER
// RUN: %python -c "import ctypes; l = ctypes.CDLL('%t/model.so'); l.model_device_message.restype = ctypes.c_char_p; print(l.model_open_device(b'xe:7'), l.model_device_message().decode())" | FileCheck %s --check-prefix=DEVICE
// LOADER: 8 there is no OpenCL loader
// DEVICE: 8 no such OpenCL device runs Xe kernels

ml_program.global private @embed(#ml_program.extern : tensor<7x9xf16>) : tensor<7x9xf16>
ml_program.global private @conv(#ml_program.extern : tensor<9x1x4xf32>) : tensor<9x1x4xf32>
ml_program.global private @head(#ml_program.extern : tensor<7x9x!quant.any<i4:f32>>) : tensor<7x9x!quant.any<i4:f32>>
ml_program.global private @head_scales(#ml_program.extern : tensor<7x3xf16>) : tensor<7x3xf16>

func.func @forward(%tokens: tensor<?xi32>, %state: tensor<3x9xf32> {ssm.state = "conv"})
    -> (tensor<?x7xf32>, tensor<3x9xf32>) {
  %embed = ml_program.global_load_const @embed : tensor<7x9xf16>
  %conv = ml_program.global_load_const @conv : tensor<9x1x4xf32>
  %head = ml_program.global_load_const @head : tensor<7x9x!quant.any<i4:f32>>
  %head_scales = ml_program.global_load_const @head_scales : tensor<7x3xf16>
  %0 = ssm.embedding %tokens, %embed : (tensor<?xi32>, tensor<7x9xf16>) -> tensor<?x9xf32>
  %1, %next = ssm.causal_conv1d %0, %conv state %state
    : (tensor<?x9xf32>, tensor<9x1x4xf32>, tensor<3x9xf32>) -> (tensor<?x9xf32>, tensor<3x9xf32>)
  %2 = ssm.linear %1, %head scales %head_scales {group_size = 4 : i64}
    : (tensor<?x9xf32>, tensor<7x9x!quant.any<i4:f32>>, tensor<7x3xf16>) -> tensor<?x7xf32>
  return %2, %next : tensor<?x7xf32>, tensor<3x9xf32>
}
