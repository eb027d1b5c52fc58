// Elementwise ops behind a root that read each other: each is computed once, where the root's number is
// stored, also where two of them meet in a third.
// RUN: ssmq-opt %s --ssmq-bufferize-launches | FileCheck %s
// CHECK: gpu.func @ssmq_launch_rms_norm_0
// CHECK: %[[EXP:.*]] = math.exp
// CHECK-NEXT: %[[TANH:.*]] = math.tanh %[[EXP]]
// CHECK-NOT: math.
// CHECK: llvm.store %[[TANH]]
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[EXP]], %[[TANH]]
// CHECK-NOT: math.
// CHECK: llvm.store %[[SUM]]
// CHECK-NOT: llvm.store
// CHECK: gpu.return
#id = affine_map<(i, j) -> (i, j)>
func.func @forward(%x: tensor<1x128xf32>, %n: tensor<128xf16>) -> (tensor<1x128xf32>, tensor<1x128xf32>) {
  %r:2 = ssm.launch(%x, %n) {
  ^bb0(%a: tensor<1x128xf32>, %w: tensor<128xf16>):
    %y = ssm.rms_norm %a, %w {eps = 1.0e-5 : f32} : (tensor<1x128xf32>, tensor<128xf16>) -> tensor<1x128xf32>
    %e = tensor.empty() : tensor<1x128xf32>
    %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<1x128xf32>) outs(%e : tensor<1x128xf32>) {
    ^bb0(%v: f32, %o: f32):
      %t = math.exp %v : f32
      linalg.yield %t : f32
    } -> tensor<1x128xf32>
    %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%0 : tensor<1x128xf32>) outs(%e : tensor<1x128xf32>) {
    ^bb0(%v: f32, %o: f32):
      %t = math.tanh %v : f32
      linalg.yield %t : f32
    } -> tensor<1x128xf32>
    %2 = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %1 : tensor<1x128xf32>, tensor<1x128xf32>) outs(%e : tensor<1x128xf32>) {
    ^bb0(%v: f32, %u: f32, %o: f32):
      %t = arith.addf %v, %u : f32
      linalg.yield %t : f32
    } -> tensor<1x128xf32>
    ssm.yield %1, %2 : tensor<1x128xf32>, tensor<1x128xf32>
  } : (tensor<1x128xf32>, tensor<128xf16>) -> (tensor<1x128xf32>, tensor<1x128xf32>)
  return %r#0, %r#1 : tensor<1x128xf32>, tensor<1x128xf32>
}
