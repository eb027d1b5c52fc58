// RUN: ssmq-opt %s --ssmq-bufferize="vector-width=8" --split-input-file | FileCheck %s

// Codes are updated in place: widened as they are loaded, rounded as they are stored, no state in
// f32. One token has a kernel of its own, without a loop over tokens.
// CHECK-LABEL: func.func @forward
// CHECK-SAME: memref<2x8x16xi8> {ssm.state = "scan"}, %{{.*}}: memref<16x1xf16> {ssm.state = "scan:scales"}
// CHECK-NOT: memref.copy {{.*}}xi8
// CHECK-LABEL: func.func @decode
// CHECK-NOT: memref.copy {{.*}}xi8
// CHECK: func.func private @ssmq_ssd_scan{{.*}}memref<?x16xf32>
// CHECK: func.func private @ssmq_ssd_scan{{.*}}memref<1x16xf32>
// CHECK-NOT: memref.alloc
// CHECK: vector.load %{{.*}} : memref<2x8x16xi8>, vector<8xi8>
// CHECK: arith.sitofp
// CHECK: math.absf
// CHECK: vector.store %{{.*}} : memref<16x1xf16>, vector<1xf16>
// CHECK: arith.trunci %{{.*}} : vector<8xi32> to vector<8xi8>
// CHECK: vector.store %{{.*}} : memref<2x8x16xi8>, vector<8xi8>
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @forward(%tokens: tensor<?xi32>, %x_table: tensor<9x16xf32>, %dt_table: tensor<9x2xf32>,
                   %a: tensor<2xf32>, %h: tensor<2x8x16xf32> {ssm.state = "scan"})
    -> (tensor<?x16xf32>, tensor<2x8x16xf32>) {
  %x = ssm.embedding %tokens, %x_table : (tensor<?xi32>, tensor<9x16xf32>) -> tensor<?x16xf32>
  %dt = ssm.embedding %tokens, %dt_table : (tensor<?xi32>, tensor<9x2xf32>) -> tensor<?x2xf32>
  %y, %next = ssm.ssd_scan %x dt %dt a %a b %x c %x state %h
      {state_format = #ssm.format<"i8 sym per_channel">}
    : (tensor<?x16xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<2x8x16xf32>) -> (tensor<?x16xf32>, tensor<2x8x16xf32>)
  return %y, %next : tensor<?x16xf32>, tensor<2x8x16xf32>
}

// -----

// Prompts from 48 tokens on take matrix products: tiles of 4 tokens x 2 vectors.
// CHECK-LABEL: func.func @chunks
// CHECK: func.func private @ssmq_ssd_scan
// CHECK: %[[LONG:.*]] = arith.cmpi sge, %{{.*}}, %c48
// CHECK: scf.if %[[LONG]]
// CHECK: iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
// CHECK-COUNT-8: vector.fma
// CHECK: } else {
func.func @chunks(%x: tensor<?x128xf32>, %dt: tensor<?x2xf32>, %a: tensor<2xf32>,
                  %b: tensor<?x16xf32>, %h: tensor<2x64x16xf32>)
    -> (tensor<?x128xf32>, tensor<2x64x16xf32>) {
  %0, %1 = ssm.ssd_scan %x dt %dt a %a b %b c %b state %h
    : (tensor<?x128xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<2x64x16xf32>) -> (tensor<?x128xf32>, tensor<2x64x16xf32>)
  return %0, %1 : tensor<?x128xf32>, tensor<2x64x16xf32>
}

// -----

// Lanes are channels for many tokens: no sums over lanes.
// CHECK-LABEL: func.func @channels
// CHECK: func.func private @ssmq_selective_scan
// CHECK: scf.if
// CHECK: scf.for %{{.*}} iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
// CHECK-NOT: vector.shuffle
// CHECK: scf.yield
// CHECK: } else {
func.func @channels(%x: tensor<?x32xf32>, %a: tensor<32x4xf32>, %b: tensor<?x4xf32>,
                    %h: tensor<32x4xf32>) -> (tensor<?x32xf32>, tensor<32x4xf32>) {
  %0, %1 = ssm.selective_scan %x dt %x a %a b %b c %b state %h
    : (tensor<?x32xf32>, tensor<?x32xf32>, tensor<32x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>,
       tensor<32x4xf32>) -> (tensor<?x32xf32>, tensor<32x4xf32>)
  return %0, %1 : tensor<?x32xf32>, tensor<32x4xf32>
}

// -----

// Lanes are integers from the codes to the sum over the states; nibbles are loaded as they lie, and
// the state's bytes are updated in place.
// CHECK-LABEL: func.func @integers
// CHECK-SAME: memref<2x16xi8> {ssm.state = "scan"}
// CHECK-NOT: memref.copy
// CHECK: func.func private @ssmq_integer_diagonal_scan
// CHECK-NOT: vector<{{[0-9]+}}x{{f32|f64|i64}}>
// CHECK: vector.load %{{.*}} : memref<2x16xi8>, vector<8xi8>
// CHECK: vector.load %{{.*}} : memref<2x8xi8>, vector<4xi8>
// CHECK: scf.for %{{.*}} iter_args(%{{.*}}, %{{.*}}) -> (vector<8xi32>, vector<8xi32>)
// CHECK-NEXT: memref.load %{{.*}} : memref<?x4xi8>
// CHECK-COUNT-2: arith.minsi %{{.*}} : vector<8xi32>
// CHECK: vector.reduction <add>, %{{.*}} : vector<8xi32> into i32
// CHECK-NEXT: arith.sitofp %{{.*}} : i32 to f32
// CHECK: scf.yield
// CHECK: arith.trunci %{{.*}} : vector<8xi32> to vector<8xi8>
// CHECK: vector.store %{{.*}} : memref<2x16xi8>, vector<8xi8>
// CHECK: return
func.func @integers(%x: tensor<?x4xi8>, %m: tensor<?x1xf32>, %a: tensor<2x16xi8>, %b: tensor<2x8xi8>,
                    %n: tensor<2x10xi32>, %f: tensor<2xf32>, %s: tensor<2x16xi8> {ssm.state = "scan"})
    -> (tensor<?x2xf32>, tensor<2x16xi8>) {
  %y, %next = ssm.integer_diagonal_scan %x, %m a %a b %b c %b constants %n, %f d %f state %s
      {a_bits = 8 : i64, b_bits = 4 : i64, c_bits = 4 : i64}
    : (tensor<?x4xi8>, tensor<?x1xf32>, tensor<2x16xi8>, tensor<2x8xi8>, tensor<2x8xi8>,
       tensor<2x10xi32>, tensor<2xf32>, tensor<2xf32>, tensor<2x16xi8>)
    -> (tensor<?x2xf32>, tensor<2x16xi8>)
  return %y, %next : tensor<?x2xf32>, tensor<2x16xi8>
}
