// RUN: ssmq-opt %s --ssmq-bufferize="vector-width=16" | FileCheck %s

// Many tokens share a row.
// CHECK: func.func private @ssmq_linear_{{.*}}memref<?x72xf32
// CHECK-NOT: memref.prefetch
// CHECK: vector.fma

// For one token each cache line of the rows after these is asked for ahead of its use.
// CHECK: func.func private @ssmq_linear_{{.*}}memref<1x72xf32
// CHECK: scf.for %{{.*}} = %c0{{.*}} to %c64{{.*}} step %c32
// CHECK-COUNT-8: memref.prefetch {{.*}} : memref<32x72xbf16>
// CHECK-NOT: memref.prefetch
// CHECK-COUNT-16: vector.fma
// CHECK: scf.yield
// CHECK-COUNT-8: memref.prefetch
func.func @forward(%tokens: tensor<?xi32>, %table: tensor<8x72xf32>, %w: tensor<32x72xbf16>)
    -> tensor<?x32xf32> {
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<8x72xf32>) -> tensor<?x72xf32>
  %0 = ssm.linear %x, %w : (tensor<?x72xf32>, tensor<32x72xbf16>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
