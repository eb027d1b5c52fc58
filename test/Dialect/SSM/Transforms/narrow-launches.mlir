// Activations of several tokens are rounded where a launch makes them and widened where others read
// them; what layers add to, states, scales of codes and outputs stay as they are.
// DEFINE: %{options} =
// DEFINE: %{narrow} = ssmq-opt %s --split-input-file --pass-pipeline="builtin.module(func.func(ssmq-form-launches,ssmq-narrow-launches{%{options}}))"
// RUN: %{narrow} | FileCheck %s
// REDEFINE: %{options} = type=bf16 residual=true
// RUN: %{narrow} | FileCheck %s --check-prefix=ALL
// REDEFINE: %{options} = type=off
// RUN: %{narrow} | FileCheck %s --check-prefix=OFF
// REDEFINE: %{options} = type=f8
// RUN: not ssmq-opt %s --split-input-file --pass-pipeline="builtin.module(func.func(ssmq-narrow-launches{%{options}}))" -o /dev/null 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: not ssmq-opt %s --split-input-file --ssmq-xe-launches=narrow=f8 -o /dev/null 2>&1 | FileCheck %s --check-prefix=BAD

// OFF-NOT: arith.truncf
// OFF-NOT: arith.extf
// BAD: error: type must be f16, bf16 or off, but is f8

// The embedding is added to what the layer makes of it, and the sum goes on: f32.
// CHECK-LABEL: func.func @layer
// CHECK: %[[X:.*]] = ssm.launch(
// CHECK: ssm.embedding
// CHECK-NEXT: ssm.yield %{{.*}} : tensor<?x64xf32>
// CHECK: %[[NORM:.*]] = ssm.launch(%[[X]]
// CHECK: %[[N:.*]] = ssm.rms_norm
// CHECK-NEXT: %[[HALF:.*]] = arith.truncf %[[N]] : tensor<?x64xf32> to tensor<?x64xf16>
// CHECK-NEXT: ssm.yield %[[HALF]] : tensor<?x64xf16>
// CHECK: %[[SUM:.*]] = ssm.launch(%[[NORM]]
// CHECK-NEXT: ^bb0(%[[IN:.*]]: tensor<?x64xf16>, %{{.*}}: tensor<64x64xf16>, %{{.*}}: tensor<?x64xf32>)
// CHECK: %[[WIDE:.*]] = arith.extf %[[IN]] : tensor<?x64xf16> to tensor<?x64xf32>
// CHECK: ssm.linear %[[WIDE]]
// CHECK-NOT: arith.truncf
// CHECK: ssm.yield %{{.*}} : tensor<?x64xf32>
// CHECK: ssm.launch(%[[SUM]]
// CHECK: return %{{.*}} : tensor<?x64xf32>

// ALL-LABEL: func.func @layer
// ALL: ssm.embedding
// ALL-NEXT: arith.truncf {{.*}} to tensor<?x64xbf16>
// ALL: ssm.rms_norm
// ALL-NEXT: arith.truncf {{.*}} to tensor<?x64xbf16>
// ALL: arith.addf
// ALL: arith.truncf {{.*}} to tensor<?x64xbf16>
// ALL: ssm.rms_norm
// ALL-NEXT: ssm.yield {{.*}} : tensor<?x64xf32>
#id = affine_map<(i, j) -> (i, j)>
func.func @layer(%t: tensor<?xi32>, %e: tensor<11x64xf16>, %n: tensor<64xf16>, %w: tensor<64x64xf16>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %t, %c0 : tensor<?xi32>
  %x = ssm.embedding %t, %e : (tensor<?xi32>, tensor<11x64xf16>) -> tensor<?x64xf32>
  %norm = ssm.rms_norm %x, %n {eps = 1.0e-5 : f32} : (tensor<?x64xf32>, tensor<64xf16>) -> tensor<?x64xf32>
  %y = ssm.linear %norm, %w : (tensor<?x64xf32>, tensor<64x64xf16>) -> tensor<?x64xf32>
  %empty = tensor.empty(%d) : tensor<?x64xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %y : tensor<?x64xf32>, tensor<?x64xf32>) outs(%empty : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %part = arith.constant 0.5 : f32
    %scaled = arith.mulf %b, %part : f32
    %s = arith.addf %a, %scaled : f32
    linalg.yield %s : f32
  } -> tensor<?x64xf32>
  %out = ssm.rms_norm %sum, %n {eps = 1.0e-5 : f32} : (tensor<?x64xf32>, tensor<64xf16>) -> tensor<?x64xf32>
  return %out : tensor<?x64xf32>
}

