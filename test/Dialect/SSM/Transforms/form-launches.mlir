// Norms are computed where they are read, elementwise ops where numbers are read or stored, linear
// layers of one input together.
// RUN: ssmq-opt %s --split-input-file --ssmq-form-launches | FileCheck %s
// RUN: ssmq-opt %s --split-input-file --ssmq-form-launches=fuse=false | FileCheck %s --check-prefix=APART

// CHECK-LABEL: func.func @attention_inputs
// CHECK: %[[R:.*]]:2 = ssm.launch(
// CHECK: %[[NORM:.*]] = ssm.rms_norm
// CHECK: %[[Q:.*]] = ssm.linear %[[NORM]]
// CHECK: %[[K:.*]] = ssm.linear %[[NORM]]
// CHECK: ssm.yield %[[Q]], %[[K]]
// CHECK-NOT: ssm.launch
// CHECK: return %[[R]]#0, %[[R]]#1

// APART-LABEL: func.func @attention_inputs
// APART-COUNT-3: ssm.launch
// APART-NOT: ssm.launch
// APART: return
func.func @attention_inputs(%x: tensor<1x64xf32>, %n: tensor<64xf16>, %q: tensor<32x64xf16>, %k: tensor<16x64xf16>) -> (tensor<1x32xf32>, tensor<1x16xf32>) {
  %norm = ssm.rms_norm %x, %n {eps = 1.0e-5 : f32} : (tensor<1x64xf32>, tensor<64xf16>) -> tensor<1x64xf32>
  %0 = ssm.linear %norm, %q : (tensor<1x64xf32>, tensor<32x64xf16>) -> tensor<1x32xf32>
  %1 = ssm.linear %norm, %k : (tensor<1x64xf32>, tensor<16x64xf16>) -> tensor<1x16xf32>
  return %0, %1 : tensor<1x32xf32>, tensor<1x16xf32>
}

// -----

// Many tokens: a norm has a launch of its own, as no work-group could keep its rows. That a sum's size is
// asked of the linear layer keeps it from no launch.
// CHECK-LABEL: func.func @tokens
// CHECK: ssm.launch
// CHECK: ssm.rms_norm
// CHECK: ssm.launch
// CHECK: ssm.linear
// CHECK-NOT: ssm.launch
// CHECK: linalg.generic
// CHECK-NOT: ssm.launch
// CHECK: return
#id = affine_map<(i, j) -> (i, j)>
func.func @tokens(%x: tensor<?x64xf32>, %n: tensor<64xf16>, %w: tensor<32x64xf16>, %r: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %norm = ssm.rms_norm %x, %n {eps = 1.0e-5 : f32} : (tensor<?x64xf32>, tensor<64xf16>) -> tensor<?x64xf32>
  %0 = ssm.linear %norm, %w : (tensor<?x64xf32>, tensor<32x64xf16>) -> tensor<?x32xf32>
  %d = tensor.dim %0, %c0 : tensor<?x32xf32>
  %e = tensor.empty(%d) : tensor<?x32xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]} ins(%0, %r : tensor<?x32xf32>, tensor<?x32xf32>) outs(%e : tensor<?x32xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<?x32xf32>
  return %s : tensor<?x32xf32>
}

// -----

// A state stays one: the launch takes it and gives its next value, with the gate applied.
// CHECK-LABEL: func.func @state
// CHECK: %[[R:.*]]:2 = ssm.launch(
// CHECK: ssm.causal_conv1d
// CHECK: linalg.generic
// CHECK: ssm.yield
// CHECK: return %[[R]]#1, %[[R]]#0
func.func @state(%x: tensor<1x8xf32>, %w: tensor<8x1x4xf16>, %s: tensor<3x8xf32>) -> (tensor<1x8xf32>, tensor<3x8xf32>) {
  %y, %next = ssm.causal_conv1d %x, %w state %s : (tensor<1x8xf32>, tensor<8x1x4xf16>, tensor<3x8xf32>) -> (tensor<1x8xf32>, tensor<3x8xf32>)
  %e = tensor.empty() : tensor<1x8xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<1x8xf32>) outs(%e : tensor<1x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.tanh %a : f32
    linalg.yield %t : f32
  } -> tensor<1x8xf32>
  return %g, %next : tensor<1x8xf32>, tensor<3x8xf32>
}

// -----

// A scan by dpas takes its queries from memory, so that they are computed before; its steps are
// computed where they are read.
// CHECK-LABEL: func.func @scan
// CHECK: ssm.launch
// CHECK: math.tanh
// CHECK: ssm.launch
// CHECK: math.exp
// CHECK: ssm.ssd_scan
#same = affine_map<(i, j) -> (i, j)>
func.func @scan(%x: tensor<?x32xf32>, %dt: tensor<?x2xf32>, %a: tensor<2xf32>, %b: tensor<?x16xf32>, %s: tensor<2x16x16xf32>) -> (tensor<?x32xf32>, tensor<2x16x16xf32>) {
  %c0 = arith.constant 0 : index
  %d = tensor.dim %x, %c0 : tensor<?x32xf32>
  %e = tensor.empty(%d) : tensor<?x16xf32>
  %c = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]} ins(%b : tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = math.tanh %v : f32
    linalg.yield %t : f32
  } -> tensor<?x16xf32>
  %f = tensor.empty(%d) : tensor<?x2xf32>
  %steps = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]} ins(%dt : tensor<?x2xf32>) outs(%f : tensor<?x2xf32>) {
  ^bb0(%v: f32, %o: f32):
    %t = math.exp %v : f32
    linalg.yield %t : f32
  } -> tensor<?x2xf32>
  %y, %next = ssm.ssd_scan %x dt %steps a %a b %b c %c state %s
    : (tensor<?x32xf32>, tensor<?x2xf32>, tensor<2xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<2x16x16xf32>) -> (tensor<?x32xf32>, tensor<2x16x16xf32>)
  return %y, %next : tensor<?x32xf32>, tensor<2x16x16xf32>
}
