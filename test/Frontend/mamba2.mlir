// RUN: %python %S/../Inputs/make_checkpoint.py mamba2 %t 'time_step_limit=[0.125, 0.5]' use_conv_bias=false drop=backbone.layers.0.mixer.conv1d.bias
// RUN: ssmq-translate --import-hf %t | FileCheck %s
// RUN: ssmq-translate --import-hf %t --mlir-print-debuginfo | FileCheck %s --check-prefix=LOC

// CHECK: %[[HIDDEN:.*]] = ssm.embedding {{.*}} {path = "backbone.embeddings"}
// CHECK: ssm.causal_conv1d
// CHECK-NOT: bias
// CHECK-SAME: state
// CHECK: math.log1p
// CHECK: arith.constant 1.250000e-01
// CHECK: arith.maximumf
// CHECK: arith.constant 5.0
// CHECK: %[[DT:.*]] = arith.minimumf
// CHECK: ssm.ssd_scan {{.*}} dt %[[DT]]
// CHECK: %[[MIXED:.*]] = ssm.linear {{.*}} {path = "backbone.layers.0.mixer.out_proj"}
// CHECK: %[[SUM:.*]] = arith.addf %[[HIDDEN]], %[[MIXED]]
// CHECK: ssm.rms_norm %[[SUM]]
// CHECK: ml_program.global_load_const @lm_head.weight

// LOC: arith.addf {{.*}} : tensor<?x8xf32> loc(#[[LAYER:.*]])
// LOC: #[[LAYER]] = loc("backbone.layers.0")
