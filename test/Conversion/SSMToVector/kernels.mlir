// RUN: ssmq-opt %s --ssmq-bufferize="vector-width=8 decode=false" --split-input-file | FileCheck %s

// Ops of one shape share a kernel, whatever their paths; slices are read in place.
// CHECK-LABEL: func.func @shared
// CHECK: call @[[KERNEL:ssmq_linear_[0-9]+]](%{{.*}}) : (memref<?x8xf32, strided<[16, 1]>>
// CHECK: call @[[KERNEL]]
// CHECK: func.func private @[[KERNEL]]
// CHECK-NOT: func.func private @ssmq_linear
// CHECK: // -----
func.func @shared(%x: tensor<?x16xf32>, %w: tensor<8x8xf16>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x16xf32>
  %a = tensor.extract_slice %x[0, 0] [%n, 8] [1, 1] : tensor<?x16xf32> to tensor<?x8xf32>
  %0 = ssm.linear %a, %w {path = "a"} : (tensor<?x8xf32>, tensor<8x8xf16>) -> tensor<?x8xf32>
  %1 = ssm.linear %a, %w {path = "b"} : (tensor<?x8xf32>, tensor<8x8xf16>) -> tensor<?x8xf32>
  %2 = arith.addf %0, %1 : tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}

// -----

// The state's rows stay in vectors over the tokens.
// CHECK-LABEL: func.func private @ssmq_ssd_scan
// CHECK: omp.loop_nest
// CHECK: scf.for %{{.*}} iter_args(%{{.*}}) -> (vector<8xf32>
// CHECK: vector.fma
// CHECK: vector.shuffle
func.func @scan(%x: tensor<?x32xf32>, %dt: tensor<?x4xf32>, %a: tensor<4xf32>,
                %b: tensor<?x8xf32>, %h: tensor<4x8x8xf32>)
    -> (tensor<?x32xf32>, tensor<4x8x8xf32>) {
  %0, %1 = ssm.ssd_scan %x dt %dt a %a b %b c %b state %h
    : (tensor<?x32xf32>, tensor<?x4xf32>, tensor<4xf32>, tensor<?x8xf32>, tensor<?x8xf32>,
       tensor<4x8x8xf32>) -> (tensor<?x32xf32>, tensor<4x8x8xf32>)
  return %0, %1 : tensor<?x32xf32>, tensor<4x8x8xf32>
}

// -----

// A state that is read after its update is copied first.
// CHECK-LABEL: func.func @old_state
// CHECK: memref.copy
// CHECK: call @ssmq_causal_conv1d
func.func @old_state(%x: tensor<?x8xf32>, %w: tensor<8x1x3xf32>, %s: tensor<2x8xf32>)
    -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  %y, %next = ssm.causal_conv1d %x, %w state %s
    : (tensor<?x8xf32>, tensor<8x1x3xf32>, tensor<2x8xf32>) -> (tensor<?x8xf32>, tensor<2x8xf32>)
  %sum = arith.addf %s, %next : tensor<2x8xf32>
  return %sum, %next : tensor<2x8xf32>, tensor<2x8xf32>
}
