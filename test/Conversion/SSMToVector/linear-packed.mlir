// RUN: ssmq-opt %s --ssmq-bufferize="vector-width=8 decode=false" | FileCheck %s

// Codes are unpacked in registers: no buffer of the size of the weight in f32.
// CHECK-LABEL: func.func private @ssmq_linear_
// CHECK-NOT: memref.alloc{{.*}}memref<32x64xf32>
// A group's codes are multiplied before its scale is.
// CHECK: vector.load %{{.*}} : memref<32x32xi8>, vector<8xi8>
// CHECK: arith.extsi %{{.*}} : vector<8xi8> to vector<8xi32>
// CHECK: arith.shli %{{.*}} : vector<8xi32>
// CHECK: arith.shrsi %{{.*}} : vector<8xi32>
// CHECK: arith.sitofp %{{.*}} : vector<8xi32> to vector<8xf32>
// CHECK: vector.fma
// CHECK: memref.load %{{.*}} : memref<32x2xf16>
// CHECK: vector.fma
func.func @entry(%x: tensor<?x64xf32>, %q: tensor<32x32xi8>, %s: tensor<32x2xf16>)
    -> tensor<?x32xf32> {
  %0 = ssm.linear %x, %q scales %s {group_size = 32 : i64, packed_bits = 4 : i64}
    : (tensor<?x64xf32>, tensor<32x32xi8>, tensor<32x2xf16>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
