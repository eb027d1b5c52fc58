// The sites of each family, by name.
// RUN: %python %S/../Inputs/make_checkpoint.py mamba %t
// RUN: ssmq-translate --import-hf %t | ssmq-opt --ssmq-list-sites -o /dev/null 2>&1 | FileCheck %s --check-prefix=MAMBA
// MAMBA: remark: backbone.embeddings:weight: weight, 11 x 8, 176 bytes{{$}}
// MAMBA: remark: backbone.layers.0.norm:weight: norm, 1 x 8, 16 bytes
// MAMBA: remark: backbone.layers.0.mixer.in_proj:input: activation, tokens x 8, 32 bytes a token
// MAMBA: remark: backbone.layers.0.mixer.in_proj:weight: weight, 32 x 8, 512 bytes
// MAMBA: remark: backbone.layers.0.mixer.conv1d:input: activation, tokens x 16
// MAMBA: remark: backbone.layers.0.mixer.conv1d:weight: weight, 16 x 4
// MAMBA: remark: backbone.layers.0.mixer.conv1d:cache: cache, tokens x 16, 64 bytes a token, rounded inside the op
// MAMBA: remark: backbone.layers.0.mixer.x_proj:input
// MAMBA: remark: backbone.layers.0.mixer.scan:input: activation, tokens x 16
// MAMBA: remark: backbone.layers.0.mixer.scan:dt: activation, tokens x 16
// A takes the bytes of A_log in the checkpoint.
// MAMBA: remark: backbone.layers.0.mixer.scan:a: parameter, 16 x 3, 96 bytes
// MAMBA: remark: backbone.layers.0.mixer.scan:b: activation, tokens x 3
// MAMBA: remark: backbone.layers.0.mixer.scan:c: activation, tokens x 3
// MAMBA: remark: backbone.layers.0.mixer.scan:d: parameter, 1 x 16, 32 bytes
// MAMBA: remark: backbone.layers.0.mixer.scan:state: state, 16 x 3, 192 bytes, rounded inside the op
// MAMBA: remark: backbone.layers.0.mixer:gate: activation, tokens x 16
// MAMBA: remark: backbone.layers.0.mixer.out_proj:input
// MAMBA: remark: backbone.norm_f:weight: norm
// The tied head has an input of its own, and its weight is the table.
// MAMBA: remark: lm_head:input: activation
// MAMBA-NOT: remark

// RUN: %python %S/../Inputs/make_checkpoint.py mamba2 %t
// RUN: ssmq-translate --import-hf %t | ssmq-opt --ssmq-list-sites="kinds=activation,state,parameter" -o /dev/null 2>&1 | FileCheck %s --check-prefix=MAMBA2
// MAMBA2: remark: backbone.layers.0.mixer.in_proj:input
// MAMBA2: remark: backbone.layers.0.mixer.scan:input: activation, tokens x 16, 4 channels a head
// MAMBA2: remark: backbone.layers.0.mixer.scan:a: parameter, 1 x 4, 8 bytes
// MAMBA2: remark: backbone.layers.0.mixer.scan:b: activation, tokens x 6, 3 channels a head
// MAMBA2: remark: backbone.layers.0.mixer.scan:state: state, 16 x 3, 4 channels a head
// MAMBA2-NOT: norm
// MAMBA2: remark: lm_head:input

// RUN: %python %S/../Inputs/make_checkpoint.py granitemoehybrid %t
// RUN: ssmq-translate --import-hf %t | ssmq-opt -o %t/program.mlir
// RUN: ssmq-opt %t/program.mlir --ssmq-list-sites=output=%t/sites.json -o %t/same.mlir
// RUN: diff %t/program.mlir %t/same.mlir
// RUN: FileCheck %s --check-prefix=JSON < %t/sites.json
// JSON: "name": "model.layers.0.shared_mlp:gate"
// JSON: "head_size": 4,
// JSON-NEXT: "kind": "activation",
// JSON-NEXT: "name": "model.layers.1.self_attn:query",
// JSON-NEXT: "ops": [
// JSON-NEXT: "ssm.attention"
// JSON-NEXT: ],
// JSON-NEXT: "rows": 0
// JSON: "kind": "cache",
// JSON-NEXT: "name": "model.layers.1.self_attn:key_cache"
// JSON: "name": "model.layers.1.self_attn:value_cache"
// JSON-NEXT: "ops": [
// JSON-NEXT: "ssm.attention"
// JSON-NEXT: ],

// Ops without a path are named by position; operands of one name that read one value are one site,
// others of that name are told apart.
// RUN: ssmq-opt %s --split-input-file --verify-diagnostics --ssmq-list-sites="kinds=activation,cache,parameter" -o /dev/null
// RUN: not ssmq-opt %s --split-input-file --ssmq-list-sites=kinds=wieght 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: error: kind 'wieght' is not known; take weight, norm, activation, parameter, state or cache

func.func @names(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>, %w: tensor<4x4xf32>, %h: tensor<4x3xf32>,
                 %b: tensor<?x3xf32>, %a: tensor<4x3xf32>) -> tensor<?x4xf32> {
  // expected-remark @+1 {{ssm.linear#0:input: activation, tokens x 4, 16 bytes a token}}
  %0 = ssm.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // expected-remark @+1 {{ssm.linear#1:input: activation}}
  %1 = ssm.linear %0, %w : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  // expected-remark @+1 {{mixer:gate: activation}}
  %2 = arith.negf %1 {ssm.sites = ["mixer:gate"]} : tensor<?x4xf32>
  %3 = arith.divf %2, %1 {ssm.sites = ["", "mixer:gate"]} : tensor<?x4xf32>
  // expected-remark @+1 {{mixer:gate#2: activation}}
  %4 = arith.addf %3, %y {ssm.sites = ["mixer:gate"]} : tensor<?x4xf32>
  // An A that is computed from tokens or states is no parameter.
  // expected-remark @+4 {{scan:input}}
  // expected-remark @+3 {{scan:dt}}
  // expected-remark @+2 {{scan:b}}
  // expected-remark @+1 {{scan:c}}
  %5, %n = ssm.selective_scan %4 dt %y a %a b %b c %b state %h {path = "scan"}
    : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<4x3xf32>, tensor<?x3xf32>, tensor<?x3xf32>,
       tensor<4x3xf32>) -> (tensor<?x4xf32>, tensor<4x3xf32>)
  return %5 : tensor<?x4xf32>
}

// -----

func.func @marks(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{attribute 'ssm.sites' must be an array of strings, at most one an operand}}
  %0 = arith.negf %x {ssm.sites = ["one", "two"]} : tensor<4xf32>
  return %0 : tensor<4xf32>
}
