// Scales are folded where only linear layers see them; the rest stays as it is.
// RUN: %python %S/../Inputs/make_weights.py %s %t.safetensors
// RUN: echo "[1,2,3,4,5,6,7,0,3,1,4,1,5,2,6,5,3,5,1,2,0,7,7,4]" > %t.json
// RUN: ssmq-opt %s --ssmq-fold-scales="tokens=%t.json sequence-length=9 alpha-grid=4 checkpoint=%t.safetensors output=%t.folded" | FileCheck %s
// RUN: ssmq-opt %s --ssmq-fold-scales="tokens=%t.json sequence-length=9 alpha-grid=4 checkpoint=%t.safetensors output=%t.again threads=1" -o /dev/null
// RUN: cmp %t.folded %t.again
// RUN: not ssmq-opt %s --ssmq-fold-scales="tokens=%t.json checkpoint=%t.safetensors" 2>&1 | FileCheck %s --check-prefix=OUTPUT
// RUN: sed 's/ {ssm.format.*>}//' %s | not ssmq-opt --ssmq-fold-scales="tokens=%t.json checkpoint=%t.safetensors output=%t.no" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not ssmq-opt %s --ssmq-fold-scales="tokens=%t.none checkpoint=%t.safetensors output=%t.no" 2>&1 | FileCheck %s --check-prefix=TOKENS
// RUN: not test -e %t.no
// OUTPUT: error: ssmq-fold-scales needs tokens=FILE, the calibration tokens, and output=FILE
// FORMAT: error: no layer with a format stands behind a norm or a layer that scales can be folded into; run --ssmq-assign first
// TOKENS: error: {{.*}}.none

