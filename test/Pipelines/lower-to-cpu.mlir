// RUN: ssmq-opt %s --ssmq-bufferize="vector-width=8" | FileCheck %s --check-prefix=BUF
// RUN: ssmq-opt %s --ssmq-lower-to-cpu | FileCheck %s --check-prefix=LLVM
// RUN: ssmq-opt %s --ssmq-lower-to-cpu="decode=false threads=false" | FileCheck %s --check-prefix=SERIAL

ml_program.global private @table(#ml_program.extern : tensor<16x8xf16>) : tensor<16x8xf16>
ml_program.global private @conv(#ml_program.extern : tensor<8x1x3xf16>) : tensor<8x1x3xf16>

// Weights are declarations, states are updated in place and the output is the last argument.
// BUF: memref.global constant @table : memref<16x8xf16>
// BUF: func.func @forward(%{{.*}}: memref<?xi32>, %[[CONV:.*]]: memref<2x8xf32> {ssm.state = "conv"}, %[[OUT:.*]]: memref<?x8xf32>) attributes {llvm.emit_c_interface}
// BUF: call @ssmq_embedding
// BUF: call @[[KERNEL:ssmq_causal_conv1d_[0-9]+]](%[[X:.*]], %{{.*}}, %[[CONV]], %[[Y:.*]]) :
// The chain after it is one call.
// BUF: call @[[CHAIN:ssmq_elementwise_[0-9]+]](%[[Y]], %[[OUT]])
// BUF-NOT: call
// BUF-NOT: memref.copy
// BUF: return

// The same for one token.
// BUF: func.func @decode(%{{.*}}: memref<1xi32>, %{{.*}}: memref<2x8xf32> {ssm.state = "conv"}, %{{.*}}: memref<1x8xf32>)
// BUF-NOT: memref<?x
// BUF: return

// One pass over memory, in vectors.
// BUF: func.func private @[[CHAIN]]
// BUF: omp.parallel
// BUF: vector.load
// BUF-NOT: vector.load
// BUF: math.exp %{{.*}} : vector<8xf32>
// BUF: vector.store
// BUF-NOT: vector.store
// BUF: return

// LLVM: llvm.mlir.global external constant @table()
// LLVM: llvm.func @_mlir_ciface_forward(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr{{.*}}, %{{.*}}: !llvm.ptr)
// LLVM: llvm.func @_mlir_ciface_decode
// LLVM: llvm.func internal @ssmq_causal_conv1d
// LLVM: omp.parallel

// SERIAL-NOT: decode
// SERIAL-NOT: omp.
func.func @forward(%tokens: tensor<?xi32>, %state: tensor<2x8xf32> {ssm.state = "conv"})
    -> (tensor<?x8xf32>, tensor<2x8xf32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %table = ml_program.global_load_const @table : tensor<16x8xf16>
  %conv = ml_program.global_load_const @conv : tensor<8x1x3xf16>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf16>) -> tensor<?x8xf32>
  %y, %next = ssm.causal_conv1d %x, %conv state %state
    : (tensor<?x8xf32>, tensor<8x1x3xf16>, tensor<2x8xf32>) -> (tensor<?x8xf32>, tensor<2x8xf32>)
  %negated = arith.negf %y : tensor<?x8xf32>
  %exp = math.exp %negated : tensor<?x8xf32>
  %ones = tensor.splat %one[%n] : tensor<?x8xf32>
  %sum = arith.addf %exp, %ones : tensor<?x8xf32>
  %silu = arith.divf %y, %sum : tensor<?x8xf32>
  return %silu, %next : tensor<?x8xf32>, tensor<2x8xf32>
}
