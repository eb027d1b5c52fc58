// RUN: ssmq-opt %s --ssmq-bufferize="vector-width=16 dot-product=avx512_vnni" | FileCheck %s

// Many tokens meet a panel of the weight's values.
// CHECK: func.func private @ssmq_linear_{{.*}}memref<?x64xf32
// CHECK-NOT: memref.prefetch
// CHECK: memref.view {{.*}} to memref<64x32xf32>
// CHECK: arith.andi {{.*}} : vector<16xi32>
// CHECK: arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>

// One token: codes stay in registers, and blocks are asked for ahead of their use.
// CHECK: func.func private @ssmq_linear_{{.*}}memref<1x64xf32
// CHECK-NOT: memref.alloc()
// CHECK: memref.alloca() : memref<8xf32>
// CHECK: memref.prefetch {{.*}} : memref<2x512xi8>
// CHECK: arith.bitcast {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: vector.fma
func.func @forward(%tokens: tensor<?xi32>, %table: tensor<8x64xf32>, %q: tensor<2x512xi8>,
                   %s: tensor<2x2x16xf16>) -> tensor<?x32xf32> {
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<8x64xf32>) -> tensor<?x64xf32>
  %0 = ssm.linear %x, %q scales %s {group_size = 32 : i64, packed_bits = 4 : i64, tile_rows = 16 : i64}
    : (tensor<?x64xf32>, tensor<2x512xi8>, tensor<2x2x16xf16>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