// CHECK: module attributes {ssm.checkpoint = "{{.*}}.folded"}
// CHECK-DAG: @table({{.*}}) : tensor<8x16xf16>
ml_program.global private @table(#ml_program.extern : tensor<8x16xf16>) : tensor<8x16xf16>
// A norm and the two layers that read it; one has no format.
// CHECK-DAG: @loud_norm({{.*}}) : tensor<16xf32>
ml_program.global private @loud_norm(#ml_program.extern : tensor<16xf16>) : tensor<16xf16>
// CHECK-DAG: @loud_gate_up({{.*}}) : tensor<24x16xf32> {ssm.format
ml_program.global private @loud_gate_up(#ml_program.extern : tensor<24x16xf16>) : tensor<24x16xf16> {ssm.format = #ssm.format<"i3 sym per_channel">}
// CHECK-DAG: @beside({{.*}}) : tensor<16x16xf32>
ml_program.global private @beside(#ml_program.extern : tensor<16x16xf16>) : tensor<16x16xf16>
// Behind the second half of a layer, sliced and multiplied.
// CHECK-DAG: @down({{.*}}) : tensor<16x12xf32> {ssm.format
ml_program.global private @down(#ml_program.extern : tensor<16x12xf16>) : tensor<16x12xf16> {ssm.format = #ssm.format<"i3 sym per_channel">}
// A norm whose result is added, too.
// CHECK-DAG: @seen_norm({{.*}}) : tensor<16xf16>
ml_program.global private @seen_norm(#ml_program.extern : tensor<16xf16>) : tensor<16xf16>
// CHECK-DAG: @behind_seen({{.*}}) : tensor<16x16xf16>
ml_program.global private @behind_seen(#ml_program.extern : tensor<16x16xf16>) : tensor<16x16xf16> {ssm.format = #ssm.format<"i3 sym per_channel">}
// Norms that share a weight.
// CHECK-DAG: @shared_norm({{.*}}) : tensor<16xf16>
ml_program.global private @shared_norm(#ml_program.extern : tensor<16xf16>) : tensor<16xf16>
// CHECK-DAG: @behind_shared({{.*}}) : tensor<16x16xf16>
ml_program.global private @behind_shared(#ml_program.extern : tensor<16x16xf16>) : tensor<16x16xf16> {ssm.format = #ssm.format<"i3 sym per_channel">}
// The last norm, whose layer is the embedding's table.
// CHECK-DAG: @last_norm({{.*}}) : tensor<16xf16>
ml_program.global private @last_norm(#ml_program.extern : tensor<16xf16>) : tensor<16xf16>

func.func @forward(%ids: tensor<?xi32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %table = ml_program.global_load_const @table : tensor<8x16xf16>
  %loud_norm = ml_program.global_load_const @loud_norm : tensor<16xf16>
  %loud_gate_up = ml_program.global_load_const @loud_gate_up : tensor<24x16xf16>
  %beside = ml_program.global_load_const @beside : tensor<16x16xf16>
  %down = ml_program.global_load_const @down : tensor<16x12xf16>
  %seen_norm = ml_program.global_load_const @seen_norm : tensor<16xf16>
  %behind_seen = ml_program.global_load_const @behind_seen : tensor<16x16xf16>
  %shared_norm = ml_program.global_load_const @shared_norm : tensor<16xf16>
  %behind_shared = ml_program.global_load_const @behind_shared : tensor<16x16xf16>
  %last_norm = ml_program.global_load_const @last_norm : tensor<16xf16>
  %tokens = tensor.dim %ids, %c0 : tensor<?xi32>

  %x = ssm.embedding %ids, %table : (tensor<?xi32>, tensor<8x16xf16>) -> tensor<?x16xf32>
  %n = ssm.rms_norm %x, %loud_norm {eps = 1.0e-5 : f32} : (tensor<?x16xf32>, tensor<16xf16>) -> tensor<?x16xf32>
  %both = ssm.linear %n, %loud_gate_up : (tensor<?x16xf32>, tensor<24x16xf16>) -> tensor<?x24xf32>
  %other = ssm.linear %n, %beside : (tensor<?x16xf32>, tensor<16x16xf16>) -> tensor<?x16xf32>
  %gate = tensor.extract_slice %both[0, 0] [%tokens, 12] [1, 1] : tensor<?x24xf32> to tensor<?x12xf32>
  %up = tensor.extract_slice %both[0, 12] [%tokens, 12] [1, 1] : tensor<?x24xf32> to tensor<?x12xf32>
  %squashed = math.tanh %gate : tensor<?x12xf32>
  %product = arith.mulf %squashed, %up : tensor<?x12xf32>
  %y = ssm.linear %product, %down : (tensor<?x12xf32>, tensor<16x12xf16>) -> tensor<?x16xf32>
  %seen = ssm.rms_norm %y, %seen_norm {eps = 1.0e-5 : f32} : (tensor<?x16xf32>, tensor<16xf16>) -> tensor<?x16xf32>
  %z = ssm.linear %seen, %behind_seen : (tensor<?x16xf32>, tensor<16x16xf16>) -> tensor<?x16xf32>
  %sum = arith.addf %z, %seen : tensor<?x16xf32>
  %first = ssm.rms_norm %sum, %shared_norm {eps = 1.0e-5 : f32} : (tensor<?x16xf32>, tensor<16xf16>) -> tensor<?x16xf32>
  %u = ssm.linear %first, %behind_shared : (tensor<?x16xf32>, tensor<16x16xf16>) -> tensor<?x16xf32>
  %second = ssm.rms_norm %other, %shared_norm {eps = 1.0e-5 : f32} : (tensor<?x16xf32>, tensor<16xf16>) -> tensor<?x16xf32>
  %v = arith.addf %u, %second : tensor<?x16xf32>
  %last = ssm.rms_norm %v, %last_norm {eps = 1.0e-5 : f32} : (tensor<?x16xf32>, tensor<16xf16>) -> tensor<?x16xf32>
  %logits = ssm.linear %last, %table : (tensor<?x16xf32>, tensor<8x16xf16>) -> tensor<?x8xf32>
  return %logits : tensor<?x8xf32>
}
