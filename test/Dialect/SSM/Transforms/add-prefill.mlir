// RUN: ssmq-opt %s --split-input-file --ssmq-add-prefill | FileCheck %s

// The last scan needs every token, and what follows it only the last.
// CHECK-LABEL: func.func @forward(
// CHECK-LABEL: func.func @prefill(
// CHECK-SAME: %[[TOKENS:.*]]: tensor<?xi32>, %[[STATE:.*]]: tensor<2x8xf32> {ssm.state = "conv"}) -> (tensor<1x16xf32>, tensor<2x8xf32>)
// CHECK: %[[N:.*]] = tensor.dim %[[TOKENS]]
// CHECK: %[[LAST:.*]] = arith.subi %[[N]]
// CHECK: %[[X:.*]] = ssm.embedding {{.*}} -> tensor<?x8xf32>
// CHECK: %[[XROW:.*]] = tensor.extract_slice %[[X]][%[[LAST]], 0] [1, 8] [1, 1]
// CHECK: %[[Y:.*]], %[[NEXT:.*]] = ssm.causal_conv1d %[[X]]
// CHECK: %[[YROW:.*]] = tensor.extract_slice %[[Y]][%[[LAST]], 0] [1, 8] [1, 1]
// CHECK: %[[SPLAT:.*]] = tensor.splat %{{.*}} : tensor<1x8xf32>
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<1x8xf32>
// CHECK: %[[BIAS:.*]] = linalg.broadcast ins(%{{.*}} : tensor<8xf32>) outs(%[[EMPTY]] : tensor<1x8xf32>)
// CHECK: %[[SCALED:.*]] = arith.mulf %[[YROW]], %[[SPLAT]] : tensor<1x8xf32>
// CHECK: %[[MOVED:.*]] = arith.addf %[[SCALED]], %{{.*}} : tensor<1x8xf32>
// CHECK: %[[SUM:.*]] = arith.addf %[[XROW]], %[[MOVED]] : tensor<1x8xf32>
// CHECK: %[[NORMED:.*]] = ssm.rms_norm %[[SUM]], {{.*}} -> tensor<1x8xf32>
// CHECK: %[[ROUNDED:.*]] = ssm.fake_quantize %[[NORMED]] as <"i8 sym per_token"> : tensor<1x8xf32>
// CHECK: %[[LOGITS:.*]] = ssm.linear %[[ROUNDED]], {{.*}} -> tensor<1x16xf32>
// CHECK: return %[[LOGITS]], %[[NEXT]]
func.func @forward(%tokens: tensor<?xi32>, %state: tensor<2x8xf32> {ssm.state = "conv"})
    -> (tensor<?x16xf32>, tensor<2x8xf32>) {
  %c0 = arith.constant 0 : index
  %two = arith.constant 2.0 : f32
  %row = arith.constant dense<1.0> : tensor<8xf32>
  %table = arith.constant dense<1.0> : tensor<16x8xf32>
  %conv = arith.constant dense<1.0> : tensor<8x1x3xf32>
  %n = tensor.dim %tokens, %c0 : tensor<?xi32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %y, %next = ssm.causal_conv1d %x, %conv state %state
    : (tensor<?x8xf32>, tensor<8x1x3xf32>, tensor<2x8xf32>) -> (tensor<?x8xf32>, tensor<2x8xf32>)
  %twos = tensor.splat %two[%n] : tensor<?x8xf32>
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %rows = linalg.broadcast ins(%row : tensor<8xf32>) outs(%empty : tensor<?x8xf32>) dimensions = [0]
  %scaled = arith.mulf %y, %twos : tensor<?x8xf32>
  %moved = arith.addf %scaled, %rows : tensor<?x8xf32>
  %sum = arith.addf %x, %moved : tensor<?x8xf32>
  %normed = ssm.rms_norm %sum, %row {eps = 1.0e-5 : f32} : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %rounded = ssm.fake_quantize %normed as <"i8 sym per_token"> : tensor<?x8xf32>
  %logits = ssm.linear %rounded, %table : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<?x16xf32>
  return %logits, %next : tensor<?x16xf32>, tensor<2x8xf32>
}

// -----

// One range over all tokens needs them all, and so does a state.
// CHECK-LABEL: func.func @prefill(
// CHECK: %[[X:.*]] = ssm.embedding {{.*}} -> tensor<?x8xf32>
// CHECK: %[[ALL:.*]] = ssm.fake_quantize %[[X]] as <"i8 sym per_tensor"> : tensor<?x8xf32>
// CHECK: %[[ROW:.*]] = tensor.extract_slice %[[ALL]]
// CHECK: %[[STATIC:.*]] = ssm.fake_quantize %[[ROW]] {{.*}} : tensor<1x8xf32>
// CHECK: return %[[STATIC]], %[[ALL]] : tensor<1x8xf32>, tensor<?x8xf32>
func.func @forward(%tokens: tensor<?xi32>, %state: tensor<?x8xf32>)
    -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %table = arith.constant dense<1.0> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<?xi32>, tensor<16x8xf32>) -> tensor<?x8xf32>
  %all = ssm.fake_quantize %x as <"i8 sym per_tensor"> : tensor<?x8xf32>
  %fixed = ssm.fake_quantize %all as <"i8 sym per_tensor static=99.9"> {ranges = array<f32: -1.0, 1.0>}
    : tensor<?x8xf32>
  return %fixed, %all : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// A program that takes a fixed number of tokens keeps its one entry.
// CHECK-LABEL: func.func @forward(
// CHECK-NOT: @prefill
func.func @forward(%tokens: tensor<4xi32>) -> tensor<4x8xf32> {
  %table = arith.constant dense<1.0> : tensor<16x8xf32>
  %x = ssm.embedding %tokens, %table : (tensor<4xi32>, tensor<16x8xf32>) -> tensor<4x8xf32>
  return %x : tensor<4x8xf32>
}
