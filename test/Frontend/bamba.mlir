// RUN: %python %S/../Inputs/make_checkpoint.py bamba %t
// RUN: ssmq-translate --import-hf %t | FileCheck %s
// Tables that differ are not tied, whatever the configuration says.
// RUN: %python %S/../Inputs/make_checkpoint.py bamba %t tie_word_embeddings=true
// RUN: ssmq-translate --import-hf %t | FileCheck %s

// CHECK: ssm.embedding {{.*}} {path = "model.embed_tokens"}
// CHECK: path = "model.layers.0.mamba.scan"
// CHECK: %[[GATE:.*]] = ssm.linear %[[NORMED:.*]], {{.*}} {path = "model.layers.0.feed_forward.gate_proj"}
// CHECK: %[[UP:.*]] = ssm.linear %[[NORMED]], {{.*}} {path = "model.layers.0.feed_forward.up_proj"}
// CHECK: %[[OPEN:.*]] = arith.divf %[[GATE]]
// CHECK: arith.mulf %[[UP]], %[[OPEN]]
// CHECK: path = "model.layers.0.feed_forward.down_proj"

// Half of each head is rotated.
// CHECK: %[[QUERY:.*]] = ssm.rotary {{.*}} {head_dim = 4 : i64, rotary_dim = 2 : i64, theta = 1.000000e+04 : f32}
// CHECK: %[[KEY:.*]] = ssm.rotary
// CHECK: ssm.attention %[[QUERY]], %[[KEY]], {{.*}} scale = 5.0
// CHECK: %[[TABLE:.*]] = ml_program.global_load_const @lm_head.weight
// CHECK: ssm.linear %{{.*}}, %[[TABLE]] {path = "lm_head"}
