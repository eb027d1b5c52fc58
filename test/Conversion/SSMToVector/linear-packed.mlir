// RUN: ssmq-opt %s --ssmq-bufferize="vector-width=8 decode=false" | FileCheck %s

// Codes are unpacked in registers: no buffer of the size of the weight in f32. A lane takes a byte:
// one shift for the upper code, two for the lower.
// CHECK-LABEL: func.func private @ssmq_linear_
// CHECK-NOT: memref.alloc{{.*}}memref<32x6xf32>
// CHECK: vector.load %{{.*}} : memref<32x3xi8>, vector<2xi8>
// CHECK: arith.extsi
// CHECK: arith.shli
// CHECK: arith.shrsi
// CHECK: arith.shrsi
// CHECK: vector.fma
func.func @bytes(%x: tensor<?x6xf32>, %q: tensor<32x3xi8>, %s: tensor<32x2xf16>)
    -> tensor<?x32xf32> {
  %0 = ssm.linear %x, %q scales %s {group_size = 4 : i64, packed_bits = 4 : i64}
    : (tensor<?x6xf32>, tensor<32x3xi8>, tensor<32x2xf16>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
