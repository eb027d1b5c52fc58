// RUN: ssmq-opt %s --ssmq-bufferize="vector-width=8 decode=false" | FileCheck %s

// Codes are unpacked in registers: no buffer of the size of the weight in f32. Rows of whole words
// take eight codes a lane, and vectors here hold two groups.
// CHECK-LABEL: func.func private @ssmq_linear_
// CHECK-NOT: memref.alloc{{.*}}memref<32x64xf32>
// CHECK: %[[BYTES:.*]] = vector.load %{{.*}} : memref<32x32xi8>, vector<32xi8>
// CHECK: %[[WORDS:.*]] = vector.bitcast %[[BYTES]] : vector<32xi8> to vector<8xi32>
// CHECK: arith.shli %[[WORDS]]
// CHECK: arith.bitcast %{{.*}} : vector<8xi32> to vector<8xf32>
// CHECK: vector.load %{{.*}} : memref<32x2xf16>, vector<2xf16>
// CHECK: vector.shuffle %{{.*}} [0, 0, 0, 0, 1, 1, 1, 1]
// CHECK-COUNT-9: vector.fma

// Other rows take a byte a lane: one shift for the upper code, two for the lower.
// CHECK: vector.load %{{.*}} : memref<32x3xi8>, vector<2xi8>
// CHECK: arith.extsi
// CHECK: arith.shli
// CHECK: arith.shrsi
// CHECK: arith.shrsi
// CHECK: vector.fma
func.func @words(%x: tensor<?x64xf32>, %q: tensor<32x32xi8>, %s: tensor<32x2xf16>)
    -> tensor<?x32xf32> {
  %0 = ssm.linear %x, %q scales %s {group_size = 32 : i64, packed_bits = 4 : i64}
    : (tensor<?x64xf32>, tensor<32x32xi8>, tensor<32x2xf16>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

func.func @bytes(%x: tensor<?x6xf32>, %q: tensor<32x3xi8>, %s: tensor<32x2xf16>)
    -> tensor<?x32xf32> {
  %0 = ssm.linear %x, %q scales %s {group_size = 4 : i64, packed_bits = 4 : i64}
    : (tensor<?x6xf32>, tensor<32x3xi8>, tensor<32x2xf16>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}
