// RUN: %python %S/../Inputs/make_checkpoint.py mamba %t
// RUN: ssmq-translate --import-hf %t -o %t.mlir
// RUN: ssmq-opt %t.mlir | FileCheck %s

// CHECK: func.func @forward(%{{.*}}: tensor<?xi32>
// CHECK-SAME: {ssm.state = "position"}
// CHECK-SAME: %[[CONV:.*]]: tensor<3x16xf32> {ssm.state = "backbone.layers.0.mixer.conv"}
// CHECK-SAME: %[[SCAN:.*]]: tensor<16x3xf32> {ssm.state = "backbone.layers.0.mixer.scan"}
// CHECK: ssm.embedding {{.*}} {path = "backbone.embeddings"}
// CHECK: %[[PROJECTED:.*]] = ssm.linear {{.*}} {path = "backbone.layers.0.mixer.in_proj"}
// CHECK: %[[X:.*]] = tensor.extract_slice %[[PROJECTED]][0, 0]
// CHECK: %[[GATE:.*]] = tensor.extract_slice %[[PROJECTED]][0, 16]
// CHECK: %[[CONVOLVED:.*]], %{{.*}} = ssm.causal_conv1d %[[X]], {{.*}} bias {{.*}} state %[[CONV]]
// CHECK: %[[ACTIVE:.*]] = arith.divf %[[CONVOLVED]]
// CHECK: %[[SELECTED:.*]] = ssm.linear %[[ACTIVE]], {{.*}} {path = "backbone.layers.0.mixer.x_proj"}
// CHECK: %[[STEP:.*]] = tensor.extract_slice %[[SELECTED]][0, 0] [%{{.*}}, 2]
// CHECK: %[[B:.*]] = tensor.extract_slice %[[SELECTED]][0, 2] [%{{.*}}, 3]
// CHECK: %[[C:.*]] = tensor.extract_slice %[[SELECTED]][0, 5] [%{{.*}}, 3]
// CHECK: ssm.linear %[[STEP]], {{.*}} bias {{.*}} {path = "backbone.layers.0.mixer.dt_proj"}
// CHECK: %[[DT:.*]] = arith.addf
// CHECK: %[[A_LOG:.*]] = ml_program.global_load_const @backbone.layers.0.mixer.A_log : tensor<16x3xf16>
// CHECK: arith.extf %[[A_LOG]]
// CHECK: %[[A:.*]] = arith.negf
// CHECK: %[[SCANNED:.*]], %{{.*}} = ssm.selective_scan %[[ACTIVE]] dt %[[DT]] a %[[A]] b %[[B]] c %[[C]] d {{.*}} state %[[SCAN]]
// CHECK: %[[OPEN:.*]] = arith.divf %[[GATE]]
// CHECK: arith.mulf %[[SCANNED]], %[[OPEN]]
// CHECK: path = "backbone.layers.0.mixer.out_proj"
// CHECK: path = "lm_head"
