// RUN: rm -rf %t && mkdir -p %t/weights
// RUN: %python %S/../Inputs/make_weights.py %s %t/weights/model.safetensors
// RUN: ssmq-run %s --checkpoint %t/weights --tokens 4,0,6,2,2,5,1 --logits %t/logits.safetensors
// Emitted code gives the logits of the code in memory, with weights inside or left in their file,
// and for an older processor.
// RUN: ssmq-run %s --checkpoint %t/weights --emit=so --name model -o %t/inside.so
// RUN: %python %S/../Inputs/run_library.py %t/inside.so 4,0,6,2,2,5,1 %t/logits.safetensors
// RUN: ssmq-run %s --checkpoint %t/weights --emit=so --name model -o %t/outside.so --external-weights --target x86-64-v3
// RUN: %python %S/../Inputs/run_library.py %t/outside.so 4,0,6,2,2,5,1 %t/logits.safetensors %t/weights
// A feature mask does the same; a name that is none is told with those that are.
// RUN: ssmq-run %s --checkpoint %t/weights --emit=so --name model -o %t/masked.so --mattr=-avx2,-avx512f
// RUN: %python %S/../Inputs/run_library.py %t/masked.so 4,0,6,2,2,5,1 %t/logits.safetensors
// RUN: not ssmq-run %s --checkpoint %t/weights --tokens 1 --target lunar 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: ssmq-run: error: unknown target 'lunar'; known are host, lunarlake,
// RUN: ssmq-run %s --checkpoint %t/weights --emit=obj -o %t/model.o -O1
// RUN: llvm-nm --defined-only --extern-only %t/model.o | FileCheck %s
// Times of the ops, and no library that carries them.
// RUN: ssmq-run %s --checkpoint %t/weights --tokens 4,0,6 --generate 2 --profile=%t/trace.json | FileCheck %s --check-prefix=PROFILE
// RUN: %python %S/../Inputs/check_trace.py %t/trace.json 3
// RUN: not ssmq-run %s --checkpoint %t/weights --emit=obj -o %t/model.o --lowering profile=true 2>&1 | FileCheck %s --check-prefix=LIBRARY
// PROFILE: prefill: 5 steps of 3 tokens
// PROFILE: linear
// PROFILE: decode: 2 steps of 1 tokens
// PROFILE: linear
// LIBRARY: error: the program calls the library of ssmq, which an emitted one does without
// CHECK: T model_forward
// CHECK-NOT: T forward
// CHECK: T model_vocab_size

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
