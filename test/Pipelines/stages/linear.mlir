// What one linear layer becomes for one token: docs/generated/Stages.md shows these stages.
// RUN: ssmq-opt %s --ssmq-integer-linear | FileCheck %s --check-prefix=INTEGER
// RUN: ssmq-opt %s --ssmq-bufferize='target=znver4 decode=false prefill=false threads=false' | FileCheck %s --check-prefix=KERNEL
// RUN: %assemble %s znver4 | %inner_loops | FileCheck %s --check-prefix=ASSEMBLY

// INTEGER: %[[CODES:.*]], %[[SCALES:.*]], %[[SUMS:.*]] = ssm.quantize
// INTEGER: ssm.integer_linear %[[CODES]], %[[SCALES]], %[[SUMS]]

// Two products a block of eight columns, and the group's scales at its end.
// KERNEL-LABEL: func.func private @ssmq_integer_linear
// KERNEL: scf.for
// KERNEL-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// KERNEL-NOT: vpdpbusd
// KERNEL: vector.fma
// KERNEL: scf.yield

// ASSEMBLY: vpdpbusd {{.*}}%zmm

ml_program.global private @weight(#ml_program.extern : tensor<1x4096xi8>) : tensor<1x4096xi8>
ml_program.global private @scales(#ml_program.extern : tensor<1x64x16xf16>) : tensor<1x64x16xf16>
func.func @forward(%tokens: tensor<?xi32>, %x: tensor<1x512xf32> {ssm.state = "x"}) -> (tensor<1x16xf32>, tensor<1x512xf32>) {
  %weight = ml_program.global_load_const @weight : tensor<1x4096xi8>
  %scales = ml_program.global_load_const @scales : tensor<1x64x16xf16>
  %rounded = ssm.fake_quantize %x as <"i8 sym per_token"> : tensor<1x512xf32>
  %y = ssm.linear %rounded, %weight scales %scales {group_size = 8 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<1x512xf32>, tensor<1x4096xi8>, tensor<1x64x16xf16>) -> tensor<1x16xf32>
  return %y, %x : tensor<1x16xf32>, tensor<1x512xf32>
}
