// RUN: ssmq-opt %s --ssmq-vectorize-elementwise --split-input-file | FileCheck %s

#rows = affine_map<(t, c) -> (t, c)>
#bias = affine_map<(t, c) -> (c)>
#scalar = affine_map<(t, c) -> (t, 0)>
module attributes {ssm.kernel_target = {vector_width = 8 : i64, threads = 0 : i64}} {
  // Equal chains share a kernel, constants from outside included; a tail is a shorter vector.
  // CHECK-LABEL: func.func @chain
  // CHECK: call @[[KERNEL:ssmq_elementwise_0]](%arg0, %arg1, %arg2, %arg3)
  // CHECK: call @[[KERNEL]](%arg3, %arg1, %arg2, %arg0)
  // CHECK-NOT: linalg.generic
  func.func @chain(%x: memref<?x11xf32>, %b: memref<11xf16>, %s: memref<?x1xf32>,
                   %y: memref<?x11xf32>) {
    %two = arith.constant 2.0 : f32
    linalg.generic {indexing_maps = [#rows, #bias, #scalar, #rows],
                    iterator_types = ["parallel", "parallel"]}
      ins(%x, %b, %s : memref<?x11xf32>, memref<11xf16>, memref<?x1xf32>) outs(%y : memref<?x11xf32>) {
    ^bb0(%a: f32, %c: f16, %d: f32, %out: f32):
      %0 = arith.extf %c : f16 to f32
      %1 = arith.addf %a, %0 : f32
      %2 = arith.mulf %1, %d : f32
      %3 = arith.mulf %2, %two : f32
      linalg.yield %3 : f32
    }
    linalg.generic {indexing_maps = [#rows, #bias, #scalar, #rows],
                    iterator_types = ["parallel", "parallel"]}
      ins(%y, %b, %s : memref<?x11xf32>, memref<11xf16>, memref<?x1xf32>) outs(%x : memref<?x11xf32>) {
    ^bb0(%a: f32, %c: f16, %d: f32, %out: f32):
      %0 = arith.extf %c : f16 to f32
      %1 = arith.addf %a, %0 : f32
      %2 = arith.mulf %1, %d : f32
      %3 = arith.mulf %2, %two : f32
      linalg.yield %3 : f32
    }
    return
  }

  // Sums, and transposed reads, stay for the loops.
  // CHECK-LABEL: func.func @others
  // CHECK-COUNT-2: linalg.generic
  func.func @others(%x: memref<8x8xf32>, %sum: memref<8xf32>, %y: memref<8x8xf32>) {
    linalg.generic {indexing_maps = [#rows, affine_map<(t, c) -> (t)>],
                    iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<8x8xf32>) outs(%sum : memref<8xf32>) {
    ^bb0(%a: f32, %out: f32):
      %0 = arith.addf %a, %out : f32
      linalg.yield %0 : f32
    }
    linalg.generic {indexing_maps = [affine_map<(t, c) -> (c, t)>, #rows],
                    iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<8x8xf32>) outs(%y : memref<8x8xf32>) {
    ^bb0(%a: f32, %out: f32):
      %0 = arith.negf %a : f32
      linalg.yield %0 : f32
    }
    return
  }
  // CHECK: func.func private @[[KERNEL]]
  // CHECK: vector.load %{{.*}} : memref<11xf16>, vector<8xf16>
  // CHECK: arith.constant 2.0
  // CHECK: arith.mulf %{{.*}} : vector<8xf32>
  // CHECK: vector.load %{{.*}} : memref<11xf16>, vector<3xf16>
  // CHECK-NOT: func.func private
}
