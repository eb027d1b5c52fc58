// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t tie_word_embeddings=true drop=lm_head.weight
// RUN: ssmq-translate --import-hf %t -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: ssmq-opt %t.mlir --verify-roundtrip -o %t.again
// RUN: ssmq-translate --import-hf %t --emit-bytecode | ssmq-opt | FileCheck %s

// CHECK: module attributes {ssm.checkpoint = "/{{.*}}granitemoehybrid.mlir.tmp"}
// CHECK: ml_program.global private @model.embed_tokens.weight(#{{.*}}) : tensor<11x8xf16>
// CHECK: func.func @forward(%[[TOKENS:.*]]: tensor<?xi32>
// CHECK-SAME: %[[POSITION:.*]]: tensor<i32> {ssm.state = "position"}
// CHECK-SAME: %[[CONV:.*]]: tensor<3x28xf32> {ssm.state = "model.layers.0.mamba.conv"}
// CHECK-SAME: %[[SCAN:.*]]: tensor<4x4x3xf32> {ssm.state = "model.layers.0.mamba.scan"}
// CHECK-SAME: %[[KEY:.*]]: tensor<?x4xf32> {ssm.state = "model.layers.1.self_attn.key"}
// CHECK-SAME: %[[VALUE:.*]]: tensor<?x4xf32> {ssm.state = "model.layers.1.self_attn.value"}
// CHECK-SAME: -> (tensor<?x11xf32>, tensor<i32>, tensor<3x28xf32>, tensor<4x4x3xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
// CHECK: %[[TABLE:.*]] = ml_program.global_load_const @model.embed_tokens.weight
// CHECK: %[[EMBEDDED:.*]] = ssm.embedding %[[TOKENS]], %[[TABLE]] {path = "model.embed_tokens"}
// CHECK: %[[SIX:.*]] = arith.constant 6.0
// CHECK: %[[FACTOR:.*]] = tensor.splat %[[SIX]]
// CHECK: %[[HIDDEN:.*]] = arith.mulf %[[EMBEDDED]], %[[FACTOR]]
// CHECK: %[[NORMED:.*]] = ssm.rms_norm %[[HIDDEN]]

// CHECK: %[[PROJECTED:.*]] = ssm.linear %[[NORMED]], {{.*}} {path = "model.layers.0.mamba.in_proj"}
// CHECK: %[[GATE:.*]] = tensor.extract_slice %[[PROJECTED]][0, 0] [%{{.*}}, 16]
// CHECK: %[[XBC:.*]] = tensor.extract_slice %[[PROJECTED]][0, 16] [%{{.*}}, 28]
// CHECK: %[[DT:.*]] = tensor.extract_slice %[[PROJECTED]][0, 44] [%{{.*}}, 4]
// CHECK: %{{.*}}, %[[NEXT_CONV:.*]] = ssm.causal_conv1d %[[XBC]], {{.*}} state %[[CONV]] {path = "model.layers.0.mamba.conv1d"}
// CHECK: linalg.broadcast
// CHECK: math.log1p
// No clamp: the bounds are 0 and infinity.
// CHECK-NOT: arith.minimumf
// CHECK: %[[SCANNED:.*]], %[[NEXT_SCAN:.*]] = ssm.ssd_scan {{.*}} state %[[SCAN]] {path = "model.layers.0.mamba.scan"}
// CHECK: %[[GATED:.*]] = arith.mulf %[[SCANNED]]
// CHECK: ssm.rms_norm %[[GATED]], {{.*}}groups = 2
// CHECK: path = "model.layers.0.mamba.out_proj"
// CHECK: arith.constant 5.0
// CHECK: path = "model.layers.0.shared_mlp.input_linear"
// CHECK: path = "model.layers.0.shared_mlp.output_linear"

// Positions are not embedded.
// CHECK-NOT: ssm.rotary
// CHECK: %{{.*}}, %[[NEXT_KEY:.*]], %[[NEXT_VALUE:.*]] = ssm.attention {{.*}}, caches %[[KEY]], %[[VALUE]] at %[[POSITION]]
// CHECK-SAME: head_dim = 4 : i64, path = "model.layers.1.self_attn", scale = 2.5

// The head shares the table of the embedding.
// CHECK: %[[LOGITS:.*]] = ssm.linear %{{.*}}, %[[TABLE]] {path = "lm_head"}
// CHECK: %[[SCALED:.*]] = arith.divf %[[LOGITS]]
// CHECK: %[[NEXT_POSITION:.*]] = arith.addi %[[POSITION]]
// CHECK: return %[[SCALED]], %[[NEXT_POSITION]], %[[NEXT_CONV]], %[[NEXT_SCAN]], %[[NEXT_KEY]], %[[NEXT_VALUE]]