// -----

// Slices are of the buffer, as is the last row. A bias is no sum of activations; states, codes and their
// scales are no activations.
// CHECK-LABEL: func.func @slices
// CHECK: %[[BOTH:.*]] = ssm.launch(
// CHECK: -> tensor<?x48xf16>
// CHECK: %[[LEFT:.*]] = tensor.extract_slice %[[BOTH]][0, 0] {{.*}} : tensor<?x48xf16> to tensor<?x16xf16>
// CHECK: %[[CONV:.*]]:2 = ssm.launch(%[[LEFT]]
// CHECK: arith.extf
// CHECK: ssm.causal_conv1d
// CHECK: ssm.yield %{{.*}}, %{{.*}} : tensor<?x16xf16>, tensor<3x16xf32>
// CHECK: %[[RIGHT:.*]] = tensor.extract_slice %[[BOTH]][0, 16] {{.*}} to tensor<?x32xf16>
// CHECK: arith.extf
// CHECK: arith.addf
// CHECK: ssm.quantize
// CHECK-NEXT: ssm.yield {{.*}} : tensor<?x32xi8>, tensor<?x1xf32>, tensor<?x1xi32>
// CHECK: tensor.extract_slice %[[CONV]]#0[%{{.*}}, 0] {{.*}} : tensor<?x16xf16> to tensor<1x16xf16>
// CHECK: arith.extf {{.*}} : tensor<1x16xf16> to tensor<1x16xf32>
func.func @slices(%x: tensor<?x8xf32>, %w: tensor<48x8xf16>, %c: tensor<16x1x4xf16>, %s: tensor<3x16xf32>, %bias: tensor<32xf32>,
                  %n: tensor<16xf16>, %codes: tensor<2x512xi8>, %scales: tensor<2x1x16xf16>)
    -> (tensor<1x16xf32>, tensor<?x32xf32>, tensor<3x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %d = tensor.dim %x, %c0 : tensor<?x8xf32>
  %both = ssm.linear %x, %w : (tensor<?x8xf32>, tensor<48x8xf16>) -> tensor<?x48xf32>
  %left = tensor.extract_slice %both[0, 0] [%d, 16] [1, 1] : tensor<?x48xf32> to tensor<?x16xf32>
  %y, %next = ssm.causal_conv1d %left, %c state %s : (tensor<?x16xf32>, tensor<16x1x4xf16>, tensor<3x16xf32>) -> (tensor<?x16xf32>, tensor<3x16xf32>)
  %right = tensor.extract_slice %both[0, 16] [%d, 32] [1, 1] : tensor<?x48xf32> to tensor<?x32xf32>
  %empty = tensor.empty(%d) : tensor<?x32xf32>
  %moved = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%right, %bias : tensor<?x32xf32>, tensor<32xf32>) outs(%empty : tensor<?x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<?x32xf32>
  %q, %qs, %qsum = ssm.quantize %moved as <"i8 sym per_token"> {block = 4 : i64, group_size = 32 : i64} : tensor<?x32xf32> -> tensor<?x32xi8>, tensor<?x1xf32>, tensor<?x1xi32>
  %z = ssm.integer_linear %q, %qs, %qsum, %codes scales %scales {columns = 32 : i64, group_size = 32 : i64, packed_bits = 8 : i64, scale_columns = 32 : i64}
    : (tensor<?x32xi8>, tensor<?x1xf32>, tensor<?x1xi32>, tensor<2x512xi8>, tensor<2x1x16xf16>) -> tensor<?x32xf32>
  %at = arith.subi %d, %c1 : index
  %row = tensor.extract_slice %y[%at, 0] [1, 16] [1, 1] : tensor<?x16xf32> to tensor<1x16xf32>
  %out = ssm.rms_norm %row, %n {eps = 1.0e-5 : f32} : (tensor<1x16xf32>, tensor<16xf16>) -> tensor<1x16xf32>
  return %out, %z, %next : tensor<1x16xf32>, tensor<?x32xf32>, tensor<3x16xf32>
}
