// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t
// RUN: ssmq-translate --import-hf %t -o %t.mlir
// RUN: ssmq-opt %t.mlir | FileCheck %s
// RUN: ssmq-opt %t.mlir --ssmq-list-sites=output=%t.json -o /dev/null && FileCheck %s --check-prefix=SITES < %t.json

// Zero-order hold: exp(dt A) in both parts, which the innermost index chooses.
// CHECK: func.func @forward(%[[INPUTS:[a-z0-9]*]]: tensor<?x2xf32>
// CHECK-SAME: {ssm.state = "position"}
// CHECK-SAME: %[[STATE:[a-z0-9]*]]: tensor<3x10xf32> {ssm.state = "layers.0.ssm.state"}
// CHECK-SAME: %[[SUM:[a-z0-9]*]]: tensor<3xf32> {ssm.state = "pool.sum"}
// CHECK-SAME: -> (tensor<1x4xf32>
// CHECK: %[[X:.*]] = ssm.linear %[[INPUTS]], {{.*}} {path = "encoder"}
// CHECK: linalg.generic
// CHECK: math.exp
// CHECK: math.cos
// CHECK: math.sin
// CHECK: linalg.index 2
// CHECK: %[[A:.*]] = tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2]] : tensor<3x5x2xf32> into tensor<3x10xf32>
// CHECK: %[[Y:.*]], %{{.*}} = ssm.diagonal_scan %[[X]] a %[[A]] {{.*}} state %[[STATE]] {path = "layers.0.ssm"}
// CHECK: arith.maximumf
// CHECK: arith.minimumf
// CHECK: %[[MIXED:.*]] = ssm.linear {{.*}} {path = "layers.0.mixing"}
// CHECK: tensor.extract_slice %[[MIXED]][0, 0]
// CHECK: %[[GATE:.*]] = tensor.extract_slice %[[MIXED]][0, 3]
// CHECK: arith.negf %[[GATE]] {ssm.sites = ["layers.0.mixing:gate"]}
// CHECK: arith.addf %[[X]]
// CHECK: ssm.layer_norm {{.*}} {eps = 9.99999974E-6 : f32, path = "layers.0.norm"}
// CHECK: linalg.reduce
// CHECK-SAME: outs(%[[SUM]]
// CHECK: ssm.linear {{.*}} {path = "classifier"}

// SITES-DAG: "layers.1.ssm:a"
// SITES-DAG: "layers.1.ssm:state"
// SITES-DAG: "encoder:input"

// Other choices of the configuration.
// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t 'discretization="bilinear"' 'activation="gelu"' 'pooling="last"' residual=false 'norm="none"'
// RUN: ssmq-translate --import-hf %t | FileCheck %s --check-prefix=OTHER
// OTHER: ssm.diagonal_scan
// OTHER-NOT: ssm.layer_norm
// OTHER: math.erf
// OTHER-NOT: linalg.reduce
// OTHER: %[[LAST:.*]] = tensor.extract_slice %{{.*}}[%{{.*}}, 0] [1, 3]
// OTHER: ssm.linear %[[LAST]], {{.*}} {path = "classifier"}

// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t d_state=7
// RUN: not ssmq-translate --import-hf %t 2>&1 | FileCheck %s --check-prefix=ODD
// ODD: key 'd_state' is 7; it must be even, as states come with their conjugates
// RUN: %python %S/../Inputs/make_checkpoint.py s4d %t 'activation="silu"'
// RUN: not ssmq-translate --import-hf %t 2>&1 | FileCheck %s --check-prefix=SILU
// SILU: key 'activation' is 'silu'; supported are qgelu, gelu
